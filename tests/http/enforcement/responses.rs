//! Other things that a limit answers or does, by mode: identify, 401, 403, 500 and 503.

use std::sync::atomic::Ordering;

use actix_throttle::{Enforcement, RateLimiter};
use actix_web::{App, HttpRequest, HttpResponse};

use super::{IDENTIFIED, routes};
use harness::http::app::{TestApp, TestService, get_from};

const MODES: [Enforcement; 3] = [Enforcement::On, Enforcement::Shadow, Enforcement::Off];

/// Each mode, with this status while limits are enforced and 200 otherwise.
fn only_while_enforced(status: u16) -> [(Enforcement, u16); 3] {
    MODES.map(|mode| match mode {
        Enforcement::On => (mode, status),
        _ => (mode, 200),
    })
}

#[actix_web::test]
async fn nothing_is_identified_while_limits_are_off() {
    let service = TestApp::with(|builder| builder.enforcement(Enforcement::Off))
        .await
        .service(routes)
        .await;
    IDENTIFIED.store(0, Ordering::Relaxed);
    assert_eq!(service.statuses("/identified", 3).await, [200; 3]);
    assert_eq!(IDENTIFIED.load(Ordering::Relaxed), 0);
}

#[actix_web::test]
async fn unidentified_clients_are_rejected_only_while_enforced() {
    for (mode, expected) in only_while_enforced(401) {
        let test_app = TestApp::with(|builder| {
            let unauthorized = |_: &HttpRequest| HttpResponse::Unauthorized().finish();
            builder.enforcement(mode).on_unidentified(unauthorized)
        });
        let service = test_app.await.service(routes).await;
        assert_eq!(service.get("/key").await.status, expected, "{mode:?}");
    }
}

#[actix_web::test]
async fn denied_networks_stay_denied_in_each_mode() {
    for mode in MODES {
        let test_app = TestApp::with(|builder| {
            let builder = builder.enforcement(mode).deny(["192.0.2.64/28"]);
            builder.expect("a network")
        });
        let service = test_app.await.service(routes).await;
        let status = |path| service.send(get_from("192.0.2.65", path));
        for path in ["/single", "/inside"] {
            assert_eq!(status(path).await.status, 403, "{mode:?} {path}");
        }
    }
}

#[actix_web::test]
async fn closed_limits_answer_503_only_while_enforced() {
    for (mode, expected) in only_while_enforced(503) {
        let limiter = RateLimiter::builder()
            .redis_url("redis://127.0.0.1:1")
            .enforcement(mode)
            .build();
        let limiter = limiter.await.expect("a warning");
        let app = App::new().app_data(limiter).configure(routes);
        let service = TestService::of(app).await;
        assert_eq!(service.get("/closed").await.status, expected, "{mode:?}");
    }
}

#[actix_web::test]
async fn unknown_limits_answer_500_only_while_enforced() {
    for (mode, expected) in only_while_enforced(500) {
        let test_app = TestApp::with(|builder| builder.enforcement(mode)).await;
        let service = test_app.service(routes).await;
        assert_eq!(service.get("/unknown").await.status, expected, "{mode:?}");
    }
}
