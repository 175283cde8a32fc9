//! All limits at once: enforced, only counted, or off. A switch changes no counter.

use std::time::Duration;

use actix_throttle::{Concurrency, Demand, Enforcement, Limit};

use super::{SECOND, check, every_algorithm, for_every_store, permits::in_line, remaining};
use harness::stores::StoreFixture;

for_every_store!(
    shadow_counts_in_the_same_counter_and_denies_nothing,
    shadow_takes_no_more_than_there_is,
    cached_denials_deny_only_while_enforced,
    blocks_start_in_shadow_and_deny_once_enforced,
    off_leaves_every_counter_alone,
    several_limits_charge_each_for_itself_in_shadow,
    shadow_takes_the_alternative_with_room,
    a_wait_ends_once_limits_are_not_enforced,
    permits_in_shadow_are_those_of_the_limit,
    refunds_in_shadow_reach_the_counter,
);

const MINUTE: u64 = 60 * SECOND;

fn set(store: &StoreFixture, enforcement: Enforcement) {
    store.limiter.set_enforcement(enforcement);
}

async fn shadow_counts_in_the_same_counter_and_denies_nothing(store: &StoreFixture) {
    for (number, limit) in every_algorithm(4, 60).iter().enumerate() {
        let ann = &format!("ann-{number}");
        set(store, Enforcement::On);
        let before = check(store, limit, ann).await.limits()[0].remaining();
        set(store, Enforcement::Shadow);
        let counted = check(store, limit, ann).await;
        assert!(counted.is_allowed() && counted.limits()[0].is_shadow());
        let after = counted.limits()[0].remaining();
        assert_eq!(after, before.saturating_sub(1), "{limit:?}");
        set(store, Enforcement::On);
        assert_eq!(remaining(store, limit, ann).await, after, "{limit:?}");
    }
}

async fn shadow_takes_no_more_than_there_is(store: &StoreFixture) {
    for (number, limit) in every_algorithm(3, 60).iter().enumerate() {
        let ann = &format!("ann-{number}");
        set(store, Enforcement::Shadow);
        for _ in 0..8 {
            assert!(check(store, limit, ann).await.is_allowed());
        }
        assert!(check(store, limit, ann).await.limits()[0].is_exceeded());
        set(store, Enforcement::On);
        let denied = check(store, limit, ann).await;
        assert!(!denied.is_allowed(), "{limit:?}");
        let wait = denied.retry_after().unwrap();
        store.advance(u64::try_from(wait.as_micros()).unwrap());
        assert!(check(store, limit, ann).await.is_allowed(), "{limit:?}");
    }
}

async fn cached_denials_deny_only_while_enforced(store: &StoreFixture) {
    let limit = &Limit::per_minute(1);
    assert!(check(store, limit, "ann").await.is_allowed());
    for _ in 0..3 {
        set(store, Enforcement::On);
        // The second denial comes out of the denial cache, where the store has one.
        for _ in 0..2 {
            assert!(!check(store, limit, "ann").await.is_allowed());
        }
        set(store, Enforcement::Shadow);
        for _ in 0..2 {
            let decision = check(store, limit, "ann").await;
            assert!(decision.is_allowed() && decision.limits()[0].is_exceeded());
        }
    }
    store.advance(MINUTE);
    set(store, Enforcement::On);
    assert!(check(store, limit, "ann").await.is_allowed());
}

async fn blocks_start_in_shadow_and_deny_once_enforced(store: &StoreFixture) {
    let limit = &Limit::per_second(1).block(Duration::from_secs(60));
    set(store, Enforcement::Shadow);
    for expected in [false, true, true] {
        let decision = check(store, limit, "ann").await;
        assert!(decision.is_allowed());
        assert_eq!(decision.limits()[0].is_exceeded(), expected);
    }
    store.advance(2 * SECOND);
    assert!(check(store, limit, "ann").await.limits()[0].is_blocked());
    set(store, Enforcement::On);
    assert!(!check(store, limit, "ann").await.is_allowed());
    set(store, Enforcement::Off);
    assert!(check(store, limit, "ann").await.is_allowed());
    set(store, Enforcement::On);
    store.limiter.unblock(limit, "ann").await.unwrap();
    assert!(check(store, limit, "ann").await.is_allowed());
}

async fn off_leaves_every_counter_alone(store: &StoreFixture) {
    let limit = &Limit::per_minute(5).block(Duration::from_secs(60));
    check(store, limit, "ann").await;
    set(store, Enforcement::Off);
    for _ in 0..9 {
        let decision = check(store, limit, "ann").await;
        assert!(decision.is_allowed() && decision.limits().is_empty());
    }
    assert_eq!(remaining(store, limit, "ann").await, 5, "as if unused");
    let minute = Duration::from_secs(60);
    store.limiter.reset(limit, "ann").await.unwrap();
    store.limiter.block(limit, "ann", minute).await.unwrap();
    assert!(
        store
            .limiter
            .acquire(limit, "ann")
            .await
            .unwrap()
            .refund()
            .await
    );
    set(store, Enforcement::On);
    assert_eq!(
        remaining(store, limit, "ann").await,
        4,
        "nothing has happened"
    );
}

async fn several_limits_charge_each_for_itself_in_shadow(store: &StoreFixture) {
    let (few, many) = (
        Limit::per_minute(1).zone("few"),
        Limit::per_minute(9).zone("many"),
    );
    set(store, Enforcement::Shadow);
    for left in [8, 7, 6] {
        let all = [(&few, "ann"), (&many, "ann")];
        let decision = store.limiter.check_all(&all).await.unwrap();
        assert!(decision.is_allowed());
        assert_eq!(decision.limits()[1].remaining(), left);
    }
    set(store, Enforcement::On);
    let all = [(&few, "ann"), (&many, "ann")];
    let denied = store.limiter.check_all(&all).await.unwrap();
    assert!(!denied.is_allowed());
    assert_eq!(remaining(store, &many, "ann").await, 6);
}

async fn shadow_takes_the_alternative_with_room(store: &StoreFixture) {
    let (fast, slow) = (
        Limit::per_minute(1).zone("fast"),
        Limit::per_minute(2).zone("slow"),
    );
    set(store, Enforcement::Shadow);
    for expected in [(0, 2), (0, 1), (0, 0), (0, 0)] {
        let either = Demand::any([(&fast, "ann"), (&slow, "ann")]);
        store.limiter.acquire_for(either).await.unwrap();
        let left = (
            remaining(store, &fast, "ann").await,
            remaining(store, &slow, "ann").await,
        );
        assert_eq!(left, expected);
    }
}

async fn a_wait_ends_once_limits_are_not_enforced(store: &StoreFixture) {
    let limit = &Limit::per_minute(1);
    for mode in [Enforcement::Shadow, Enforcement::Off] {
        let ann = mode.as_str();
        set(store, Enforcement::On);
        store.limiter.acquire(limit, ann).await.unwrap();
        let second = in_line(store.limiter.acquire(limit, ann)).await;
        let third = in_line(store.limiter.acquire(limit, ann)).await;
        set(store, mode);
        let (second, third) = (second.await.unwrap(), third.await.unwrap());
        let decided = usize::from(mode == Enforcement::Shadow);
        assert_eq!(second.decision().limits().len(), decided);
        assert_eq!(third.decision().limits().len(), decided);
    }
}

async fn permits_in_shadow_are_those_of_the_limit(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&Concurrency::new(1), "ann");
    set(store, Enforcement::Shadow);
    let held = semaphore.acquire().await.unwrap();
    let without = semaphore.acquire().await.unwrap();
    assert!(held.is_valid() && without.is_valid());
    set(store, Enforcement::On);
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    without.release().await;
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    set(store, Enforcement::Off);
    held.release().await;
    set(store, Enforcement::On);
    assert!(semaphore.try_acquire().await.unwrap().is_some());
}

async fn refunds_in_shadow_reach_the_counter(store: &StoreFixture) {
    for (number, limit) in every_algorithm(2, 60).iter().enumerate() {
        let ann = &format!("ann-{number}");
        set(store, Enforcement::Shadow);
        let permit = store.limiter.acquire(limit, ann).await.unwrap();
        // A store that is too slow admits a shadow and charges nothing: nothing could be refunded.
        assert!(!permit.decision().is_fallback(), "{limit:?}");
        let left = remaining(store, limit, ann).await;
        set(store, Enforcement::On);
        assert!(permit.refund().await);
        assert_eq!(remaining(store, limit, ann).await, left + 1, "{limit:?}");
    }
}
