//! An in-memory store that is full of blocks, which it must not evict. The failure mode decides
//! about keys that it has no room for, and known keys are limited as before.

use std::time::Duration;

use actix_throttle::{Concurrency, FailureMode, Limit, RateLimitError, RateLimiter};

use harness::stores::block_on;

const KEYS: usize = 100;
const LIMIT: Limit = Limit::per_minute(2).name("full");

/// A limiter whose store is full of blocked keys.
async fn full(mode: FailureMode) -> RateLimiter {
    let builder = RateLimiter::builder().memory().max_keys(KEYS);
    let limiter = builder.failure_mode(mode).build().await.unwrap();
    for index in 0..KEYS {
        let hour = Duration::from_secs(3_600);
        let blocked = limiter.block(&LIMIT, format!("blocked{index}"), hour);
        blocked.await.unwrap();
    }
    limiter
}

#[test]
fn full_store_open_lets_new_keys_through_uncounted() {
    for mode in [FailureMode::Open, FailureMode::Local] {
        block_on(async {
            let limiter = full(mode).await;
            for _ in 0..5 {
                let decision = limiter.check(&LIMIT, "new").await.unwrap();
                assert!(decision.is_allowed() && decision.is_fallback(), "{mode:?}");
                assert!(decision.limits().is_empty(), "{mode:?}");
            }
            let blocked = limiter.check(&LIMIT, "blocked7").await.unwrap();
            assert!(!blocked.is_allowed() && !blocked.is_fallback());
            let permit = Concurrency::new(1);
            let semaphore = limiter.semaphore(&permit, "new");
            assert!(semaphore.try_acquire().await.unwrap().is_some());
        });
    }
}

#[test]
fn full_store_closed_refuses_new_keys() {
    block_on(async {
        let limiter = full(FailureMode::Closed).await;
        let refused = limiter.check(&LIMIT, "new").await;
        let Err(RateLimitError::Unavailable { reason, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert!(reason.contains("max_keys"), "{reason}");
        let blocked = limiter.block(&LIMIT, "other", Duration::from_secs(1)).await;
        assert!(matches!(blocked, Err(RateLimitError::Unavailable { .. })));
    });
}

/// A second limit whose key is known still holds back a flood of invented keys.
#[test]
fn full_store_goes_on_counting_what_it_knows_beside_a_new_key() {
    block_on(async {
        let limiter = full(FailureMode::Open).await;
        let per_client = Limit::per_minute(3).name("per-client");
        limiter.unblock(&LIMIT, "blocked0").await.unwrap();
        let mut admitted = 0;
        for index in 0..10 {
            let invented = format!("invented{index}");
            let both = [(&per_client, "client"), (&LIMIT, invented.as_str())];
            let decision = limiter.check_all(&both).await.unwrap();
            admitted += usize::from(decision.is_allowed());
        }
        assert_eq!(admitted, 3);
    });
}

#[test]
fn flood_of_invented_keys_lifts_no_concurrency_limit() {
    block_on(async {
        let builder = RateLimiter::builder().memory().max_keys(KEYS);
        let limiter = builder.build().await.unwrap();
        let semaphore = limiter.semaphore(&Concurrency::new(1), "ann");
        let guard = semaphore.try_acquire().await.unwrap().unwrap();
        for index in 0..50 * KEYS {
            let invented = format!("invented{index}");
            assert!(limiter.check(&LIMIT, invented).await.unwrap().is_allowed());
        }
        assert!(semaphore.try_acquire().await.unwrap().is_none());
        assert!(guard.is_valid());
    });
}
