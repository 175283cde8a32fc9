//! The limits that an in-memory store has counted. A key is stored as a hash, which tells neither
//! its zone nor its limit, so an operation on all limits asks here which ones there are. It costs a
//! few words for each limit, and nothing for a key.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_throttle_core::{
    key::{Key, KeyKind, KeySelection},
    zone::written,
};
use parking_lot::Mutex;

/// The number of limits that are recognised without a lock, unless two have the same index.
const LATEST: usize = 64;

#[derive(Debug)]
pub(super) struct KnownLimits {
    /// The hashes of limits that are in `all`, each at the index that its low bits give. `Relaxed`:
    /// a stale hash costs a look under the lock, and no more.
    latest: [AtomicU64; LATEST],
    all: Mutex<HashMap<u64, KnownLimit>>,
}

/// The part of a key that all identities share.
#[derive(Clone, Debug)]
pub(super) struct KnownLimit {
    pub(super) zone: Box<str>,
    pub(super) kind: KeyKind,
}

impl KnownLimits {
    pub(super) fn new() -> Self {
        Self {
            latest: std::array::from_fn(|_| AtomicU64::new(0)),
            all: Mutex::default(),
        }
    }

    /// Notes the limit of a key that is new in the store.
    #[inline]
    pub(super) fn note(&self, hash: u64, key: &Key<'_>) {
        let low = usize::try_from(hash % LATEST as u64).unwrap_or(0);
        if self.latest[low].load(Ordering::Relaxed) != hash {
            self.add(hash, key);
            self.latest[low].store(hash, Ordering::Relaxed);
        }
    }

    #[cold]
    fn add(&self, hash: u64, key: &Key<'_>) {
        self.all.lock().entry(hash).or_insert_with(|| KnownLimit {
            zone: key.zone.into(),
            kind: key.kind,
        });
    }

    /// Returns the hashes of the selected limits.
    pub(super) fn selected(&self, selection: &KeySelection) -> Vec<u64> {
        let all = self.all.lock();
        let selected = all
            .iter()
            .filter(|(_, limit)| selection.takes(&written(&limit.zone), limit.kind));
        selected.map(|(hash, _)| *hash).collect()
    }

    /// Returns all limits.
    pub(super) fn all(&self) -> Vec<KnownLimit> {
        self.all.lock().values().cloned().collect()
    }
}
