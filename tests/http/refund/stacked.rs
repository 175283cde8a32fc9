//! Refunds of several rules with statuses of their own, and of several layers.

use actix_throttle::{HeaderStyle, Identity, Limit, Paths, Throttle};
use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};

use super::*;
use harness::http::app::TestApp;

const SHORT: Limit = Limit::per_minute(3).zone("short").name("short");
const LONG: Limit = Limit::per_hour(5).zone("long").name("long");
const SHARED: Limit = Limit::per_minute(5).zone("shared");

limited! {
    both: rule(SHORT, "5xx"), rule(LONG, "404, 500-501");
    one: rule(SHORT, "5xx"), Rule::new(LONG);
    stricter_keeps: rule(SHARED.zone("k"), "5xx").identifier(ann),
        Rule::new(Limit::per_minute(2).zone("k")).identifier(also_ann);
    stricter_gives: Rule::new(SHARED.zone("g")).identifier(ann),
        rule(Limit::per_minute(2).zone("g"), "5xx").identifier(also_ann);
    inner: rule(Limit::per_minute(1).zone("inner"), "5xx");
}

fn ann(_: &HttpRequest) -> Identity {
    Identity::new("ann")
}

fn also_ann(request: &HttpRequest) -> Identity {
    ann(request)
}

/// A middleware around a limited handler makes two layers and two decisions.
fn outer() -> Throttle {
    let limit = Limit::per_minute(4).zone("outer").name("outer");
    let outer = Throttle::new().paths(Paths::all(), [rule(limit, "4xx, 5xx")]);
    outer.expect("valid limits")
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/both", web::get().to(both))
        .route("/one", web::get().to(one))
        .route("/stricter_keeps", web::get().to(stricter_keeps))
        .route("/stricter_gives", web::get().to(stricter_gives))
        .service(
            web::resource("/outer")
                .wrap(outer())
                .route(web::get().to(inner)),
        );
}

#[actix_web::test]
async fn each_rule_refunds_on_its_own_statuses() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Both)).await;
    let service = test_app.service(routes).await;
    for (status, short, long, [limit, remaining]) in [
        (200, 2, 4, [3, 2]),
        (500, 2, 4, [3, 2]),
        // The long limit stays charged, and is the stricter one from now on.
        (503, 2, 3, [3, 2]),
        // The limit with the longer reset is shown if both have as much left.
        (503, 2, 2, [5, 2]),
        (503, 2, 1, [5, 1]),
        (404, 1, 1, [5, 1]),
    ] {
        let answer = service.answering("both", status).await;
        assert_eq!(answer.status, status);
        let quota = answer.quota().expect("headers");
        assert_eq!(quota[..2], [limit, remaining], "{status}");
        let states = answer.header("RateLimit").expect("headers");
        let shown: Vec<&str> = states
            .split(';')
            .filter(|part| part.starts_with("r="))
            .collect();
        assert_eq!(
            shown,
            [format!("r={short}"), format!("r={long}")],
            "{states}"
        );
    }
}

#[actix_web::test]
async fn rules_without_statuses_stay_charged_beside_others() {
    for_every_store(routes, async |service, _| {
        for remaining in [3, 3, 2, 1, 0] {
            assert_eq!(service.remaining("one", 500).await, Some(remaining));
        }
        assert_eq!(service.answering("one", 500).await.status, 429);
    })
    .await;
}

#[actix_web::test]
async fn shared_counter_refunds_by_the_rule_that_charged() {
    let service = TestApp::new().await.service(routes).await;
    for (status, remaining) in [(500, 1), (500, 0)] {
        assert_eq!(
            service.remaining("stricter_keeps", status).await,
            Some(remaining)
        );
    }
    assert_eq!(service.answering("stricter_keeps", 500).await.status, 429);
    for (status, remaining) in [(500, 2), (500, 2), (200, 1), (500, 1)] {
        assert_eq!(
            service.remaining("stricter_gives", status).await,
            Some(remaining)
        );
    }
}

#[actix_web::test]
async fn layers_refund_separately_and_never_for_a_denial() {
    let service = TestApp::new().await.service(routes).await;
    // Both layers refund.
    assert_eq!(service.remaining("outer", 500).await, Some(1));
    // Only the outer layer refunds.
    assert_eq!(service.remaining("outer", 404).await, Some(0));
    let limiter_denies = async || {
        let denied = service.answering("outer", 200).await;
        assert_eq!(denied.status, 429);
        denied.number("X-RateLimit-Limit")
    };
    // The inner layer denies. The outer one stays charged each time, for its four permits.
    for _ in 0..4 {
        assert_eq!(limiter_denies().await, Some(1));
    }
    assert_eq!(limiter_denies().await, Some(4));
}
