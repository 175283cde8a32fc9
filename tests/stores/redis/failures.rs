//! A Redis that fails is an error within the deadline, and decides again once it is back.

use std::time::{Duration, Instant};

use actix_throttle::{FailureMode, Limit, RateLimitError, RateLimiter};

use super::{check, until_decided};
use harness::{Server, ServerVersion, stores::block_on};

const DEADLINE: Duration = Duration::from_millis(200);
/// The time that a busy test machine may add to the deadline.
const SLACK: Duration = Duration::from_millis(800);
/// The longest backoff between two attempts to connect, and what a busy test machine adds to it.
const BACK: Duration = Duration::from_secs(4);

async fn impatient(server: &Server) -> RateLimiter {
    RateLimiter::builder()
        .redis_url(server.url())
        .deadline(DEADLINE)
        .failure_mode(FailureMode::Closed)
        // The circuit breaker has tests of its own.
        .failure_threshold(u32::MAX)
        .build()
        .await
        .unwrap()
}

async fn fails_in_time(limiter: &RateLimiter) {
    let start = Instant::now();
    let refused = limiter.check(&Limit::per_minute(100), "ann").await;
    assert!(
        matches!(refused, Err(RateLimitError::Unavailable { .. })),
        "{refused:?}"
    );
    assert!(start.elapsed() < DEADLINE + SLACK, "{:?}", start.elapsed());
}

#[test]
fn a_server_that_was_killed_is_an_error_until_it_is_back() {
    let mut server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = impatient(&server).await;
        check(&limiter, &Limit::per_minute(100)).await;
        server.kill();
        for _ in 0..3 {
            fails_in_time(&limiter).await;
        }
        server.restart();
        let back = until_decided(&limiter, &Limit::per_minute(1), BACK).await;
        assert!(back.is_allowed());
        assert!(!check(&limiter, &Limit::per_minute(1)).await.is_allowed());
    });
}

#[test]
fn stalled_server_delays_no_call_beyond_the_deadline() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = impatient(&server).await;
        check(&limiter, &Limit::per_minute(100)).await;
        server.stop();
        for _ in 0..3 {
            fails_in_time(&limiter).await;
        }
        server.resume();
        let bound = Instant::now() + Duration::from_secs(10);
        while limiter.check(&Limit::per_hour(9), "bob").await.is_err() {
            assert!(Instant::now() < bound, "no answer after the stall");
        }
        // Late replies from the stall reach no later request: this limit counts from one.
        let decision = limiter.check(&Limit::per_day(100), "carl").await.unwrap();
        assert_eq!(decision.limits()[0].remaining(), 99);
    });
}

#[test]
fn server_refusing_writes_is_an_error_on_the_same_connection() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = impatient(&server).await;
        check(&limiter, &Limit::per_minute(100)).await;
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        fails_in_time(&limiter).await;
        let _: String = server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        let decision = check(&limiter, &Limit::per_minute(100)).await;
        assert_eq!(decision.limits()[0].remaining(), 98);
    });
}
