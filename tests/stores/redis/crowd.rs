//! Ten thousand waiters in one process: all are served, and only the first of the wait queue calls
//! Redis, so that there is no thundering herd.

use std::cell::Cell;

use actix_throttle::{Algorithm, Concurrency, Limit};
use futures_util::future::join_all;

use super::{denials::calls, limiter};
use harness::{Server, ServerVersion, stores::block_on};

const CROWD: u64 = 10_000;

#[test]
fn ten_thousand_callers_share_fifty_permits() {
    let server = Server::start(ServerVersion::Redis7);
    block_on(async {
        let limiter = limiter(&server).await;
        let semaphore = limiter.semaphore(&Concurrency::new(50), "ann");
        let (running, most, served) = (Cell::new(0_u64), Cell::new(0), Cell::new(0));
        let before = calls(&server);
        let one = async || {
            let guard = semaphore.acquire().await.unwrap();
            running.set(running.get() + 1);
            most.set(running.get().max(most.get()));
            tokio::task::yield_now().await;
            running.set(running.get() - 1);
            served.set(served.get() + 1);
            drop(guard);
        };
        join_all((0..CROWD).map(|_| one())).await;
        let asked = calls(&server) - before;
        assert_eq!(served.get(), CROWD);
        assert!(most.get() <= 50, "{} at once", most.get());
        // Each waiter makes one call to acquire and one to release; the rest are polls of the first
        // waiter.
        assert!(asked <= 3 * CROWD, "{asked} calls");
    });
}

#[test]
fn ten_thousand_wait_for_a_rate() {
    let server = Server::start(ServerVersion::Valkey9);
    block_on(async {
        let limiter = limiter(&server).await;
        let rate = Limit::per_second(4_000).algorithm(Algorithm::TokenBucket);
        let before = calls(&server);
        let one = async || limiter.acquire(&rate, "ann").await.unwrap();
        let permits = join_all((0..CROWD).map(|_| one())).await;
        let asked = calls(&server) - before;
        assert!(permits.iter().all(|permit| permit.decision().is_allowed()));
        assert!(asked <= 3 * CROWD, "{asked} calls");
    });
}
