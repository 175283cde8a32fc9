//! Where counters live. `interface` says what a store does; `stack` puts one together.

#[cfg(feature = "redis")]
mod breaker;
#[cfg(feature = "redis")]
mod circuit;
pub(crate) mod interface;
mod memory;
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
    circuit::{Circuit, CircuitSettings},
    redis::{RedisStore, pool_for},
    standby::Standby,
};
pub(crate) use self::{memory::MemoryStore, stack::Stack};
