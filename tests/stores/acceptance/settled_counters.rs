//! Settlements of charges whose counter is another one by now, or holds the most.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Period, Permit, Refill};

use super::{SECOND, check, for_every_store, wait};
use harness::stores::{StoreFixture, every_algorithm};

for_every_store!(
    a_settlement_after_a_reset_leaves_others_their_usage,
    a_counter_is_the_same_in_its_next_window,
    a_calendar_counter_is_the_same_for_its_period,
    a_log_that_holds_the_most_takes_no_forced_charge,
    a_turn_behind_a_settled_debt_counts_from_its_refill,
);

async fn acquire(store: &StoreFixture, limit: &Limit, identity: &str) -> Permit {
    let acquired = store.limiter.acquire(limit, identity);
    acquired.max_wait(Duration::ZERO).await.unwrap()
}

/// The remaining quota, and the time until the whole quota is available.
async fn standing(store: &StoreFixture, limit: &Limit, identity: &str) -> (u32, Duration) {
    let peeked = store.limiter.peek(limit, identity).await.unwrap();
    let status = &peeked.limits()[0];
    (status.remaining(), status.reset_after())
}

async fn a_settlement_after_a_reset_leaves_others_their_usage(store: &StoreFixture) {
    let calendar = [Period::Day, Period::Month].map(|period| Limit::every(period, 1_000));
    for limit in every_algorithm(1_000, 1_000).into_iter().chain(calendar) {
        for (from, to) in [(1_000, 0), (1_000, 900), (100, 0), (100, 400), (5, 1)] {
            let permit = acquire(store, &limit.cost(from), "ann").await;
            store.limiter.reset(&limit, "ann").await.unwrap();
            store.advance(1_237);
            // A bucket with continuous refill tells the charges apart that it keeps.
            check(store, &limit.cost(500).for_settlement(), "ann").await;
            let before = standing(store, &limit, "ann").await;
            permit.settle(to).await;
            permit.refund().await;
            assert_eq!(
                standing(store, &limit, "ann").await,
                before,
                "{limit:?} {from} {to}"
            );
            store.limiter.reset(&limit, "ann").await.unwrap();
        }
    }
}

/// Each window of it begins where the one before ends, and settlements find their charge in both.
async fn a_counter_is_the_same_in_its_next_window(store: &StoreFixture) {
    let limit = Limit::new(1_000, Duration::from_secs(60));
    let limit = limit.algorithm(Algorithm::SlidingWindowCounter);
    let mut permits = Vec::new();
    for _ in 0..6 {
        permits.push(acquire(store, &limit.cost(100), "ann").await);
        store.advance(25 * SECOND + 7);
        // The plain script decides this, and keeps whose counter it is.
        check(store, &limit, "ann").await;
    }
    let late = permits.split_off(4);
    for permit in late {
        let (_, before) = standing(store, &limit, "ann").await;
        assert!(before > Duration::ZERO);
        let left = standing(store, &limit, "ann").await.0;
        permit.settle(50).await;
        assert!(standing(store, &limit, "ann").await.0 > left);
    }
    // The others have left both windows.
    let before = standing(store, &limit, "ann").await;
    permits.remove(0).settle(0).await;
    assert_eq!(standing(store, &limit, "ann").await, before);
}

async fn a_calendar_counter_is_the_same_for_its_period(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 1_000);
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(acquire(store, &limit.cost(100), "ann").await);
        store.advance(777_777);
    }
    for permit in permits.drain(..) {
        permit.settle(10).await;
    }
    assert_eq!(standing(store, &limit, "ann").await.0, 950);
    // Nothing is left of it, and another one begins.
    let old = acquire(store, &limit.cost(10), "bob").await;
    acquire(store, &limit.cost(10), "bob").await.refund().await;
    let twice = acquire(store, &limit.cost(10), "bob").await;
    twice.refund().await;
    assert_eq!(standing(store, &limit, "bob").await.0, 990);
    old.refund().await;
    assert_eq!(standing(store, &limit, "bob").await.0, 1_000);
}

/// A window holds 2^24 - 1 at most: what is charged on top adds nothing, not even time.
async fn a_log_that_holds_the_most_takes_no_forced_charge(store: &StoreFixture) {
    let limit = Limit::new(20, Duration::from_secs(60));
    let mut permits = Vec::new();
    for _ in 0..17 {
        permits.push(acquire(store, &limit.cost(1), "ann").await);
    }
    let free = acquire(store, &limit.cost(0), "ann").await;
    for permit in &permits {
        assert!(permit.settle(u32::MAX).await);
    }
    store.advance(10 * SECOND);
    let full = (0, Duration::from_secs(50));
    assert_eq!(standing(store, &limit, "ann").await, full);
    assert!(free.settle(25).await);
    assert_eq!(standing(store, &limit, "ann").await, full);
    assert_eq!(wait(store, &limit, "ann").await, 50 * SECOND);
    store.advance(50 * SECOND);
    let whole = (20, Duration::ZERO);
    assert_eq!(standing(store, &limit, "ann").await, whole);
}

/// The bucket was never full, so the turn that came a little late counts from the refill that has
/// made room, as it does in this process.
async fn a_turn_behind_a_settled_debt_counts_from_its_refill(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(20);
    let permit = acquire(store, &limit.cost(1), "ann").await;
    permit.settle(31).await;
    // After four refills, 9 are there.
    let eight = limit.cost(8);
    let waiting = store.limiter.acquire(&eight, "ann");
    let waiting = super::permits::in_line(waiting).await;
    store.advance(40 * SECOND + 3_000);
    let served = waiting.await.unwrap();
    let after = standing(store, &limit, "ann").await;
    assert_eq!(after, (1, Duration::from_micros(40 * SECOND - 3_000)));
    served.refund().await;
    let after = standing(store, &limit, "ann").await;
    assert_eq!(after, (9, Duration::from_micros(30 * SECOND - 3_000)));
}
