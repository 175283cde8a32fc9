//! Waiters get exactly the promised rate although timers wake them late, and a wait may last
//! exactly as long as `max_wait`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_throttle::{Algorithm, Limit, RateLimitError, Refill};

use super::{
    SECOND, for_every_store,
    permits::{exhaust, in_line},
    wait,
    waiting::settle,
};
use harness::stores::{StoreFixture, until};

for_every_store!(
    wait_queue_keeps_exact_rate_with_coarse_timers,
    turns_count_from_when_they_were_due_and_not_from_the_wake_up,
    a_turn_that_is_far_too_late_makes_up_for_a_part_of_it,
    request_without_wait_is_charged_at_arrival,
    a_refund_of_a_late_turn_is_exact,
    a_wait_exactly_as_long_as_max_wait_is_served,
);

const TENTH: u64 = SECOND / 10;
const LEAKY: Limit = Limit::per_second(10).algorithm(Algorithm::LeakyBucket);

/// Limits of one request every 100 ms, by each bucket with a capacity of one.
fn buckets() -> [Limit; 3] {
    let token = Limit::per_second(10).algorithm(Algorithm::TokenBucket);
    let interval = Limit::new(1, Duration::from_millis(100)).algorithm(Algorithm::TokenBucket);
    [LEAKY, token.capacity(1), interval.refill(Refill::Interval)]
}

/// One request a millisecond, with timers that wake every 3 ms.
async fn wait_queue_keeps_exact_rate_with_coarse_timers(store: &StoreFixture) {
    const STEPS: usize = 15;
    let leaky = Limit::per_second(1_000).algorithm(Algorithm::LeakyBucket);
    let token = Limit::per_second(1_000).algorithm(Algorithm::TokenBucket);
    for limit in [leaky, token.capacity(1)] {
        exhaust(store, &limit, "flo").await;
        let served = Arc::new(AtomicUsize::new(0));
        let waits = (0..4 * STEPS).map(|_| {
            let (wait, served) = (store.limiter.acquire(&limit, "flo"), Arc::clone(&served));
            tokio::spawn(async move {
                wait.await.unwrap();
                served.fetch_add(1, Ordering::SeqCst);
            })
        });
        let waits: Vec<_> = waits.collect();
        settle().await;
        for step in 1..=STEPS {
            store.advance(3_000);
            let all = async || served.load(Ordering::SeqCst) >= 3 * step;
            until("all turns that are due are taken", all).await;
            settle().await;
            assert_eq!(served.load(Ordering::SeqCst), 3 * step, "{limit:?}");
        }
        for wait in waits {
            wait.abort();
        }
    }
}

async fn turns_count_from_when_they_were_due_and_not_from_the_wake_up(store: &StoreFixture) {
    for limit in buckets() {
        exhaust(store, &limit, "ann").await;
        let mut waits = Vec::new();
        for _ in 0..4 {
            waits.push(in_line(store.limiter.acquire(&limit, "ann")).await);
        }
        // The waiters are woken 3 ms late each time: at 103, 203, 303 and 403 ms.
        store.advance(3_000);
        for waits in waits {
            store.advance(TENTH);
            waits.await.unwrap();
            assert_eq!(wait(store, &limit, "ann").await, TENTH - 3_000, "{limit:?}");
        }
    }
}

async fn a_turn_that_is_far_too_late_makes_up_for_a_part_of_it(store: &StoreFixture) {
    for limit in buckets() {
        for (late, made_up) in [(30_000, 5_000), (100_000, 5_000), (100_001, 0)] {
            store.advance(SECOND);
            exhaust(store, &limit, "bob").await;
            let waits = in_line(store.limiter.acquire(&limit, "bob")).await;
            store.advance(TENTH + late);
            waits.await.unwrap();
            assert_eq!(
                wait(store, &limit, "bob").await,
                TENTH - made_up,
                "{limit:?}"
            );
        }
    }
}

async fn request_without_wait_is_charged_at_arrival(store: &StoreFixture) {
    for limit in buckets() {
        exhaust(store, &limit, "cid").await;
        store.advance(TENTH + 3_000);
        let decision = store.limiter.check(&limit, "cid").await.unwrap();
        assert!(decision.is_allowed());
        assert_eq!(wait(store, &limit, "cid").await, TENTH, "{limit:?}");
    }
}

async fn a_refund_of_a_late_turn_is_exact(store: &StoreFixture) {
    for limit in buckets() {
        exhaust(store, &limit, "dan").await;
        let first = in_line(store.limiter.acquire(&limit, "dan")).await;
        store.advance(TENTH + 4_000);
        let permit = first.await.unwrap();
        // The refund leaves the turn that came next as it was.
        let second = in_line(store.limiter.acquire(&limit, "dan")).await;
        store.advance(TENTH);
        second.await.unwrap();
        assert!(permit.refund().await);
        assert_eq!(wait(store, &limit, "dan").await, TENTH - 4_000, "{limit:?}");
        // The refund is complete if no turn came next.
        let third = in_line(store.limiter.acquire(&limit, "dan")).await;
        store.advance(TENTH);
        assert!(third.await.unwrap().refund().await);
        assert_eq!(wait(store, &limit, "dan").await, 0, "{limit:?}");
    }
}

async fn a_wait_exactly_as_long_as_max_wait_is_served(store: &StoreFixture) {
    let bucket = Limit::per_second(10).algorithm(Algorithm::TokenBucket);
    for limit in [bucket, LEAKY, Limit::new(1, Duration::from_millis(100))] {
        exhaust(store, &limit, "eva").await;
        assert_eq!(wait(store, &limit, "eva").await, TENTH);
        let acquire = |micros| {
            let acquire = store.limiter.acquire(&limit, "eva");
            acquire.max_wait(Duration::from_micros(micros))
        };
        let late = acquire(TENTH - 1).await;
        let Err(RateLimitError::TimedOut { retry_after }) = late else {
            panic!("{late:?}");
        };
        assert_eq!(retry_after, Some(Duration::from_micros(TENTH)));
        let served = in_line(acquire(TENTH)).await;
        store.advance(TENTH);
        served.await.unwrap();
        // A timer wakes the waiter a moment after its `max_wait`.
        let served = in_line(acquire(TENTH)).await;
        store.advance(TENTH + 2_000);
        served.await.unwrap();
        store.advance(SECOND);
    }
}
