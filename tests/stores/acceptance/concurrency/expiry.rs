//! Permits and time: expiry, renewal, loss, and a clock that steps back.

use std::time::Duration;

use actix_throttle::{Concurrency, SemaphoreGuard};

use super::{
    super::{SECOND, for_every_store},
    EXPIRY, TWO, free, take,
};
use harness::stores::{Elsewhere, StoreFixture, until};

for_every_store!(
    permits_of_a_dead_process_expire,
    held_permits_are_renewed,
    lost_permit_is_reported_and_frees_no_other,
    expired_permit_is_renewed_if_still_free,
    clock_that_steps_back_locks_no_identity_out,
);

async fn permits_of_a_dead_process_expire(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    for _ in 0..2 {
        Elsewhere::start().die_holding(&semaphore);
        store.advance(SECOND);
    }
    assert!(take(&semaphore).await.is_none());
    store.advance(EXPIRY - 2 * SECOND - 1);
    assert!(take(&semaphore).await.is_none(), "a microsecond too soon");
    let denied = semaphore.peek().await.unwrap();
    assert_eq!(denied.retry_after(), Some(Duration::from_micros(1)));
    store.advance(1);
    let own = take(&semaphore).await.unwrap();
    assert!(take(&semaphore).await.is_none(), "the other is held still");
    own.release().await;
    store.advance(SECOND);
    assert_eq!(free(&semaphore).await, 2);
}

async fn held_permits_are_renewed(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let guards = [
        take(&semaphore).await.unwrap(),
        take(&semaphore).await.unwrap(),
    ];
    for _ in 0..8 {
        store.advance(EXPIRY / 3);
        assert!(take(&semaphore).await.is_none());
        until("they are renewed", async || {
            let status = semaphore.peek().await.unwrap().limits()[0].clone();
            status.reset_after() == Duration::from_micros(EXPIRY)
        })
        .await;
    }
    assert!(guards.iter().all(SemaphoreGuard::is_valid));
    let [one, other] = guards;
    one.release().await;
    other.release().await;
    assert_eq!(free(&semaphore).await, 2);
}

async fn lost_permit_is_reported_and_frees_no_other(store: &StoreFixture) {
    let one = Concurrency::new(1).expiry(TWO.expiry_value());
    let semaphore = store.limiter.semaphore(&one, "ann");
    let stalled = Elsewhere::start();
    let lost = stalled.run(take(&semaphore)).unwrap();
    store.advance(EXPIRY - 1);
    assert!(lost.is_valid());
    store.advance(1);
    assert!(
        !lost.is_valid(),
        "whatever the store says: it may have expired"
    );
    let own = take(&semaphore).await.unwrap();
    // The stalled process wakes and finds its permit taken. Its release must free nothing.
    stalled.run(async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(!lost.is_valid() && own.is_valid());
    stalled.run(lost.release());
    assert_eq!(free(&semaphore).await, 0);
    assert!(take(&semaphore).await.is_none());
    own.release().await;
    assert_eq!(free(&semaphore).await, 1);
}

async fn expired_permit_is_renewed_if_still_free(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    let stalled = Elsewhere::start();
    let held = stalled.run(take(&semaphore)).unwrap();
    store.advance(2 * EXPIRY);
    assert_eq!(free(&semaphore).await, 2);
    assert!(!held.is_valid());
    let renewed = async {
        while free(&semaphore).await == 2 {
            tokio::task::yield_now().await;
        }
    };
    stalled.run(renewed);
    // The permit counts again, but stays invalid: other work may have run in its place.
    assert!(!held.is_valid());
    stalled.run(held.release());
    assert_eq!(free(&semaphore).await, 2);
}

async fn clock_that_steps_back_locks_no_identity_out(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&TWO, "ann");
    for _ in 0..2 {
        Elsewhere::start().die_holding(&semaphore);
    }
    let step = store.clock.now() - Duration::from_secs(3600);
    store.clock.set(step);
    for left in (1..=9).rev() {
        assert!(take(&semaphore).await.is_none(), "{left} s too soon");
        store.advance(SECOND);
    }
    assert_eq!(free(&semaphore).await, 2);
    let held = [
        take(&semaphore).await.unwrap(),
        take(&semaphore).await.unwrap(),
    ];
    assert!(take(&semaphore).await.is_none());
    drop(held);
}
