//! The mistakes of those who wait and hold places elsewhere, each by its name. That of the body which
//! runs although its client has left is a matter of HTTP: see `http::peers::slowstack`.

use std::{future::IntoFuture, time::Duration};

use actix_throttle::{Algorithm, Concurrency, Limit, RateLimitError, Refill};
use futures_util::FutureExt;

use super::{SECOND, every_algorithm, for_every_store, places::take, waiting::settle};
use harness::stores::{Elsewhere, StoreFixture, until};

for_every_store!(
    stale_release_lifts_the_capacity,
    permit_lost_on_cancel,
    debt_forgotten_by_ttl,
    exceeding_max_wait_consumes,
);

const EXPIRY: Duration = Duration::from_secs(9);
const TWO: Concurrency = Concurrency::new(2).expiry(EXPIRY);

/// redis-rate-limiters pushes whatever is released onto a list: after an expiry that is one place
/// more than there were.
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
    // Two more places, if what is released late were theirs who have them now.
    stalled.run(stale.0.release());
    drop(stale.1);
    stalled.run(settle());
    assert!(take(&semaphore).await.is_none());
    assert!(held.0.is_valid() && held.1.is_valid());
    held.0.release().await;
    held.1.release().await;
    let held = (take(&semaphore).await, take(&semaphore).await);
    assert!(held.0.is_some() && held.1.is_some());
    assert!(take(&semaphore).await.is_none(), "a third place");
}

/// slowstack takes a permit for one who waits and has left; nobody gives it back.
async fn permit_lost_on_cancel(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let free = async || semaphore.peek().await.unwrap().limits()[0].remaining() == 2;
    // They leave before they have asked, while they ask, in the line, and as they are called.
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
            // The answer to the first of the line is on its way.
            let _ = waits[1].as_mut().now_or_never().is_some_and(|granted| {
                drop(granted);
                true
            });
        }
        drop(waits);
        // The clock stands still: nothing comes back by expiring.
        until("both places are free", free).await;
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
        // Its turn has come, and it goes.
        drop(leaves);
        let next = store
            .limiter
            .acquire(&limit, "bob")
            .max_wait(Duration::ZERO);
        assert!(next.await.is_ok(), "{limit:?}");
        store.advance(20 * SECOND);
    }
}

/// The bucket of redis-rate-limiters expires while it still owes, and is full thereafter.
/// (How long keys live on a server is looked at in `redis::keys`.)
async fn debt_forgotten_by_ttl(store: &StoreFixture) {
    // A debt of a hundred seconds and more, at one token a second.
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
            // Others come and go, so that whoever forgets has occasion to.
            let other = second.to_string();
            store.limiter.acquire(&limit, other.as_str()).await.unwrap();
            let left = store.limiter.remaining(&limit, "cid").await.unwrap();
            assert_eq!(left, second, "{limit:?}");
        }
        store.advance(200 * SECOND);
    }
}

/// The bucket of redis-rate-limiters takes the token first, and then finds that the wait would be too
/// long: each who gives up makes the others wait for longer.
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
        // Those who learn only behind others that it will be too late take nothing either.
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
