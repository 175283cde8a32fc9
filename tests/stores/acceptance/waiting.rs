//! Waiting for permits of concurrency limits: in order, within `max_wait`, and without a permit for
//! cancelled waiters.

use std::{cell::RefCell, future::IntoFuture, pin::pin, rc::Rc, time::Duration};

use actix_throttle::{Acquire, Concurrency, Limit, RateLimitError, Semaphore, SemaphoreGuard};
use futures_util::{
    FutureExt,
    future::{join, join_all},
};

use super::{SECOND, concurrency::take, for_every_store};
use harness::stores::{Elsewhere, StoreFixture, until};

for_every_store!(
    release_wakes_the_first_waiter,
    waiters_are_served_in_order,
    lower_priorities_go_first,
    cancelled_waiter_takes_nothing_and_wakes_the_next,
    waiters_are_not_overtaken,
    a_wait_ends_in_time_and_takes_nothing,
    a_wait_for_a_rate_that_cannot_help_ends_at_once,
    reset_and_unblock_wake_the_waiters,
    permits_released_elsewhere_are_found,
    permits_of_dead_processes_are_found,
);

const ONE: Concurrency = Concurrency::new(1).expiry(Duration::from_secs(9));

/// Lets tasks and connections make progress without moving the clock.
pub(super) async fn settle() {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn release_wakes_the_first_waiter(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    let held = take(&semaphore).await.unwrap();
    let mut waits = pin!(semaphore.acquire().into_future());
    for _ in 0..3 {
        assert!((&mut waits).now_or_never().is_none());
        settle().await;
    }
    held.release().await;
    // The clock stands still, so only the release can have woken the waiter.
    waits.await.unwrap().release().await;
    assert!(take(&semaphore).await.is_some());
}

type Served = Rc<RefCell<Vec<usize>>>;

/// Acquires a permit, records its number, and releases it.
async fn serve(acquire: Acquire<SemaphoreGuard>, number: usize, served: &Served) {
    let guard = acquire.await.unwrap();
    served.borrow_mut().push(number);
    guard.release().await;
}

async fn serve_all(store: &StoreFixture, semaphore: &Semaphore, priorities: &[u32]) -> Vec<usize> {
    let served = Served::default();
    let held = take(semaphore).await.unwrap();
    let mut all: Vec<_> = Vec::new();
    for (number, priority) in priorities.iter().enumerate() {
        let acquire = semaphore.acquire().priority(*priority);
        let mut one = Box::pin(serve(acquire, number, &served));
        assert!((&mut one).now_or_never().is_none());
        all.push(one);
    }
    let release = async {
        settle().await;
        held.release().await;
        // A waiter that was woken too early tries again after its polling pause, so time must pass.
        while served.borrow().len() < priorities.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            store.advance(SECOND / 1000);
        }
    };
    join(join_all(all), release).await;
    served.take()
}

async fn waiters_are_served_in_order(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    let order = serve_all(store, &semaphore, &[0; 12]).await;
    assert_eq!(order, (0..12).collect::<Vec<_>>());
}

async fn lower_priorities_go_first(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    let order = serve_all(store, &semaphore, &[5, 1, 9, 1, 5, 0]).await;
    assert_eq!(order, [5, 1, 3, 0, 4, 2]);
}

async fn cancelled_waiter_takes_nothing_and_wakes_the_next(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    let held = take(&semaphore).await.unwrap();
    let mut first = Box::pin(semaphore.acquire().into_future());
    let mut second = Box::pin(semaphore.acquire().into_future());
    for waits in [&mut first, &mut second] {
        assert!(waits.now_or_never().is_none());
    }
    settle().await;
    // Both waiters are in the wait queue.
    for waits in [&mut first, &mut second] {
        assert!(waits.now_or_never().is_none());
    }
    held.release().await;
    drop(first);
    second.await.unwrap().release().await;
    // A permit that was granted to a cancelled waiter is released, whenever it was cancelled.
    for polls in 0..6 {
        let mut leaves = Box::pin(semaphore.acquire().into_future());
        for _ in 0..polls {
            if (&mut leaves).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(leaves);
        until("the permit is free", async || {
            match take(&semaphore).await {
                Some(guard) => {
                    guard.release().await;
                    true
                }
                None => false,
            }
        })
        .await;
    }
}

async fn waiters_are_not_overtaken(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    Elsewhere::start().die_holding(&semaphore);
    let mut waits = Box::pin(semaphore.acquire().into_future());
    for _ in 0..3 {
        assert!((&mut waits).now_or_never().is_none());
        settle().await;
    }
    store.advance(10 * SECOND);
    assert!(take(&semaphore).await.is_none(), "free, but somebody waits");
    let guard = waits.await.unwrap();
    guard.release().await;
    assert!(take(&semaphore).await.is_some());
}

async fn a_wait_ends_in_time_and_takes_nothing(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    let held = take(&semaphore).await.unwrap();
    let at_once = semaphore.acquire().max_wait(Duration::ZERO).await;
    assert!(matches!(
        at_once.unwrap_err(),
        RateLimitError::TimedOut { retry_after: Some(wait) } if wait == Duration::from_secs(1)
    ));
    let mut waits = Box::pin(
        semaphore
            .acquire()
            .max_wait(Duration::from_secs(2))
            .into_future(),
    );
    for _ in 0..4 {
        assert!((&mut waits).now_or_never().is_none());
        settle().await;
        store.advance(SECOND / 2 - 1);
    }
    settle().await;
    assert!((&mut waits).now_or_never().is_none());
    store.advance(4);
    let error = waits.await.unwrap_err();
    assert!(matches!(error, RateLimitError::TimedOut { .. }), "{error}");
    held.release().await;
    let own = semaphore.acquire().max_wait(Duration::ZERO).await.unwrap();
    own.release().await;
}

async fn a_wait_for_a_rate_that_cannot_help_ends_at_once(store: &StoreFixture) {
    let rate = Limit::per_minute(1);
    let semaphore = store.limiter.semaphore(&TWO, "ann").and(&rate, "ann");
    take(&semaphore).await.unwrap().release().await;
    let error = semaphore.acquire().max_wait(Duration::from_secs(59)).await;
    assert!(matches!(
        error.unwrap_err(),
        RateLimitError::TimedOut { retry_after: Some(wait) } if wait == Duration::from_secs(60)
    ));
    // A waiter that can succeed is woken when the rate has room, and not before.
    let mut waits = Box::pin(semaphore.acquire().into_future());
    let told = tokio::time::timeout(TOLD, &mut waits);
    assert!(told.await.is_err());
    for _ in 0..60 {
        assert!((&mut waits).now_or_never().is_none());
        settle_a_little().await;
        store.advance(SECOND);
    }
    waits.await.unwrap().release().await;
    let costly = store
        .limiter
        .semaphore(&TWO, "ann")
        .and(&rate.cost(2), "bob");
    let error = costly.acquire().await.unwrap_err();
    assert!(
        matches!(error, RateLimitError::TimedOut { retry_after: None }),
        "{error}"
    );
}

/// The clock stands still, so only the reset can have woken the waiter.
async fn reset_and_unblock_wake_the_waiters(store: &StoreFixture) {
    const HOURLY: Limit = Limit::per_hour(1).name("hourly");
    const PAUSED: Limit = Limit::per_hour(9).name("paused");
    let limiter = &store.limiter;
    assert!(limiter.check(&HOURLY, "ann").await.unwrap().is_allowed());
    let waits = |limit| Box::pin(limiter.acquire(limit, "ann").into_future());
    let is_waiting = async |waits: &mut _| tokio::time::timeout(TOLD, waits).await.is_err();
    let mut waiter = waits(&HOURLY);
    assert!(is_waiting(&mut waiter).await);
    limiter.reset(&HOURLY, "ann").await.unwrap();
    waiter.await.unwrap();
    let mut waiter = waits(&HOURLY);
    assert!(is_waiting(&mut waiter).await);
    limiter.reset_limit(&HOURLY).await.unwrap();
    waiter.await.unwrap();
    let hour = Duration::from_secs(3600);
    limiter.block(&PAUSED, "ann", hour).await.unwrap();
    let mut waiter = waits(&PAUSED);
    assert!(is_waiting(&mut waiter).await);
    limiter.unblock(&PAUSED, "ann").await.unwrap();
    waiter.await.unwrap();
}

/// The time in which a waiter is told how long to wait. A slot that is being moved takes a moment.
const TOLD: Duration = Duration::from_millis(50);

const TWO: Concurrency = Concurrency::new(2);

async fn settle_a_little() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

async fn permits_released_elsewhere_are_found(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    // The permit is held in another runtime, but by the same limiter: the wait queue belongs to the
    // limiter, so only another limiter would stand for another process.
    let elsewhere = Elsewhere::start();
    let held = elsewhere.run(take(&semaphore)).unwrap();
    let waits = semaphore.acquire().into_future();
    let release = async {
        settle().await;
        elsewhere.run(held.release());
    };
    let (guard, ()) = join(waits, release).await;
    guard.unwrap().release().await;
}

async fn permits_of_dead_processes_are_found(store: &StoreFixture) {
    let semaphore = store.limiter.semaphore(&ONE, "ann");
    Elsewhere::start().die_holding(&semaphore);
    let start = store.clock.now();
    let mut waits = Box::pin(semaphore.acquire().into_future());
    let guard = loop {
        if let Some(guard) = (&mut waits).now_or_never() {
            break guard.unwrap();
        }
        settle_a_little().await;
        store.advance(SECOND / 10);
        assert!(
            store.clock.now() - start < Duration::from_secs(60),
            "never found"
        );
    };
    assert!(store.clock.now() - start >= Duration::from_secs(9));
    guard.release().await;
}
