//! The parameter `t` of the `RateLimit` header: the time until more quota is available. On a denial
//! it equals `Retry-After`.

use std::time::Duration;

use actix_throttle::{HeaderStyle, rate_limit};
use actix_web::{HttpRequest, HttpResponse, Responder, get, web::ServiceConfig};

use super::ietf::{parse, state, test_app};
use harness::http::app::TestApp;

#[get("/log")]
#[rate_limit("3/minute")]
async fn log() -> impl Responder {
    "ok"
}

#[get("/fixed")]
#[rate_limit("3/minute", algorithm = "fixed_window")]
async fn fixed() -> impl Responder {
    "ok"
}

#[get("/counter")]
#[rate_limit("6/minute", algorithm = "sliding_window_counter")]
async fn counter() -> impl Responder {
    "ok"
}

#[get("/greedy")]
#[rate_limit("6/minute", algorithm = "token_bucket")]
async fn greedy() -> impl Responder {
    "ok"
}

#[get("/interval")]
#[rate_limit("6/minute", algorithm = "token_bucket", refill = "interval")]
async fn interval() -> impl Responder {
    "ok"
}

#[get("/leaky")]
#[rate_limit("6/minute", algorithm = "leaky_bucket")]
async fn leaky() -> impl Responder {
    "ok"
}

fn four(_: &HttpRequest) -> u32 {
    4
}

#[get("/costly")]
#[rate_limit("6/minute", algorithm = "token_bucket", cost = four)]
async fn costly() -> impl Responder {
    "ok"
}

#[get("/stacked")]
#[rate_limit("1/second", name = "short")]
#[rate_limit("5/hour", name = "long")]
async fn stacked() -> impl Responder {
    "ok"
}

#[get("/blocked")]
#[rate_limit("1/second", block = "90s")]
async fn blocked() -> impl Responder {
    "ok"
}

#[get("/refunded")]
#[rate_limit("3/minute", refund_on = "4xx")]
async fn refunded() -> impl Responder {
    HttpResponse::NotFound()
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((log, fixed, counter, greedy, interval, leaky))
        .service((costly, stacked, blocked, refunded));
}

#[actix_web::test]
async fn time_is_until_more_is_available_by_each_algorithm() {
    let test_app = test_app().await;
    // The start of a minute, because the counter's windows are aligned to the epoch.
    test_app.clock.set(Duration::from_secs(600_000));
    let service = test_app.service(routes).await;
    for (path, remaining, time) in [
        ("log", 2, 60),
        ("fixed", 2, 60),
        ("greedy", 5, 10),
        ("interval", 5, 60),
        ("leaky", 0, 10),
    ] {
        let answer = service.get(&format!("/{path}")).await;
        assert_eq!(parse(&answer, "RateLimit"), [state(path, remaining, time)]);
    }
    service.statuses("/counter", 3).await;
    // A quarter into the next minute, the four of the last one weigh three.
    let answer = service.get("/counter").await;
    assert_eq!(parse(&answer, "RateLimit"), [state("counter", 2, 75)]);
    test_app.after_seconds(14);
    for (path, remaining, time) in [
        ("log", 1, 46),
        ("fixed", 1, 46),
        ("greedy", 5, 10),
        ("interval", 4, 46),
        ("leaky", 0, 10),
    ] {
        let answer = service.get(&format!("/{path}")).await;
        assert_eq!(parse(&answer, "RateLimit"), [state(path, remaining, time)]);
    }
    test_app.after_seconds(4);
    let answer = service.get("/greedy").await;
    assert_eq!(parse(&answer, "RateLimit"), [state("greedy", 4, 6)]);
}

#[actix_web::test]
async fn reset_of_the_x_headers_stays_the_time_until_all_is_back() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Both)).await;
    let service = test_app.service(routes).await;
    service.get("/log").await;
    test_app.after_seconds(40);
    let answer = service.get("/log").await;
    assert_eq!(answer.quota(), Some([3, 1, 60]));
    assert_eq!(parse(&answer, "RateLimit"), [state("log", 1, 20)]);
}

#[actix_web::test]
async fn denied_time_is_what_retry_after_says() {
    let service = test_app().await.service(routes).await;
    service.get("/costly").await;
    let denied = service.get("/costly").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(20)));
    // The next token comes in ten seconds, and two are missing.
    assert_eq!(parse(&denied, "RateLimit"), [state("costly", 2, 20)]);

    service.get("/blocked").await;
    let denied = service.get("/blocked").await;
    assert_eq!(denied.retry_after(), Some(90));
    assert_eq!(parse(&denied, "RateLimit"), [state("blocked", 0, 90)]);
}

#[actix_web::test]
async fn denied_no_policy_names_a_later_time_than_retry_after() {
    let service = test_app().await.service(routes).await;
    service.get("/stacked").await;
    let denied = service.get("/stacked").await;
    assert_eq!(denied.retry_after(), Some(1));
    let untimed = ("long".to_owned(), vec![("r".to_owned(), 4)]);
    assert_eq!(parse(&denied, "RateLimit"), [state("short", 0, 1), untimed]);
}

#[actix_web::test]
async fn full_quota_names_no_time() {
    let answer = test_app()
        .await
        .service(routes)
        .await
        .get("/refunded")
        .await;
    let untimed = ("refunded".to_owned(), vec![("r".to_owned(), 3)]);
    assert_eq!(parse(&answer, "RateLimit"), [untimed]);
}
