//! Refunds of charges by their receipts, by example; `properties::refunds` has random ones.

mod algorithms;

use std::time::Duration;

use actix_throttle::{Algorithm, ChargedForTest, Decision, Limit};

use super::{
    SECOND, admitted_at_once, check, every_algorithm, for_every_store, reset_of, standing, wait,
};
use harness::stores::StoreFixture;

for_every_store!(
    a_refund_right_away_leaves_no_trace,
    a_refund_of_what_time_gave_back_gives_nothing,
    giving_back_twice_never_goes_below_zero,
    forgotten_charge_is_not_refunded,
    a_clock_that_steps_back_gives_nothing_extra,
    uncharged_request_has_no_receipt,
    several_limits_are_refunded_together,
    a_refund_ends_no_block,
    changed_limit_refunds_what_was_charged,
);

pub(super) async fn take(store: &StoreFixture, limit: &Limit, identity: &str) -> ChargedForTest {
    let checks = [(limit, identity)];
    let (decision, taken) = store.limiter.check_with_receipts(&checks).await.unwrap();
    assert!(decision.is_allowed(), "{limit:?}");
    taken
}

pub(super) async fn refund(store: &StoreFixture, taken: ChargedForTest) -> Decision {
    let decision = store.limiter.refund_charged(taken).await.unwrap();
    assert!(decision.is_allowed());
    decision
}

async fn a_refund_right_away_leaves_no_trace(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        for cost in [1, 4, 10] {
            let taken = take(store, &limit.cost(cost), "ann").await;
            assert_ne!(standing(store, &limit, "ann").await, whole);
            let decision = refund(store, taken).await;
            assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
            let status = &decision.limits()[0];
            assert_eq!((status.remaining(), reset_of(status)), whole);
        }
        if limit.algorithm_value() == Algorithm::LeakyBucket {
            continue;
        }
        // A refund leaves no trace on top of other charges and between whole tokens either.
        for cost in [1, 3, 2] {
            check(store, &limit.cost(cost), "ann").await;
            store.advance(SECOND + 234_567);
            let before = standing(store, &limit, "ann").await;
            let taken = take(store, &limit.cost(2), "ann").await;
            refund(store, taken).await;
            assert_eq!(standing(store, &limit, "ann").await, before, "{limit:?}");
        }
    }
}

async fn a_refund_of_what_time_gave_back_gives_nothing(store: &StoreFixture) {
    for limit in every_algorithm(5, 10) {
        let taken = take(store, &limit.cost(3), "ann").await;
        store.advance(20 * SECOND);
        // Nothing of the charge is left, so the refund changes nothing.
        refund(store, taken.clone()).await;
        check(store, &limit.cost(4), "ann").await;
        let before = standing(store, &limit, "ann").await;
        refund(store, taken).await;
        assert_eq!(standing(store, &limit, "ann").await, before, "{limit:?}");
    }
}

async fn giving_back_twice_never_goes_below_zero(store: &StoreFixture) {
    for limit in every_algorithm(10, 60) {
        let whole = standing(store, &limit, "ann").await;
        let taken = take(store, &limit.cost(6), "ann").await;
        check(store, &limit.cost(3), "ann").await;
        for _ in 0..3 {
            refund(store, taken.clone()).await;
        }
        assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        assert_eq!(admitted_at_once(store, &limit, "ann", 20).await, whole.0);
    }
}

async fn forgotten_charge_is_not_refunded(store: &StoreFixture) {
    let told_apart = [true, true, true, false, true, false];
    for (limit, told_apart) in every_algorithm(10, 60).into_iter().zip(told_apart) {
        let whole = standing(store, &limit, "ann").await;
        let taken = take(store, &limit.cost(4), "ann").await;
        store.limiter.reset(&limit, "ann").await.unwrap();
        refund(store, taken.clone()).await;
        assert_eq!(standing(store, &limit, "ann").await, whole, "{limit:?}");
        store.advance(SECOND);
        check(store, &limit.cost(2), "ann").await;
        let before = standing(store, &limit, "ann").await;
        refund(store, taken).await;
        let after = standing(store, &limit, "ann").await;
        // The other buckets cannot tell the charges apart: they refund no more than the charge
        // and no more than was used.
        assert_eq!(after, if told_apart { before } else { whole }, "{limit:?}");
    }
}

async fn a_clock_that_steps_back_gives_nothing_extra(store: &StoreFixture) {
    for (step, back) in [1, 30, 61, 86_400].into_iter().enumerate() {
        for limit in every_algorithm(5, 60) {
            let identity = &format!("ann{step}");
            let taken = take(store, &limit.cost(3), identity).await;
            let charged = standing(store, &limit, identity).await;
            let before = store.clock.now();
            store.clock.set(before - Duration::from_secs(back));
            refund(store, taken.clone()).await;
            let more = admitted_at_once(store, &limit, identity, 20).await;
            assert!(more <= 5, "{limit:?} {back} s: {more} more");
            refund(store, taken).await;
            let left = wait(store, &limit, identity).await;
            assert!(left > 0 && left <= 120 * SECOND, "{limit:?} {back} s");
            store.clock.set(before);
            // The old charge counts again once the clock has reached its time, if there was no
            // charge in between.
            let other = &format!("bob{step}");
            let taken = take(store, &limit.cost(3), other).await;
            store.clock.set(before - Duration::from_secs(back));
            refund(store, taken).await;
            store.clock.set(before);
            if limit.algorithm_value() != Algorithm::SlidingWindowCounter {
                assert_eq!(standing(store, &limit, other).await, charged, "{limit:?}");
            }
        }
    }
}

async fn uncharged_request_has_no_receipt(store: &StoreFixture) {
    for limit in every_algorithm(4, 60) {
        let shadow = limit.shadow();
        let first = [(&limit.cost(3), "ann"), (&shadow.cost(4), "ann")];
        let (_, taken) = store.limiter.check_with_receipts(&first).await.unwrap();
        assert_eq!(taken.was_charged(), [true, true]);
        if limit.algorithm_value() == Algorithm::LeakyBucket {
            store.advance(45 * SECOND);
        }
        // The shadow has no room now, and the limit of zone `nothing` costs nothing.
        let nothing = limit.zone("nothing").cost(0);
        let second = [(&limit, "ann"), (&shadow.cost(4), "ann"), (&nothing, "ann")];
        let (decision, taken) = store.limiter.check_with_receipts(&second).await.unwrap();
        assert!(decision.is_allowed());
        assert_eq!(taken.was_charged(), [true, false, false]);
        let before = standing(store, &shadow, "ann").await;
        refund(store, taken).await;
        assert_eq!(standing(store, &shadow, "ann").await, before);
        assert!(check(store, &limit, "ann").await.is_allowed(), "{limit:?}");
        // A check that one limit denies has no receipts at all.
        let third = [(&limit.cost(4), "ann"), (&limit, "bob")];
        let (decision, taken) = store.limiter.check_with_receipts(&third).await.unwrap();
        assert!(!decision.is_allowed());
        assert_eq!(taken.was_charged(), [false, false]);
    }
}

async fn several_limits_are_refunded_together(store: &StoreFixture) {
    let limits = every_algorithm(5, 60);
    let checks: Vec<_> = limits
        .iter()
        .flat_map(|limit| [(limit, "ann"), (limit, "bob")])
        .collect();
    let (_, taken) = store.limiter.check_with_receipts(&checks).await.unwrap();
    let decision = refund(store, taken).await;
    assert_eq!(decision.limits().len(), checks.len());
    for (limit, identity) in checks {
        let (_, reset) = standing(store, limit, identity).await;
        assert_eq!(reset, 0, "{limit:?}");
    }
}

async fn a_refund_ends_no_block(store: &StoreFixture) {
    let limit = Limit::per_second(1).block(Duration::from_secs(60));
    let taken = take(store, &limit, "ann").await;
    assert!(!check(store, &limit, "ann").await.is_allowed());
    let decision = refund(store, taken).await;
    assert!(decision.limits()[0].is_blocked());
    assert_eq!(wait(store, &limit, "ann").await, 60 * SECOND);
}

async fn changed_limit_refunds_what_was_charged(store: &StoreFixture) {
    for (before, after) in every_algorithm(10, 60)
        .into_iter()
        .zip(every_algorithm(6, 60))
    {
        if before.algorithm_value() == Algorithm::LeakyBucket {
            continue;
        }
        let taken = take(store, &before.cost(8), "ann").await;
        assert_eq!(standing(store, &after, "ann").await.0, 0);
        check(store, &before.cost(1), "ann").await;
        refund(store, taken).await;
        assert_eq!(standing(store, &after, "ann").await.0, 5, "{before:?}");
    }
    // The larger bucket misses twenty tokens. The refund of the smaller bucket's charge gives it
    // back as many as were charged.
    let limit = Limit::per_hour(10).algorithm(Algorithm::TokenBucket);
    let lesser = take(store, &limit.capacity(10).cost(5), "bob").await;
    check(store, &limit.capacity(30).cost(15), "bob").await;
    refund(store, lesser).await;
    let left = standing(store, &limit.capacity(30), "bob").await;
    assert_eq!(left.0, 15);
}
