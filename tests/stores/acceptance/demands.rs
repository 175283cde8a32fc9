//! Demands for all of several limits, for any of them, and nested ones.

use std::time::Duration;

use actix_throttle::{Concurrency, Demand, Limit, RateLimitError};

use super::{
    SECOND, for_every_store,
    permits::{ONE, exhaust, in_line},
    remaining,
};
use harness::stores::{StoreFixture, until};

for_every_store!(
    all_are_charged_together_or_none,
    any_takes_the_first_that_is_free,
    any_does_not_wait_behind_others_if_one_is_free,
    any_waits_for_whichever_comes_first,
    demands_nest,
    permit_of_acquire_all_holds_its_permits,
    demands_that_make_no_sense_are_refused,
);

const TWO: Limit = Limit::new(2, Duration::from_secs(10)).zone("two");

/// Whether the demand is granted without waiting. Charges of rates stay; permits are released.
async fn goes(store: &StoreFixture, demand: Demand) -> bool {
    let acquire = store.limiter.acquire_for(demand);
    acquire.try_now().await.unwrap().is_some()
}

async fn all_are_charged_together_or_none(store: &StoreFixture) {
    let both = || store.limiter.acquire_all([(&ONE, "hal"), (&TWO, "hal")]);
    both().await.unwrap();
    assert_eq!(remaining(store, &TWO, "hal").await, 1);
    let late = both().max_wait(Duration::from_secs(1)).await;
    assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
    assert_eq!(remaining(store, &TWO, "hal").await, 1);
    let pair = [(&ONE, "hal"), (&TWO, "hal")];
    assert!(store.limiter.try_acquire_all(pair).await.unwrap().is_none());
    // A waiter for both limits does not hold up the limit that has room (head-of-line blocking).
    let waits = in_line(both()).await;
    assert!(
        store
            .limiter
            .try_acquire(&TWO, "hal")
            .await
            .unwrap()
            .is_some()
    );
    store.advance(10 * SECOND);
    let permit = waits.await.unwrap();
    assert!(permit.refund().await);
    assert_eq!(remaining(store, &ONE, "hal").await, 1);
    assert_eq!(remaining(store, &TWO, "hal").await, 2);
}

async fn any_takes_the_first_that_is_free(store: &StoreFixture) {
    let either = [(&ONE, "ida"), (&TWO, "ida")];
    for expected in [(0, 2), (0, 1), (0, 0)] {
        assert!(goes(store, Demand::any(either)).await);
        let remaining = (
            remaining(store, &ONE, "ida").await,
            remaining(store, &TWO, "ida").await,
        );
        assert_eq!(remaining, expected);
    }
    assert!(!goes(store, Demand::any(either)).await);
}

async fn any_does_not_wait_behind_others_if_one_is_free(store: &StoreFixture) {
    exhaust(store, &ONE, "iva").await;
    let _waits = in_line(store.limiter.acquire(&ONE, "iva")).await;
    let either = [(&ONE, "iva"), (&TWO, "iva")];
    let permit = store.limiter.acquire_any(either).max_wait(Duration::ZERO);
    assert!(permit.await.is_ok());
    assert_eq!(remaining(store, &TWO, "iva").await, 1);
}

async fn any_waits_for_whichever_comes_first(store: &StoreFixture) {
    let soon = Limit::new(1, Duration::from_secs(2)).zone("soon");
    exhaust(store, &ONE, "jan").await;
    exhaust(store, &soon, "jan").await;
    let waits = in_line(store.limiter.acquire_any([(&ONE, "jan"), (&soon, "jan")])).await;
    store.advance(2 * SECOND);
    waits.await.unwrap();
    assert_eq!(remaining(store, &soon, "jan").await, 0);
    assert_eq!(remaining(store, &ONE, "jan").await, 0);
}

async fn demands_nest(store: &StoreFixture) {
    let third = Limit::new(1, Duration::from_secs(10)).zone("third");
    let one_of = Demand::any([Demand::of(&ONE, "kim"), Demand::of(&third, "kim")]);
    let demand = Demand::all([Demand::of(&TWO, "kim"), one_of]);
    let limiter = &store.limiter;
    for expected in [(1, 0, 1), (0, 0, 0)] {
        assert!(goes(store, demand.clone()).await);
        let remaining = (
            remaining(store, &TWO, "kim").await,
            remaining(store, &ONE, "kim").await,
            remaining(store, &third, "kim").await,
        );
        assert_eq!(remaining, expected);
    }
    let waits = in_line(limiter.acquire_for(demand)).await;
    store.advance(10 * SECOND);
    waits.await.unwrap();
}

async fn permit_of_acquire_all_holds_its_permits(store: &StoreFixture) {
    let permits = Concurrency::new(1);
    let both = || Demand::all([Demand::permit(&permits, "leo"), Demand::of(&TWO, "leo")]);
    let permit = store.limiter.acquire_for(both()).await.unwrap();
    assert!(permit.is_valid());
    assert!(!goes(store, both()).await);
    assert_eq!(remaining(store, &TWO, "leo").await, 1);
    assert!(permit.refund().await);
    assert_eq!(remaining(store, &TWO, "leo").await, 2);
    drop(store.limiter.acquire_for(both()).await.unwrap());
    let free = async || goes(store, both()).await;
    until("the permit is free", free).await;
}

async fn demands_that_make_no_sense_are_refused(store: &StoreFixture) {
    let bad = |demand: Demand| async {
        let refused = store.limiter.acquire_for(demand).await;
        matches!(refused, Err(RateLimitError::InvalidDemand))
    };
    assert!(bad(Demand::All(Vec::new())).await);
    assert!(bad(Demand::Any(Vec::new())).await);
    let nine = || Demand::any((0..9).map(|number| Demand::of(&ONE, number.to_string())));
    assert!(bad(Demand::all([nine(), nine()])).await);
    let same = store
        .limiter
        .acquire_all([(&ONE, "mia"), (&ONE, "mia")])
        .await;
    assert!(matches!(same, Err(RateLimitError::SharedCounter)));
    let none = store.limiter.acquire(&Limit::per_second(0), "mia").await;
    assert!(matches!(none, Err(RateLimitError::InvalidLimit(_))));
}
