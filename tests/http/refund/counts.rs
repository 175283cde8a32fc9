//! The counts after refunds, on every store.

use actix_throttle::{Algorithm, Limit, Refill};
use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};

use super::*;
use harness::http::app::get;

const MINUTE: Limit = Limit::per_minute(3);

limited! {
    flaky: rule(MINUTE.zone("flaky"), "5xx, 404");
    login: rule(Limit::per_minute(2).zone("login"), "2xx, 3xx");
    own: rule(Limit::per_minute(2).zone("own"), "429, 5xx");
    costly: rule(Limit::per_minute(10).zone("costly"), "5xx").cost(cost);
    log: rule(MINUTE.zone("a"), "5xx");
    counter: rule(MINUTE.zone("a").algorithm(Algorithm::SlidingWindowCounter), "5xx");
    fixed: rule(MINUTE.zone("a").algorithm(Algorithm::FixedWindow), "5xx");
    token: rule(MINUTE.zone("a").algorithm(Algorithm::TokenBucket), "5xx");
    interval: rule(
        MINUTE.zone("a").algorithm(Algorithm::TokenBucket).refill(Refill::Interval), "5xx"
    );
    leaky: rule(MINUTE.zone("a").algorithm(Algorithm::LeakyBucket), "5xx");
    shadowed: rule(Limit::per_minute(1).zone("shadowed"), "5xx").shadow();
}

fn cost(request: &HttpRequest) -> u32 {
    let cost = request.headers().get("X-Cost").expect("a cost");
    cost.to_str().expect("text").parse().expect("a number")
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/flaky", web::get().to(flaky))
        .route("/login", web::get().to(login))
        .route("/own", web::get().to(own))
        .route("/costly", web::get().to(costly))
        .route("/log", web::get().to(log))
        .route("/counter", web::get().to(counter))
        .route("/fixed", web::get().to(fixed))
        .route("/token", web::get().to(token))
        .route("/interval", web::get().to(interval))
        .route("/leaky", web::get().to(leaky))
        .route("/shadowed", web::get().to(shadowed));
}

#[actix_web::test]
async fn statuses_that_are_named_are_not_counted() {
    for_every_store(routes, async |service, _| {
        for status in [500, 404, 503, 599, 404] {
            let answer = service.answering("flaky", status).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.quota(), Some([3, 3, 0]), "whole again");
        }
        // Statuses that are not named count: a redirection, a success, a client error.
        for (status, remaining) in [(302, 2), (200, 1), (500, 1), (403, 0)] {
            assert_eq!(service.remaining("flaky", status).await, Some(remaining));
        }
        assert_eq!(service.answering("flaky", 500).await.status, 429);
    })
    .await;
}

#[actix_web::test]
async fn every_algorithm_has_its_charge_back() {
    for_every_store(routes, async |service, _| {
        for route in ["log", "counter", "fixed", "token", "interval", "leaky"] {
            let before = service.answering(route, 500).await.quota();
            for _ in 0..10 {
                assert_eq!(
                    service.answering(route, 500).await.quota(),
                    before,
                    "{route}"
                );
            }
            let most = if route == "leaky" { 1 } else { 3 };
            for remaining in (0..most).rev() {
                assert_eq!(
                    service.remaining(route, 200).await,
                    Some(remaining),
                    "{route}"
                );
            }
            assert_eq!(service.answering(route, 500).await.status, 429, "{route}");
        }
    })
    .await;
}

#[actix_web::test]
async fn failures_alone_are_counted_by_giving_back_what_succeeds() {
    for_every_store(routes, async |service, store| {
        for status in [200, 302, 200, 204, 200] {
            assert_eq!(service.remaining("login", status).await, Some(2));
        }
        assert_eq!(service.remaining("login", 401).await, Some(1));
        assert_eq!(service.remaining("login", 200).await, Some(1));
        assert_eq!(service.remaining("login", 401).await, Some(0));
        for status in [200, 401] {
            assert_eq!(service.answering("login", status).await.status, 429);
        }
        store.advance(60_000_000);
        assert_eq!(service.remaining("login", 200).await, Some(2));
    })
    .await;
}

#[actix_web::test]
async fn own_denials_give_nothing_back() {
    for_every_store(routes, async |service, store| {
        assert_eq!(service.remaining("own", 200).await, Some(1));
        assert_eq!(service.remaining("own", 200).await, Some(0));
        for _ in 0..5 {
            let denied = service.answering("own", 200).await;
            assert_eq!((denied.status, denied.remaining()), (429, Some(0)));
        }
        store.advance(60_000_000);
        // A 429 of the handler is a status like any other.
        assert_eq!(service.remaining("own", 429).await, Some(2));
    })
    .await;
}

#[actix_web::test]
async fn refund_returns_the_charged_cost() {
    for_every_store(routes, async |service, _| {
        let ask = async |cost: u32, status: u16| {
            let request = get(&format!("/costly?status={status}"));
            let answer = service.send(request.insert_header(("X-Cost", cost))).await;
            answer.remaining().expect("headers")
        };
        for (cost, status, remaining) in [
            (3, 200, 7),
            (7, 500, 7),
            (0, 500, 7),
            (1, 200, 6),
            (5, 500, 6),
            (6, 200, 0),
        ] {
            assert_eq!(ask(cost, status).await, remaining, "{cost} {status}");
        }
    })
    .await;
}

#[actix_web::test]
async fn extractors_that_fail_answer_with_a_status_like_others() {
    async fn strict(gate: Limited<(web::Json<u32>,)>) -> HttpResponse {
        static RULES: HandlerRules =
            HandlerRules::new(|| vec![rule(Limit::per_minute(2).zone("strict"), "400")]);
        let handler = |(_,): (web::Json<u32>,)| async { HttpResponse::Ok().finish() };
        run_limited(gate, &RULES, handler, respond).await
    }
    async fn failing(gate: Limited<()>) -> HttpResponse {
        static RULES: HandlerRules =
            HandlerRules::new(|| vec![rule(Limit::per_minute(2).zone("failing"), "418")]);
        let handler = |(): ()| async {
            Err::<HttpResponse, _>(actix_web::error::InternalError::new(
                "tea",
                StatusCode::IM_A_TEAPOT,
            ))
        };
        run_limited(gate, &RULES, handler, respond).await
    }
    let routes = |config: &mut ServiceConfig| {
        config
            .route("/strict", web::get().to(strict))
            .route("/failing", web::get().to(failing));
    };
    for_every_store(routes, async |service, _| {
        let json = |body: &'static str| {
            let request = get("/strict").insert_header(("Content-Type", "application/json"));
            request.set_payload(body)
        };
        for _ in 0..3 {
            let broken = service.send(json("[")).await;
            assert_eq!((broken.status, broken.remaining()), (400, Some(2)));
            let failed = service.get("/failing").await;
            assert_eq!((failed.status, failed.remaining()), (418, Some(2)));
        }
        assert_eq!(service.send(json("7")).await.remaining(), Some(1));
    })
    .await;
}

#[actix_web::test]
async fn shadow_refunds_its_own_counter_and_never_denies() {
    for_every_store(routes, async |service, store| {
        let shadow = Limit::per_minute(1).zone("shadowed").shadow();
        let identity = store
            .limiter
            .client_identity("192.0.2.1".parse().expect("an address"));
        let left = async || {
            let peeked = store.limiter.peek(&shadow, identity.clone()).await;
            peeked.expect("a decision").limits()[0].remaining()
        };
        for status in [500, 500, 200] {
            assert_eq!(left().await, 1);
            assert_eq!(service.remaining("shadowed", status).await, None);
        }
        assert_eq!(left().await, 0);
        // A shadow limit that denies charges nothing, and so refunds nothing.
        assert_eq!(service.answering("shadowed", 500).await.status, 500);
        assert_eq!(left().await, 0);
    })
    .await;
}
