//! Resets of several decisions of one request, each from its own time.

use actix_throttle::{
    HeaderStyle, Limit, Paths, RateLimiter, RequestError, Rule, Throttle, rate_limit,
};
use actix_web::{HttpRequest, get, rt::task::yield_now, web::ServiceConfig};
use futures_util::FutureExt;

use harness::http::app::{TestApp, TestResponse};

/// Delayed by 10 s from its second request on.
#[get("/slow")]
#[rate_limit("50/minute", slow_after = 1, slow_by = "10s", slow_max = "10s")]
async fn slow() -> &'static str {
    "ok"
}

/// Waits for room.
#[get("/wait")]
#[rate_limit("1/minute", max_wait = "10m")]
async fn wait() -> &'static str {
    "ok"
}

const INSIDE: Limit = Limit::per_minute(50).name("inside");

/// Lets time pass before it decides a limit.
#[get("/late")]
async fn late(request: HttpRequest, limiter: RateLimiter) -> Result<&'static str, RequestError> {
    yield_now().await;
    limiter.enforce(&request, &INSIDE, "ann").await?;
    Ok("ok")
}

#[get("/free")]
async fn free() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((slow, wait, late, free));
}

/// A middleware with the limit that the headers show: nothing remains after three requests.
fn outer() -> Throttle {
    let rule = Rule::new(Limit::per_hour(3).name("outer"));
    Throttle::new().paths(Paths::all(), [rule]).expect("valid")
}

/// Returns by how much the reset of a request that is held for so many seconds is later than that
/// of one at the time of its arrival, which is not.
async fn moved(style: HeaderStyle, path: &str, held: u64) -> i64 {
    let test_app = TestApp::with(|builder| builder.headers(style)).await;
    let service = test_app.behind(outer(), routes).await;
    let reset = |answer: &TestResponse| answer.quota().expect("headers")[2];
    assert_eq!(service.get(path).await.status, 200);
    let first = service.get("/free").await;
    let mut second = Box::pin(service.get(path));
    assert!((&mut second).now_or_never().is_none(), "it is held");
    test_app.after_seconds(held);
    let second = second.await;
    assert_eq!(second.remaining(), Some(0));
    reset(&second).cast_signed() - reset(&first).cast_signed()
}

#[actix_web::test]
async fn reset_of_an_outer_limit_counts_from_the_end_of_a_hold() {
    for (path, held) in [("/slow", 10), ("/wait", 60)] {
        let moved = moved(HeaderStyle::XRateLimit, path, held).await;
        assert_eq!(moved, -held.cast_signed(), "{path}");
    }
}

#[actix_web::test]
async fn reset_as_a_time_of_day_is_that_of_its_own_decision() {
    for (path, held) in [("/slow", 10), ("/wait", 60), ("/late", 600)] {
        assert_eq!(moved(HeaderStyle::GitHub, path, held).await, 0, "{path}");
    }
}
