//! Requests that are delayed more and more, once much of a limit is used.

mod delays;
mod room;
mod settings;

use std::pin::Pin;

use actix_throttle::rate_limit;
use actix_web::{HttpRequest, get, web::ServiceConfig};
use futures_util::FutureExt;

use harness::http::app::{TestApp, TestResponse, TestService, is_waiting};

#[get("/slow")]
#[rate_limit("6/minute", slow_after = 2, slow_by = "200ms", slow_max = "500ms")]
async fn slow() -> &'static str {
    "ok"
}

#[get("/cost")]
#[rate_limit(
    "9/minute",
    cost = cost,
    slow_after = 2,
    slow_by = "1s",
    slow_max = "1m"
)]
async fn by_cost() -> &'static str {
    "ok"
}

fn cost(request: &HttpRequest) -> u32 {
    request.query_string().parse().unwrap_or(1)
}

/// Waits for room first, and is delayed then.
#[get("/wait")]
#[rate_limit(
    "2/minute",
    max_wait = "10m",
    slow_after = 1,
    slow_by = "1s",
    slow_max = "1s"
)]
async fn wait() -> &'static str {
    "ok"
}

const AFTER: u32 = 1;

#[get("/const")]
#[rate_limit("3/minute", slow_after = AFTER, slow_by = "1s", slow_max = "1s")]
async fn by_const() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((slow, by_cost, wait, by_const));
}

type Answer<'a> = Pin<Box<dyn Future<Output = TestResponse> + 'a>>;

/// Sends a request and lets it run until it waits for the clock.
async fn send<'a>(service: &'a TestService, path: &'a str) -> Answer<'a> {
    let mut answer: Answer<'a> = Box::pin(service.get(path));
    assert!(is_waiting(&mut answer).await, "{path} is not delayed");
    answer
}

/// Asserts that the next request is delayed by this many milliseconds, and returns its answer.
async fn delayed(test_app: &TestApp, service: &TestService, path: &str, ms: u64) -> TestResponse {
    let mut answer = send(service, path).await;
    test_app.after_micros(ms * 1_000 - 1);
    assert!(is_waiting(&mut answer).await, "{path} waits for {ms} ms");
    test_app.after_micros(1);
    answer.now_or_never().expect("the delay is over")
}
