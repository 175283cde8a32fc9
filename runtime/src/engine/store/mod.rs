//! The stores that hold the counters. `interface` is the contract of a store and `stack` composes
//! the store of one limiter out of layers; the limiter calls only the stack.

#[cfg(feature = "redis")]
mod circuit_breaker;
#[cfg(feature = "redis")]
mod denial_cache;
mod expiring_table;
mod fingerprint;
pub(crate) mod interface;
mod key_hash;
#[cfg(feature = "redis")]
mod leases;
#[cfg(feature = "redis")]
mod local_fallback;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod stack;
mod store_error;

#[cfg(feature = "redis")]
pub use self::redis::RedisPool;
#[cfg(feature = "redis")]
pub(crate) use self::{
    circuit_breaker::{Circuit, CircuitBreaker, CircuitSettings},
    denial_cache::DenialCache,
    leases::Leases,
    local_fallback::LocalFallback,
    redis::{RedisStore, pool_for},
};
pub(crate) use self::{memory::MemoryStore, stack::Stack};
