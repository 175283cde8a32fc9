//! A look at all limits of one identity.

use std::time::Duration;

use actix_throttle::{Algorithm, Concurrency, Identity, Limit, LimitUsage, Period, UsageState};

use super::super::{SECOND, check, for_every_store};
use harness::stores::{StoreFixture, every_algorithm};

for_every_store!(
    peek_of_an_identity_shows_all_of_its_limits,
    peek_of_an_identity_shows_blocks_and_permits,
    peek_of_an_identity_follows_the_time,
    identity_is_found_by_what_a_person_writes,
);

/// Returns the one entry of this limit.
fn of<'u>(usage: &'u [LimitUsage], limit: &Limit) -> &'u LimitUsage {
    let mut all = usage
        .iter()
        .filter(|usage| usage.is_of(limit) && !matches!(usage.state(), UsageState::Blocked { .. }));
    let (Some(one), None) = (all.next(), all.next()) else {
        panic!("one entry of {limit:?}: {usage:?}");
    };
    one
}

async fn peek_of_an_identity_shows_all_of_its_limits(store: &StoreFixture) {
    let mut limits = every_algorithm(7, 60).to_vec();
    limits.push(Limit::every(Period::Day, 7));
    limits.push(Limit::per_hour(7).shadow());
    limits.push(Limit::per_hour(7).zone("shop::handlers::login"));
    for limit in &limits {
        for _ in 0..3 {
            check(store, limit, "ann").await;
        }
        check(store, limit, "anna").await;
    }
    let usage = store.limiter.peek_identity("ann").await.unwrap();
    assert!(usage.is_complete());
    assert_eq!(usage.identity(), "user=ann");
    assert_eq!(usage.limits().len(), limits.len(), "{usage:?}");
    for limit in &limits {
        let found = of(usage.limits(), limit);
        let UsageState::Used {
            used,
            is_estimate,
            reset_after,
        } = found.state()
        else {
            panic!("{found:?}");
        };
        let expected = match limit.algorithm_value() {
            // The second and the third one were denied.
            Algorithm::LeakyBucket => 1,
            _ => 3,
        };
        assert_eq!(used, expected, "{limit:?}: {found:?}");
        let is_bucket = matches!(
            limit.algorithm_value(),
            Algorithm::TokenBucket | Algorithm::LeakyBucket
        );
        assert_eq!(is_estimate, is_bucket && limit.period().is_none());
        let peeked = store.limiter.peek(limit, "ann").await.unwrap();
        let reset = peeked.limits()[0].reset_after();
        // The expiry of a key is not comparable: under the clock of a test, keys in Redis are kept
        // for longer.
        if !is_estimate && limit.period().is_none() {
            assert_eq!(reset_after, Some(reset), "{limit:?}");
        }
        assert_eq!(found.is_shadow(), limit.is_shadow());
        assert_eq!(found.period(), limit.period());
        if limit.period().is_none() {
            assert_eq!(found.algorithm(), Some(limit.algorithm_value()));
            assert_eq!(found.window(), Some(limit.window()));
        }
    }
    let nobody = store.limiter.peek_identity("nobody").await.unwrap();
    assert!(nobody.is_complete() && nobody.limits().is_empty());
}

async fn peek_of_an_identity_shows_blocks_and_permits(store: &StoreFixture) {
    let limiter = &store.limiter;
    let jobs = Concurrency::new(3)
        .expiry(Duration::from_secs(60))
        .zone("jobs");
    let semaphore = limiter.semaphore(&jobs, "ann");
    let held = [
        semaphore.acquire().await.unwrap(),
        semaphore.acquire().await.unwrap(),
    ];
    let limit = Limit::per_minute(1).zone("z");
    let ten = Duration::from_secs(10);
    limiter.block(&limit, "ann", ten).await.unwrap();
    let usage = limiter.peek_identity("ann").await.unwrap();
    let [permits, block] = usage.limits() else {
        panic!("{usage:?}");
    };
    assert_eq!((permits.zone(), block.zone()), ("jobs", "z"));
    let UsageState::Held { permits, longest } = permits.state() else {
        panic!("{permits:?}");
    };
    assert_eq!(permits, 2);
    assert_eq!(longest, Duration::from_secs(60));
    assert_eq!(block.state(), UsageState::Blocked { left: ten });
    assert!(block.is_of(&limit) && !block.is_of(&limit.shadow()));
    store.advance(11 * SECOND);
    let usage = limiter.peek_identity("ann").await.unwrap();
    assert_eq!(usage.limits().len(), 1, "{usage:?}");
    drop(held);
}

async fn peek_of_an_identity_follows_the_time(store: &StoreFixture) {
    let limit = Limit::per_minute(5).algorithm(Algorithm::SlidingWindow);
    check(store, &limit, "ann").await;
    store.advance(30 * SECOND);
    check(store, &limit, "ann").await;
    let used = async || {
        let usage = store.limiter.peek_identity("ann").await.unwrap();
        match usage.limits().first().map(LimitUsage::state) {
            Some(UsageState::Used { used, .. }) => used,
            None => 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(used().await, 2);
    store.advance(30 * SECOND);
    assert_eq!(used().await, 1);
    store.advance(30 * SECOND);
    assert_eq!(used().await, 0);
    store.limiter.reset(&limit, "ann").await.unwrap();
    let usage = store.limiter.peek_identity("ann").await.unwrap();
    assert!(usage.limits().is_empty(), "{usage:?}");
}

async fn identity_is_found_by_what_a_person_writes(store: &StoreFixture) {
    let limit = Limit::per_hour(9).zone("z");
    let address = "2001:db8:1:2:3::1".parse().unwrap();
    for (identity, written) in [
        (Identity::new("ann"), "ann"),
        (Identity::new("a b"), "user=a%20b"),
        (Identity::new("user:42"), "user:42"),
        (Identity::global(), "global"),
        (
            Identity::header("X-Api-Key", "k-8a2f"),
            "header.x-api-key=k-8a2f",
        ),
        (
            store.limiter.client_identity(address),
            "2001:db8:1:2:ffff::9",
        ),
        (
            store.limiter.client_identity("192.0.2.1".parse().unwrap()),
            "ip=192.0.2.1",
        ),
    ] {
        store.limiter.check(&limit, identity).await.unwrap();
        let usage = store.limiter.peek_written(written).await.unwrap();
        assert_eq!(usage.limits().len(), 1, "{written}: {usage:?}");
        assert!(usage.limits()[0].is_of(&limit));
    }
    let usage = store.limiter.peek_written("bob").await.unwrap();
    assert!(usage.limits().is_empty(), "{usage:?}");
}
