//! Checks that the store cannot decide.

use std::{sync::Arc, time::Duration};

use actix_throttle::{CircuitState, FailureMode, Limit, RateLimiter};

use super::Heard;
use harness::eventually_async;

/// Decides a limit by a Redis that does not listen, until the circuit is open.
async fn undecided(mode: FailureMode) -> Vec<String> {
    let heard = Arc::new(Heard::default());
    let limiter = RateLimiter::builder()
        .redis_url("redis://127.0.0.1:1")
        .failure_mode(mode)
        .deadline(Duration::from_millis(10))
        .failure_threshold(1)
        .observer(Arc::clone(&heard))
        .build()
        .await
        .expect("a Redis that cannot be reached is a warning");
    let limit = Limit::per_minute(1).name("a");
    let mut told = Vec::new();
    eventually_async("the circuit opens", Duration::from_secs(30), async || {
        let _ = limiter.check(&limit, "ann").await;
        told.extend(heard.take());
        limiter.circuit() != CircuitState::Closed
    })
    .await;
    let _ = limiter.check(&limit, "ann").await;
    told.extend(heard.take());
    told
}

#[actix_web::test]
async fn check_that_the_store_cannot_decide_is_told_by_failure_mode() {
    for (mode, first, last) in [
        (
            FailureMode::Open,
            "a undecided_open by local: - left",
            "a undecided_open by local: - left",
        ),
        (
            FailureMode::Closed,
            "a undecided_closed by local: - left",
            "a undecided_closed by local: - left",
        ),
        (
            FailureMode::Local,
            "a allowed by local: 0 left",
            "a denied by local: 0 left",
        ),
    ] {
        let told = undecided(mode).await;
        let has = |line: &str| told.iter().any(|told| told == line);
        assert!(has("store failed") && has("circuit Open"), "{told:?}");
        assert!(has(first), "{told:?}");
        let decided = told.iter().rfind(|line| line.starts_with("a "));
        assert_eq!(decided.map(String::as_str), Some(last), "{told:?}");
    }
}
