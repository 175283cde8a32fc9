//! Errors from middleware inside the throttle.

use actix_throttle::{Limit, Rule, Throttle};
use actix_web::{
    App, Error, ResponseError,
    dev::Service,
    error::{ErrorBadGateway, ErrorUnauthorized},
    http::StatusCode,
    middleware::from_fn,
};

use super::throttle::anything;
use harness::http::app::{TestApp, TestService};

fn rule(times: u32) -> Rule {
    Rule::new(Limit::per_minute(times))
}

fn named(times: u32, name: &'static str) -> Throttle {
    Throttle::per_client(Limit::per_minute(times).name(name)).expect("a valid limit")
}

#[derive(Debug)]
struct Teapot;

impl std::fmt::Display for Teapot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("short and stout")
    }
}

impl ResponseError for Teapot {
    fn status_code(&self) -> StatusCode {
        StatusCode::IM_A_TEAPOT
    }
}

#[actix_web::test]
async fn error_from_inside_is_a_response_too() {
    let test_app = TestApp::new().await;
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(anything)
        .wrap_fn(|request, inside| {
            let answer = inside.call(request);
            async move {
                answer.await?;
                Err::<actix_web::dev::ServiceResponse, Error>(Teapot.into())
            }
        })
        .wrap(named(5, "inner"))
        // Reading the response of an error does not consume the headers.
        .wrap_fn(|request, inside| {
            let answer = inside.call(request);
            async move {
                answer.await.inspect_err(|error| {
                    assert_eq!(error.error_response().status(), StatusCode::IM_A_TEAPOT);
                })
            }
        })
        .wrap(named(3, "outer"));
    let service = TestService::of(app).await;
    for remaining in [2, 1, 0] {
        let answer = service.get("/").await;
        assert_eq!((answer.status, answer.text()), (418, "short and stout"));
        assert_eq!(answer.quota(), Some([3, remaining, 60]));
    }
    assert_eq!(service.get("/").await.status, 429);
}

#[actix_web::test]
async fn error_from_inside_is_refunded_by_its_status() {
    let test_app = TestApp::new().await;
    let refunding = rule(3).refund_on("5xx".parse().expect("statuses"));
    let throttle = Throttle::new().paths("^/", [refunding]).expect("an entry");
    let app = App::new()
        .app_data(test_app.limiter.clone())
        .configure(anything)
        .wrap(from_fn(
            async |request, _next: actix_web::middleware::Next<_>| {
                Err::<actix_web::dev::ServiceResponse, _>(match query(&request) {
                    "502" => ErrorBadGateway("down"),
                    _ => ErrorUnauthorized("who?"),
                })
            },
        ))
        .wrap(throttle);
    let service = TestService::of(app).await;
    for _ in 0..5 {
        let failed = service.get("/?502").await;
        assert_eq!((failed.status, failed.remaining()), (502, Some(3)));
    }
    assert_eq!(service.get("/?401").await.remaining(), Some(2));
}

fn query(request: &actix_web::dev::ServiceRequest) -> &str {
    request.query_string()
}
