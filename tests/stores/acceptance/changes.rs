//! Limits that change (a deploy, a plan) and clocks that step back.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::Bench;

for_every_store!(
    a_raised_limit_keeps_what_was_used,
    a_lowered_limit_locks_nobody_out,
    a_changed_capacity_keeps_what_was_used,
    a_clock_that_steps_back_locks_nobody_out_and_admits_one_quota_more,
    a_clock_that_steps_back_ends_blocks_from_the_future,
);

async fn a_raised_limit_keeps_what_was_used(bench: &Bench) {
    for (before, after) in every_algorithm(4, 60)
        .into_iter()
        .zip(every_algorithm(10, 60))
    {
        if before.kind() == Algorithm::LeakyBucket {
            continue;
        }
        assert_eq!(admitted_at_once(bench, &before, "ann", 9).await, 4);
        let left = admitted_at_once(bench, &after, "ann", 20).await;
        assert_eq!(left, 6, "{before:?}");
    }
}

async fn a_lowered_limit_locks_nobody_out(bench: &Bench) {
    for (before, after) in every_algorithm(1000, 60)
        .into_iter()
        .zip(every_algorithm(2, 60))
    {
        admitted_at_once(bench, &before, "ann", 1000).await;
        let left = wait(bench, &after, "ann").await;
        // The weighted counter looks back at most two windows, all others one.
        let most = match after.kind() {
            Algorithm::SlidingWindowCounter => 120 * SECOND,
            _ => 60 * SECOND,
        };
        assert!(left > 0 && left <= most, "{before:?}: {left}");
        bench.advance(left);
        assert!(check(bench, &after, "ann").await.is_allowed(), "{before:?}");
    }
}

async fn a_changed_capacity_keeps_what_was_used(bench: &Bench) {
    let limit = Limit::per_hour(10).algorithm(Algorithm::TokenBucket);
    assert!(
        check(bench, &limit.capacity(10).cost(7), "ann")
            .await
            .is_allowed()
    );
    assert_eq!(
        admitted_at_once(bench, &limit.capacity(20), "ann", 50).await,
        13
    );
    // Twenty are missing now; of a bucket of five, five can be.
    assert_eq!(wait(bench, &limit.capacity(5), "ann").await, 360 * SECOND);
}

async fn a_clock_that_steps_back_locks_nobody_out_and_admits_one_quota_more(bench: &Bench) {
    for (step, back) in [1, 30, 59, 61, 3600, 86_400].into_iter().enumerate() {
        for limit in every_algorithm(5, 60) {
            let identity = &format!("ann{step}");
            admitted_at_once(bench, &limit, identity, 9).await;
            let before = bench.clock.now();
            bench.clock.set(before - Duration::from_secs(back));
            let more = admitted_at_once(bench, &limit, identity, 20).await;
            assert!(more <= 5, "{limit:?} {back} s: {more} more");
            let left = wait(bench, &limit, identity).await;
            let most = match limit.kind() {
                // It weighs the whole window before, in windows that the clock aligns.
                Algorithm::SlidingWindowCounter => 2 * 60 * SECOND,
                _ => 60 * SECOND,
            };
            assert!(left <= most, "{limit:?} {back} s: {left}");
            bench.advance(left);
            assert!(
                check(bench, &limit, identity).await.is_allowed(),
                "{limit:?} {back} s"
            );
            bench.clock.set(before);
        }
    }
}

async fn a_clock_that_steps_back_ends_blocks_from_the_future(bench: &Bench) {
    let limit = Limit::per_second(1).block(Duration::from_secs(10));
    assert_eq!(admitted_at_once(bench, &limit, "ann", 5).await, 1);
    bench
        .clock
        .set(bench.clock.now() - Duration::from_secs(3600));
    assert!(check(bench, &limit, "ann").await.is_allowed());
}
