//! Resets of many identities at once: of a limit, of a zone, of everything.

use std::time::Duration;

use actix_throttle::{Algorithm, Concurrency, Limit, Period, ResetReport};

use super::super::{SECOND, admitted_at_once, check, for_every_store, wait};
use harness::stores::{StoreFixture, every_algorithm};

for_every_store!(
    reset_of_a_limit_is_for_every_identity_and_for_it_alone,
    reset_of_a_limit_ends_the_blocks_that_it_starts,
    reset_of_a_zone_is_for_all_of_its_limits,
    reset_of_everything_keeps_permits,
    reset_within_bounds_says_that_it_ended_early,
    reset_of_an_invalid_limit_is_an_error,
);

fn complete(report: ResetReport) -> u64 {
    assert!(report.is_complete(), "{report:?}");
    report.deleted()
}

async fn reset_of_a_limit_is_for_every_identity_and_for_it_alone(store: &StoreFixture) {
    for (index, limit) in every_algorithm(2, 60).into_iter().enumerate() {
        let zone: &'static str = ["a", "b", "shop::handlers::login", "d", "e*", "f:g"][index];
        let limit = limit.zone(zone);
        let others = [
            Limit::per_hour(1).zone(zone),
            limit.zone("other"),
            limit.shadow(),
        ];
        let names: Vec<String> = (0..6).map(|index| format!("user{index}")).collect();
        for name in &names {
            check(store, &limit, name).await;
            for other in &others {
                check(store, other, name).await;
            }
        }
        let report = store.limiter.reset_limit(&limit).await.unwrap();
        assert_eq!(complete(report), 6, "{limit:?}");
        let most = admitted_at_once(store, &limit, "fresh", 3).await;
        for name in &names {
            let admitted = admitted_at_once(store, &limit, name, 3).await;
            assert_eq!(admitted, most, "{limit:?}");
            for other in &others {
                let peeked = store.limiter.peek(other, name.as_str()).await.unwrap();
                let status = &peeked.limits()[0];
                let full = match other.algorithm_value() {
                    // It holds one request, whatever its rate.
                    Algorithm::LeakyBucket => 1,
                    _ => other.times(),
                };
                assert_eq!(status.remaining(), full - 1, "{other:?}");
            }
        }
    }
    let again = store.limiter.reset_limit(&Limit::per_day(9).zone("never"));
    assert_eq!(complete(again.await.unwrap()), 0);
}

async fn reset_of_a_limit_ends_the_blocks_that_it_starts(store: &StoreFixture) {
    let limit = Limit::per_second(1)
        .zone("z")
        .block(Duration::from_secs(60));
    let shadow = limit.shadow();
    for name in ["ann", "bob"] {
        assert_eq!(admitted_at_once(store, &limit, name, 2).await, 1);
        for _ in 0..2 {
            check(store, &shadow, name).await;
        }
    }
    assert_eq!(wait(store, &limit, "ann").await, 60 * SECOND);
    let report = store.limiter.reset_limit(&limit).await.unwrap();
    assert_eq!(complete(report), 4, "two counters and two blocks");
    for name in ["ann", "bob"] {
        let peeked = store.limiter.peek(&shadow, name).await.unwrap();
        assert!(peeked.limits()[0].is_blocked());
        assert_eq!(admitted_at_once(store, &limit, name, 2).await, 1);
    }
}

async fn reset_of_a_zone_is_for_all_of_its_limits(store: &StoreFixture) {
    let [minute, hour] = [Limit::per_minute(1), Limit::per_hour(1)];
    let month = Limit::every(Period::Month, 1);
    let zone = "shop::handlers::search";
    for name in ["ann", "bob"] {
        for limit in [minute, hour, month] {
            assert_eq!(admitted_at_once(store, &limit.zone(zone), name, 2).await, 1);
            assert_eq!(admitted_at_once(store, &limit.zone("z"), name, 2).await, 1);
        }
    }
    let report = store.limiter.reset_zone(zone).await.unwrap();
    assert_eq!(complete(report), 6);
    for name in ["ann", "bob"] {
        for limit in [minute, hour, month] {
            assert_eq!(wait(store, &limit.zone(zone), name).await, 0);
            assert!(wait(store, &limit.zone("z"), name).await > 0);
        }
    }
    let report = store.limiter.reset_zone("nowhere").await.unwrap();
    assert_eq!(complete(report), 0);
}

async fn reset_of_everything_keeps_permits(store: &StoreFixture) {
    let limiter = &store.limiter;
    let jobs = Concurrency::new(1)
        .expiry(Duration::from_secs(60))
        .zone("jobs");
    let held = limiter.semaphore(&jobs, "ann").acquire().await.unwrap();
    let [minute, hour] = [Limit::per_minute(1).zone("a"), Limit::per_hour(1).zone("b")];
    for name in ["ann", "bob", "eve"] {
        for limit in [minute, hour] {
            assert_eq!(admitted_at_once(store, &limit, name, 2).await, 1);
        }
    }
    limiter
        .block(&minute, "bob", Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(complete(limiter.reset_all().await.unwrap()), 7);
    for name in ["ann", "bob", "eve"] {
        for limit in [minute, hour] {
            assert_eq!(admitted_at_once(store, &limit, name, 2).await, 1);
        }
    }
    let semaphore = limiter.semaphore(&jobs, "ann");
    assert!(semaphore.try_acquire().await.unwrap().is_none());
    drop(held);
}

async fn reset_within_bounds_says_that_it_ended_early(store: &StoreFixture) {
    let limit = Limit::per_hour(1).zone("bounded");
    for index in 0..50 {
        check(store, &limit, &format!("user{index}")).await;
    }
    let report = store.limiter.reset_limit(&limit).max_time(Duration::ZERO);
    let report = report.await.unwrap();
    assert!(!report.is_complete() && report.deleted() < 50, "{report:?}");
    let report = store.limiter.reset_limit(&limit).max_keys(1).await.unwrap();
    assert!(!report.is_complete() && report.deleted() < 50, "{report:?}");
    assert!(report.looked_at() <= 1, "{report:?}");
    let looked = store
        .limiter
        .peek_identity("user1")
        .max_keys(0)
        .await
        .unwrap();
    assert!(!looked.is_complete() && looked.limits().is_empty());
    complete(store.limiter.reset_limit(&limit).await.unwrap());
    for index in 0..50 {
        let admitted = admitted_at_once(store, &limit, &format!("user{index}"), 2).await;
        assert_eq!(admitted, 1);
    }
}

async fn reset_of_an_invalid_limit_is_an_error(store: &StoreFixture) {
    let error = store.limiter.reset_limit(&Limit::per_second(0)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("invalid limit: "), "{error}");
}
