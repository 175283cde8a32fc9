//! A layer that leases parts of a quota in bulk, for limits that allow it, and serves hot
//! identities out of these leases without asking the store. The limiter calls it through the local
//! fallback; it never serves what it has not leased.
//!
//! A lease is charged at the store when it is granted, so no other process can use it too. Its
//! lifetime is a tenth of the window at most, after which the unused part is refunded. All
//! processes together thus admit within any window at most the limit plus what was leased at its
//! beginning. A lease of a fixed window ends with the window, so there it is exactly the limit.
//!
//! An identity gets a lease once it is hot: two requests within a lease's lifetime. The first lease
//! is small, and each used-up lease is followed by one twice as large, up to the limit's `lease`.
//! The store grants at most a share of what remains, so leases shrink with the quota.

mod account;
mod background;
mod layer;
mod lease_key;
mod pool;
mod table;
#[cfg(all(test, feature = "test-util"))]
mod tests;
mod uncommitted_charges;

pub(crate) use self::layer::Leases;
