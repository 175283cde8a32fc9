//! Where counters live. `interface` says what a store does; `stack` puts one together.

pub(crate) mod interface;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod stack;

#[cfg(feature = "redis")]
pub use self::redis::RedisPool;
#[cfg(feature = "redis")]
pub(crate) use self::redis::{RedisStore, pool_for};
pub(crate) use self::{memory::MemoryStore, stack::Stack};
