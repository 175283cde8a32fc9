//! Each algorithm by example, on every store; `properties` covers the rest at random.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    remaining_counts_down_to_a_denial,
    sliding_window_frees_each_admission_in_its_turn,
    sliding_window_counter_weighs_the_window_before,
    fixed_window_opens_with_the_first_request,
    greedy_bucket_gains_continuously_up_to_its_capacity,
    interval_bucket_gains_all_at_once,
    leaky_bucket_spaces_evenly,
    idle_buckets_hold_their_capacity_and_no_more,
    costs_are_charged_whole,
    costs_no_limit_can_hold_are_impossible,
    a_cost_of_nothing_is_not_counted,
);

async fn remaining_counts_down_to_a_denial(store: &StoreFixture) {
    for limit in every_algorithm(3, 60) {
        let spaced = limit.algorithm_value() == Algorithm::LeakyBucket;
        let counts = if spaced { vec![0] } else { vec![2, 1, 0] };
        for expected in counts {
            let decision = check(store, &limit, "ann").await;
            assert!(decision.is_allowed(), "{limit:?}");
            assert_eq!(decision.limits()[0].remaining(), expected, "{limit:?}");
            assert_eq!(decision.retry_after(), None);
        }
        let denied = check(store, &limit, "ann").await;
        assert!(!denied.is_allowed(), "{limit:?}");
        assert_eq!(denied.limits()[0].remaining(), 0);
        assert!(denied.retry_after().unwrap() > Duration::ZERO);
        assert!(denied.retry_after().unwrap() <= denied.limits()[0].reset_after());
        // Another identity has a quota of its own.
        assert!(check(store, &limit, "bob").await.is_allowed());
    }
}

async fn sliding_window_frees_each_admission_in_its_turn(store: &StoreFixture) {
    let limit = Limit::new(3, Duration::from_secs(10));
    for _ in 0..3 {
        assert!(check(store, &limit, "ann").await.is_allowed());
        store.advance(SECOND);
    }
    // The charges came at 0, 1 and 2 s; it is 3 s now.
    assert_eq!(wait(store, &limit, "ann").await, 7 * SECOND);
    store.advance(7 * SECOND - 1);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    store.advance(1);
    for _ in 0..3 {
        assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 1);
        store.advance(SECOND);
    }
}

async fn sliding_window_counter_weighs_the_window_before(store: &StoreFixture) {
    let limit = Limit::per_minute(10).algorithm(Algorithm::SlidingWindowCounter);
    // The clock stands at the start of a minute.
    assert_eq!(admitted_at_once(store, &limit, "ann", 20).await, 10);
    store.advance(60 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 20).await, 0);
    // Half a minute later, half of the ten still weigh.
    store.advance(30 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 20).await, 5);
    assert_eq!(wait(store, &limit, "ann").await, 6 * SECOND);
}

async fn fixed_window_opens_with_the_first_request(store: &StoreFixture) {
    let limit = Limit::new(2, Duration::from_secs(10)).algorithm(Algorithm::FixedWindow);
    store.advance(3 * SECOND);
    assert!(check(store, &limit, "ann").await.is_allowed());
    store.advance(9 * SECOND);
    assert!(check(store, &limit, "ann").await.is_allowed());
    assert_eq!(wait(store, &limit, "ann").await, SECOND);
    store.advance(SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 2);
    assert_eq!(wait(store, &limit, "ann").await, 10 * SECOND);
}

async fn greedy_bucket_gains_continuously_up_to_its_capacity(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(5))
        .algorithm(Algorithm::TokenBucket)
        .capacity(20);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 20);
    assert_eq!(wait(store, &limit, "ann").await, SECOND);
    store.advance(3 * SECOND + SECOND / 2);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 3);
    // The bucket kept the half second that was not a whole token yet.
    assert_eq!(wait(store, &limit, "ann").await, SECOND / 2);
}

async fn interval_bucket_gains_all_at_once(store: &StoreFixture) {
    let limit = Limit::new(5, Duration::from_secs(10))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(8);
    store.advance(2 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 8);
    assert_eq!(wait(store, &limit, "ann").await, 10 * SECOND);
    store.advance(10 * SECOND - 1);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 0);
    store.advance(1);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 5);
    // Refills keep their beat: this request comes 3 s after a refill, and the next is due in 7 s.
    store.advance(13 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 30).await, 5);
    assert_eq!(wait(store, &limit, "ann").await, 7 * SECOND);
}

async fn leaky_bucket_spaces_evenly(store: &StoreFixture) {
    let limit = Limit::per_second(5).algorithm(Algorithm::LeakyBucket);
    for _ in 0..10 {
        assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 1);
        assert_eq!(wait(store, &limit, "ann").await, SECOND / 5);
        store.advance(SECOND / 5);
    }
    // Idle time earns no burst.
    store.advance(60 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 1);
    // A request that costs 3 delays the next one by three intervals.
    store.advance(SECOND);
    assert!(check(store, &limit.cost(3), "ann").await.is_allowed());
    assert_eq!(wait(store, &limit, "ann").await, SECOND / 5 * 3);
}

/// An idle bucket never holds more than its capacity. Another library admitted 17 requests at once,
/// after a pause, with a burst of 10.
async fn idle_buckets_hold_their_capacity_and_no_more(store: &StoreFixture) {
    for refill in [Refill::Greedy, Refill::Interval] {
        let limit = Limit::new(7, Duration::from_secs(1))
            .algorithm(Algorithm::TokenBucket)
            .refill(refill)
            .capacity(10);
        assert_eq!(admitted_at_once(store, &limit, "ann", 1).await, 1);
        for _ in 0..3 {
            store.advance(3600 * SECOND);
            assert_eq!(admitted_at_once(store, &limit, "ann", 50).await, 10);
        }
    }
}

async fn costs_are_charged_whole(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        if limit.algorithm_value() == Algorithm::LeakyBucket {
            continue;
        }
        assert!(check(store, &limit.cost(4), "ann").await.is_allowed());
        assert!(check(store, &limit.cost(4), "ann").await.is_allowed());
        let denied = check(store, &limit.cost(4), "ann").await;
        assert!(!denied.is_allowed(), "{limit:?}");
        assert_eq!(denied.limits()[0].remaining(), 2, "{limit:?}");
        assert!(check(store, &limit.cost(2), "ann").await.is_allowed());
    }
}

async fn costs_no_limit_can_hold_are_impossible(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let denied = check(store, &limit.cost(11), "ann").await;
        assert!(!denied.is_allowed());
        assert!(denied.exceeds_capacity());
        assert_eq!(denied.retry_after(), None);
        assert!(check(store, &limit, "ann").await.is_allowed());
    }
}

async fn a_cost_of_nothing_is_not_counted(store: &StoreFixture) {
    for limit in every_algorithm(1, 60) {
        for _ in 0..3 {
            assert!(check(store, &limit.cost(0), "ann").await.is_allowed());
        }
        assert!(check(store, &limit, "ann").await.is_allowed());
        assert!(check(store, &limit.cost(0), "ann").await.is_allowed());
        assert!(!check(store, &limit, "ann").await.is_allowed());
    }
}
