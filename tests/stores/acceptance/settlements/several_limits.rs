//! Which of several limits are settled, and how outbound calls and leases are.

use actix_throttle::{Algorithm, Limit, Outgoing, outgoing};

use super::{
    super::{every_algorithm, for_every_store, remaining},
    acquire,
};
use harness::stores::StoreFixture;

for_every_store!(
    only_limits_with_a_cost_are_settled,
    several_limits_are_settled_together,
    an_outbound_call_is_settled,
    a_leased_limit_is_settled,
);

async fn only_limits_with_a_cost_are_settled(store: &StoreFixture) {
    let tokens = Limit::per_minute(100).cost(10).zone("tokens");
    let requests = Limit::per_minute(5).zone("requests");
    let permit = store
        .limiter
        .acquire_all([(&tokens, "ann"), (&requests, "ann")]);
    let permit = permit.await.unwrap();
    permit.settle(30).await;
    assert_eq!(remaining(store, &tokens, "ann").await, 70);
    assert_eq!(remaining(store, &requests, "ann").await, 4);
    permit.refund().await;
    assert_eq!(remaining(store, &tokens, "ann").await, 100);
    assert_eq!(remaining(store, &requests, "ann").await, 5);
}

/// The limits are of two identities, and so of two slots of a cluster.
async fn several_limits_are_settled_together(store: &StoreFixture) {
    let limits = every_algorithm(100, 60).map(|limit| limit.cost(5));
    let checks: Vec<_> = limits
        .iter()
        .flat_map(|limit| [(limit, "ann"), (limit, "bob")])
        .collect();
    let permit = store.limiter.acquire_all(checks.clone()).await.unwrap();
    permit.settle(20).await;
    for (limit, identity) in checks {
        let left = if limit.algorithm_value() == Algorithm::LeakyBucket {
            0
        } else {
            80
        };
        assert_eq!(remaining(store, limit, identity).await, left, "{limit:?}");
    }
}

async fn an_outbound_call_is_settled(store: &StoreFixture) {
    let tokens = Limit::per_minute(100)
        .cost(10)
        .name("tokens")
        .zone("tokens");
    let calls = Limit::per_minute(5).name("calls").zone("calls");
    let outgoing = Outgoing::new(&store.limiter).limit(tokens).limit(calls);
    let call = outgoing::Request::new("POST", "models.example", "/chat");
    let permit = outgoing.acquire(&call).await.unwrap();
    permit.settle(42).await;
    permit.completed(outgoing::Response::new(200)).await;
    assert_eq!(remaining(store, &tokens, "models.example").await, 58);
    assert_eq!(remaining(store, &calls, "models.example").await, 4);
}

async fn a_leased_limit_is_settled(store: &StoreFixture) {
    let limit = Limit::per_minute(1_000)
        .algorithm(Algorithm::FixedWindow)
        .lease(50);
    let mut permits = Vec::new();
    for _ in 0..20 {
        permits.push(acquire(store, &limit.cost(2), "ann").await);
    }
    for permit in &permits {
        assert!(permit.settle(5).await);
    }
    // The leased quota counts at the store even if it is not used, and is shown without the lease.
    let plain = Limit::per_minute(1_000).algorithm(Algorithm::FixedWindow);
    let left = remaining(store, &plain, "ann").await;
    assert!((850..=900).contains(&left), "{left}");
}
