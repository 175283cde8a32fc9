//! The responses to denied and to unidentified requests, and their precedence.

use actix_throttle::{Limit, Rule, Throttle};
use actix_web::{HttpRequest, HttpResponse};

use super::throttle::{anything, by_headers, user};
use harness::http::app::TestApp;

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

#[actix_web::test]
async fn unidentified_are_answered_by_the_middleware() {
    let test_app = TestApp::with(|builder| {
        builder.on_unidentified(|_| HttpResponse::PaymentRequired().finish())
    })
    .await;
    let throttle = || {
        let throttle = Throttle::new().identifier(by_headers);
        throttle.paths("^/", [rule(1)]).unwrap()
    };
    let service = test_app.behind(throttle(), anything).await;
    assert_eq!(service.get("/").await.status, 402);
    let sync = |_: &HttpRequest| HttpResponse::Unauthorized().finish();
    let service = test_app
        .behind(throttle().on_unidentified(sync), anything)
        .await;
    assert_eq!(service.get("/").await.status, 401);
    let later = async |_: &HttpRequest| HttpResponse::Forbidden().finish();
    let service = test_app
        .behind(throttle().on_unidentified(later), anything)
        .await;
    let refused = service.get("/").await;
    assert_eq!(refused.status, 403);
    assert!(refused.is_unlimited());
    assert_eq!(service.send(user("ann", "", "/")).await.status, 200);
}

#[actix_web::test]
async fn unidentified_are_answered_by_the_limiter_later() {
    let answer = async |_: &HttpRequest| HttpResponse::Unauthorized().finish();
    let test_app =
        TestApp::with(|builder| builder.identifier(by_headers).on_unidentified_async(answer)).await;
    let throttle = Throttle::per_client(Limit::per_minute(1)).unwrap();
    let service = test_app.behind(throttle, anything).await;
    assert_eq!(service.get("/").await.status, 401);
}

#[actix_web::test]
async fn denied_are_answered_by_rule_then_middleware_then_limiter() {
    let test_app = TestApp::with(|builder| {
        builder.on_limited(|_, _| HttpResponse::TooManyRequests().body("limiter"))
    })
    .await;
    let teapot = |_: &HttpRequest, _: &_| HttpResponse::ImATeapot().body("rule");
    let throttle = || {
        let throttle = Throttle::new().paths("^/own", [rule(1).on_limited(teapot)]);
        throttle
            .and_then(|throttle| throttle.paths("^/", [rule(1)]))
            .unwrap()
    };
    let later = async |_: &HttpRequest, _: &actix_throttle::Decision| {
        HttpResponse::TooManyRequests().body("middleware")
    };
    let service = test_app
        .behind(throttle().on_limited(later), anything)
        .await;
    assert_eq!(service.statuses("/own", 2).await, [200, 418]);
    service.get("/").await;
    let denied = service.get("/").await;
    assert_eq!((denied.status, denied.text()), (429, "middleware"));
    assert_eq!(
        (denied.quota(), denied.retry_after()),
        (Some([1, 0, 60]), Some(60))
    );
    let service = test_app.behind(throttle(), anything).await;
    assert_eq!(service.get("/").await.text(), "limiter");
}
