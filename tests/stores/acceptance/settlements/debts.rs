//! Debts: what a settlement charges beyond the limit, and when it is paid.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Period, Refill};

use super::{
    super::{SECOND, check, for_every_store, remaining, standing, wait},
    acquire,
};
use harness::stores::StoreFixture;

for_every_store!(
    a_window_in_debt_admits_at_its_end,
    a_bucket_in_debt_admits_when_it_is_paid,
    a_debt_is_not_cut_to_the_capacity,
    an_old_debt_is_cut_to_a_lowered_capacity,
    a_log_holds_more_than_its_limit,
    an_interval_bucket_pays_its_debt_by_refills,
    a_full_bucket_has_paid_for_a_part,
    a_calendar_window_is_in_debt_until_its_end,
);

async fn a_window_in_debt_admits_at_its_end(store: &StoreFixture) {
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow] {
        let limit = Limit::per_minute(10).algorithm(algorithm);
        let permit = acquire(store, &limit.cost(2), "ann").await;
        store.advance(20 * SECOND);
        check(store, &limit.cost(5), "ann").await;
        permit.settle(35).await;
        assert_eq!(standing(store, &limit, "ann").await.0, 0);
        assert_eq!(wait(store, &limit, "ann").await, 40 * SECOND, "{limit:?}");
        store.advance(40 * SECOND - 1);
        assert!(!check(store, &limit, "ann").await.is_allowed());
        store.advance(1);
        let left = if algorithm == Algorithm::SlidingWindow {
            5
        } else {
            10
        };
        assert_eq!(remaining(store, &limit, "ann").await, left, "{limit:?}");
        assert!(check(store, &limit, "ann").await.is_allowed());
        store.limiter.reset(&limit, "ann").await.unwrap();
    }
    // The counter's previous window weighs less and less.
    let limit = Limit::per_minute(10).algorithm(Algorithm::SlidingWindowCounter);
    let permit = acquire(store, &limit.cost(2), "bob").await;
    permit.settle(40).await;
    let wait = wait(store, &limit, "bob").await;
    store.advance(wait - 1);
    assert!(!check(store, &limit, "bob").await.is_allowed());
    store.advance(1);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

async fn a_bucket_in_debt_admits_when_it_is_paid(store: &StoreFixture) {
    let limit = Limit::new(100, Duration::from_secs(100)).algorithm(Algorithm::TokenBucket);
    let permit = acquire(store, &limit.cost(10), "ann").await;
    permit.settle(150).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 150 * SECOND));
    assert_eq!(wait(store, &limit, "ann").await, 51 * SECOND);
    assert_eq!(wait(store, &limit.cost(30), "ann").await, 80 * SECOND);
    store.advance(51 * SECOND - 1);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(1);
    assert!(check(store, &limit, "ann").await.is_allowed());
    assert!(!check(store, &limit, "ann").await.is_allowed());
    assert_eq!(standing(store, &limit, "ann").await, (0, 100 * SECOND));

    let limit = Limit::per_second(1).algorithm(Algorithm::LeakyBucket);
    let permit = acquire(store, &limit, "bob").await;
    permit.settle(30).await;
    assert_eq!(standing(store, &limit, "bob").await, (0, 30 * SECOND));
    assert_eq!(wait(store, &limit, "bob").await, 30 * SECOND);
    store.advance(30 * SECOND);
    assert!(check(store, &limit, "bob").await.is_allowed());
}

/// Two settlements beyond the capacity, and one that refunds, with requests in between.
async fn a_debt_is_not_cut_to_the_capacity(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    let first = acquire(store, &limit.cost(2), "ann").await;
    let second = acquire(store, &limit.cost(2), "ann").await;
    let third = acquire(store, &limit.cost(6), "ann").await;
    store.advance(SECOND);
    first.settle(22).await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(SECOND);
    second.settle(102).await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    assert_eq!(standing(store, &limit, "ann").await, (0, 128 * SECOND));
    store.advance(SECOND);
    third.settle(1).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 122 * SECOND));
    store.advance(112 * SECOND);
    assert_eq!(standing(store, &limit, "ann").await, (0, 10 * SECOND));
    store.advance(SECOND);
    assert!(check(store, &limit, "ann").await.is_allowed());
}

async fn an_old_debt_is_cut_to_a_lowered_capacity(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10)).algorithm(Algorithm::TokenBucket);
    check(store, &limit.capacity(1_000).cost(900), "ann").await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 10 * SECOND));
    // A debt that was settled is owed under any capacity.
    let permit = acquire(store, &limit.cost(1), "bob").await;
    permit.settle(25).await;
    assert_eq!(
        standing(store, &limit.capacity(5), "bob").await,
        (0, 25 * SECOND)
    );
    assert_eq!(
        standing(store, &limit.capacity(50), "bob").await,
        (25, 25 * SECOND)
    );
}

async fn a_log_holds_more_than_its_limit(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10));
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(acquire(store, &limit, "ann").await);
        store.advance(SECOND);
    }
    // Admissions at 0, 1, 2, 3 and 4 s; it is 5 s now.
    permits.remove(3).settle(4).await;
    permits.remove(1).settle(1_000_000_000).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 9 * SECOND));
    // 2 s leave at 12 s, and 3 s with its four at 13 s.
    assert_eq!(wait(store, &limit, "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(4), "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(5), "ann").await, 9 * SECOND);
    store.advance(6 * SECOND);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(2 * SECOND);
    assert_eq!(remaining(store, &limit, "ann").await, 4);
    assert!(check(store, &limit.cost(4), "ann").await.is_allowed());
}

async fn an_interval_bucket_pays_its_debt_by_refills(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(20);
    let permit = acquire(store, &limit.cost(1), "ann").await;
    store.advance(4 * SECOND);
    permit.settle(41).await;
    assert_eq!(standing(store, &limit, "ann").await, (0, 86 * SECOND));
    // 41 are missing: after five refills 16, which is room for four.
    assert_eq!(wait(store, &limit, "ann").await, 46 * SECOND);
    store.advance(46 * SECOND - 1);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(1);
    assert_eq!(remaining(store, &limit, "ann").await, 4);
}

async fn a_full_bucket_has_paid_for_a_part(store: &StoreFixture) {
    let limit = Limit::new(100, Duration::from_secs(100)).algorithm(Algorithm::TokenBucket);
    // Nothing else was charged: the bucket has forgotten the charge.
    let permit = acquire(store, &limit.cost(1), "ann").await;
    store.advance(20 * SECOND);
    permit.settle(50).await;
    assert_eq!(standing(store, &limit, "ann").await, (70, 30 * SECOND));
    // Another charge came once the bucket was full again.
    let permit = acquire(store, &limit.cost(1), "bob").await;
    store.advance(15 * SECOND);
    check(store, &limit.cost(3), "bob").await;
    store.advance(SECOND);
    permit.settle(50).await;
    assert_eq!(standing(store, &limit, "bob").await, (63, 37 * SECOND));
    // The bucket was never full, so time has paid for nothing.
    let permit = acquire(store, &limit.cost(10), "carl").await;
    for _ in 0..10 {
        store.advance(10 * SECOND);
        check(store, &limit.cost(11), "carl").await;
    }
    permit.settle(30).await;
    assert_eq!(standing(store, &limit, "carl").await, (60, 40 * SECOND));
}

async fn a_calendar_window_is_in_debt_until_its_end(store: &StoreFixture) {
    let limit = Limit::every(Period::Month, 5);
    let permit = acquire(store, &limit, "ann").await;
    permit.settle(40).await;
    let (left, reset) = standing(store, &limit, "ann").await;
    assert_eq!(left, 0);
    assert_eq!(wait(store, &limit, "ann").await, reset);
    store.advance(reset);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
}
