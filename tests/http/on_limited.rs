//! The application's own responses to denied requests (`on_limited`).

use actix_throttle::{Decision, rate_limit};
use actix_web::{HttpRequest, HttpResponse, get, web::ServiceConfig};

use harness::http::app::TestApp;

fn own(request: &HttpRequest, denied: &Decision) -> HttpResponse {
    let wait = denied.retry_after().expect("a wait");
    HttpResponse::ServiceUnavailable()
        .insert_header(("X-Own", "sync"))
        .body(format!("{} {wait:?}", request.path()))
}

async fn own_async(request: &HttpRequest, denied: &Decision) -> HttpResponse {
    actix_web::rt::task::yield_now().await;
    let names: Vec<_> = denied.violated().map(|limit| limit.name()).collect();
    HttpResponse::TooManyRequests()
        .insert_header(("X-Own", "async"))
        .body(format!("{} {}", request.method(), names.join(" ")))
}

mod elsewhere {
    use super::*;

    pub(super) fn with_own_headers(_: &HttpRequest, _: &Decision) -> HttpResponse {
        HttpResponse::Found()
            .insert_header(("Location", "/sorry"))
            .insert_header(("Retry-After", "12345"))
            .insert_header(("X-RateLimit-Limit", "lies"))
            .finish()
    }
}

#[get("/sync")]
#[rate_limit("1/minute", on_limited = own)]
async fn by_sync() -> &'static str {
    "ok"
}

#[get("/async")]
#[rate_limit("1/minute", on_limited = own_async)]
async fn by_async() -> &'static str {
    "ok"
}

#[get("/headers")]
#[rate_limit("1/minute", on_limited = elsewhere::with_own_headers)]
async fn with_headers() -> &'static str {
    "ok"
}

#[get("/default")]
#[rate_limit("1/minute")]
async fn by_default() -> &'static str {
    "ok"
}

/// Each limit has a response of its own.
#[get("/stacked")]
#[rate_limit("1/second", on_limited = own)]
#[rate_limit("2/minute", on_limited = own_async)]
#[rate_limit("3/hour")]
async fn stacked() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((by_sync, by_async, with_headers, by_default, stacked));
}

#[actix_web::test]
async fn handlers_own_answer_is_sent_with_the_headers_added() {
    let service = TestApp::new().await.service(routes).await;
    for (path, status, own, body) in [
        ("/sync", 503, "sync", "/sync 60s"),
        ("/async", 429, "async", "GET by_async"),
    ] {
        assert_eq!(service.get(path).await.header("X-Own"), None);
        let denied = service.get(path).await;
        assert_eq!((denied.status, denied.text()), (status, body));
        assert_eq!(denied.header("X-Own"), Some(own));
        assert_eq!(denied.quota(), Some([1, 0, 60]));
        assert_eq!(denied.retry_after(), Some(60));
    }
}

#[actix_web::test]
async fn own_retry_after_stays_and_own_quota_is_corrected() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/headers").await.status, 200);
    let denied = service.get("/headers").await;
    assert_eq!(denied.status, 302);
    assert_eq!(denied.header("Location"), Some("/sorry"));
    assert_eq!(denied.retry_after(), Some(12_345));
    assert_eq!(denied.quota(), Some([1, 0, 60]));
}

#[actix_web::test]
async fn limiters_answer_is_for_handlers_without_their_own() {
    let sync = TestApp::with(|builder| {
        builder.on_limited(|request, denied| {
            let count = denied.limits().len();
            HttpResponse::ImATeapot().body(format!("{} {count}", request.path()))
        })
    });
    let later = TestApp::with(|builder| {
        builder.on_limited_async(async |request: &HttpRequest, denied: &Decision| {
            actix_web::rt::task::yield_now().await;
            let count = denied.limits().len();
            HttpResponse::ImATeapot().body(format!("{} {count}", request.path()))
        })
    });
    for test_app in [sync.await, later.await] {
        let service = test_app.service(routes).await;
        assert_eq!(service.get("/default").await.status, 200);
        let denied = service.get("/default").await;
        assert_eq!((denied.status, denied.text()), (418, "/default 1"));
        assert_eq!(denied.quota(), Some([1, 0, 60]));
        assert_eq!(denied.retry_after(), Some(60));
        assert_eq!(service.statuses("/sync", 2).await, [200, 503]);
    }
}

#[actix_web::test]
async fn stacked_denial_is_answered_by_longest_wait() {
    let test_app = TestApp::with(|builder| {
        builder.on_limited(|_, _| HttpResponse::ImATeapot().body("limiter's"))
    })
    .await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/stacked").await.status, 200);
    let denied = service.get("/stacked").await;
    assert_eq!((denied.status, denied.text()), (503, "/stacked 1s"));
    test_app.after_seconds(1);
    assert_eq!(service.get("/stacked").await.status, 200);
    let denied = service.get("/stacked").await;
    assert_eq!(
        (denied.status, denied.text()),
        (429, "GET stacked stacked-2"),
        "denied by two"
    );
    test_app.after_seconds(60);
    assert_eq!(service.get("/stacked").await.status, 200);
    let denied = service.get("/stacked").await;
    assert_eq!((denied.status, denied.text()), (418, "limiter's"));
    assert_eq!(denied.retry_after(), Some(3_600 - 61));
}
