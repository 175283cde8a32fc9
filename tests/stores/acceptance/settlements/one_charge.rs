//! One charge and its settlement: at once, late, after a reset, twice, refunded.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit};

use super::{
    super::{
        SECOND, admitted_at_once, check, every_algorithm, for_every_store, remaining, standing,
        wait,
    },
    acquire,
};
use harness::stores::StoreFixture;

for_every_store!(
    a_settlement_right_away_counts_as_the_charge,
    a_settlement_after_the_window_has_no_effect,
    a_settlement_after_a_reset_has_no_effect,
    a_settlement_leaves_a_block_as_it_is,
    a_settlement_ends_a_cached_denial,
    a_settlement_happens_once,
    a_refund_gives_back_what_was_settled,
    an_estimate_of_nothing_is_charged_when_settled,
    the_largest_costs_are_settled,
);

async fn a_settlement_right_away_counts_as_the_charge(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        for (from, to) in [(4, 7), (7, 4), (4, 4), (4, 10), (10, 1), (3, 0)] {
            let identity = &format!("settled {from} at {to}");
            let known = &format!("known {to}");
            let permit = acquire(store, &limit.cost(from), identity).await;
            assert!(permit.settle(to).await);
            if to > 0 {
                check(store, &limit.cost(to), known).await;
            }
            let expected = standing(store, &limit, known).await;
            assert_eq!(
                standing(store, &limit, identity).await,
                expected,
                "{limit:?} {from} {to}"
            );
            if limit.algorithm_value() != Algorithm::LeakyBucket {
                let more = admitted_at_once(store, &limit, identity, 20).await;
                assert_eq!(more, 10 - to, "{limit:?}");
            }
            store.limiter.reset(&limit, known).await.unwrap();
        }
    }
}

async fn a_settlement_after_the_window_has_no_effect(store: &StoreFixture) {
    for limit in every_algorithm(5, 10) {
        let permit = acquire(store, &limit.cost(3), "ann").await;
        store.advance(30 * SECOND);
        check(store, &limit.cost(2), "ann").await;
        let before = standing(store, &limit, "ann").await;
        permit.settle(8).await;
        assert_eq!(standing(store, &limit, "ann").await, before, "{limit:?}");
    }
}

async fn a_settlement_after_a_reset_has_no_effect(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        for to in [0, 1, 500] {
            let permit = acquire(store, &limit.cost(4), "ann").await;
            store.limiter.reset(&limit, "ann").await.unwrap();
            permit.settle(to).await;
            assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        }
    }
}

async fn a_settlement_leaves_a_block_as_it_is(store: &StoreFixture) {
    let limit = Limit::per_second(2).block(Duration::from_secs(60));
    let permit = acquire(store, &limit, "ann").await;
    check(store, &limit, "ann").await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    permit.settle(0).await;
    assert_eq!(wait(store, &limit, "ann").await, 60 * SECOND);
    let permit = acquire(store, &limit, "bob").await;
    permit.settle(100).await;
    let peeked = store.limiter.peek(&limit, "bob").await.unwrap();
    assert!(!peeked.limits()[0].is_blocked());
}

async fn a_settlement_ends_a_cached_denial(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let permit = acquire(store, &limit.cost(10), "ann").await;
        for _ in 0..3 {
            assert!(!check(store, &limit, "ann").await.is_allowed());
        }
        permit.settle(0).await;
        let permit = acquire(store, &limit.cost(10), "ann").await;
        let before = check(store, &limit, "ann").await.retry_after();
        permit.settle(40).await;
        // The wait may be longer now, and is never the cached one.
        let after = check(store, &limit, "ann").await.retry_after();
        let peeked = store.limiter.peek(&limit, "ann").await.unwrap();
        assert_eq!(after, peeked.retry_after(), "{limit:?}");
        assert!(after >= before, "{limit:?}");
    }
}

async fn a_settlement_happens_once(store: &StoreFixture) {
    let limit = Limit::per_minute(10);
    let permit = acquire(store, &limit.cost(2), "ann").await;
    assert!(permit.settle(5).await);
    assert!(!permit.settle(9).await);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
    drop(permit);
    assert_eq!(remaining(store, &limit, "ann").await, 5);
    // Unsettled, the estimate stands.
    drop(acquire(store, &limit.cost(2), "ann").await);
    assert_eq!(remaining(store, &limit, "ann").await, 3);
}

async fn a_refund_gives_back_what_was_settled(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        for to in [1, 6, 30] {
            let permit = acquire(store, &limit.cost(4), "ann").await;
            permit.settle(to).await;
            assert!(permit.refund().await);
            assert_eq!(
                standing(store, &limit, "ann").await,
                whole,
                "{limit:?} {to}"
            );
        }
    }
}

async fn an_estimate_of_nothing_is_charged_when_settled(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        let permit = acquire(store, &limit.cost(0), "ann").await;
        assert_eq!(standing(store, &limit, "ann").await, whole);
        assert!(permit.settle(25).await);
        let (left, reset) = standing(store, &limit, "ann").await;
        assert_eq!(left, 0, "{limit:?}");
        assert!(reset > 0, "{limit:?}");
        assert!(!check(store, &limit, "ann").await.is_allowed());
        assert!(permit.refund().await);
        assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        // Settled at nothing, nothing is charged.
        assert!(acquire(store, &limit.cost(0), "ann").await.settle(0).await);
        assert_eq!(standing(store, &limit, "ann").await, whole);
    }
}

async fn the_largest_costs_are_settled(store: &StoreFixture) {
    for limit in every_algorithm(1_000, 60) {
        let first = acquire(store, &limit.cost(1), "ann").await;
        if limit.algorithm_value() == Algorithm::LeakyBucket {
            store.advance(60_000);
        }
        let second = acquire(store, &limit.cost(999), "ann").await;
        first.settle(u32::MAX).await;
        second.settle(u32::MAX).await;
        let (left, reset) = standing(store, &limit, "ann").await;
        assert_eq!(left, 0, "{limit:?}");
        let windows = [
            Algorithm::SlidingWindow,
            Algorithm::FixedWindow,
            Algorithm::SlidingWindowCounter,
        ];
        if windows.contains(&limit.algorithm_value()) {
            assert!(reset <= 120 * SECOND, "{limit:?}: {reset}");
            store.advance(121 * SECOND);
            assert_eq!(remaining(store, &limit, "ann").await, 1_000, "{limit:?}");
        } else {
            // 2^32 tokens at most, at a thousand a minute.
            assert!(
                reset <= (1 << 32) * 60_000 + 60 * SECOND,
                "{limit:?}: {reset}"
            );
        }
        first.refund().await;
        second.refund().await;
    }
}
