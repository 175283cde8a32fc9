//! Debts of settlements that the local fallback alone knows. The layer records them; they outlast
//! what an admission counts for, so their counters are remembered one by one.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_throttle_core::{key::Key, time::Micros};
use parking_lot::Mutex;

use crate::engine::store::{fingerprint::Fingerprint, key_hash::KeyHasher};

/// The most counters that are remembered one by one. A debt of this kind needs an outage and a cost
/// beyond the whole quota.
pub(super) const MOST: usize = 1_024;

/// When the debts of counters are gone, in microseconds.
pub(super) struct Debts {
    hasher: KeyHasher,
    /// When the last of all debts is gone. Relaxed, because no other memory depends on it: a check
    /// that comes at the same moment may or may not see it.
    last: AtomicU64,
    ends: Mutex<Ends>,
}

#[derive(Default)]
struct Ends {
    by_counter: HashMap<Fingerprint, Micros>,
    /// When the last debt is gone of a counter for which there was no room.
    of_others: Micros,
}

impl Debts {
    pub(super) fn new() -> Self {
        Self {
            hasher: KeyHasher::new(),
            last: AtomicU64::new(0),
            ends: Mutex::default(),
        }
    }

    /// Records a debt that is gone at `end`.
    pub(super) fn record(&self, key: &Key<'_>, end: Micros, now: Micros) {
        let fingerprint = self.hasher.hash(key).fingerprint;
        let mut ends = self.ends.lock();
        if ends.by_counter.len() >= MOST {
            ends.by_counter.retain(|_, end| now < *end);
        }
        if ends.by_counter.len() < MOST || ends.by_counter.contains_key(&fingerprint) {
            ends.by_counter.insert(fingerprint, end);
        } else {
            ends.of_others = ends.of_others.max(end);
        }
        drop(ends);
        self.last.fetch_max(end, Ordering::Relaxed);
    }

    /// Returns whether the counter may be in debt.
    pub(super) fn may_hold(&self, key: &Key<'_>, now: Micros) -> bool {
        if now >= self.last.load(Ordering::Relaxed) {
            return false;
        }
        let fingerprint = self.hasher.hash(key).fingerprint;
        let ends = self.ends.lock();
        let end = ends.by_counter.get(&fingerprint).copied().unwrap_or(0);
        now < end.max(ends.of_others)
    }
}

impl std::fmt::Debug for Debts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Debts")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
