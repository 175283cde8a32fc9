//! The cached denials of all identities, in locked shards. The layer asks it, and tells it what has
//! ended denials.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_throttle_core::{check::Charge, decision::Verdict, key::Key, time::Micros};
use parking_lot::Mutex;

use super::entry::{Cached, CachedDenial, CachedZone, LimitFingerprint, ReadPurpose};
use crate::engine::store::{expiring_table::ExpiringTable, key_hash::KeyHasher};

/// The largest number of identity–zone pairs that are cached, about 20 MB.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// The largest number of limits and costs that are cached for each pair.
const MAX_PER_ZONE: usize = 8;
/// Entries that each lookup examines, to drop the expired ones.
const SWEEP_PER_ACCESS: usize = 2;

#[derive(Debug)]
pub(super) struct DenialTable {
    hasher: KeyHasher,
    pub(super) shards: [Mutex<ExpiringTable<CachedZone>>; SHARDS],
    /// The number of cached zones in all shards. While it is 0, requests skip the lookup and its
    /// lock. `SeqCst`: it must never read 0 while an entry is in a shard.
    pub(super) count: AtomicUsize,
    /// The number of events that may have ended denials. A denial that was asked for before such an
    /// event is not cached. `SeqCst`: an event increments it before it drops entries under their
    /// locks.
    generation: AtomicU64,
}

impl DenialTable {
    pub(super) fn new(max_keys: usize) -> Self {
        let capacity = max_keys.min(CAPACITY).div_ceil(SHARDS);
        Self {
            hasher: KeyHasher::new(),
            shards: std::array::from_fn(|_| Mutex::new(ExpiringTable::new(capacity))),
            count: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }
    }

    /// Returns the number of events so far that may have ended denials, for
    /// [`insert`](Self::insert).
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// Returns what is cached for a charge.
    pub(super) fn lookup(
        &self,
        charge: &Charge<'_>,
        purpose: ReadPurpose,
        now: Micros,
    ) -> Cached<Verdict> {
        let key_hash = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[key_hash.shard(SHARDS)].lock();
        let mut expired = 0;
        zones.sweep(SWEEP_PER_ACCESS, now, |_| expired += 1);
        let asked = LimitFingerprint::of(charge);
        let cached = zones.find_mut(key_hash.fingerprint, now).and_then(|zone| {
            let mut cached = zone.value().iter_mut();
            cached.find(|cached| cached.limit == asked)
        });
        let found = cached.map_or(Cached::Absent, |cached| cached.read(purpose, now));
        drop(zones);
        self.count_removed(expired);
        found
    }

    /// Caches an entry, unless an event has ended denials since `generation` was read.
    pub(super) fn insert(&self, charge: &Charge<'_>, cached: CachedDenial, generation: u64) {
        let now = cached.since;
        // The count is incremented before the insertion: `is_empty` reads it without the lock, and
        // must never report an empty cache while an entry is being added.
        self.count.fetch_add(1, Ordering::SeqCst);
        let key_hash = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[key_hash.shard(SHARDS)].lock();
        // The generation is read under the lock: an event that ends denials increments it first,
        // and then drops the entries under this lock.
        if self.generation.load(Ordering::SeqCst) != generation {
            self.count_removed(1);
            return;
        }
        let (mut removed, mut is_new) = (0, false);
        zones.sweep(SWEEP_PER_ACCESS, now, |_| removed += 1);
        let entry = zones.find_or_insert(
            key_hash.fingerprint,
            now,
            || {
                is_new = true;
                CachedZone::new()
            },
            |_| removed += 1,
        );
        let zone = entry.value();
        zone.retain(|other| other.limit != cached.limit && now < other.until);
        if zone.len() == MAX_PER_ZONE {
            zone.remove(0);
        }
        zone.push(cached);
        let expiry = zone.iter().map(|cached| cached.until).max();
        entry.set_expiry(expiry.unwrap_or(now));
        drop(zones);
        self.count_removed(removed + usize::from(!is_new));
    }

    /// Drops the entries of these keys, and keeps the cache from storing denials that are being
    /// decided right now.
    pub(super) fn remove_zones<'a>(&self, keys: impl Iterator<Item = &'a Key<'a>>) {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return;
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.drop_zones(keys);
    }

    pub(super) fn drop_zones<'a>(&self, keys: impl Iterator<Item = &'a Key<'a>>) {
        if self.is_empty() {
            return;
        }
        for key in keys {
            let key_hash = self.hasher.zone_hash(key);
            let removed = self.shards[key_hash.shard(SHARDS)]
                .lock()
                .remove(key_hash.fingerprint);
            self.count_removed(usize::from(removed.is_some()));
        }
    }

    /// Drops all entries, and keeps the cache from storing denials that are being decided right
    /// now.
    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let removed = shard.lock().drain().count();
            self.count_removed(removed);
        }
    }

    fn count_removed(&self, zones: usize) {
        if zones > 0 {
            self.count.fetch_sub(zones, Ordering::SeqCst);
        }
    }
}
