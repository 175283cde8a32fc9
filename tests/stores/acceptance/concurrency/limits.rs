//! How many permits there are at once: by limit, identity and zone, beside other limits, in shadow
//! and under blocks.

use std::time::Duration;

use actix_throttle::{Concurrency, Identity, Limit, RateLimitError};

use super::{
    super::{SECOND, check, for_every_store, waiting::settle},
    EXPIRY, TWO, free, take,
};
use harness::stores::{Elsewhere, StoreFixture, until};

for_every_store!(
    never_more_than_so_many_at_once,
    denied_by_either_nothing_is_taken_from_the_other,
    changed_numbers_end_no_permit,
    shadows_never_deny_and_have_own_permits,
    block_denies_new_permits_and_ends_none,
    permits_are_counted_by_identity_and_zone,
    limits_that_make_no_sense_are_refused,
);

async fn never_more_than_so_many_at_once(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let one = take(&semaphore).await.unwrap();
    assert_eq!(one.decision().limits()[0].remaining(), 1);
    let other = take(&semaphore).await.unwrap();
    assert!(take(&semaphore).await.is_none());
    let denied = semaphore.peek().await.unwrap();
    assert!(!denied.is_allowed());
    assert_eq!(denied.limits()[0].concurrency(), Some(&TWO));
    assert_eq!(denied.limits()[0].limit(), None);
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(1)));
    one.release().await;
    assert_eq!(free(&semaphore).await, 1);
    let one = take(&semaphore).await.unwrap();
    assert!(take(&semaphore).await.is_none());
    // A dropped guard releases its permit too, in the background.
    drop((one, other));
    until("both are free", async || free(&semaphore).await == 2).await;
    let status = &semaphore.peek().await.unwrap().limits()[0].clone();
    assert_eq!(status.reset_after(), Duration::ZERO);
}

async fn denied_by_either_nothing_is_taken_from_the_other(store: &StoreFixture) {
    let rate = Limit::per_minute(3);
    let permits = store.limiter.semaphore(&TWO, "ann");
    let remaining = async |limit| {
        let peeked = store.limiter.peek(limit, "ann").await.unwrap();
        peeked.limits()[0].remaining()
    };
    for other in ["ann", "bob"] {
        // The rate is of the same identity, and then of another, whose keys a cluster keeps in
        // another slot.
        store.limiter.reset(&rate, other).await.unwrap();
        let both = store.limiter.semaphore(&TWO, "ann").and(&rate, other);
        let (one, two) = (take(&both).await.unwrap(), take(&both).await.unwrap());
        assert_eq!(two.decision().limits()[1].remaining(), 1);
        for _ in 0..3 {
            assert!(take(&both).await.is_none());
        }
        let denied = both.peek().await.unwrap();
        assert!(denied.limits()[0].is_exceeded() && !denied.limits()[1].is_exceeded());
        assert_eq!(denied.limits()[1].remaining(), 1);
        one.release().await;
        let one = take(&both).await.unwrap();
        one.release().await;
        for _ in 0..3 {
            assert!(take(&both).await.is_none(), "the minute is used up");
        }
        until("what was taken in vain is back", async || {
            free(&permits).await == 1
        })
        .await;
        let denied = both.peek().await.unwrap();
        assert!(!denied.limits()[0].is_exceeded() && denied.limits()[1].is_exceeded());
        assert!(denied.retry_after().unwrap() > Duration::from_secs(50));
        two.release().await;
        assert_eq!(free(&permits).await, 2);
    }
    assert_eq!(remaining(&rate).await, 0);
}

async fn changed_numbers_end_no_permit(store: &StoreFixture) {
    let before = store.limiter.semaphore(&TWO, "ann");
    let fewer = Concurrency::new(1).expiry(Duration::from_secs(1));
    let after = store.limiter.semaphore(&fewer, "ann");
    Elsewhere::start().die_holding(&before);
    store.advance(SECOND);
    let held = take(&before).await.unwrap();
    store.advance(SECOND);
    // Both permits must be free first, and the second is renewed every three seconds.
    assert!(take(&after).await.is_none());
    store.advance(EXPIRY - 2 * SECOND - SECOND / 2);
    // The expiry of the first permit in half a second makes no room. A wait for a permit is
    // reported as one second at most.
    let denied = after.peek().await.unwrap();
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(1)));
    store.advance(SECOND / 2);
    assert!(take(&after).await.is_none(), "one is held still");
    assert!(held.is_valid());
    held.release().await;
    let own = take(&after).await.unwrap();
    let more = store.limiter.semaphore(&Concurrency::new(3), "ann");
    assert_eq!(free(&more).await, 2);
    drop(own);
}

async fn shadows_never_deny_and_have_own_permits(store: &StoreFixture) {
    let shadow = Concurrency::new(1).shadow();
    let semaphore = store.limiter.semaphore(&shadow, "ann");
    let first = take(&semaphore).await.unwrap();
    let second = take(&semaphore).await.unwrap();
    assert!(second.decision().limits()[0].is_exceeded());
    assert!(first.is_valid() && second.is_valid());
    // A shadow that exceeds its limit holds no permit, so its release frees none.
    second.release().await;
    assert_eq!(free(&semaphore).await, 0);
    let enforced = store.limiter.semaphore(&Concurrency::new(1), "ann");
    assert!(take(&enforced).await.is_some());
    let without = take(&semaphore).await.unwrap();
    first.release().await;
    assert_eq!(free(&semaphore).await, 1);
    // A renewal must not take a permit for it later either.
    for _ in 0..3 {
        store.clock.advance(shadow.expiry_value() / 3);
        settle().await;
    }
    assert_eq!(free(&semaphore).await, 1);
    drop(without);
}

async fn block_denies_new_permits_and_ends_none(store: &StoreFixture) {
    let rate = Limit::per_second(1)
        .zone("z")
        .block(Duration::from_secs(60));
    let semaphore = store.limiter.semaphore(&TWO.zone("z"), "ann");
    let held = take(&semaphore).await.unwrap();
    assert!(check(store, &rate, "ann").await.is_allowed());
    assert!(!check(store, &rate, "ann").await.is_allowed());
    let denied = semaphore.peek().await.unwrap();
    assert!(denied.limits()[0].is_blocked() && take(&semaphore).await.is_none());
    assert_eq!(denied.retry_after(), Some(Duration::from_secs(60)));
    for _ in 0..4 {
        store.advance(EXPIRY / 3);
        until("it is renewed", async || {
            // A decision in a slot that is being moved takes several calls.
            tokio::time::sleep(Duration::from_millis(30)).await;
            held.is_valid()
        })
        .await;
    }
    held.release().await;
    store.limiter.unblock(&rate, "ann").await.unwrap();
    assert_eq!(free(&semaphore).await, 2);
}

async fn permits_are_counted_by_identity_and_zone(store: &StoreFixture) {
    let limit = Concurrency::new(1);
    let of = |identity: Identity, zone| store.limiter.semaphore(&limit.zone(zone), identity);
    let _ann = take(&of(Identity::new("ann"), "a")).await.unwrap();
    assert!(
        take(&of(Identity::new("ann").group("pro"), "a"))
            .await
            .is_none()
    );
    assert!(take(&of(Identity::new("ann"), "b")).await.is_some());
    assert!(take(&of(Identity::new("bob"), "a")).await.is_some());
    assert!(take(&of(Identity::global(), "a")).await.is_some());
}

async fn limits_that_make_no_sense_are_refused(store: &StoreFixture) {
    let limiter = &store.limiter;
    for limit in [
        Concurrency::new(0),
        Concurrency::new(1_000_001),
        TWO.expiry(Duration::from_millis(99)),
        TWO.name("\n"),
    ] {
        let semaphore = limiter.semaphore(&limit, "ann");
        for error in [
            semaphore.try_acquire().await.unwrap_err(),
            semaphore.acquire().await.unwrap_err(),
            semaphore.peek().await.unwrap_err(),
        ] {
            assert!(matches!(error, RateLimitError::InvalidLimit(_)), "{error}");
        }
    }
    let rate = Limit::per_second(1);
    let twice = limiter
        .semaphore(&TWO, "ann")
        .and(&rate, "ann")
        .and(&rate, "ann");
    let error = twice.try_acquire().await.unwrap_err();
    assert!(matches!(error, RateLimitError::SharedCounter));
    assert_eq!(free(&limiter.semaphore(&TWO, "ann")).await, 2);
}
