//! The in-memory store: counters in this process, decided on by
//! [`decide`](actix_throttle_core::decide). A limiter uses it as its only store, or as the local
//! fallback of Redis.
//!
//! Keys are spread over shards by their identity. The limits of one request thus usually share one
//! lock, and different identities rarely do. A check that spans shards locks them in ascending
//! order, which rules out deadlocks. Nothing is awaited while a lock is held.
//!
//! The number of keys is bounded. A new key evicts the counter of least worth in a sample, or a
//! block that is over and kept for its offences. A store full of permits and blocks in force has
//! nothing to evict; it does not decide, and the failure mode does.

mod full;
mod known_limits;
#[cfg(feature = "redis")]
mod mirror;
mod room;
mod shard;
mod states;
mod store;
mod walk;

pub(crate) use self::{
    full::Full,
    store::{MemoryStore, StoreSize},
};

#[cfg(test)]
mod tests;
