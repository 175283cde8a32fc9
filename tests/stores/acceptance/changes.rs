//! Limits whose numbers change (with a deployment or a plan), and clocks that step back.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    a_raised_limit_keeps_what_was_used,
    lowered_limit_locks_no_identity_out,
    a_changed_capacity_keeps_what_was_used,
    clock_stepping_back_admits_at_most_one_extra_quota,
    a_clock_that_steps_back_ends_blocks_from_the_future,
);

async fn a_raised_limit_keeps_what_was_used(store: &StoreFixture) {
    for (before, after) in every_algorithm(4, 60)
        .into_iter()
        .zip(every_algorithm(10, 60))
    {
        if before.algorithm_value() == Algorithm::LeakyBucket {
            continue;
        }
        assert_eq!(admitted_at_once(store, &before, "ann", 9).await, 4);
        let left = admitted_at_once(store, &after, "ann", 20).await;
        assert_eq!(left, 6, "{before:?}");
    }
}

async fn lowered_limit_locks_no_identity_out(store: &StoreFixture) {
    for (before, after) in every_algorithm(1000, 60)
        .into_iter()
        .zip(every_algorithm(2, 60))
    {
        admitted_at_once(store, &before, "ann", 1000).await;
        let left = wait(store, &after, "ann").await;
        // The sliding window counter looks back at most two windows, the other algorithms one.
        let most = match after.algorithm_value() {
            Algorithm::SlidingWindowCounter => 120 * SECOND,
            _ => 60 * SECOND,
        };
        assert!(left > 0 && left <= most, "{before:?}: {left}");
        store.advance(left);
        assert!(check(store, &after, "ann").await.is_allowed(), "{before:?}");
    }
}

async fn a_changed_capacity_keeps_what_was_used(store: &StoreFixture) {
    let limit = Limit::per_hour(10).algorithm(Algorithm::TokenBucket);
    assert!(
        check(store, &limit.capacity(10).cost(7), "ann")
            .await
            .is_allowed()
    );
    assert_eq!(
        admitted_at_once(store, &limit.capacity(20), "ann", 50).await,
        13
    );
    // Twenty tokens are missing now; a bucket of five can miss at most five.
    assert_eq!(wait(store, &limit.capacity(5), "ann").await, 360 * SECOND);
}

async fn clock_stepping_back_admits_at_most_one_extra_quota(store: &StoreFixture) {
    for (step, back) in [1, 30, 59, 61, 3600, 86_400].into_iter().enumerate() {
        for limit in every_algorithm(5, 60) {
            let identity = &format!("ann{step}");
            admitted_at_once(store, &limit, identity, 9).await;
            let before = store.clock.now();
            store.clock.set(before - Duration::from_secs(back));
            let more = admitted_at_once(store, &limit, identity, 20).await;
            assert!(more <= 5, "{limit:?} {back} s: {more} more");
            let left = wait(store, &limit, identity).await;
            let most = match limit.algorithm_value() {
                // The sliding window counter weighs the whole previous window, and the clock aligns
                // its windows.
                Algorithm::SlidingWindowCounter => 2 * 60 * SECOND,
                _ => 60 * SECOND,
            };
            assert!(left <= most, "{limit:?} {back} s: {left}");
            store.advance(left);
            assert!(
                check(store, &limit, identity).await.is_allowed(),
                "{limit:?} {back} s"
            );
            store.clock.set(before);
        }
    }
}

async fn a_clock_that_steps_back_ends_blocks_from_the_future(store: &StoreFixture) {
    let limit = Limit::per_second(1).block(Duration::from_secs(10));
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 1);
    store
        .clock
        .set(store.clock.now() - Duration::from_secs(3600));
    assert!(check(store, &limit, "ann").await.is_allowed());
}
