//! A bounded hash table whose entries expire. The in-memory store, the denial cache and the leases
//! use it behind a lock; it neither locks nor reads the time itself.
//!
//! The entries are in one dense list, and a hash table maps fingerprints to their four-byte
//! indices. A hash table is up to half empty: that is expensive with entries in it, and cheap
//! with indices.
//!
//! A cursor moves round the list with the traffic and drops expired entries a few at a time, so no
//! long scan holds the lock. A full table compares a sample of entries and evicts the one of least
//! worth, and among equals the one that expires soonest.

mod eviction;

use actix_throttle_core::time::Micros;
use hashbrown::HashTable;

use super::fingerprint::Fingerprint;

/// The number of entries that a full table compares before it evicts one.
pub(super) const SAMPLE: usize = 8;
/// The number of low bits of an entry's rank that hold its expiry; the others hold its worth.
const EXPIRY_BITS: u32 = 61;
/// The latest expiry that a rank can hold, in microseconds; later ones are cut to it.
const LATEST: Micros = (1 << EXPIRY_BITS) - 1;
/// The capacity up to which shrinking is not worthwhile.
const SMALL: usize = 64;

#[derive(Debug)]
pub(super) struct ExpiringTable<T> {
    /// The index in `entries` of each fingerprint.
    index: HashTable<u32>,
    entries: Vec<Entry<T>>,
    capacity: usize,
    cursor: usize,
}

/// The worth of an entry: how much its eviction would lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth(u8);

impl Worth {
    pub(super) const LEAST: Self = Self(0);
    pub(super) const MOST: Self = Self(7);

    /// Returns the worth of `grade`, from 0 to 7; higher grades are cut to 7.
    pub(super) fn of(grade: u32) -> Self {
        u8::try_from(grade).map_or(Self::MOST, |grade| Self(grade).min(Self::MOST))
    }
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    fingerprint: Fingerprint,
    /// The worth in the high bits and the expiry in the low ones: the entry of lowest rank is
    /// evicted first.
    rank: u64,
    value: T,
}

impl<T> Entry<T> {
    pub(super) fn value(&mut self) -> &mut T {
        &mut self.value
    }

    pub(super) fn peek(&self) -> &T {
        &self.value
    }

    pub(super) fn is_worth_most(&self) -> bool {
        self.rank >> EXPIRY_BITS == u64::from(Worth::MOST.0)
    }

    pub(super) fn set_expiry(&mut self, expires: Micros) {
        self.set_expiry_and_worth(expires, Worth::LEAST);
    }

    /// Sets the expiry, and the worth until then.
    pub(super) fn set_expiry_and_worth(&mut self, expires: Micros, worth: Worth) {
        self.rank = u64::from(worth.0) << EXPIRY_BITS | expires.min(LATEST);
    }

    fn expires(&self) -> Micros {
        self.rank & LATEST
    }
}

impl<T> ExpiringTable<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            index: HashTable::new(),
            entries: Vec::new(),
            // An index has four bytes.
            capacity: capacity.clamp(1, u32::MAX as usize),
            cursor: 0,
        }
    }

    /// Returns the value of `fingerprint`, unless it has expired.
    pub(super) fn find(&self, fingerprint: Fingerprint, now: Micros) -> Option<&T> {
        let entry = &self.entries[self.index_of(fingerprint)?];
        (entry.expires() > now).then_some(&entry.value)
    }

    /// Returns the value of `fingerprint` and when it expires, unless it has.
    pub(super) fn find_with_expiry(
        &self,
        fingerprint: Fingerprint,
        now: Micros,
    ) -> Option<(&T, Micros)> {
        let entry = &self.entries[self.index_of(fingerprint)?];
        (entry.expires() > now).then(|| (&entry.value, entry.expires()))
    }

    /// Removes those of the `count` entries below the index `end` that `is_meant` takes. Returns
    /// the index up to which the next call has to look, 0 at the end, and how many were removed
    /// that had not expired.
    ///
    /// A walk from `usize::MAX` down to 0 looks at every entry that is there all the time: whatever
    /// is removed in between, an entry only moves to a lower index if it stood at the very end.
    pub(super) fn remove_where(
        &mut self,
        end: usize,
        count: usize,
        now: Micros,
        is_meant: impl Fn(Fingerprint) -> bool,
    ) -> (usize, u64) {
        let end = end.min(self.entries.len());
        let start = end.saturating_sub(count);
        let mut removed = 0;
        for index in (start..end).rev() {
            let entry = &self.entries[index];
            if is_meant(entry.fingerprint) {
                removed += u64::from(entry.expires() > now);
                self.take(index);
            }
        }
        if start == 0 {
            self.shrink();
        }
        (start, removed)
    }

    /// Returns all values, those of expired entries included.
    #[cfg(feature = "redis")]
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|entry| &mut entry.value)
    }

    /// Returns the entry of `fingerprint`, unless it has expired.
    pub(super) fn find_mut(
        &mut self,
        fingerprint: Fingerprint,
        now: Micros,
    ) -> Option<&mut Entry<T>> {
        let index = self.index_of(fingerprint)?;
        let entry = &mut self.entries[index];
        (entry.expires() > now).then_some(entry)
    }

    /// Returns the entry of `fingerprint`. An absent or expired value is replaced by `value()`, and
    /// a full table evicts an entry first; `dropped` receives each value that goes. A new entry
    /// expires at `now`, so the caller sets its expiry.
    pub(super) fn find_or_insert(
        &mut self,
        fingerprint: Fingerprint,
        now: Micros,
        value: impl FnOnce() -> T,
        mut dropped: impl FnMut(T),
    ) -> &mut Entry<T> {
        let index = match self.index_of(fingerprint) {
            Some(index) => {
                let entry = &mut self.entries[index];
                if entry.expires() <= now {
                    dropped(std::mem::replace(&mut entry.value, value()));
                }
                index
            }
            None => {
                if self.entries.len() >= self.capacity {
                    self.evict_where(SAMPLE, now, |_| true, dropped);
                }
                self.push(Entry {
                    fingerprint,
                    rank: now.min(LATEST),
                    value: value(),
                })
            }
        };
        &mut self.entries[index]
    }

    pub(super) fn remove(&mut self, fingerprint: Fingerprint) -> Option<T> {
        self.index_of(fingerprint).map(|index| self.take(index))
    }

    /// Examines the next `count` entries, at most each once, and drops the expired ones.
    pub(super) fn sweep(&mut self, count: usize, now: Micros, mut dropped: impl FnMut(T)) {
        for _ in 0..count.min(self.entries.len() + 1) {
            match self.entries.get(self.cursor) {
                // `take` moves the last entry to this index, so the cursor stays.
                Some(entry) if entry.expires() <= now => dropped(self.take(self.cursor)),
                Some(_) => self.cursor += 1,
                None => {
                    self.cursor = 0;
                    self.shrink();
                }
            }
        }
    }

    /// Removes and returns all values.
    #[cfg(feature = "redis")]
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.index.clear();
        self.entries.drain(..).map(|entry| entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn index_of(&self, fingerprint: Fingerprint) -> Option<usize> {
        let is_at = |index: &u32| self.entries[*index as usize].fingerprint == fingerprint;
        let index = self.index.find(fingerprint.hash(), is_at)?;
        Some(*index as usize)
    }

    /// Adds an entry whose fingerprint is absent, and returns its index.
    fn push(&mut self, entry: Entry<T>) -> usize {
        let index = self.entries.len();
        if index == self.entries.capacity() {
            // Grows by an eighth, where `Vec` would double: most memory is in the entries.
            let more = (index / 8 + 4).min(self.capacity - index);
            self.entries.reserve_exact(more);
        }
        let hash = entry.fingerprint.hash();
        self.entries.push(entry);
        let entries = &self.entries;
        self.index
            .insert_unique(hash, to_index(index), |index| hash_at(entries, *index));
        index
    }

    /// Removes and returns the value at index `index`. The last entry moves to that index.
    fn take(&mut self, index: usize) -> T {
        let entry = self.entries.swap_remove(index);
        let (old, new) = (to_index(self.entries.len()), to_index(index));
        if let Ok(indexed) = self
            .index
            .find_entry(entry.fingerprint.hash(), |at| *at == new)
        {
            indexed.remove();
        }
        if let Some(moved) = self.entries.get(index)
            && let Some(at) = self
                .index
                .find_mut(moved.fingerprint.hash(), |at| *at == old)
        {
            *at = new;
        }
        entry.value
    }

    /// Releases memory once the table has become far smaller than its capacity.
    fn shrink(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > SMALL && len < self.entries.capacity() / 8 {
            self.entries.shrink_to(2 * len);
            let entries = &self.entries;
            self.index
                .shrink_to(2 * len, |index| hash_at(entries, *index));
        }
    }
}

fn hash_at<T>(entries: &[Entry<T>], index: u32) -> u64 {
    entries[index as usize].fingerprint.hash()
}

/// Converts an index to its four-byte form. The capacity ensures that it fits.
fn to_index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
