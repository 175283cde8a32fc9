//! The values that the scripts store in Redis. The plain script replies with such values, so the
//! Redis store reads them for its decisions. Tools that look at a Redis from outside read them
//! without the limits that they belong to.
//!
//! This is the only place in Rust that knows how the values are written. The scripts are the other
//! one (`runtime/src/engine/store/redis/scripts`), and `tests/stores/redis/stored_values.rs`
//! compares the two.

mod block;
pub mod bytes;
mod counter;
mod entry;
mod log;
mod margin;
mod offences;
mod read;
mod usage;

pub use self::{
    block::StoredBlock,
    entry::{EntryState, StoredEntry},
    log::{LogElement, LogSearch},
    margin::EXPIRY_MARGIN,
    offences::{StoredOffences, offences_in_words},
    read::{Command, Reply, StoredReading},
    usage::StoredUsage,
};
