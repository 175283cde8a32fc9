//! The values that the scripts store in Redis, read without the limits that they belong to. Tools
//! that look at a Redis from outside use them; no decision does.
//!
//! This is the only place in Rust that knows how the values are written. The scripts are the other
//! one (`runtime/src/engine/store/redis/scripts`), and `tests/stores/redis/stored_values.rs`
//! compares the two.

mod block;
mod bytes;
mod counter;
mod entry;
mod log;
mod margin;
mod offences;
mod read;
mod usage;

pub use self::{
    block::StoredBlock,
    counter::StoredCounter,
    entry::{EntryState, StoredEntry},
    log::{LogElement, LogSearch},
    margin::EXPIRY_MARGIN,
    offences::{StoredOffences, offences_in_words},
    read::{Command, Reply, StoredReading},
    usage::StoredUsage,
};
