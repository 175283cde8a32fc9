//! The positions in which the attribute may stand, and the ways to write its numbers.

use actix_throttle::rate_limit;
use actix_web::{
    Responder, get,
    http::Method,
    post, route, routes, scope,
    web::{self, ServiceConfig},
};

use harness::http::app::{TestApp, get, post};

/// A doc comment above.
#[get("/above")]
/// A doc comment between.
#[rate_limit(times = 2, seconds = 5)]
/// A doc comment below.
async fn above() -> impl Responder {
    "above"
}

#[rate_limit(times = 2, seconds = 5)]
#[get("/below")]
/// A doc comment.
async fn below() -> impl Responder {
    "below"
}

#[post("/posted", name = "posted", guard = "json_only")]
#[rate_limit(times = 2, seconds = 5)]
async fn posted(body: String) -> String {
    body
}

fn json_only(context: &actix_web::guard::GuardContext<'_>) -> bool {
    context.head().headers.contains_key("content-type")
}

#[routes]
#[get("/many")]
#[get("/more")]
#[head("/many")]
#[rate_limit(times = 3, seconds = 5)]
async fn many() -> impl Responder {
    "many"
}

#[rate_limit(times = 3, seconds = 5)]
#[routes]
#[get("/several")]
#[post("/several")]
async fn several() -> impl Responder {
    "several"
}

#[route("/routed", method = "GET", method = "PUT")]
#[rate_limit(times = 2, seconds = 5)]
async fn routed() -> impl Responder {
    "routed"
}

#[rate_limit(times = 2, seconds = 5)]
pub(super) async fn plain() -> impl Responder {
    "plain"
}

#[scope("/scoped")]
mod scoped {
    use super::*;

    #[get("/above")]
    #[rate_limit(times = 2, seconds = 5)]
    pub async fn above() -> impl Responder {
        "scoped above"
    }

    #[rate_limit(times = 2, seconds = 5)]
    #[get("/below")]
    pub async fn below() -> impl Responder {
        "scoped below"
    }
}

#[cfg(any())]
#[get("/cfg")]
#[rate_limit(times = 9, seconds = 5)]
async fn configured() -> impl Responder {
    "never"
}

#[get("/cfg")]
#[cfg(not(any()))]
#[rate_limit(times = 2, seconds = 5)]
#[allow(clippy::let_and_return, unused_mut)]
async fn configured() -> impl Responder {
    let mut text = "cfg";
    text
}

#[get("/cfg-attr")]
#[cfg_attr(not(any()), rate_limit(times = 2, seconds = 5))]
async fn conditional() -> impl Responder {
    "cfg-attr"
}

#[get("/path")]
#[actix_throttle::rate_limit(times = 2, seconds = 5)]
async fn by_path() -> impl Responder {
    "path"
}

macro_rules! limited {
    ($name:ident, $path:literal, $times:expr, $body:block) => {
        #[get($path)]
        #[rate_limit(times = $times, seconds = 5)]
        async fn $name() -> impl Responder $body
    };
}

limited!(from_macro, "/macro", 2, { "macro" });

fn all(config: &mut ServiceConfig) {
    config
        .service((above, below, posted, many, several, routed))
        .service((configured, conditional, by_path, from_macro))
        .service((scoped::above, scoped::below))
        .route("/to", web::get().to(plain))
        .service(
            web::resource("/resource")
                .route(web::get().to(plain))
                .route(web::post().to(plain)),
        );
}

#[actix_web::test]
async fn limit_holds_wherever_the_attribute_stands() {
    let service = TestApp::new().await.service(all).await;
    for (path, body) in [
        ("/above", "above"),
        ("/below", "below"),
        ("/routed", "routed"),
        ("/scoped/above", "scoped above"),
        ("/scoped/below", "scoped below"),
        ("/cfg", "cfg"),
        ("/cfg-attr", "cfg-attr"),
        ("/path", "path"),
        ("/macro", "macro"),
        ("/to", "plain"),
    ] {
        let first = service.get(path).await;
        assert_eq!((first.status, first.text()), (200, body), "{path}");
        assert_eq!(first.quota(), Some([2, 1, 5]), "{path}");
        assert_eq!(service.get(path).await.quota(), Some([2, 0, 5]), "{path}");
        let denied = service.get(path).await;
        assert_eq!(denied.status, 429, "{path}");
        assert_eq!(denied.quota(), Some([2, 0, 5]), "{path}");
        assert_eq!(denied.retry_after(), Some(5), "{path}");
    }
}

#[actix_web::test]
async fn admits_again_when_the_window_has_passed() {
    let test_app = TestApp::new().await;
    let service = test_app.service(all).await;
    assert_eq!(service.statuses("/above", 3).await, [200, 200, 429]);
    test_app.after_millis(4_999);
    assert_eq!(service.get("/above").await.status, 429);
    test_app.after_millis(1);
    assert_eq!(service.statuses("/above", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn every_route_of_a_handler_counts_in_one() {
    let service = TestApp::new().await.service(all).await;
    assert_eq!(service.get("/many").await.remaining(), Some(2));
    let head = service.send(get("/many").method(Method::HEAD)).await;
    assert_eq!((head.status, head.remaining()), (200, Some(1)));
    assert_eq!(service.get("/more").await.remaining(), Some(0));
    let head = service.send(get("/many").method(Method::HEAD)).await;
    assert_eq!((head.status, head.retry_after()), (429, Some(5)));

    assert_eq!(service.get("/several").await.remaining(), Some(2));
    assert_eq!(service.send(post("/several")).await.remaining(), Some(1));

    assert_eq!(service.get("/routed").await.remaining(), Some(1));
    let put = service.send(get("/routed").method(Method::PUT)).await;
    assert_eq!((put.status, put.remaining()), (200, Some(0)));

    assert_eq!(service.get("/to").await.remaining(), Some(1));
    assert_eq!(service.get("/resource").await.remaining(), Some(0));
    assert_eq!(service.send(post("/resource")).await.status, 429);
}

#[actix_web::test]
async fn guards_and_unmatched_methods_take_nothing() {
    let service = TestApp::new().await.service(all).await;
    for _ in 0..5 {
        let unguarded = service.send(post("/posted").set_payload("x")).await;
        assert_eq!(unguarded.status, 404);
        assert!(unguarded.is_unlimited());
        assert!(service.get("/posted").await.is_unlimited());
    }
    let guarded = post("/posted").insert_header(("content-type", "text/plain"));
    let guarded = service.send(guarded.set_payload("x")).await;
    assert_eq!((guarded.status, guarded.text()), (200, "x"));
    assert_eq!(guarded.remaining(), Some(1));
}
