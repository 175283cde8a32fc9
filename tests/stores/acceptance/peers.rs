//! Bugs that other libraries have with waiting and permits; each test has the name of one. The
//! handler that runs although its client has left is a matter of HTTP: see
//! `http::peers::slowstack`.

use std::{future::IntoFuture, time::Duration};

use actix_throttle::{Algorithm, Concurrency, Limit, RateLimitError, Refill};
use futures_util::FutureExt;

use super::{SECOND, concurrency::take, every_algorithm, for_every_store, waiting::settle};
use harness::stores::{Elsewhere, StoreFixture, until};

for_every_store!(
    stale_release_lifts_the_capacity,
    permit_lost_on_cancel,
    debt_forgotten_by_ttl,
    exceeding_max_wait_consumes,
);

const EXPIRY: Duration = Duration::from_secs(9);
const TWO: Concurrency = Concurrency::new(2).expiry(EXPIRY);

/// redis-rate-limiters pushes every released permit onto a list, so a release after the expiry
/// leaves one permit more than the limit has.
async fn stale_release_lifts_the_capacity(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let stalled = Elsewhere::start();
    let stale = stalled.run(async {
        let one = take(&semaphore).await.unwrap();
        (one, take(&semaphore).await.unwrap())
    });
    store.clock.advance(EXPIRY);
    let held = (
        take(&semaphore).await.unwrap(),
        take(&semaphore).await.unwrap(),
    );
    // Late releases must not free the permits that are held now: two more would be available.
    stalled.run(stale.0.release());
    drop(stale.1);
    stalled.run(settle());
    assert!(take(&semaphore).await.is_none());
    assert!(held.0.is_valid() && held.1.is_valid());
    held.0.release().await;
    held.1.release().await;
    let held = (take(&semaphore).await, take(&semaphore).await);
    assert!(held.0.is_some() && held.1.is_some());
    assert!(take(&semaphore).await.is_none(), "a third permit");
}

/// slowstack takes a permit for a waiter that has left, and never releases it.
async fn permit_lost_on_cancel(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let free = async || semaphore.peek().await.unwrap().limits()[0].remaining() == 2;
    // The waiters are cancelled before their first call, during it, in the wait queue, and while
    // they are woken.
    for called in [false, true] {
        let held = (take(&semaphore).await, take(&semaphore).await);
        let mut waits: Vec<_> = (0..9).map(|_| semaphore.acquire().into_future()).collect();
        for (polls, wait) in waits.iter_mut().enumerate() {
            for _ in 0..polls % 4 {
                assert!(wait.now_or_never().is_none());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        drop(held);
        if called {
            settle().await;
            // The reply to the first waiter is on its way.
            let _ = waits[1].as_mut().now_or_never().is_some_and(|granted| {
                drop(granted);
                true
            });
        }
        drop(waits);
        // The clock stands still, so no permit returns by expiry.
        until("both permits are free", free).await;
    }
    for limit in every_algorithm(1, 10) {
        drop(store.limiter.acquire(&limit, "bob").await.unwrap());
        let mut leaves = store.limiter.acquire(&limit, "bob").into_future();
        for _ in 0..3 {
            assert!((&mut leaves).now_or_never().is_none());
            settle().await;
        }
        store.advance(20 * SECOND);
        settle().await;
        // The waiter's turn has come, and it is cancelled.
        drop(leaves);
        let next = store
            .limiter
            .acquire(&limit, "bob")
            .max_wait(Duration::ZERO);
        assert!(next.await.is_ok(), "{limit:?}");
        store.advance(20 * SECOND);
    }
}

/// redis-rate-limiters lets a bucket expire while it is in debt, and the bucket is full afterwards.
/// `redis::keys` tests how long keys live in Redis.
async fn debt_forgotten_by_ttl(store: &StoreFixture) {
    // The bucket owes 100 tokens, at one token a second.
    let bucket = Limit::per_second(1)
        .algorithm(Algorithm::TokenBucket)
        .capacity(100);
    for limit in [bucket, bucket.refill(Refill::Interval)] {
        store
            .limiter
            .acquire(&limit.cost(100), "cid")
            .await
            .unwrap();
        for second in 1..100 {
            store.advance(SECOND);
            // Checks of other identities give a store the occasion to evict counters.
            let other = second.to_string();
            store.limiter.acquire(&limit, other.as_str()).await.unwrap();
            let left = store.limiter.remaining(&limit, "cid").await.unwrap();
            assert_eq!(left, second, "{limit:?}");
        }
        store.advance(200 * SECOND);
    }
}

/// redis-rate-limiters takes the token first, and then finds that the wait would be too long: each
/// request that gives up prolongs the wait of the remaining ones.
async fn exceeding_max_wait_consumes(store: &StoreFixture) {
    for limit in every_algorithm(1, 10) {
        store.limiter.acquire(&limit, "dan").await.unwrap();
        let wait = async || {
            let peeked = store.limiter.peek(&limit, "dan").await.unwrap();
            peeked.retry_after().unwrap()
        };
        let before = wait().await;
        for _ in 0..5 {
            let impatient = store.limiter.acquire(&limit, "dan");
            let late = impatient.max_wait(before - Duration::from_micros(1)).await;
            assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
        }
        assert_eq!(wait().await, before, "{limit:?}");
        // A request takes nothing either if it learns only behind another waiter that it would be
        // too late.
        let mut first = store.limiter.acquire(&limit, "dan").into_future();
        assert!((&mut first).now_or_never().is_none());
        settle().await;
        assert!((&mut first).now_or_never().is_none());
        for _ in 0..5 {
            let behind = store.limiter.acquire(&limit, "dan");
            let late = behind.max_wait(before - Duration::from_micros(1)).await;
            assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
        }
        store.clock.advance(before);
        first.await.unwrap();
        store.advance(20 * SECOND);
    }
}
