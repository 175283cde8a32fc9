//! The states of the in-memory store, as the decision reads and writes them: entries of locked
//! shards, looked up by the hash of their key.

use actix_throttle_core::{
    algorithm::{PermitTable, State},
    check::{Charge, Check},
    decide::{Block, ChargeStates, StateEntry, States, Usage},
    key::Key,
    limit::LimitRef,
    time::Micros,
};
use parking_lot::MutexGuard;
use smallvec::SmallVec;

use super::{full::Full, known_limits::KnownLimits, shard::Shard};
use crate::engine::store::{
    expiring_table::{Entry, Worth},
    key_hash::{KeyHash, KeyHasher},
};

/// The shards of one check, locked in ascending order of their index, and the hash of each charge's
/// key.
pub(super) struct LockedStates<'a> {
    pub(super) shards: SmallVec<[(usize, MutexGuard<'a, Shard>); 2]>,
    pub(super) hashes: SmallVec<[KeyHash; 2]>,
    /// The number of all shards of the store.
    pub(super) shard_count: usize,
    pub(super) hasher: &'a KeyHasher,
    pub(super) known: &'a KnownLimits,
}

/// The states of one charge, in the locked shard of its identity.
pub(super) struct ShardStates<'s> {
    pub(super) shard: &'s mut Shard,
    pub(super) hash: &'s KeyHash,
    pub(super) key: &'s Key<'s>,
    pub(super) hasher: &'s KeyHasher,
    pub(super) known: &'s KnownLimits,
}

impl States for LockedStates<'_> {
    type Full = Full;
    type Charge<'s>
        = ShardStates<'s>
    where
        Self: 's;

    fn of_charge<'s>(&'s mut self, index: usize, charge: &'s Charge<'_>) -> ShardStates<'s> {
        let hash = &self.hashes[index];
        let wanted = hash.shard(self.shard_count);
        let position = self.shards.iter().position(|(shard, _)| *shard == wanted);
        ShardStates {
            // The shard of each charge is among the locked ones.
            shard: &mut self.shards[position.unwrap_or(0)].1,
            hash,
            key: &charge.key,
            hasher: self.hasher,
            known: self.known,
        }
    }

    fn reserve(&mut self, check: &Check<'_>, now: Micros) -> Result<(), Full> {
        for (index, shard) in &mut self.shards {
            if !shard.is_nearly_full(check.charges.len()) {
                continue;
            }
            let (mut new, mut counters) = (0, 0);
            for (charge, hash) in check.charges.iter().zip(&self.hashes) {
                if hash.shard(self.shard_count) != *index || !charge.needs_room() {
                    continue;
                }
                if !shard.knows(charge, hash.fingerprint, now) {
                    new += 1;
                } else if matches!(charge.limit, LimitRef::Rate(_)) {
                    counters += 1;
                }
            }
            if new > 0 && !shard.has_room(new, counters, now) {
                return Err(Full);
            }
        }
        Ok(())
    }
}

impl ChargeStates for ShardStates<'_> {
    type Full = Full;

    #[inline]
    fn counter(&self, now: Micros) -> Option<&State> {
        self.shard.counters.find(self.hash.fingerprint, now)
    }

    #[inline]
    fn counter_mut(&mut self, now: Micros) -> Option<impl StateEntry<State>> {
        self.shard.counters.find_mut(self.hash.fingerprint, now)
    }

    fn insert_counter(&mut self, state: State, usage: Usage, now: Micros) -> Result<(), Full> {
        self.shard.evict(now)?;
        let counters = &mut self.shard.counters;
        let entry = counters.find_or_insert(self.hash.fingerprint, now, || state, drop);
        entry.set_usage(usage);
        self.known.note(self.hash.limit(), self.key);
        Ok(())
    }

    fn remove_counter(&mut self) {
        self.shard.counters.remove(self.hash.fingerprint);
    }

    fn has_permits(&self, now: Micros) -> bool {
        let permits = self.shard.permits.find(self.hash.fingerprint, now);
        permits.is_some()
    }

    fn permits_mut(&mut self, now: Micros) -> Option<impl StateEntry<PermitTable>> {
        self.shard.permits.find_mut(self.hash.fingerprint, now)
    }

    fn insert_permits(
        &mut self,
        permits: PermitTable,
        usage: Usage,
        now: Micros,
    ) -> Result<(), Full> {
        // An expired table would otherwise count when the shard makes room.
        self.shard.permits.remove(self.hash.fingerprint);
        self.shard.evict(now)?;
        let tables = &mut self.shard.permits;
        let entry = tables.find_or_insert(self.hash.fingerprint, now, || Box::new(permits), drop);
        entry.set_usage(usage);
        self.known.note(self.hash.limit(), self.key);
        Ok(())
    }

    fn remove_permits(&mut self) {
        self.shard.permits.remove(self.hash.fingerprint);
    }

    #[inline]
    fn block(&self, now: Micros) -> Option<Block> {
        // Most stores have no blocks, and need no second hash then.
        if self.shard.blocks.is_empty() {
            return None;
        }
        let fingerprint = self.hasher.block_fingerprint(self.hash, self.key);
        self.shard.blocks.find(fingerprint, now).copied()
    }

    fn set_block(&mut self, block: Block, now: Micros) -> Result<(), Full> {
        let key = self.key.block();
        let hash = self.hasher.limit(key.zone, key.kind);
        let fingerprint = self.hasher.block_fingerprint(self.hash, self.key);
        self.shard.set_block(fingerprint, block, now)?;
        self.known.note(hash, &key);
        Ok(())
    }

    #[inline]
    fn tidy(&mut self, now: Micros) {
        self.shard.sweep(now);
    }
}

impl StateEntry<State> for &mut Entry<State> {
    #[inline]
    fn state(&mut self) -> &mut State {
        self.value()
    }

    #[inline]
    fn set_usage(self, usage: Usage) {
        self.set_expiry_and_worth(usage.expires, worth(&usage));
    }
}

/// Permits are never evicted, so their entries have no worth.
impl StateEntry<PermitTable> for &mut Entry<Box<PermitTable>> {
    fn state(&mut self) -> &mut PermitTable {
        self.value()
    }

    fn set_usage(self, usage: Usage) {
        self.set_expiry(usage.expires);
    }
}

/// Returns the worth of a counter at an eviction. A used-up counter is worth the most, because it
/// is what denies its identity. Otherwise the worth is the number of times that the remaining quota
/// has halved, at most 6, which needs no division.
fn worth(usage: &Usage) -> Worth {
    match usage.remaining {
        0 => Worth::MOST,
        remaining => Worth::of(
            remaining
                .leading_zeros()
                .saturating_sub(usage.capacity.leading_zeros())
                .min(6),
        ),
    }
}
