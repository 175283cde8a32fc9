//! Limits that are decided together, and calls that charge nothing.

use std::time::Duration;

use actix_throttle::{Algorithm, Identity, Limit, RateLimitError};

use super::{SECOND, admitted_at_once, check, every_algorithm, for_every_store, wait};
use harness::stores::StoreFixture;

for_every_store!(
    all_limits_are_charged_or_none,
    denials_change_and_prolong_nothing,
    peeking_takes_nothing,
    resetting_forgets_what_was_used,
    zones_share_and_separate,
    identities_are_counted_apart,
    combinations_are_counted_apart,
    shadows_count_apart_and_never_deny,
    shadows_are_not_charged_for_what_was_denied,
    limits_that_share_a_counter_are_refused,
    nothing_to_decide_is_allowed,
    hundreds_of_limits_are_one_decision,
    concurrent_checks_are_counted_exactly,
);

async fn all_limits_are_charged_or_none(store: &StoreFixture) {
    for (first, second) in every_algorithm(5, 60)
        .into_iter()
        .zip(every_algorithm(1, 600))
    {
        let both = [(&first, "ann"), (&second, "ann")];
        let admitted = store.limiter.check_all(&both).await.unwrap();
        assert!(admitted.is_allowed(), "{first:?}");
        let remaining = store.limiter.peek(&first, "ann").await.unwrap().limits()[0].remaining();
        for _ in 0..3 {
            let denied = store.limiter.check_all(&both).await.unwrap();
            assert!(!denied.is_allowed());
            assert!(denied.limits()[1].is_exceeded());
        }
        let after = store.limiter.peek(&first, "ann").await.unwrap();
        assert_eq!(after.limits()[0].remaining(), remaining, "{first:?}");
    }
    // All or none are charged across identities too.
    let limit = Limit::per_minute(1);
    assert!(check(store, &limit, "bob").await.is_allowed());
    let both = [(&limit, "carl"), (&limit, "bob")];
    assert!(!store.limiter.check_all(&both).await.unwrap().is_allowed());
    assert!(check(store, &limit, "carl").await.is_allowed());
}

async fn denials_change_and_prolong_nothing(store: &StoreFixture) {
    for limit in every_algorithm(2, 10) {
        admitted_at_once(store, &limit, "ann", 5).await;
        let mut left = wait(store, &limit, "ann").await;
        assert!(left > 0);
        // Repeat the denied request every half second until the wait is over.
        while left > SECOND / 2 {
            store.advance(SECOND / 2);
            left -= SECOND / 2;
            let denied = check(store, &limit, "ann").await;
            assert_eq!(
                denied.retry_after(),
                Some(Duration::from_micros(left)),
                "{limit:?}"
            );
        }
        store.advance(left);
        assert!(check(store, &limit, "ann").await.is_allowed(), "{limit:?}");
    }
}

async fn peeking_takes_nothing(store: &StoreFixture) {
    for limit in every_algorithm(2, 10) {
        for _ in 0..5 {
            let peeked = store.limiter.peek(&limit, "ann").await.unwrap();
            assert!(peeked.is_allowed());
            let whole = if limit.algorithm_value() == Algorithm::LeakyBucket {
                1
            } else {
                2
            };
            assert_eq!(peeked.limits()[0].remaining(), whole);
            assert_eq!(peeked.limits()[0].reset_after(), Duration::ZERO);
        }
    }
}

async fn resetting_forgets_what_was_used(store: &StoreFixture) {
    for limit in every_algorithm(2, 10) {
        let admitted = admitted_at_once(store, &limit, "ann", 5).await;
        assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, 0);
        store.limiter.reset(&limit, "ann").await.unwrap();
        assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, admitted);
    }
}

async fn zones_share_and_separate(store: &StoreFixture) {
    let limit = Limit::per_minute(2);
    let (here, there) = (limit.zone("here"), limit.zone("there"));
    assert!(check(store, &here.name("one"), "ann").await.is_allowed());
    assert!(check(store, &here.name("two"), "ann").await.is_allowed());
    assert!(!check(store, &here, "ann").await.is_allowed());
    assert_eq!(admitted_at_once(store, &there, "ann", 5).await, 2);
    // Names tell limits without a zone apart.
    assert_eq!(
        admitted_at_once(store, &limit.name("one"), "ann", 5).await,
        2
    );
    assert_eq!(
        admitted_at_once(store, &limit.name("two"), "ann", 5).await,
        2
    );
    // The window is part of the counter's key: half an hour and a minute have different counters.
    let longer = Limit::new(2, Duration::from_secs(1800)).zone("here");
    assert_eq!(admitted_at_once(store, &longer, "ann", 5).await, 2);
}

async fn identities_are_counted_apart(store: &StoreFixture) {
    let limit = Limit::per_minute(1);
    let address = "10.0.0.1".parse().unwrap();
    for identity in [
        Identity::new("10.0.0.1"),
        Identity::ip(address),
        Identity::global(),
        Identity::new("global"),
        Identity::new(""),
        Identity::new("x".repeat(10_000)),
        Identity::new("x".repeat(10_001)),
        Identity::new("}:{\r\n"),
    ] {
        let first = store.limiter.check(&limit, identity.clone()).await.unwrap();
        assert!(first.is_allowed(), "{identity}");
        let second = store.limiter.check(&limit, identity.clone()).await.unwrap();
        assert!(!second.is_allowed(), "{identity}");
        // A group selects the limits that apply, and is no part of the identity.
        let grouped = identity.group("pro");
        assert!(
            !store
                .limiter
                .check(&limit, grouped)
                .await
                .unwrap()
                .is_allowed()
        );
    }
}

async fn combinations_are_counted_apart(store: &StoreFixture) {
    let hostile = ["a", "a&user=a", "a)&(user=a", "a;a", "(a", "a}", "é", ""];
    let mut identities = vec![Identity::new("a")];
    for one in hostile {
        for other in hostile {
            let parts = [one, other].map(Identity::new);
            identities.push(Identity::all(parts.clone()));
            identities.push(Identity::all(
                parts.into_iter().chain([Identity::header("a", "a")]),
            ));
        }
    }
    let limit = Limit::per_minute(1);
    for identity in &identities {
        let first = store.limiter.check(&limit, identity).await.unwrap();
        assert!(first.is_allowed(), "{identity}");
    }
    for identity in &identities {
        let second = store.limiter.check(&limit, identity).await.unwrap();
        assert!(!second.is_allowed(), "{identity}");
    }
}

async fn shadows_count_apart_and_never_deny(store: &StoreFixture) {
    for limit in every_algorithm(2, 60) {
        let shadow = limit.shadow();
        let fits = admitted_at_once(store, &limit, "probe", 5).await;
        for count in 0..5 {
            let decision = check(store, &shadow, "ann").await;
            assert!(decision.is_allowed());
            assert_eq!(
                decision.limits()[0].is_exceeded(),
                count >= fits,
                "{limit:?}"
            );
            assert!(decision.strictest().is_none());
        }
        // The enforced limit with the same numbers was not charged.
        assert_eq!(admitted_at_once(store, &limit, "ann", 5).await, fits);
    }
}

async fn shadows_are_not_charged_for_what_was_denied(store: &StoreFixture) {
    let enforced = Limit::per_minute(1).zone("enforced");
    let shadow = Limit::per_minute(5).zone("candidate").shadow();
    for _ in 0..3 {
        let both = [(&enforced, "ann"), (&shadow, "ann")];
        store.limiter.check_all(&both).await.unwrap();
    }
    let peeked = store.limiter.peek(&shadow, "ann").await.unwrap();
    assert_eq!(peeked.limits()[0].remaining(), 4);
}

async fn limits_that_share_a_counter_are_refused(store: &StoreFixture) {
    let limit = Limit::per_minute(5);
    let other = Limit::per_minute(9).name("other").zone("default");
    let refused = store
        .limiter
        .check_all(&[(&limit, "ann"), (&other, "ann")])
        .await;
    assert!(matches!(refused, Err(RateLimitError::SharedCounter)));
    let shadow = other.shadow();
    let fine = store
        .limiter
        .check_all(&[(&limit, "ann"), (&shadow, "ann")])
        .await;
    assert!(fine.unwrap().is_allowed());
}

async fn nothing_to_decide_is_allowed(store: &StoreFixture) {
    let none: [(&Limit, &str); 0] = [];
    assert!(store.limiter.check_all(&none).await.unwrap().is_allowed());
}

async fn hundreds_of_limits_are_one_decision(store: &StoreFixture) {
    let limit = Limit::per_minute(1);
    let identities: Vec<_> = (0..300).map(|index| index.to_string()).collect();
    let all: Vec<_> = identities
        .iter()
        .map(|identity| (&limit, identity.as_str()))
        .collect();
    assert!(store.limiter.check_all(&all).await.unwrap().is_allowed());
    let denied = store.limiter.check_all(&all).await.unwrap();
    assert_eq!(denied.violated().count(), 300);
}

async fn concurrent_checks_are_counted_exactly(store: &StoreFixture) {
    for limit in every_algorithm(40, 60) {
        let checks = (0..100).map(|_| {
            let limiter = store.limiter.clone();
            tokio::spawn(async move { limiter.check(&limit, "ann").await.unwrap() })
        });
        let mut admitted = 0;
        for check in checks.collect::<Vec<_>>() {
            admitted += u32::from(check.await.unwrap().is_allowed());
        }
        let expected = if limit.algorithm_value() == Algorithm::LeakyBucket {
            1
        } else {
            40
        };
        assert_eq!(admitted, expected, "{limit:?}");
    }
}
