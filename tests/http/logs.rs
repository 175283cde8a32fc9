//! The log as operators read it. Each test runs in a process of its own, with its own logger.

use std::time::Instant;

use actix_throttle::{Identity, Limit, rate_limit};
use actix_web::{HttpRequest, get, web::ServiceConfig};

use harness::http::app::{TestApp, TestService, in_own_process};

#[get("/plain")]
#[rate_limit("2/minute")]
async fn plain() -> &'static str {
    "ok"
}

#[get("/invalid")]
#[rate_limit("2/minute", name = "by plan", dynamic = nothing)]
async fn invalid() -> &'static str {
    "ok"
}

fn nothing(_: &HttpRequest, _: &Identity) -> Option<Limit> {
    Some(Limit::per_minute(0))
}

#[get("/shadow")]
#[rate_limit("1/minute", name = "tried out", shadow)]
async fn shadow() -> &'static str {
    "ok"
}

#[get("/shared")]
#[rate_limit("2/minute", name = "first", zone = "met", identifier = ann)]
#[rate_limit("3/minute", name = "second", zone = "met", identifier = also_ann)]
async fn shared() -> &'static str {
    "ok"
}

fn ann(_: &HttpRequest) -> &'static str {
    "ann"
}

fn also_ann(_: &HttpRequest) -> &'static str {
    "ann"
}

fn routes(config: &mut ServiceConfig) {
    config.service((plain, invalid, shadow, shared));
}

#[actix_web::test]
async fn errors_are_logged_and_not_for_every_request() {
    let this = "logs::errors_are_logged_and_not_for_every_request";
    let started = Instant::now();
    let Some(log) = in_own_process(this) else {
        return make_lines().await;
    };
    for (level, words) in [
        ("ERROR", ["without a limiter", "RateLimiter::init"]),
        ("ERROR", ["\"by plan\"", "`times` must be from 1"]),
        ("INFO", ["\"tried out\"", "would have denied"]),
        ("WARN", ["\"first\" and \"second\"", "`zone`"]),
    ] {
        let lines: Vec<_> = log
            .lines()
            .filter(|line| words.iter().all(|word| line.contains(word)))
            .collect();
        assert!(!lines.is_empty(), "{words:?} in {log}");
        let seconds = started.elapsed().as_secs() + 2;
        assert!(lines.len() as u64 <= seconds, "one a second at most: {log}");
        assert!(lines[0].contains(level), "{log}");
        assert!(lines[0].contains("actix_throttle"), "{log}");
    }
}

/// Causes each log line fifty times.
async fn make_lines() {
    env_logger::init();
    let bare = TestService::new(routes).await;
    let service = TestApp::new().await.service(routes).await;
    for _ in 0..50 {
        assert_eq!(bare.get("/plain").await.status, 500);
        for path in ["/plain", "/invalid", "/shadow", "/shared"] {
            service.get(path).await;
        }
    }
}
