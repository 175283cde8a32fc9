//! Room in a shard: who has it, and who makes it.

use std::mem;

use super::{Full, shard::Shard};
use crate::{
    clock::Micros,
    limit::LimitRef,
    store::{expiring_table::Fingerprint, interface::Charge},
};

/// How many entries are looked at for expired ones by each charge. More than one, or the sweep would
/// lag behind the keys that come in.
const SWEEP: usize = 2;
/// For so many charges together: the entries stand side by side, and to get there is what costs.
const SWEEP_EVERY: u8 = 8;
/// How many entries that may not be dropped a full shard looks at for expired ones.
const LAST_RESORT: usize = 64;

impl Shard {
    /// Whether something is kept of what this charge counts.
    pub(super) fn knows(&self, charge: &Charge<'_>, counter: Fingerprint, now: Micros) -> bool {
        match charge.limit {
            LimitRef::Rate(_) => self.counters.find(counter, now).is_some(),
            LimitRef::Concurrency(..) => self.permits.find(counter, now).is_some(),
        }
    }

    /// Whether so many more keys might have to take the room of others.
    pub(super) fn is_nearly_full(&self, more: usize) -> bool {
        self.len() + more > self.capacity
    }

    /// Whether there is room for so many more keys, beside so many counters that are to stay.
    pub(super) fn has_room(&mut self, more: usize, counters: usize, now: Micros) -> bool {
        let others = |shard: &Self| shard.permits.len() + shard.blocks.len();
        let wanted = more + counters;
        if !self.is_nearly_full(more) || others(self) + wanted <= self.capacity {
            return true;
        }
        self.drop_expired(LAST_RESORT, now);
        others(self) + wanted <= self.capacity
    }

    /// Sees to it that there is room for one more key: at the expense of a counter, if need be.
    pub(super) fn evict(&mut self, now: Micros) -> Result<(), Full> {
        if self.len() < self.capacity || self.counters.evict(now) {
            return Ok(());
        }
        self.drop_expired(LAST_RESORT, now);
        match self.len() < self.capacity {
            true => Ok(()),
            false => Err(Full),
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

    /// Of permits and blocks, looks at so many.
    fn drop_expired(&mut self, count: usize, now: Micros) {
        self.permits.sweep(count, now, drop);
        self.blocks.sweep(count, now, drop);
    }

    pub(super) fn len(&self) -> usize {
        self.counters.len() + self.permits.len() + self.blocks.len()
    }
}
