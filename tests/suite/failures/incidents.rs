//! What happens to a connection happens to all requests on it: the circuit counts it once. Or one
//! dropped connection would cost a busy service its limits for the whole recovery time.

use std::{sync::Barrier, thread, time::Duration};

use actix_throttle::{CircuitState, Decision, Limit, RateLimiter};

use super::builder;
use crate::{
    harness::{Flavour, Server},
    stores::block_on,
};

const LIMIT: Limit = Limit::per_hour(1_000_000).name("incidents");
const REQUESTS: usize = 200;

async fn limiter(server: &Server, threshold: u32) -> RateLimiter {
    let builder = builder(server.url())
        .deadline(Duration::from_secs(5))
        .failure_threshold(threshold);
    builder.build().await.unwrap()
}

async fn check(limiter: &RateLimiter) -> Decision {
    limiter.check(&LIMIT, "ann").await.unwrap()
}

/// Requests that are on their way, and of which none is decided.
async fn in_vain(limiter: &RateLimiter, meanwhile: impl FnOnce()) {
    let requests: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { check(&limiter).await })
        })
        .collect();
    // All of them are sent.
    tokio::time::sleep(Duration::from_millis(50)).await;
    meanwhile();
    for request in requests {
        assert!(request.await.unwrap().is_fallback());
    }
}

#[test]
fn a_connection_that_breaks_under_many_requests_is_one_failure() {
    block_on(async {
        let mut server = Server::start(Flavour::Redis7);
        let limiter = limiter(&server, 2).await;
        assert!(!check(&limiter).await.is_fallback());
        server.stop();
        in_vain(&limiter, || server.kill()).await;
        assert_eq!(limiter.circuit(), CircuitState::Closed);
    });
}

/// All workers lose theirs in the same moment.
#[test]
fn connections_that_break_together_are_one_failure_each_at_most() {
    const WORKERS: u32 = 3;
    let mut server = Server::start(Flavour::Redis7);
    let limiter = block_on(limiter(&server, WORKERS + 1));
    let step = Barrier::new(WORKERS as usize + 1);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                block_on(async {
                    assert!(!check(&limiter).await.is_fallback());
                    step.wait();
                    step.wait();
                    let meanwhile = || {
                        step.wait();
                    };
                    in_vain(&limiter, meanwhile).await;
                });
            });
        }
        step.wait();
        server.stop();
        step.wait();
        step.wait();
        server.kill();
    });
    assert_eq!(limiter.circuit(), CircuitState::Closed);
}
