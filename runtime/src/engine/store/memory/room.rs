//! Capacity of a shard: whether there is room for a key, eviction, and the sweep of expired
//! entries. The shard calls this under its lock.

use std::mem;

use actix_throttle_core::{check::Charge, limit::LimitRef, time::Micros};

use super::{full::Full, shard::Shard};
use crate::engine::store::fingerprint::Fingerprint;

/// Entries that the sweep examines per charge. With fewer than two, it would lag behind new keys.
const SWEEP: usize = 2;
/// Charges per sweep. Entries swept together are adjacent in memory, and reaching the first is what
/// costs.
const SWEEP_EVERY: u8 = 8;
/// Permit and block entries that a full shard examines for expired ones before it gives up.
const LAST_RESORT: usize = 64;

impl Shard {
    /// Returns whether the shard has an entry for what this charge counts.
    pub(super) fn knows(&self, charge: &Charge<'_>, counter: Fingerprint, now: Micros) -> bool {
        match charge.limit {
            LimitRef::Rate(_) => self.counters.find(counter, now).is_some(),
            LimitRef::Concurrency(..) => self.permits.find(counter, now).is_some(),
        }
    }

    /// Returns whether `more` new keys might need an eviction.
    pub(super) fn is_nearly_full(&self, more: usize) -> bool {
        self.len() + more > self.capacity
    }

    /// Returns whether there is room for `more` new keys while `counters` existing counters stay.
    pub(super) fn has_room(&mut self, more: usize, counters: usize, now: Micros) -> bool {
        let others = |shard: &Self| shard.permits.len() + shard.blocks.len();
        let wanted = more + counters;
        if !self.is_nearly_full(more) || others(self) + wanted <= self.capacity {
            return true;
        }
        self.drop_expired(LAST_RESORT, now);
        others(self) + wanted <= self.capacity
    }

    /// Ensures room for one more key, if need be by evicting a counter.
    pub(super) fn evict(&mut self, now: Micros) -> Result<(), Full> {
        if self.len() < self.capacity {
            return Ok(());
        }
        if self.counters.evict(now) {
            self.evictions += 1;
            return Ok(());
        }
        self.drop_expired(LAST_RESORT, now);
        if self.len() < self.capacity {
            Ok(())
        } else {
            Err(Full)
        }
    }

    pub(super) fn sweep(&mut self, now: Micros) {
        self.unswept += 1;
        if self.unswept < SWEEP_EVERY {
            return;
        }
        let count = SWEEP * usize::from(mem::take(&mut self.unswept));
        self.counters.sweep(count, now, drop);
        self.drop_expired(count, now);
    }

    /// Drops the expired ones among the next `count` permit entries and `count` blocks.
    fn drop_expired(&mut self, count: usize, now: Micros) {
        self.permits.sweep(count, now, drop);
        self.blocks.sweep(count, now, drop);
    }

    pub(super) fn len(&self) -> usize {
        self.counters.len() + self.permits.len() + self.blocks.len()
    }
}
