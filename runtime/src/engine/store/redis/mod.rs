//! The Redis and Valkey store: one call of a Lua script decides a batch of checks atomically.
//!
//! The stack of store layers calls [`RedisStore`] as its innermost layer. The store never sends a
//! call again that may have been carried out.

mod batch;
mod batch_call;
mod block_watch;
mod call_builder;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod drain;
mod encode;
mod executor;
mod in_flight;
mod key_owners;
mod key_table;
mod lateness;
mod limit_table;
mod node;
mod plain;
mod reply;
mod scan;
mod script;
#[cfg(feature = "cluster")]
mod script_call;
mod send;
mod startup;
mod store;
mod unbatched;

pub use self::connection::topology::RedisPool;
pub(crate) use self::connection::url::pool_for;
pub(crate) use self::store::RedisStore;
