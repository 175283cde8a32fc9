//! Capacity of a shard: whether there is room for a key, eviction, and the sweep of expired
//! entries. The shard calls this under its lock.
//!
//! A full shard drops what is expired, then counters that have room, then blocks that are over and
//! kept for their offences, then used-up counters. Permits and blocks in force stay: see
//! [`Shard`]. A block that is over denies nothing, so a used-up counter is worth more. It is worth
//! more than a counter that has room, because a flood of invented keys must not make a first
//! offence of the next one. But offences may be remembered for a year, so such blocks are the first
//! to go while blocks take more than half of the shard: counters must have room to count.

use std::mem;

use actix_throttle_core::{check::Charge, decide::Block, limit::LimitRef, time::Micros};

use super::{full::Full, shard::Shard};
use crate::engine::store::{
    expiring_table::{Entry, SAMPLE},
    fingerprint::Fingerprint,
};

/// Entries that the sweep examines per charge. With fewer than two, it would lag behind new keys.
const SWEEP: usize = 2;
/// Charges per sweep. Entries swept together are adjacent in memory, and reaching the first is what
/// costs.
const SWEEP_EVERY: u8 = 8;
/// Permit and block entries that a full shard examines for those that may go before it gives up.
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

    /// Returns whether there is room for `more` new keys while `counters` existing counters stay,
    /// after blocks that are over have made room. That room stays if the caller does not use it, so
    /// a client that repeats such a check does not make the shard forget one block after the other.
    pub(super) fn has_room(&mut self, more: usize, counters: usize, now: Micros) -> bool {
        let others = |shard: &Self| shard.permits.len() + shard.blocks.len();
        let wanted = more + counters;
        if !self.is_nearly_full(more) || others(self) + wanted <= self.capacity {
            return true;
        }
        self.drop_expired(LAST_RESORT, now);
        while others(self) + wanted > self.capacity {
            if !self.evict_ended_block(LAST_RESORT, now) {
                return false;
            }
        }
        true
    }

    /// Ensures room for one more key, if need be by evicting a counter or a block that is over.
    pub(super) fn evict(&mut self, now: Micros) -> Result<(), Full> {
        if self.len() < self.capacity || self.evict_least(now) {
            return Ok(());
        }
        self.drop_expired(LAST_RESORT, now);
        if self.len() < self.capacity || self.evict_ended_block(LAST_RESORT, now) {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Evicts what is worth least, as far as samples tell. Returns false if they have nothing that
    /// may go.
    fn evict_least(&mut self, now: Micros) -> bool {
        if self.blocks.is_empty() {
            return self.evict_counter(now);
        }
        let has_many_blocks = self.blocks.len() > self.capacity / 2;
        (has_many_blocks && self.evict_ended_block(SAMPLE, now))
            || self.evict_counter_with_room(now)
            || self.evict_ended_block(SAMPLE, now)
            || self.evict_counter(now)
    }

    fn evict_counter(&mut self, now: Micros) -> bool {
        let is_evicted = self.counters.evict(now);
        self.evictions += u64::from(is_evicted);
        is_evicted
    }

    fn evict_counter_with_room(&mut self, now: Micros) -> bool {
        let has_room = |entry: &Entry<_>| !entry.is_worth_most();
        let is_evicted = self.counters.evict_if(SAMPLE, now, has_room);
        self.evictions += u64::from(is_evicted);
        is_evicted
    }

    /// Evicts a block that is over, out of a sample of `count`: the one whose offences are
    /// forgotten soonest.
    fn evict_ended_block(&mut self, count: usize, now: Micros) -> bool {
        let is_over = |entry: &Entry<Block>| entry.peek().is_over(now);
        let is_evicted = self.blocks.evict_if(count, now, is_over);
        self.evictions += u64::from(is_evicted);
        is_evicted
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
