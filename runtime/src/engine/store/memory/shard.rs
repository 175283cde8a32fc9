//! One shard of the in-memory store, with its counters, permits and blocks.
//! [`MemoryStore`](super::MemoryStore) calls it under the shard's lock and passes the time in.

use actix_throttle_core::{
    algorithm::{PermitTable, State},
    decide::Block,
    time::Micros,
};

use super::full::Full;
use crate::engine::store::{expiring_table::ExpiringTable, fingerprint::Fingerprint};

/// A table of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Counters,
    Permits,
    Blocks,
}

/// A part of the keys, behind one lock.
///
/// Three tables share the capacity. When it is used up, the counter of least worth is evicted, or a
/// block that is over and kept for its offences: see [`room`](super::room). Permits stay until they
/// expire, and blocks until they are over: forgetting one would admit what must be denied, and a
/// client could force that with a flood of invented keys.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) counters: ExpiringTable<State>,
    /// The permits of each limit are boxed, because a table entry is to stay within a few words.
    pub(super) permits: ExpiringTable<Box<PermitTable>>,
    pub(super) blocks: ExpiringTable<Block>,
    pub(super) capacity: usize,
    /// The number of counters, and of blocks that were over, that were evicted.
    pub(super) evictions: u64,
    /// The number of charges since the last sweep.
    pub(super) unswept: u8,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            counters: ExpiringTable::new(capacity),
            permits: ExpiringTable::new(capacity),
            blocks: ExpiringTable::new(capacity),
            capacity,
            evictions: 0,
            unswept: 0,
        }
    }

    pub(super) fn set_block(
        &mut self,
        fingerprint: Fingerprint,
        block: Block,
        now: Micros,
    ) -> Result<(), Full> {
        if self.blocks.find(fingerprint, now).is_none() {
            self.blocks.remove(fingerprint);
            self.evict(now)?;
        }
        let entry = self.blocks.find_or_insert(fingerprint, now, || block, drop);
        *entry.value() = block;
        entry.set_expiry(block.kept_until);
        Ok(())
    }

    /// Deletes those of the next `count` entries of a table that are meant, at a position of
    /// [`Walk`](super::walk::Walk).
    pub(super) fn delete_where(
        &mut self,
        table: Table,
        end: usize,
        count: usize,
        now: Micros,
        is_meant: impl Fn(Fingerprint) -> bool,
    ) -> (usize, u64) {
        match table {
            Table::Counters => self.counters.remove_where(end, count, now, is_meant),
            Table::Permits => self.permits.remove_where(end, count, now, is_meant),
            Table::Blocks => self.blocks.remove_where(end, count, now, is_meant),
        }
    }

    pub(super) fn length_of(&self, table: Table) -> usize {
        match table {
            Table::Counters => self.counters.len(),
            Table::Permits => self.permits.len(),
            Table::Blocks => self.blocks.len(),
        }
    }

    pub(super) fn delete(&mut self, fingerprint: Fingerprint) {
        self.counters.remove(fingerprint);
        self.permits.remove(fingerprint);
        self.blocks.remove(fingerprint);
    }
}
