//! The check precedes every extractor, and does not change extraction.

use std::{
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

use actix_throttle::rate_limit;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    dev::{Payload, Service},
    error::{InternalError, PayloadError},
    web::{self, Bytes, ServiceConfig},
};
use futures_core::Stream;

use harness::http::app::{TestApp, post};

#[rate_limit("3/minute")]
async fn sum(numbers: web::Json<Vec<u32>>) -> String {
    numbers.iter().sum::<u32>().to_string()
}

#[rate_limit("3/minute")]
async fn fields(form: web::Form<Vec<(String, String)>>) -> String {
    form.len().to_string()
}

type Fields = Vec<(String, u32)>;

#[rate_limit("3/minute")]
async fn either(body: web::Either<web::Json<Vec<u32>>, web::Form<Fields>>) -> String {
    match body {
        web::Either::Left(numbers) => format!("json {}", numbers.len()),
        web::Either::Right(fields) => format!("form {}", fields.len()),
    }
}

#[rate_limit("3/minute")]
async fn optional(body: Option<web::Json<Vec<u32>>>, number: web::Path<u32>) -> String {
    format!("{} {number}", body.is_some())
}

/// An extractor that counts how often it runs.
struct Counted;

static MADE: AtomicUsize = AtomicUsize::new(0);

impl FromRequest for Counted {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, actix_web::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        MADE.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Self))
    }
}

#[rate_limit("3/minute")]
async fn counted(_first: Counted, _second: Counted) -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/sum", web::post().to(sum))
        .route("/fields", web::post().to(fields))
        .route("/either", web::post().to(either))
        .route("/optional/{number}", web::post().to(optional))
        .route("/counted", web::get().to(counted));
}

#[actix_web::test]
async fn malformed_body_is_counted_and_answered_400_with_headers() {
    let service = TestApp::new().await.service(routes).await;
    let malformed = || {
        post("/sum")
            .insert_header(("content-type", "application/json"))
            .set_payload("[1, 2,")
    };
    for remaining in [2, 1, 0] {
        let answer = service.send(malformed()).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.quota(), Some([3, remaining, 60]));
        assert_eq!(answer.retry_after(), None);
    }
    let denied = service.send(malformed()).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([3, 0, 60]));
    assert_eq!(denied.retry_after(), Some(60));
    let denied = service.send(post("/sum").set_json([1, 2])).await;
    assert_eq!(denied.status, 429);
}

#[actix_web::test]
async fn bodies_of_every_kind_reach_their_extractors() {
    let service = TestApp::new().await.service(routes).await;
    for (request, body) in [
        (post("/sum").set_json([1, 2, 3]), "6"),
        (post("/fields").set_form([("a", "b"), ("c", "d")]), "2"),
        (post("/either").set_json([1, 2]), "json 2"),
        (post("/either").set_form([("a", 1)]), "form 1"),
        (post("/optional/7").set_json([1]), "true 7"),
        (post("/optional/8").set_payload("text"), "false 8"),
    ] {
        let answer = service.send(request).await;
        assert_eq!((answer.status, answer.text()), (200, body));
    }
    let wrong_type = service.send(post("/fields").set_payload("a=b")).await;
    assert_eq!((wrong_type.status, wrong_type.remaining()), (415, Some(1)));
}

#[actix_web::test]
async fn extractors_are_not_created_for_denied_requests() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(
        service.statuses("/counted", 10).await[..4],
        [200, 200, 200, 429]
    );
    assert_eq!(MADE.load(Ordering::SeqCst), 3 * 2);
}

#[actix_web::test]
async fn own_error_handlers_answer_with_the_headers_added() {
    let with_handlers = |config: &mut ServiceConfig| {
        let json = web::JsonConfig::default().error_handler(|error, _| {
            let response = HttpResponse::UnprocessableEntity()
                .insert_header(("X-Own", "json"))
                .body("own words");
            InternalError::from_response(error, response).into()
        });
        let path = web::PathConfig::default().error_handler(|error, request| {
            let response = HttpResponse::Gone().body(request.path().to_owned());
            InternalError::from_response(error, response).into()
        });
        // One extractor configuration for the app, one for a resource.
        config.app_data(json).service(
            web::resource("/paths/{number}")
                .app_data(path)
                .route(web::post().to(optional)),
        );
        routes(config);
    };
    let service = TestApp::new().await.service(with_handlers).await;
    let answer = service
        .send(post("/sum").set_payload("no type, no JSON"))
        .await;
    assert_eq!((answer.status, answer.text()), (422, "own words"));
    assert_eq!(answer.header("X-Own"), Some("json"));
    assert_eq!(answer.quota(), Some([3, 2, 60]));

    let answer = service.send(post("/paths/x")).await;
    assert_eq!((answer.status, answer.text()), (410, "/paths/x"));
    assert_eq!(answer.quota(), Some([3, 2, 60]));
}

#[actix_web::test]
async fn own_limits_on_the_size_of_bodies_hold() {
    let sized = |config: &mut ServiceConfig| {
        config.app_data(web::JsonConfig::default().limit(8));
        routes(config);
    };
    let service = TestApp::new().await.service(sized).await;
    let answer = service.send(post("/sum").set_json([100, 200, 300])).await;
    assert_eq!((answer.status, answer.remaining()), (413, Some(2)));
    let answer = service.send(post("/sum").set_json([1, 2])).await;
    assert_eq!((answer.status, answer.text()), (200, "3"));
}

/// A body that counts how often it is polled.
struct Asked(Rc<AtomicUsize>);

impl Stream for Asked {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => Poll::Ready(Some(Ok(Bytes::from_static(b"[1]")))),
            _ => Poll::Ready(None),
        }
    }
}

#[actix_web::test]
async fn body_of_a_denied_request_is_not_read() {
    let asked = Rc::new(AtomicUsize::new(0));
    let body = Rc::clone(&asked);
    let routes = |config: &mut ServiceConfig| {
        let scope = web::scope("").wrap_fn(move |mut request, service| {
            let stream = Box::pin(Asked(Rc::clone(&body)));
            request.set_payload(Payload::Stream { payload: stream });
            service.call(request)
        });
        config.service(scope.configure(routes));
    };
    let service = TestApp::new().await.service(routes).await;
    let json = || post("/sum").insert_header(("content-type", "application/json"));
    for time in 1..=3 {
        let answer = service.send(json()).await;
        assert_eq!((answer.status, answer.text()), (200, "1"));
        assert_eq!(asked.load(Ordering::SeqCst), 2 * time);
    }
    for _ in 0..5 {
        assert_eq!(service.send(json()).await.status, 429);
        assert_eq!(asked.load(Ordering::SeqCst), 6);
    }
}

#[actix_web::test]
async fn extensions_of_the_request_reach_the_handler() {
    #[rate_limit("3/minute")]
    async fn mark(mark: web::ReqData<u32>, request: HttpRequest) -> String {
        format!("{} {:?}", *mark, request.match_name())
    }
    let routes = |config: &mut ServiceConfig| {
        let resource = web::resource("/mark")
            .name("marked")
            .wrap_fn(|request, service| {
                request.extensions_mut().insert(42_u32);
                service.call(request)
            });
        config.service(resource.route(web::get().to(mark)));
    };
    let answer = TestApp::new()
        .await
        .service(routes)
        .await
        .get("/mark")
        .await;
    assert_eq!(answer.text(), "42 Some(\"marked\")");
}
