//! Where counters live. `interface` says what a store does; `stack` puts one together.

#[cfg(feature = "redis")]
mod circuit_breaker;
#[cfg(feature = "redis")]
mod denials;
pub(crate) mod interface;
#[cfg(feature = "redis")]
mod leases;
mod memory;
mod place;
#[cfg(feature = "redis")]
mod redis;
mod stack;
#[cfg(feature = "redis")]
mod standby;
mod table;

#[cfg(feature = "redis")]
pub use self::redis::RedisPool;
#[cfg(feature = "redis")]
pub(crate) use self::{
    circuit_breaker::{Circuit, CircuitBreaker, CircuitSettings},
    denials::Denials,
    leases::Leases,
    redis::{RedisStore, pool_for},
    standby::Standby,
};
pub(crate) use self::{memory::MemoryStore, stack::Stack};
