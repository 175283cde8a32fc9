//! The refunds of each algorithm, by example.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};

use super::{
    super::{SECOND, check, for_every_store, standing, wait},
    refund, take,
};
use harness::stores::StoreFixture;

for_every_store!(
    fixed_window_is_refunded_its_own_alone,
    aligned_window_is_refunded_its_own_alone,
    bucket_is_refunded_what_it_has_not_gained,
    interval_bucket_is_refunded_what_it_has_not_gained,
    a_leaky_bucket_lets_the_next_go_at_once,
    a_log_loses_the_very_admission,
    a_log_tells_times_apart_and_not_what_came_at_once,
);

/// A refund belongs to the window of its charge; actix-extensible-rate-limit gives it to the next.
async fn fixed_window_is_refunded_its_own_alone(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10)).algorithm(Algorithm::FixedWindow);
    let first = take(store, &limit.cost(2), "ann").await;
    store.advance(SECOND);
    let second = take(store, &limit.cost(2), "ann").await;
    store.advance(8 * SECOND);
    // The window stays where the first charge opened it.
    refund(store, first).await;
    let left = SECOND;
    assert_eq!(standing(store, &limit, "ann").await, (3, left));
    store.advance(SECOND);
    check(store, &limit.cost(4), "ann").await;
    refund(store, second).await;
    let whole = 10 * SECOND;
    assert_eq!(standing(store, &limit, "ann").await, (1, whole));
}

async fn aligned_window_is_refunded_its_own_alone(store: &StoreFixture) {
    let limit = Limit::per_minute(100).algorithm(Algorithm::SlidingWindowCounter);
    // The clock stands at the start of a minute.
    store.advance(50 * SECOND);
    let early = take(store, &limit.cost(40), "ann").await;
    let late = take(store, &limit.cost(20), "ann").await;
    store.advance(40 * SECOND);
    let next = take(store, &limit.cost(10), "ann").await;
    // Half of the sixty still weigh, and all of the ten.
    assert_eq!(standing(store, &limit, "ann").await.0, 60);
    refund(store, early).await;
    assert_eq!(standing(store, &limit, "ann").await.0, 80);
    refund(store, next).await;
    assert_eq!(standing(store, &limit, "ann").await.0, 90);
    store.advance(30 * SECOND);
    check(store, &limit.cost(7), "ann").await;
    refund(store, late).await;
    assert_eq!(standing(store, &limit, "ann").await.0, 93);
}

async fn bucket_is_refunded_what_it_has_not_gained(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .capacity(20);
    // A charge on a full bucket: the bucket has regained 6.5 of its 8 tokens.
    let alone = take(store, &limit.cost(8), "ann").await;
    store.advance(6 * SECOND + SECOND / 2);
    refund(store, alone).await;
    assert_eq!(standing(store, &limit, "ann").await, (20, 0));
    // A charge on a debt of ten: gained tokens pay the older debt first.
    check(store, &limit.cost(10), "bob").await;
    let taken = take(store, &limit.cost(8), "bob").await;
    store.advance(6 * SECOND + SECOND / 2);
    check(store, &limit.cost(5), "bob").await;
    refund(store, taken).await;
    // The bucket misses 10 + 5 − 6.5 tokens.
    let left = 8 * SECOND + SECOND / 2;
    assert_eq!(standing(store, &limit, "bob").await, (11, left));
    // A charge of 4 of which 2.5 tokens are regained, with five of another request on top.
    let taken = take(store, &limit.cost(4), "carl").await;
    store.advance(2 * SECOND);
    check(store, &limit.cost(5), "carl").await;
    store.advance(SECOND / 2);
    refund(store, taken).await;
    let left = 5 * SECOND;
    assert_eq!(standing(store, &limit, "carl").await, (15, left));
}

async fn interval_bucket_is_refunded_what_it_has_not_gained(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(20);
    store.advance(3 * SECOND);
    check(store, &limit.cost(6), "ann").await;
    store.advance(9 * SECOND);
    // Twelve tokens are missing. A second later it is seven, and six of them belong to this charge.
    let taken = take(store, &limit.cost(6), "ann").await;
    store.advance(11 * SECOND);
    assert_eq!(standing(store, &limit, "ann").await.0, 18);
    check(store, &limit.cost(3), "ann").await;
    refund(store, taken).await;
    // Two tokens of the charge were left to refund; the refills keep their beat.
    let left = 10 * SECOND;
    assert_eq!(standing(store, &limit, "ann").await, (17, left));
}

async fn a_leaky_bucket_lets_the_next_go_at_once(store: &StoreFixture) {
    let limit = Limit::per_second(3).algorithm(Algorithm::LeakyBucket);
    let first = take(store, &limit, "ann").await;
    store.advance(SECOND / 10);
    refund(store, first).await;
    let second = take(store, &limit.cost(2), "ann").await;
    store.advance(666_667);
    let third = take(store, &limit, "ann").await;
    // The second charge has drained, so its refund changes nothing.
    let left = wait(store, &limit, "ann").await;
    refund(store, second).await;
    assert_eq!(wait(store, &limit, "ann").await, left);
    refund(store, third).await;
    assert_eq!(wait(store, &limit, "ann").await, 0);
}

async fn a_log_loses_the_very_admission(store: &StoreFixture) {
    let limit = Limit::new(10, Duration::from_secs(10));
    let mut all = Vec::new();
    for cost in [1, 2, 3, 4] {
        all.push(take(store, &limit.cost(cost), "ann").await);
        store.advance(SECOND);
    }
    // The charges came at 0, 1, 2 and 3 s; it is 4 s now. The second is refunded.
    refund(store, all.remove(1)).await;
    assert_eq!(standing(store, &limit, "ann").await.0, 2);
    assert_eq!(wait(store, &limit.cost(3), "ann").await, 6 * SECOND);
    assert_eq!(wait(store, &limit.cost(4), "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(7), "ann").await, 9 * SECOND);
    // The youngest charge is refunded, then the oldest.
    refund(store, all.remove(2)).await;
    let left = 8 * SECOND;
    assert_eq!(standing(store, &limit, "ann").await, (6, left));
    refund(store, all.remove(0)).await;
    assert_eq!(standing(store, &limit, "ann").await, (7, left));
    // Later charges count as before.
    assert!(check(store, &limit.cost(7), "ann").await.is_allowed());
    assert_eq!(wait(store, &limit, "ann").await, 8 * SECOND);
    store.advance(8 * SECOND);
    assert_eq!(standing(store, &limit, "ann").await.0, 3);
}

async fn a_log_tells_times_apart_and_not_what_came_at_once(store: &StoreFixture) {
    let limit = Limit::new(20, Duration::from_secs(10));
    check(store, &limit, "ann").await;
    store.advance(SECOND);
    let three = take(store, &limit.cost(3), "ann").await;
    let two = take(store, &limit.cost(2), "ann").await;
    let four = take(store, &limit.cost(4), "ann").await;
    store.advance(SECOND);
    check(store, &limit.cost(5), "ann").await;
    let mut remaining = 20 - 1 - 9 - 5;
    for (taken, cost) in [(two, 2), (three, 3), (four, 4)] {
        assert_eq!(standing(store, &limit, "ann").await.0, remaining);
        refund(store, taken).await;
        remaining += cost;
    }
    assert_eq!(standing(store, &limit, "ann").await.0, 14);
    assert_eq!(wait(store, &limit.cost(15), "ann").await, 8 * SECOND);
    assert_eq!(wait(store, &limit.cost(16), "ann").await, 10 * SECOND);
}
