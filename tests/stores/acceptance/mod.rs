//! The behaviour that every store must have, under a clock that only the test moves.

mod algorithms;
mod blocks;
mod bulk;
mod calendar;
mod changes;
mod concurrency;
mod decisions;
mod demands;
mod enforcement;
mod escalation;
mod known_bugs;
mod outgoing_pauses;
mod peers;
mod permits;
mod refunds;
mod requests;
mod settled_calls;
mod settled_counters;
mod settlements;
mod turns;
mod waiting;

use actix_throttle::{Decision, Limit, LimitStatus};

use harness::stores::{StoreFixture, every_algorithm};

/// Turns each function into one test for each store.
macro_rules! for_every_store {
    ($($test:ident),+ $(,)?) => {
        for_every_store!(@ memory, ::harness::stores::StoreKind::Memory, $($test),+);
        for_every_store!(@ redis_6_2, ::harness::stores::StoreKind::Server(
            ::harness::ServerVersion::Redis62), $($test),+);
        for_every_store!(@ redis_7, ::harness::stores::StoreKind::Server(
            ::harness::ServerVersion::Redis7), $($test),+);
        for_every_store!(@ valkey_9, ::harness::stores::StoreKind::Server(
            ::harness::ServerVersion::Valkey9), $($test),+);
        for_every_store!(@ cluster, ::harness::stores::StoreKind::Cluster, $($test),+);
        for_every_store!(@ open_slots, ::harness::stores::StoreKind::OpenSlots(
            ::harness::ServerVersion::Redis7), $($test),+);
    };
    (@ $store:ident, $target:expr, $($test:ident),+) => {
        mod $store {
            $(#[test]
            fn $test() {
                ::harness::stores::block_on(async {
                    super::$test(&::harness::stores::StoreFixture::new($target).await).await;
                });
            })+
        }
    };
}
pub(crate) use for_every_store;

const SECOND: u64 = 1_000_000;

async fn check(store: &StoreFixture, limit: &Limit, identity: &str) -> Decision {
    store.limiter.check(limit, identity).await.unwrap()
}

/// Checks until a denial, at most `most` times, without moving the clock; returns the admissions.
async fn admitted_at_once(store: &StoreFixture, limit: &Limit, identity: &str, most: u32) -> u32 {
    for admitted in 0..most {
        if !check(store, limit, identity).await.is_allowed() {
            return admitted;
        }
    }
    most
}

/// Returns how much an identity has left of a limit.
async fn remaining(store: &StoreFixture, limit: &Limit, identity: &str) -> u32 {
    store.limiter.remaining(limit, identity).await.unwrap()
}

/// The remaining quota, and the microseconds until the whole quota is available.
async fn standing(store: &StoreFixture, limit: &Limit, identity: &str) -> (u32, u64) {
    let peeked = store.limiter.peek(limit, identity).await.unwrap();
    let status = &peeked.limits()[0];
    (status.remaining(), reset_of(status))
}

/// The microseconds until the whole quota is available.
fn reset_of(status: &LimitStatus) -> u64 {
    u64::try_from(status.reset_after().as_micros()).unwrap()
}

/// The wait that a denied identity is told, in microseconds; 0 if it would be admitted.
async fn wait(store: &StoreFixture, limit: &Limit, identity: &str) -> u64 {
    let peeked = store.limiter.peek(limit, identity).await.unwrap();
    let wait = peeked.retry_after().unwrap_or_default();
    u64::try_from(wait.as_micros()).unwrap()
}
