//! Waiting for rate limits: in order, within `max_wait`, and without charges for cancelled waiters.

use std::{future::IntoFuture, time::Duration};

use actix_throttle::{Acquire, Algorithm, Limit, RateLimitError};
use futures_util::{
    FutureExt, StreamExt,
    future::{join, join_all},
};

use super::{SECOND, every_algorithm, for_every_store, remaining, waiting::settle};
use harness::stores::{StoreFixture, until};

for_every_store!(
    waiter_is_admitted_exactly_when_there_is_room,
    a_wait_that_cannot_succeed_fails_at_once_and_takes_nothing,
    behind_too_many_it_fails_at_once_without_asking,
    cancelled_waiter_takes_nothing,
    cancelled_large_request_delays_no_other_waiter,
    higher_priority_waiter_is_not_delayed_by_larger_request,
    waiters_are_served_in_order,
    refund_wakes_the_next_waiter,
    a_dropped_permit_stays_charged,
    remaining_quota_is_watched,
);

pub(super) const ONE: Limit =
    Limit::new(1, Duration::from_secs(10)).algorithm(Algorithm::FixedWindow);

/// Charges the limit until it is exhausted.
pub(super) async fn exhaust(store: &StoreFixture, limit: &Limit, identity: &str) {
    while store
        .limiter
        .try_acquire(limit, identity)
        .await
        .unwrap()
        .is_some()
    {}
}

/// Polls an acquire until it stands in the wait queue.
pub(super) async fn in_line(acquire: Acquire) -> Wait {
    let mut wait = acquire.into_future();
    for _ in 0..3 {
        assert!((&mut wait).now_or_never().is_none());
        settle().await;
    }
    wait
}

pub(super) type Wait = <Acquire as IntoFuture>::IntoFuture;

async fn waiter_is_admitted_exactly_when_there_is_room(store: &StoreFixture) {
    for limit in every_algorithm(2, 10) {
        exhaust(store, &limit, "ann").await;
        let wait = store.limiter.peek(&limit, "ann").await.unwrap();
        let wait = wait.retry_after().unwrap();
        let max_wait = wait + Duration::from_secs(1);
        let mut waits = in_line(store.limiter.acquire(&limit, "ann").max_wait(max_wait)).await;
        store.clock.advance(wait - Duration::from_micros(1));
        settle().await;
        assert!((&mut waits).now_or_never().is_none(), "{limit:?}");
        store.advance(1);
        let permit = waits.await.unwrap();
        assert!(permit.decision().is_allowed(), "{limit:?}");
    }
}

async fn a_wait_that_cannot_succeed_fails_at_once_and_takes_nothing(store: &StoreFixture) {
    for limit in every_algorithm(2, 10) {
        exhaust(store, &limit, "bob").await;
        let wait = store.limiter.peek(&limit, "bob").await.unwrap();
        let wait = wait.retry_after().unwrap();
        let too_short = wait - Duration::from_micros(1);
        let waited = store
            .limiter
            .acquire(&limit, "bob")
            .max_wait(too_short)
            .await;
        let Err(RateLimitError::TimedOut { retry_after }) = waited else {
            panic!("{limit:?}: {waited:?}");
        };
        assert_eq!(retry_after, Some(wait), "{limit:?}");
        // The failed wait charged nothing, so the request is admitted at exactly that moment.
        store.clock.advance(wait);
        let taken = store.limiter.try_acquire(&limit, "bob").await.unwrap();
        assert!(taken.is_some(), "{limit:?}");
        let huge = store.limiter.acquire(&limit.cost(1_000), "bob").await;
        let Err(RateLimitError::TimedOut { retry_after: None }) = huge else {
            panic!("{limit:?}: {huge:?}");
        };
    }
}

async fn behind_too_many_it_fails_at_once_without_asking(store: &StoreFixture) {
    // The limit admits one request a second.
    let leaky = Limit::new(1, Duration::from_secs(1)).algorithm(Algorithm::LeakyBucket);
    exhaust(store, &leaky, "cid").await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.push(in_line(store.limiter.acquire(&leaky, "cid")).await);
    }
    // The three waiters are admitted after 1, 2 and 3 s, so this one would be after 4 s.
    let acquire = || store.limiter.acquire(&leaky, "cid");
    let late = acquire().max_wait(Duration::from_millis(3999)).await;
    let Err(RateLimitError::TimedOut { retry_after }) = late else {
        panic!("{late:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(4)));
    let full = acquire().max_waiting(3).await;
    assert!(matches!(full, Err(RateLimitError::TimedOut { .. })));
    // A `max_wait` of exactly the wait is enough.
    waits.push(in_line(acquire().max_wait(Duration::from_secs(4))).await);
    for wait in waits {
        store.advance(SECOND);
        wait.await.unwrap();
    }
}

async fn cancelled_waiter_takes_nothing(store: &StoreFixture) {
    let acquire = || store.limiter.acquire(&ONE, "dan");
    drop(acquire());
    assert_eq!(remaining(store, &ONE, "dan").await, 1);
    // A waiter that is dropped after any number of polls leaves no charge: if the store has charged
    // for it, the charge is refunded.
    for polls in 0..6 {
        let mut leaves = acquire().into_future();
        let mut done = false;
        for _ in 0..polls {
            done = (&mut leaves).now_or_never().is_some();
            if done {
                break;
            }
            settle().await;
        }
        drop(leaves);
        if done {
            // A permit that the poll returned is the caller's and stays charged.
            store.limiter.reset(&ONE, "dan").await.unwrap();
        }
        until("nothing is charged", async || {
            remaining(store, &ONE, "dan").await == 1
        })
        .await;
    }
    exhaust(store, &ONE, "dan").await;
    let (first, second) = (in_line(acquire()).await, in_line(acquire()).await);
    drop(first);
    store.advance(10 * SECOND);
    second.await.unwrap();
}

async fn cancelled_large_request_delays_no_other_waiter(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    store.limiter.acquire(&limit.cost(3), "dot").await.unwrap();
    let much = in_line(store.limiter.acquire(&limit.cost(5), "dot")).await;
    let little = in_line(store.limiter.acquire(&limit, "dot")).await;
    drop(much);
    // The clock stands still: the small request had room all the time, and only had to be woken.
    little.await.unwrap();
    assert_eq!(remaining(store, &limit, "dot").await, 1);
}

async fn higher_priority_waiter_is_not_delayed_by_larger_request(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    store.limiter.acquire(&limit.cost(3), "don").await.unwrap();
    let much = store.limiter.acquire(&limit.cost(5), "don").priority(1);
    let much = in_line(much).await;
    // The clock stands still: the small request has room now.
    let little = store.limiter.acquire(&limit, "don").priority(0);
    little.max_wait(Duration::from_secs(1)).await.unwrap();
    store.advance(8 * SECOND);
    much.await.unwrap();
}

async fn waiters_are_served_in_order(store: &StoreFixture) {
    let limit = Limit::new(1, Duration::from_secs(1)).algorithm(Algorithm::TokenBucket);
    exhaust(store, &limit, "eve").await;
    let served = std::cell::RefCell::new(Vec::new());
    let mut waits = Vec::new();
    // Lower priorities are served first, and within a priority the earliest waiter.
    for (number, priority) in [2, 1, 2, 0, 1].into_iter().enumerate() {
        let wait = in_line(store.limiter.acquire(&limit, "eve").priority(priority)).await;
        let served = &served;
        waits.push(async move {
            wait.await.unwrap();
            served.borrow_mut().push(number);
        });
    }
    let time = async {
        while served.borrow().len() < 5 {
            store.advance(SECOND / 10);
            settle().await;
        }
    };
    join(join_all(waits), time).await;
    assert_eq!(*served.borrow(), [3, 1, 4, 0, 2]);
}

async fn refund_wakes_the_next_waiter(store: &StoreFixture) {
    for limit in every_algorithm(1, 10) {
        let permit = store.limiter.acquire(&limit, "fay").await.unwrap();
        let waits = in_line(store.limiter.acquire(&limit, "fay")).await;
        assert!(permit.refund().await);
        // The clock stands still, so only the refund can have woken the waiter.
        waits.await.unwrap();
        assert_eq!(remaining(store, &limit, "fay").await, 0, "{limit:?}");
        store.advance(20 * SECOND);
    }
}

async fn a_dropped_permit_stays_charged(store: &StoreFixture) {
    drop(store.limiter.acquire(&ONE, "gus").await.unwrap());
    settle().await;
    assert_eq!(remaining(store, &ONE, "gus").await, 0);
}

const TWO: Limit = Limit::new(2, Duration::from_secs(10)).zone("two");

async fn remaining_quota_is_watched(store: &StoreFixture) {
    let every = Duration::from_secs(1);
    let mut watched = store.limiter.watch(&TWO, "ned", every);
    assert_eq!(watched.next().await.unwrap().unwrap(), 2);
    store.limiter.check(&TWO, "ned").await.unwrap();
    assert!(
        watched.next().now_or_never().is_none(),
        "not before its time"
    );
    store.advance(SECOND);
    assert_eq!(watched.next().await.unwrap().unwrap(), 1);
    // Nothing changes for three seconds; then the window ends.
    let mut next = watched.next();
    for _ in 0..3 {
        store.advance(SECOND);
        settle().await;
        assert!((&mut next).now_or_never().is_none());
    }
    store.advance(10 * SECOND);
    assert_eq!(next.await.unwrap().unwrap(), 2);
}
