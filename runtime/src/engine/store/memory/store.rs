//! The in-memory store itself: its shards, their locks, and the checks that it decides.

use actix_throttle_core::{
    check::{Charge, Check, Mode, Outcome, Outcomes},
    decide::{Block, Precedence, decide, decide_charge},
    identity::IdentityQuery,
    key::{Key, KeySelection},
    stored::StoredEntry,
    time::Micros,
};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::{
    full::Full,
    known_limits::KnownLimits,
    shard::Shard,
    states::{LockedStates, ShardStates},
};
use crate::engine::{
    clock::Clock,
    store::{
        interface::{Miss, ScanBounds, Scanned, Store, StoreError},
        key_hash::{KeyHash, KeyHasher},
    },
};

/// The smallest shard, in keys: the bound on keys would be coarse with smaller ones.
const MIN_SHARD: usize = 1024;
/// The largest number of shards: enough that two workers of a machine rarely meet.
const MAX_SHARDS: usize = 64;

#[derive(Debug)]
pub(crate) struct MemoryStore {
    pub(super) shards: Box<[Mutex<Shard>]>,
    pub(super) clock: Clock,
    /// The known limits. They are boxed, because a store is moved into the enum of all stores.
    pub(super) known: Box<KnownLimits>,
    hasher: KeyHasher,
}

/// The size of an in-memory store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StoreSize {
    pub(crate) keys: usize,
    /// The number of counters, and of blocks that were over, that were evicted since the store was
    /// created.
    pub(crate) evictions: u64,
}

impl MemoryStore {
    /// Creates a store of at most `max_keys` keys (at least 1).
    pub(crate) fn new(max_keys: usize, clock: Clock) -> Self {
        let count = (max_keys / MIN_SHARD).clamp(1, MAX_SHARDS);
        // The number is rounded down to a power of two, because a mask selects the shard.
        let count = 1 << count.ilog2();
        let shards = (0..count)
            .map(|_| Mutex::new(Shard::new((max_keys / count).max(1))))
            .collect();
        Self {
            shards,
            clock,
            known: Box::new(KnownLimits::new()),
            hasher: KeyHasher::new(),
        }
    }

    pub(crate) fn decide_one(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        match (check.mode, check.charges.as_slice()) {
            (Mode::Charge, [charge]) => self.decide_single(charge),
            _ => self.decide_several(check),
        }
    }

    /// Decides a charge of one limit in a single step. Most checks are of this form.
    fn decide_single(&self, charge: &Charge<'_>) -> Result<Outcome, Full> {
        self.with_states(charge, |states, now| decide_charge(charge, states, now))
    }

    /// Decides any check under the locks of all its shards.
    fn decide_several(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        let charges = check.charges.iter();
        let hashes: SmallVec<[KeyHash; 2]> = charges
            .map(|charge| self.hasher.hash(&charge.key))
            .collect();
        let mut states = LockedStates {
            shards: self.lock(hashes.iter().map(|hash| hash.shard(self.shards.len()))),
            hashes,
            shard_count: self.shards.len(),
            hasher: &self.hasher,
            known: &self.known,
        };
        decide(check, &mut states, self.clock.now())
    }

    /// Calls `with` with the states of one charge, under their lock, and the time.
    #[inline]
    pub(super) fn with_states<T>(
        &self,
        charge: &Charge<'_>,
        with: impl FnOnce(&mut ShardStates<'_>, Micros) -> T,
    ) -> T {
        let (hash, mut shard) = self.lock_one(&charge.key);
        // The time is read under the lock. Otherwise a worker could charge with a time before
        // another worker's charge, which to the algorithms is a clock that has stepped back.
        let now = self.clock.now();
        let mut states = ShardStates {
            shard: &mut shard,
            hash: &hash,
            key: &charge.key,
            hasher: &self.hasher,
            known: &self.known,
        };
        with(&mut states, now)
    }

    /// Returns the number of keys, and of those that were evicted. It locks one shard after
    /// the other.
    pub(crate) fn size(&self) -> StoreSize {
        let mut size = StoreSize::default();
        for shard in &self.shards {
            let shard = shard.lock();
            size.keys += shard.len();
            size.evictions += shard.evictions;
        }
        size
    }

    /// Returns whether the store has room to count this charge.
    pub(crate) fn has_room(&self, charge: &Charge<'_>) -> bool {
        let (hash, mut shard) = self.lock_one(&charge.key);
        let now = self.clock.now();
        shard.knows(charge, hash.fingerprint, now) || shard.has_room(1, 0, now)
    }

    /// Starts the block whose key this is, for `length` microseconds. Returns `false` if one that
    /// takes precedence is in force.
    pub(crate) fn start_block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, Full> {
        self.put_block(key, |known, now| {
            Block::of_length(known, precedence, now, length)
        })
    }

    /// Puts the block whose key this is in place of the one that is known. Returns `false` if there
    /// is none to put.
    pub(super) fn put_block(
        &self,
        key: &Key<'_>,
        block: impl FnOnce(Option<Block>, Micros) -> Option<Block>,
    ) -> Result<bool, Full> {
        let (hash, mut shard) = self.lock_one(key);
        let now = self.clock.now();
        let known = shard.blocks.find(hash.fingerprint, now).copied();
        let Some(block) = block(known, now) else {
            return Ok(false);
        };
        shard.set_block(hash.fingerprint, block, now)?;
        self.known.note(hash.limit(), key);
        shard.sweep(now);
        Ok(true)
    }

    /// Returns the hash of a key, and its locked shard.
    pub(super) fn lock_one(&self, key: &Key<'_>) -> (KeyHash, MutexGuard<'_, Shard>) {
        let hash = self.hasher.hash(key);
        (hash, self.shards[hash.shard(self.shards.len())].lock())
    }

    /// Locks these shards in ascending order, each once.
    fn lock(
        &self,
        shards: impl Iterator<Item = usize>,
    ) -> SmallVec<[(usize, MutexGuard<'_, Shard>); 2]> {
        let mut wanted: SmallVec<[usize; 2]> = shards.collect();
        if wanted.len() > 1 {
            wanted.sort_unstable();
            wanted.dedup();
        }
        wanted
            .into_iter()
            .map(|index| (index, self.shards[index].lock()))
            .collect()
    }
}

impl Store for MemoryStore {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        self.decide_one(check).map_err(|Full| Miss::UNASKED)
    }

    async fn decide(&self, checks: &[Check<'_>], _miss: Miss) -> Result<Outcomes, StoreError> {
        let outcomes = checks.iter().map(|check| self.decide_one(check));
        Ok(outcomes.collect::<Result<_, Full>>()?)
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        for key in keys {
            let (hash, mut shard) = self.lock_one(key);
            shard.delete(hash.fingerprint);
        }
        Ok(())
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        Ok(self.walk_and_delete(selection, bounds).await)
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        Ok(self.look_up(who, bounds))
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        Ok(self.start_block(key, length, precedence)?)
    }

    fn close(&self) {}
}
