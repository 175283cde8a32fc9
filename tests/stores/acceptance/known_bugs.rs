//! Bugs of other libraries that a store could repeat. Each test names the library in which the bug
//! was seen.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, RateLimitError, Refill};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    numbers_out_of_range_are_errors,
    retry_after_is_neither_the_window_nor_zero,
    stacked_limits_of_one_shape_do_not_share,
    rates_are_not_rounded,
    debts_are_not_forgotten,
    denials_do_not_prolong_a_sliding_window,
);

/// fastapi-limiter admits one request with `times = 0`, and a window of 0 is an error of Redis.
async fn numbers_out_of_range_are_errors(store: &StoreFixture) {
    let second = Duration::from_secs(1);
    let bucket = |times| Limit::per_second(times).algorithm(Algorithm::TokenBucket);
    let wrong = [
        Limit::per_second(0),
        Limit::per_second(1_000_000_001).algorithm(Algorithm::FixedWindow),
        Limit::per_second(1_000_001),
        Limit::new(1, Duration::ZERO),
        Limit::new(1, Duration::from_micros(999)),
        Limit::new(1, Duration::from_nanos(1_000_001)),
        Limit::new(1, Duration::from_secs(366 * 24 * 3600 + 1)),
        Limit::new(1, Duration::MAX),
        bucket(1_000_001),
        bucket(1).capacity(0),
        bucket(1).capacity(1_000_000_001),
        Limit::per_second(1).capacity(5),
        Limit::per_second(1).refill(Refill::Interval),
        Limit::per_second(1).block(Duration::ZERO),
        Limit::per_second(5).lease(0),
        Limit::per_second(5).lease(1),
        Limit::per_second(5).lease(1_000_000_001),
        limit_of_600().lease(2),
        Limit::per_second(1).name(""),
        Limit::per_second(1).name("grün"),
        Limit::per_second(1).zone(""),
    ];
    for limit in wrong {
        let refused = [
            store.limiter.check(&limit, "ann").await.err(),
            store.limiter.peek(&limit, "ann").await.err(),
            store.limiter.reset(&limit, "ann").await.err(),
            store.limiter.block(&limit, "ann", second).await.err(),
            store.limiter.unblock(&limit, "ann").await.err(),
        ];
        for error in refused {
            assert!(
                matches!(error, Some(RateLimitError::InvalidLimit(_))),
                "{limit:?}"
            );
        }
    }
    let ends = [
        Limit::new(1, Duration::from_millis(1)),
        Limit::new(1, Duration::from_secs(366 * 24 * 3600)),
        Limit::per_second(1_000_000),
        Limit::per_second(1_000_000_000).algorithm(Algorithm::FixedWindow),
        bucket(1_000_000).capacity(1_000_000_000),
        Limit::per_second(5).lease(2),
        bucket(5).lease(1_000_000_000),
    ];
    for limit in ends {
        assert!(check(store, &limit, "ann").await.is_allowed(), "{limit:?}");
    }
}

/// asgi-ratelimit always reports the whole window; actix-governor and other libraries round down to
/// 0.
async fn retry_after_is_neither_the_window_nor_zero(store: &StoreFixture) {
    let limit = Limit::per_minute(2);
    check(store, &limit, "ann").await;
    store.advance(59 * SECOND + SECOND / 2);
    check(store, &limit, "ann").await;
    assert_eq!(wait(store, &limit, "ann").await, SECOND / 2);
}

/// summerrs-admin uses one key for two limits with the same numbers.
async fn stacked_limits_of_one_shape_do_not_share(store: &StoreFixture) {
    for limit in every_algorithm(1, 60) {
        let (one, other) = (limit.zone("one"), limit.zone("other"));
        let both = [(&one, "ann"), (&other, "ann")];
        let decision = store.limiter.check_all(&both).await.unwrap();
        assert!(decision.is_allowed(), "{limit:?}");
    }
}

/// summerrs-admin turns 600 requests a second into 500.
async fn rates_are_not_rounded(store: &StoreFixture) {
    let limit = Limit::per_second(600)
        .algorithm(Algorithm::TokenBucket)
        .capacity(1);
    let mut admitted = 0;
    let mut now = 0;
    while now < SECOND / 10 {
        admitted += u64::from(check(store, &limit, "ann").await.is_allowed());
        store.advance(100);
        now += 100;
    }
    // A token comes every 1667 µs, and the test looks every 100 µs.
    assert_eq!(admitted, 59);
    // A leaky bucket loses nothing if each request comes exactly when the limit has room.
    let limit = limit_of_600();
    let (mut admitted, mut now) = (0, 0);
    while now < SECOND / 10 {
        assert!(check(store, &limit, "bob").await.is_allowed());
        admitted += 1;
        let left = wait(store, &limit, "bob").await;
        store.advance(left);
        now += left;
    }
    assert_eq!(admitted, 60);
}

fn limit_of_600() -> Limit {
    Limit::per_second(600).algorithm(Algorithm::LeakyBucket)
}

/// redis-rate-limiters lets the bucket's key expire before its debt is paid.
async fn debts_are_not_forgotten(store: &StoreFixture) {
    let limit = Limit::per_minute(1)
        .algorithm(Algorithm::TokenBucket)
        .capacity(100);
    assert!(check(store, &limit.cost(100), "ann").await.is_allowed());
    store.advance(99 * 60 * SECOND);
    assert_eq!(admitted_at_once(store, &limit, "ann", 200).await, 99);
}

/// Kong never admits a client that keeps retrying while it is denied.
async fn denials_do_not_prolong_a_sliding_window(store: &StoreFixture) {
    let limit = Limit::new(1, Duration::from_secs(10));
    let mut admitted = 0;
    for _ in 0..100 {
        admitted += u32::from(check(store, &limit, "ann").await.is_allowed());
        store.advance(SECOND);
    }
    assert_eq!(admitted, 10);
}
