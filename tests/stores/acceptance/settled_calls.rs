//! Settlements of outbound calls; `http::outgoing` tests the rest of them.

use actix_throttle::{
    Algorithm, Limit, Outgoing,
    outgoing::{Request, Response},
};

use super::for_every_store;
use harness::stores::StoreFixture;

for_every_store!(
    a_call_with_pauses_per_host_is_settled,
    a_call_that_only_pauses_apply_to_is_settled,
    an_estimate_of_nothing_of_a_call_is_settled,
);

const HOST: &str = "models.example";

fn call() -> Request<'static> {
    Request::new("POST", HOST, "/chat")
}

async fn remaining(store: &StoreFixture, limit: &Limit) -> u32 {
    store.limiter.remaining(limit, HOST).await.unwrap()
}

/// The limit that pauses are counted by costs nothing, and is no estimate for that.
async fn a_call_with_pauses_per_host_is_settled(store: &StoreFixture) {
    let calls = Limit::per_minute(1_000).zone("calls");
    let estimated = Limit::per_minute(1_000).cost(10).zone("tokens");
    let outgoing = Outgoing::new(&store.limiter)
        .limit(calls)
        .pause_per_host()
        .refund_on("5xx".parse().unwrap());
    let permit = outgoing.acquire(&call()).await.unwrap();
    assert!(permit.settle(700).await);
    assert_eq!(remaining(store, &calls).await, 300);
    permit.completed(Response::new(200)).await;
    // The pause has taken nothing, so the next call waits for nothing.
    let permit = outgoing.acquire(&call()).await.unwrap();
    assert_eq!(remaining(store, &calls).await, 299);
    assert!(permit.settle(200).await);
    permit.completed(Response::new(500)).await;
    assert_eq!(remaining(store, &calls).await, 300);
    // A limit without a cost counts calls, beside one with a cost.
    let both = outgoing.limit(estimated);
    let permit = both.acquire(&call()).await.unwrap();
    assert!(permit.settle(40).await);
    assert_eq!(remaining(store, &estimated).await, 960);
    assert_eq!(remaining(store, &calls).await, 299);
}

async fn a_call_that_only_pauses_apply_to_is_settled(store: &StoreFixture) {
    let outgoing = Outgoing::new(&store.limiter).pause_per_host();
    for actual in [0, 700] {
        let permit = outgoing.acquire(&call()).await.unwrap();
        assert!(permit.settle(actual).await);
        assert!(!permit.settle(actual).await);
        permit.completed(Response::new(200)).await;
        assert_eq!(remaining(store, &pause()).await, 1);
    }
}

/// The limit that the crate counts pauses by.
fn pause() -> Limit {
    Limit::per_second(1)
        .algorithm(Algorithm::FixedWindow)
        .zone("outgoing-pause")
}

async fn an_estimate_of_nothing_of_a_call_is_settled(store: &StoreFixture) {
    let tokens = Limit::per_minute(1_000).cost(0).zone("tokens");
    let calls = Limit::per_minute(1_000).zone("calls");
    let outgoing = Outgoing::new(&store.limiter).limit(tokens).limit(calls);
    for outgoing in [outgoing.clone(), outgoing.pause_per_host()] {
        let permit = outgoing.acquire(&call()).await.unwrap();
        let before = remaining(store, &tokens).await;
        assert!(permit.settle(70).await);
        assert_eq!(remaining(store, &tokens).await, before - 70);
    }
    assert_eq!(remaining(store, &calls).await, 998);
}
