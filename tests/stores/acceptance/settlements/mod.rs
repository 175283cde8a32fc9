//! Settlements of charges, by example; `properties::settlements` has random ones.

mod buckets;
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
