//! Costs that a handler knows later: settled by a `PendingCharge`, in the handler or where the
//! streamed body ends.

use actix_throttle::{Algorithm, Limit, PendingCharge, Rule, Throttle, rate_limit};
use actix_web::{
    Error, HttpRequest, HttpResponse, get,
    http::StatusCode,
    test,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::{StreamExt, future::ready, stream};

use super::{
    super::{SECOND, every_algorithm, for_every_store, reset_of},
    behind, client, left, service,
};
use harness::{
    http::app::{TestService, get as request},
    stores::StoreFixture,
};

for_every_store!(
    response_shows_what_the_handler_settled,
    every_algorithm_counts_the_settled_cost,
    debt_of_a_handler_says_when_it_is_paid,
    only_limits_with_settle_are_settled,
    refund_comes_before_or_after_the_settlement,
    streamed_body_settles_at_its_end,
    dropped_body_leaves_the_estimate,
    body_that_is_dropped_may_settle,
    charges_of_several_identities_are_settled,
);

const TOKENS: Limit = Limit::new(100, std::time::Duration::from_secs(100))
    .algorithm(Algorithm::TokenBucket)
    .zone("tokens");

fn estimate(request: &HttpRequest) -> u32 {
    request.match_info().query("estimate").parse().unwrap()
}

#[get("/tokens/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn tokens(charge: PendingCharge, path: web::Path<(u32, u32)>) -> String {
    let estimate = charge.estimate();
    format!("{estimate} {}", charge.settle(path.1).await)
}

#[get("/stream/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn streamed(charge: PendingCharge, path: web::Path<(u32, u32)>) -> HttpResponse {
    let chunks = stream::iter(["a", "b", "c"]).map(|chunk| Ok::<_, Error>(Bytes::from(chunk)));
    let end = stream::once(async move { charge.settle(path.1).await });
    HttpResponse::Ok().streaming(chunks.chain(end.filter_map(|_| ready(None))))
}

/// A body without an end. If it is dropped, it settles at `actual`, unless that is 0.
#[get("/endless/{estimate}/{actual}")]
#[rate_limit(
    times = 100,
    seconds = 100,
    algorithm = "token_bucket",
    zone = "tokens",
    cost = estimate,
    settle
)]
async fn endless(charge: PendingCharge, path: web::Path<(u32, u32)>) -> HttpResponse {
    struct Open(Option<PendingCharge>, u32);

    impl Drop for Open {
        fn drop(&mut self) {
            if let Some(charge) = self.0.take().filter(|_| self.1 > 0) {
                tokio::spawn(charge.settle(self.1));
            }
        }
    }

    let open = Open(Some(charge), path.1);
    let chunks = stream::repeat_with(move || {
        let _ = &open;
        Ok::<_, Error>(Bytes::from_static(b"x"))
    });
    HttpResponse::Ok().streaming(chunks)
}

#[get("/stacked/{actual}")]
#[rate_limit("100/minute", name = "tokens", cost = 10, settle)]
#[rate_limit("1000/day", name = "daily", cost = 10, settle)]
#[rate_limit("5/minute", name = "requests", algorithm = "fixed_window")]
async fn stacked(charge: PendingCharge, actual: web::Path<u32>) -> &'static str {
    charge.settle(*actual).await;
    "ok"
}

/// Settles before the response, or else in its body, if `actual` is 0.
#[get("/failing/{status}/{actual}")]
#[rate_limit("100/minute", cost = 10, settle, refund_on = "5xx")]
async fn failing(charge: PendingCharge, path: web::Path<(u16, u32)>) -> HttpResponse {
    let (status, actual) = path.into_inner();
    let status = StatusCode::from_u16(status).unwrap();
    if actual > 0 {
        charge.settle(actual).await;
        return HttpResponse::new(status);
    }
    let end = stream::once(async move { charge.settle(70).await })
        .map(|settled| Ok::<_, Error>(Bytes::from(settled.to_string())));
    HttpResponse::build(status).streaming(end)
}

#[get("/shared/{actual}")]
#[rate_limit("100/minute", zone = "own", cost = 10, settle)]
#[rate_limit("500/minute", zone = "all", cost = 10, settle, identifier = global)]
async fn shared(charge: PendingCharge, actual: web::Path<u32>) -> &'static str {
    charge.settle(*actual).await;
    "ok"
}

async fn bare(charge: PendingCharge, actual: web::Path<u32>) -> String {
    format!("{} {}", charge.estimate(), charge.settle(*actual).await)
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((tokens, streamed, endless, stacked, failing, shared))
        .route("/bare/{actual}", web::get().to(bare));
}

async fn response_shows_what_the_handler_settled(store: &StoreFixture) {
    let service = service(store, routes).await;
    for (path, quota) in [
        ("/tokens/30/10", [100, 90, 10]),
        ("/tokens/10/30", [100, 60, 40]),
        ("/tokens/10/0", [100, 60, 40]),
        ("/tokens/10/10", [100, 50, 50]),
        ("/tokens/0/20", [100, 30, 70]),
    ] {
        let answer = service.get(path).await;
        assert_eq!(
            (answer.status, answer.quota()),
            (200, Some(quota)),
            "{path}"
        );
    }
    assert_eq!(service.get("/tokens/30/30").await.text(), "30 true");
    assert_eq!(left(store, &TOKENS).await, 0);
}

/// Returns what an identity has left, and when it has everything back.
async fn standing_of_client(store: &StoreFixture, limit: &Limit) -> (u32, u64) {
    let peeked = store.limiter.peek(limit, client()).await.unwrap();
    let status = &peeked.limits()[0];
    (status.remaining(), reset_of(status))
}

/// Settled in a handler behind the middleware, the charge is as if its cost had been known.
async fn every_algorithm_counts_the_settled_cost(store: &StoreFixture) {
    for limit in every_algorithm(100, 60) {
        let limit = limit.name("tokens").zone("tokens");
        for actual in [0, 4, 10, 30, 100] {
            let rule = Rule::new(limit.cost(10)).settle();
            let throttle = Throttle::new().paths(".*", [rule]).unwrap();
            let service = behind(store, throttle, routes).await;
            let answer = service.get(&format!("/bare/{actual}")).await;
            assert_eq!(answer.text(), "10 true", "{limit:?} {actual}");
            let settled = standing_of_client(store, &limit).await;
            let told = answer.remaining().unwrap();
            assert_eq!(told, u64::from(settled.0), "{limit:?} {actual}");
            store.limiter.reset(&limit, client()).await.unwrap();
            if actual > 0 {
                let known = store.limiter.check(&limit.cost(actual), client()).await;
                assert!(known.unwrap().is_allowed());
            }
            let known = standing_of_client(store, &limit).await;
            assert_eq!(settled, known, "{limit:?} {actual}");
            store.limiter.reset(&limit, client()).await.unwrap();
        }
    }
}

async fn debt_of_a_handler_says_when_it_is_paid(store: &StoreFixture) {
    let service = service(store, routes).await;
    let answer = service.get("/tokens/10/150").await;
    assert_eq!((answer.status, answer.quota()), (200, Some([100, 0, 150])));
    for _ in 0..2 {
        let denied = service.get("/tokens/1/1").await;
        assert_eq!(denied.status, 429);
        assert_eq!(denied.quota(), Some([100, 0, 150]));
        assert_eq!(denied.retry_after(), Some(51));
        assert_eq!(denied.json()["retry_after_ms"], 51_000);
    }
    store.advance(51 * SECOND - 1);
    assert_eq!(service.get("/tokens/1/1").await.status, 429);
    store.advance(1);
    assert_eq!(service.get("/tokens/1/1").await.status, 200);
}

async fn only_limits_with_settle_are_settled(store: &StoreFixture) {
    let service = service(store, routes).await;
    assert_eq!(service.get("/stacked/70").await.remaining(), Some(4));
    assert_eq!(service.get("/stacked/70").await.status, 200);
    let denied = service.get("/stacked/1").await;
    assert_eq!(denied.status, 429);
    let violated = denied.json()["violated-policies"].clone();
    assert_eq!(violated.as_array().map(Vec::len), Some(1));
    assert_eq!(violated[0], "tokens");
    store.advance(60 * SECOND);
    // The day's limit has 140 in use, the minute's none.
    let answer = service.get("/stacked/10").await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(4)));
}

async fn refund_comes_before_or_after_the_settlement(store: &StoreFixture) {
    let service = service(store, routes).await;
    // Settled first, and refunded at what it was settled.
    assert_eq!(service.get("/failing/500/60").await.remaining(), Some(100));
    assert_eq!(service.get("/failing/200/60").await.remaining(), Some(40));
    // Refunded first: the settlement at the end of the body changes nothing.
    let answer = service.get("/failing/500/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(40), "false"));
    let answer = service.get("/failing/200/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(30), "true"));
    assert_eq!(service.get("/failing/200/1").await.status, 429);
}

async fn streamed_body_settles_at_its_end(store: &StoreFixture) {
    let service = service(store, routes).await;
    for (path, told, after) in [
        // The headers were sent before.
        ("/stream/10/60", 90, 40),
        ("/stream/30/5", 10, 35),
        ("/stream/30/30", 5, 5),
        ("/stream/5/80", 0, 0),
    ] {
        let answer = service.get(path).await;
        assert_eq!((answer.text(), answer.remaining()), ("abc", Some(told)));
        assert_eq!(left(store, &TOKENS).await, after, "{path}");
    }
    let denied = service.get("/stream/1/1").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(76)));
}

/// Sends a request and drops the response, whose body was not read.
async fn leave(store: &StoreFixture, path: &str) {
    let app = actix_web::App::new().app_data(store.limiter.clone());
    let app = test::init_service(app.configure(routes)).await;
    let response = test::call_service(&app, request(path).to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
}

async fn dropped_body_leaves_the_estimate(store: &StoreFixture) {
    for (path, after) in [("/endless/10/0", 90), ("/stream/10/60", 80)] {
        leave(store, path).await;
        assert_eq!(left(store, &TOKENS).await, after, "{path}");
    }
}

async fn body_that_is_dropped_may_settle(store: &StoreFixture) {
    for (path, after) in [("/endless/10/3", 97), ("/endless/10/40", 57)] {
        leave(store, path).await;
        harness::stores::until("the charge is settled", async || {
            left(store, &TOKENS).await == after
        })
        .await;
    }
}

/// In a cluster, the two counters may be on different nodes.
async fn charges_of_several_identities_are_settled(store: &StoreFixture) {
    let service: TestService = service(store, routes).await;
    let all = Limit::per_minute(500).zone("all");
    for (actual, own, everyone) in [(40, 60, 460), (2, 58, 458), (90, 0, 368)] {
        let answer = service.get(&format!("/shared/{actual}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(left(store, &Limit::per_minute(100).zone("own")).await, own);
        let remaining = store
            .limiter
            .remaining(&all, actix_throttle::Identity::global());
        assert_eq!(remaining.await.unwrap(), everyone);
    }
    // Denied by the one, nothing is charged to the other.
    assert_eq!(service.get("/shared/1").await.status, 429);
    let remaining = store
        .limiter
        .remaining(&all, actix_throttle::Identity::global());
    assert_eq!(remaining.await.unwrap(), 368);
}
