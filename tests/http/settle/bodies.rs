//! Settlements by a streamed body: at its end, or where it is dropped.

use std::cell::Cell;

use actix_throttle::{PendingCharge, rate_limit};
use actix_web::{
    Error, HttpResponse, rt,
    web::{self, Bytes},
};
use futures_util::stream;

use super::routes;
use harness::http::app::{TestApp, get as request};

#[actix_web::test]
async fn streamed_body_settles_at_its_end() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/stream/10/60").await;
    assert_eq!(answer.text(), "abc");
    // The headers were sent before.
    assert_eq!(answer.remaining(), Some(90));
    assert_eq!(service.get("/tokens/1/1").await.remaining(), Some(39));
}

/// A body that its client does not read to the end: the estimate stands, unless it is settled in
/// its `drop`.
#[actix_web::test]
async fn dropped_body_leaves_the_estimate() {
    thread_local!(static SETTLES: Cell<bool> = const { Cell::new(false) });

    struct Open(Option<PendingCharge>);

    impl Drop for Open {
        fn drop(&mut self) {
            if let Some(charge) = self.0.take().filter(|_| SETTLES.get()) {
                rt::spawn(charge.settle(3));
            }
        }
    }

    #[rate_limit("100/minute", cost = 10, settle)]
    async fn endless(charge: PendingCharge) -> HttpResponse {
        let open = Open(Some(charge));
        let chunks = stream::repeat_with(move || {
            let _ = &open;
            Ok::<_, Error>(Bytes::from_static(b"x"))
        });
        HttpResponse::Ok().streaming(chunks)
    }

    let app = TestApp::new().await;
    let service = actix_web::test::init_service(
        actix_web::App::new()
            .app_data(app.limiter.clone())
            .route("/", web::get().to(endless)),
    )
    .await;
    let left = |headers: &actix_web::http::header::HeaderMap| {
        let left = headers.get("X-RateLimit-Remaining").expect("a header");
        left.to_str().expect("a number").to_owned()
    };
    let mut seen = Vec::new();
    // The last request sees what was settled for the one before.
    for settles in [false, true, false] {
        SETTLES.set(settles);
        let response = actix_web::test::call_service(&service, request("/").to_request()).await;
        seen.push(left(response.headers()));
        drop(response);
        rt::task::yield_now().await;
    }
    assert_eq!(seen, ["90", "80", "77"]);
}
