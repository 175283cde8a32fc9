//! Blocks: once a limit is exceeded, an identity is denied everything in its zone for a while.

use std::time::Duration;

use actix_throttle::Limit;

use super::{SECOND, admitted_at_once, check, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    exceeding_blocks_for_the_whole_time,
    a_block_covers_its_zone_and_no_other,
    a_block_never_shortens_a_longer_wait,
    blocks_by_hand_begin_and_end_at_once,
    resetting_ends_a_block,
    impossible_costs_start_no_block,
    a_shadow_blocks_itself_alone,
);

async fn exceeding_blocks_for_the_whole_time(store: &StoreFixture) {
    let limit = Limit::per_second(2).block(Duration::from_secs(4));
    assert_eq!(admitted_at_once(store, &limit, "ann", 2).await, 2);
    assert!(!check(store, &limit, "ann").await.is_allowed());
    for left in (1..=4).rev() {
        let denied = check(store, &limit, "ann").await;
        assert_eq!(denied.retry_after(), Some(Duration::from_secs(left)));
        let status = &denied.limits()[0];
        assert!(status.is_blocked());
        assert_eq!(
            (status.remaining(), status.reset_after().as_secs()),
            (0, left)
        );
        store.advance(SECOND);
    }
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 2);
}

async fn a_block_covers_its_zone_and_no_other(store: &StoreFixture) {
    let strict = Limit::per_second(1)
        .zone("z")
        .block(Duration::from_secs(60));
    let lenient = Limit::per_hour(1000).zone("z");
    let elsewhere = Limit::per_hour(1000).zone("elsewhere");
    assert_eq!(admitted_at_once(store, &strict, "ann", 5).await, 1);
    assert_eq!(wait(store, &lenient, "ann").await, 60 * SECOND);
    assert!(!check(store, &lenient, "ann").await.is_allowed());
    assert!(check(store, &elsewhere, "ann").await.is_allowed());
    assert!(check(store, &lenient, "bob").await.is_allowed());
}

async fn a_block_never_shortens_a_longer_wait(store: &StoreFixture) {
    let limit = Limit::per_minute(1).block(Duration::from_secs(1));
    assert!(check(store, &limit, "ann").await.is_allowed());
    assert!(!check(store, &limit, "ann").await.is_allowed());
    assert_eq!(wait(store, &limit, "ann").await, 60 * SECOND);
}

async fn blocks_by_hand_begin_and_end_at_once(store: &StoreFixture) {
    let limit = Limit::per_minute(100);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    store
        .limiter
        .block(&limit, "ann", minutes(10))
        .await
        .unwrap();
    assert_eq!(wait(store, &limit, "ann").await, 600 * SECOND);
    // A second block replaces the first.
    store
        .limiter
        .block(&limit, "ann", minutes(5))
        .await
        .unwrap();
    assert_eq!(wait(store, &limit, "ann").await, 300 * SECOND);
    store.limiter.unblock(&limit, "ann").await.unwrap();
    assert!(check(store, &limit, "ann").await.is_allowed());
    // Ending a block that does not exist is no error.
    store.limiter.unblock(&limit, "ann").await.unwrap();
    for length in [Duration::ZERO, Duration::from_secs(367 * 24 * 3600)] {
        assert!(store.limiter.block(&limit, "ann", length).await.is_err());
    }
}

async fn resetting_ends_a_block(store: &StoreFixture) {
    let limit = Limit::per_minute(1).block(Duration::from_secs(600));
    assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 1);
    store.limiter.reset(&limit, "ann").await.unwrap();
    assert!(check(store, &limit, "ann").await.is_allowed());
}

async fn impossible_costs_start_no_block(store: &StoreFixture) {
    let limit = Limit::per_minute(5).block(Duration::from_secs(600));
    assert!(check(store, &limit.cost(6), "ann").await.exceeds_capacity());
    assert!(check(store, &limit, "ann").await.is_allowed());
}

async fn a_shadow_blocks_itself_alone(store: &StoreFixture) {
    let enforced = Limit::per_minute(100);
    let shadow = Limit::per_minute(1)
        .block(Duration::from_secs(600))
        .shadow();
    let both = [(&enforced, "ann"), (&shadow, "ann")];
    for count in 0..4 {
        let decision = store.limiter.check_all(&both).await.unwrap();
        assert!(decision.is_allowed());
        assert!(!decision.limits()[0].is_blocked());
        assert_eq!(decision.limits()[1].is_blocked(), count > 0);
    }
}
