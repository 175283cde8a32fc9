//! Blocks: once exceeded, everything of an identity in a zone is denied for a while.

use std::time::Duration;

use actix_throttle::Limit;

use super::{SECOND, admitted_at_once, check, for_every_store, wait};
use harness::stores::Bench;

for_every_store!(
    exceeding_blocks_for_the_whole_time,
    a_block_covers_its_zone_and_no_other,
    a_block_never_shortens_a_longer_wait,
    blocks_by_hand_begin_and_end_at_once,
    resetting_ends_a_block,
    impossible_costs_block_nobody,
    a_shadow_blocks_itself_alone,
);

async fn exceeding_blocks_for_the_whole_time(bench: &Bench) {
    let limit = Limit::per_second(2).block(Duration::from_secs(4));
    assert_eq!(admitted_at_once(bench, &limit, "ann", 2).await, 2);
    assert!(!check(bench, &limit, "ann").await.is_allowed());
    for left in (1..=4).rev() {
        let denied = check(bench, &limit, "ann").await;
        assert_eq!(denied.retry_after(), Some(Duration::from_secs(left)));
        let status = &denied.limits()[0];
        assert!(status.is_blocked());
        assert_eq!(
            (status.remaining(), status.reset_after().as_secs()),
            (0, left)
        );
        bench.advance(SECOND);
    }
    assert_eq!(admitted_at_once(bench, &limit, "ann", 5).await, 2);
}

async fn a_block_covers_its_zone_and_no_other(bench: &Bench) {
    let strict = Limit::per_second(1)
        .zone("z")
        .block(Duration::from_secs(60));
    let lenient = Limit::per_hour(1000).zone("z");
    let elsewhere = Limit::per_hour(1000).zone("elsewhere");
    assert_eq!(admitted_at_once(bench, &strict, "ann", 5).await, 1);
    assert_eq!(wait(bench, &lenient, "ann").await, 60 * SECOND);
    assert!(!check(bench, &lenient, "ann").await.is_allowed());
    assert!(check(bench, &elsewhere, "ann").await.is_allowed());
    assert!(check(bench, &lenient, "bob").await.is_allowed());
}

async fn a_block_never_shortens_a_longer_wait(bench: &Bench) {
    let limit = Limit::per_minute(1).block(Duration::from_secs(1));
    assert!(check(bench, &limit, "ann").await.is_allowed());
    assert!(!check(bench, &limit, "ann").await.is_allowed());
    assert_eq!(wait(bench, &limit, "ann").await, 60 * SECOND);
}

async fn blocks_by_hand_begin_and_end_at_once(bench: &Bench) {
    let limit = Limit::per_minute(100);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    bench
        .limiter
        .block(&limit, "ann", minutes(10))
        .await
        .unwrap();
    assert_eq!(wait(bench, &limit, "ann").await, 600 * SECOND);
    // A second one takes the first one's place.
    bench
        .limiter
        .block(&limit, "ann", minutes(5))
        .await
        .unwrap();
    assert_eq!(wait(bench, &limit, "ann").await, 300 * SECOND);
    bench.limiter.unblock(&limit, "ann").await.unwrap();
    assert!(check(bench, &limit, "ann").await.is_allowed());
    // Nothing to end is no error.
    bench.limiter.unblock(&limit, "ann").await.unwrap();
    for length in [Duration::ZERO, Duration::from_secs(367 * 24 * 3600)] {
        assert!(bench.limiter.block(&limit, "ann", length).await.is_err());
    }
}

async fn resetting_ends_a_block(bench: &Bench) {
    let limit = Limit::per_minute(1).block(Duration::from_secs(600));
    assert_eq!(admitted_at_once(bench, &limit, "ann", 5).await, 1);
    bench.limiter.reset(&limit, "ann").await.unwrap();
    assert!(check(bench, &limit, "ann").await.is_allowed());
}

async fn impossible_costs_block_nobody(bench: &Bench) {
    let limit = Limit::per_minute(5).block(Duration::from_secs(600));
    assert!(check(bench, &limit.cost(6), "ann").await.exceeds_capacity());
    assert!(check(bench, &limit, "ann").await.is_allowed());
}

async fn a_shadow_blocks_itself_alone(bench: &Bench) {
    let enforced = Limit::per_minute(100);
    let shadow = Limit::per_minute(1)
        .block(Duration::from_secs(600))
        .shadow();
    let both = [(&enforced, "ann"), (&shadow, "ann")];
    for count in 0..4 {
        let decision = bench.limiter.check_all(&both).await.unwrap();
        assert!(decision.is_allowed());
        assert!(!decision.limits()[0].is_blocked());
        assert_eq!(decision.limits()[1].is_blocked(), count > 0);
    }
}
