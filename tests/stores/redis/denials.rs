//! The denial cache: which requests reach Redis, and which are denied without a call.

use std::time::Duration;

use actix_throttle::{Algorithm, Builder, Limit, ManualClock, RateLimiter};

use super::{for_every_version, patient};
use harness::{Server, stores::every_algorithm};

/// The number of script calls that Redis has received.
pub(super) fn calls(server: &Server) -> u64 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let line = info.lines().find(|line| line.contains("cmdstat_evalsha:"));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}

/// A limiter of one service under the given clock.
async fn service(server: &Server, clock: &ManualClock) -> RateLimiter {
    build(patient(server), clock).await
}

async fn build(builder: Builder, clock: &ManualClock) -> RateLimiter {
    builder.clock(clock.clone()).build().await.unwrap()
}

async fn is_allowed(limiter: &RateLimiter, limit: &Limit) -> bool {
    limiter.check(limit, "ann").await.unwrap().is_allowed()
}

async fn use_up(limiter: &RateLimiter, limit: &Limit) {
    while is_allowed(limiter, limit).await {}
}

#[test]
fn a_flood_of_denials_does_not_reach_the_server() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = service(&server, &clock).await;
        for limit in every_algorithm(5, 60) {
            use_up(&limiter, &limit).await;
            let before = calls(&server);
            for _ in 0..500 {
                clock.advance(Duration::from_micros(1_000));
                assert!(!is_allowed(&limiter, &limit).await);
            }
            assert_eq!(calls(&server), before, "{limit:?}");
        }
    });
}

#[test]
fn a_flood_is_denied_by_every_limit_that_is_stacked() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = service(&server, &clock).await;
        let limits = [
            Limit::per_second(3),
            Limit::per_minute(50),
            Limit::per_hour(90),
        ];
        let stacked = limits.each_ref().map(|limit| (limit, "ann"));
        while limiter.check_all(&stacked).await.unwrap().is_allowed() {}
        let before = calls(&server);
        for _ in 0..500 {
            clock.advance(Duration::from_micros(1_000));
            let decision = limiter.check_all(&stacked).await.unwrap();
            let remaining = decision.limits().iter().map(|limit| limit.remaining());
            assert_eq!(remaining.collect::<Vec<_>>(), [0, 47, 87]);
            assert!(!decision.is_allowed());
        }
        assert_eq!(calls(&server), before);
    });
}

#[test]
fn cached_denial_counts_its_wait_down() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = service(&server, &clock).await;
        let limit = Limit::per_minute(1).algorithm(Algorithm::FixedWindow);
        use_up(&limiter, &limit).await;
        for millis in [0, 1, 250, 748] {
            clock.advance(Duration::from_millis(millis));
            let decision = limiter.check(&limit, "ann").await.unwrap();
            let peeked = limiter.peek(&limit, "ann").await.unwrap();
            for (told, asked) in decision.limits().iter().zip(peeked.limits()) {
                assert_eq!(told.retry_after(), asked.retry_after());
                assert_eq!(told.reset_after(), asked.reset_after());
            }
        }
    });
}

#[test]
fn denial_ended_elsewhere_is_noticed_within_cache_age() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let age = Duration::from_millis(300);
        let builder = || patient(&server).denial_cache(age);
        let (own, other) = (
            build(builder(), &clock).await,
            build(builder(), &clock).await,
        );
        for limit in every_algorithm(5, 60) {
            use_up(&own, &limit).await;
            other.reset(&limit, "ann").await.unwrap();
            // A cached denial is revalidated an eighth of the cache age before it expires.
            clock.advance(age - age / 8 - Duration::from_micros(1));
            assert!(!is_allowed(&own, &limit).await, "{limit:?}");
            assert!(is_allowed(&other, &limit).await, "{limit:?}");
            clock.advance(Duration::from_micros(1));
            let again = is_allowed(&own, &limit).await;
            // The leaky bucket admits one at a time, which the other limiter took.
            let has_more = limit.algorithm_value() != Algorithm::LeakyBucket;
            assert_eq!(again, has_more, "{limit:?}");
        }
    });
}

#[test]
fn denial_cache_defaults_to_one_second_and_zero_disables_it() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limit = Limit::per_minute(2);
        let (own, other) = (
            service(&server, &clock).await,
            service(&server, &clock).await,
        );
        use_up(&own, &limit).await;
        other.reset(&limit, "ann").await.unwrap();
        clock.advance(Duration::from_micros(874_999));
        assert!(!is_allowed(&own, &limit).await);
        clock.advance(Duration::from_micros(1));
        assert!(is_allowed(&own, &limit).await);

        let eager = build(patient(&server).denial_cache(Duration::ZERO), &clock).await;
        use_up(&eager, &limit).await;
        other.reset(&limit, "ann").await.unwrap();
        assert!(is_allowed(&eager, &limit).await);
        let before = calls(&server);
        use_up(&eager, &limit).await;
        for _ in 0..10 {
            assert!(!is_allowed(&eager, &limit).await);
        }
        assert_eq!(calls(&server) - before, 12);
    });
}

#[test]
fn a_large_cost_that_is_denied_denies_no_small_one() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = service(&server, &clock).await;
        for limit in every_algorithm(10, 60) {
            if limit.algorithm_value() == Algorithm::LeakyBucket {
                continue;
            }
            let (large, small) = (limit.cost(8), limit.cost(2));
            assert!(is_allowed(&limiter, &large).await);
            assert!(!is_allowed(&limiter, &large).await);
            let told = limiter.check(&large, "ann").await.unwrap().retry_after();
            assert!(is_allowed(&limiter, &small).await);
            // Charges in between make the wait of the large request no shorter.
            let longer = limiter.check(&large, "ann").await.unwrap();
            assert!(longer.retry_after() >= told, "{limit:?}");
            assert_eq!(longer.limits()[0].remaining(), 0, "{limit:?}");
        }
    });
}

#[test]
fn denial_ended_by_this_process_is_over_at_once() {
    for_every_version(async |server| {
        let clock = ManualClock::new();
        let limiter = service(&server, &clock).await;
        let limit = Limit::per_minute(2).zone("ended");
        use_up(&limiter, &limit).await;
        assert!(!is_allowed(&limiter, &limit).await);
        // The cached denial does not apply to a raised limit.
        assert!(is_allowed(&limiter, &Limit::per_minute(3).zone("ended")).await);
        assert!(!is_allowed(&limiter, &limit).await);
        limiter.reset(&limit, "ann").await.unwrap();
        assert!(is_allowed(&limiter, &limit).await);

        let (_, taken) = limiter
            .check_with_receipts(&[(&limit, "ann")])
            .await
            .unwrap();
        assert!(!is_allowed(&limiter, &limit).await);
        limiter.refund_charged(taken).await.unwrap();
        assert!(is_allowed(&limiter, &limit).await);

        let other = Limit::per_minute(100).zone("ended");
        limiter
            .block(&other, "ann", Duration::from_secs(60))
            .await
            .unwrap();
        assert!(!is_allowed(&limiter, &other).await);
        limiter.unblock(&other, "ann").await.unwrap();
        assert!(is_allowed(&limiter, &other).await);
    });
}
