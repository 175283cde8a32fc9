//! Settlements of charges, by example; `properties::settlements` has random ones.

mod debts;
mod one_charge;
mod several_limits;

use std::time::Duration;

use actix_throttle::{Limit, Permit};

use harness::stores::StoreFixture;

async fn acquire(store: &StoreFixture, limit: &Limit, identity: &str) -> Permit {
    let acquired = store.limiter.acquire(limit, identity);
    acquired.max_wait(Duration::ZERO).await.unwrap()
}

async fn remaining(store: &StoreFixture, limit: &Limit, identity: &str) -> u32 {
    store.limiter.remaining(limit, identity).await.unwrap()
}

/// The remaining quota, and the time until the whole quota is available.
async fn standing(store: &StoreFixture, limit: &Limit, identity: &str) -> (u32, u64) {
    let peeked = store.limiter.peek(limit, identity).await.unwrap();
    let status = &peeked.limits()[0];
    let reset = status.reset_after().as_micros();
    (status.remaining(), u64::try_from(reset).unwrap())
}
