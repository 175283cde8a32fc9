//! All of several limits, any of them, and both nested.

use std::time::Duration;

use actix_throttle::{Concurrency, Demand, Limit, RateLimitError};

use super::{
    SECOND, for_every_store,
    permits::{ONE, exhaust, in_line, left},
};
use harness::stores::{Bench, until};

for_every_store!(
    all_are_charged_together_or_none,
    any_takes_the_first_that_is_free,
    any_does_not_wait_behind_others_if_one_is_free,
    any_waits_for_whichever_comes_first,
    demands_nest,
    a_permit_of_all_holds_its_places,
    demands_that_make_no_sense_are_refused,
);

const TWO: Limit = Limit::new(2, Duration::from_secs(10)).zone("two");

/// Whether it is granted without waiting; what it takes stays taken, but for places.
async fn goes(bench: &Bench, demand: Demand) -> bool {
    let acquire = bench.limiter.acquire_for(demand);
    acquire.try_now().await.unwrap().is_some()
}

async fn all_are_charged_together_or_none(bench: &Bench) {
    let both = || bench.limiter.acquire_all([(&ONE, "hal"), (&TWO, "hal")]);
    both().await.unwrap();
    assert_eq!(left(bench, &TWO, "hal").await, 1);
    let late = both().max_wait(Duration::from_secs(1)).await;
    assert!(matches!(late, Err(RateLimitError::TimedOut { .. })));
    assert_eq!(left(bench, &TWO, "hal").await, 1);
    let pair = [(&ONE, "hal"), (&TWO, "hal")];
    assert!(bench.limiter.try_acquire_all(pair).await.unwrap().is_none());
    // Who waits for both keeps nobody from the one that has room.
    let waits = in_line(both()).await;
    assert!(
        bench
            .limiter
            .try_acquire(&TWO, "hal")
            .await
            .unwrap()
            .is_some()
    );
    bench.advance(10 * SECOND);
    let permit = waits.await.unwrap();
    assert!(permit.refund().await);
    assert_eq!(left(bench, &ONE, "hal").await, 1);
    assert_eq!(left(bench, &TWO, "hal").await, 2);
}

async fn any_takes_the_first_that_is_free(bench: &Bench) {
    let either = [(&ONE, "ida"), (&TWO, "ida")];
    for expected in [(0, 2), (0, 1), (0, 0)] {
        assert!(goes(bench, Demand::any(either)).await);
        let remaining = (
            left(bench, &ONE, "ida").await,
            left(bench, &TWO, "ida").await,
        );
        assert_eq!(remaining, expected);
    }
    assert!(!goes(bench, Demand::any(either)).await);
}

async fn any_does_not_wait_behind_others_if_one_is_free(bench: &Bench) {
    exhaust(bench, &ONE, "iva").await;
    let _waits = in_line(bench.limiter.acquire(&ONE, "iva")).await;
    let either = [(&ONE, "iva"), (&TWO, "iva")];
    let permit = bench.limiter.acquire_any(either).max_wait(Duration::ZERO);
    assert!(permit.await.is_ok());
    assert_eq!(left(bench, &TWO, "iva").await, 1);
}

async fn any_waits_for_whichever_comes_first(bench: &Bench) {
    let soon = Limit::new(1, Duration::from_secs(2)).zone("soon");
    exhaust(bench, &ONE, "jan").await;
    exhaust(bench, &soon, "jan").await;
    let waits = in_line(bench.limiter.acquire_any([(&ONE, "jan"), (&soon, "jan")])).await;
    bench.advance(2 * SECOND);
    waits.await.unwrap();
    assert_eq!(left(bench, &soon, "jan").await, 0);
    assert_eq!(left(bench, &ONE, "jan").await, 0);
}

async fn demands_nest(bench: &Bench) {
    let third = Limit::new(1, Duration::from_secs(10)).zone("third");
    let one_of = Demand::any([Demand::of(&ONE, "kim"), Demand::of(&third, "kim")]);
    let demand = Demand::all([Demand::of(&TWO, "kim"), one_of]);
    let limiter = &bench.limiter;
    for expected in [(1, 0, 1), (0, 0, 0)] {
        assert!(goes(bench, demand.clone()).await);
        let remaining = (
            left(bench, &TWO, "kim").await,
            left(bench, &ONE, "kim").await,
            left(bench, &third, "kim").await,
        );
        assert_eq!(remaining, expected);
    }
    let waits = in_line(limiter.acquire_for(demand)).await;
    bench.advance(10 * SECOND);
    waits.await.unwrap();
}

async fn a_permit_of_all_holds_its_places(bench: &Bench) {
    let places = Concurrency::new(1);
    let both = || Demand::all([Demand::permit(&places, "leo"), Demand::of(&TWO, "leo")]);
    let permit = bench.limiter.acquire_for(both()).await.unwrap();
    assert!(permit.is_valid());
    assert!(!goes(bench, both()).await);
    assert_eq!(left(bench, &TWO, "leo").await, 1);
    assert!(permit.refund().await);
    assert_eq!(left(bench, &TWO, "leo").await, 2);
    drop(bench.limiter.acquire_for(both()).await.unwrap());
    let free = async || goes(bench, both()).await;
    until("the place is free", free).await;
}

async fn demands_that_make_no_sense_are_refused(bench: &Bench) {
    let bad = |demand: Demand| async {
        let refused = bench.limiter.acquire_for(demand).await;
        matches!(refused, Err(RateLimitError::InvalidDemand))
    };
    assert!(bad(Demand::All(Vec::new())).await);
    assert!(bad(Demand::Any(Vec::new())).await);
    let nine = || Demand::any((0..9).map(|number| Demand::of(&ONE, number.to_string())));
    assert!(bad(Demand::all([nine(), nine()])).await);
    let same = bench
        .limiter
        .acquire_all([(&ONE, "mia"), (&ONE, "mia")])
        .await;
    assert!(matches!(same, Err(RateLimitError::SharedCounter)));
    let none = bench.limiter.acquire(&Limit::per_second(0), "mia").await;
    assert!(matches!(none, Err(RateLimitError::InvalidLimit(_))));
}
