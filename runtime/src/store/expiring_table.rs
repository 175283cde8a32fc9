//! A bounded hash table whose entries expire.
//!
//! The entries stand in one dense list, and a hash table of their places finds them: a hash table
//! is up to half empty, which is dear with slots as large as an entry's and cheap with four bytes.
//!
//! Expired entries are dropped a few at a time by a cursor that goes round with the traffic, so
//! there is no scan that stops anyone. A full table drops, of a few entries, the one of least
//! worth, and of those the one that expires soonest: the least is forgotten with it.

use hashbrown::HashTable;

use crate::clock::Micros;

/// How many entries a full table compares before it drops one.
const SAMPLE: usize = 8;
/// How many bits of an entry's last word say when it expires; the rest is its worth.
const EXPIRY_BITS: u32 = 61;
/// The latest expiry that is told apart, far beyond any.
const LATEST: Micros = (1 << EXPIRY_BITS) - 1;
/// Below this many entries shrinking is not worth its while.
const SMALL: usize = 64;

/// A keyed 128-bit hash that stands for a key: two keys share one with a probability of 2^-64
/// at four billion keys, and nobody outside can look for two that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64, u64);

impl Fingerprint {
    pub(super) fn new(high: u64, low: u64) -> Self {
        Self(high, low)
    }

    /// As good a hash as the whole, for a table.
    pub(super) fn hash(self) -> u64 {
        self.1
    }
}

#[derive(Debug)]
pub(super) struct ExpiringTable<T> {
    /// Where in `slots` a print stands.
    index: HashTable<u32>,
    entries: Vec<Entry<T>>,
    capacity: usize,
    cursor: usize,
}

/// How much would be lost with an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth(u8);

impl Worth {
    pub(super) const LEAST: Self = Self(0);
    pub(super) const MOST: Self = Self(7);

    /// Of eight grades, from 0.
    pub(super) fn of(grade: u32) -> Self {
        u8::try_from(grade).map_or(Self::MOST, |grade| Self(grade).min(Self::MOST))
    }
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    fingerprint: Fingerprint,
    /// The worth, above the expiry: whichever is less goes first.
    rank: u64,
    value: T,
}

impl<T> Entry<T> {
    pub(super) fn value(&mut self) -> &mut T {
        &mut self.value
    }

    pub(super) fn set_expiry(&mut self, expires: Micros) {
        self.set_expiry_and_worth(expires, Worth::LEAST);
    }

    /// Sets when it expires, and what it is worth until then.
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
            // Places are four bytes.
            capacity: capacity.clamp(1, u32::MAX as usize),
            cursor: 0,
        }
    }

    /// What is kept under `print`, unless that has expired.
    pub(super) fn find(&self, print: Fingerprint, now: Micros) -> Option<&T> {
        let slot = &self.entries[self.index_of(print)?];
        (slot.expires() > now).then_some(&slot.value)
    }

    /// The slot of `print`, unless that has expired.
    pub(super) fn find_mut(&mut self, print: Fingerprint, now: Micros) -> Option<&mut Entry<T>> {
        let place = self.index_of(print)?;
        let slot = &mut self.entries[place];
        (slot.expires() > now).then_some(slot)
    }

    /// The slot of `print`. What has expired, or is not there, is made anew with `value`; if the
    /// table is full, another makes room. `dropped` is told of what goes.
    pub(super) fn find_or_insert(
        &mut self,
        print: Fingerprint,
        now: Micros,
        value: impl FnOnce() -> T,
        mut dropped: impl FnMut(T),
    ) -> &mut Entry<T> {
        let place = match self.index_of(print) {
            Some(place) => {
                let slot = &mut self.entries[place];
                if slot.expires() <= now {
                    dropped(std::mem::replace(&mut slot.value, value()));
                }
                place
            }
            None => {
                if self.entries.len() >= self.capacity {
                    self.evict_one(now, dropped);
                }
                self.push(Entry {
                    fingerprint: print,
                    rank: now.min(LATEST),
                    value: value(),
                })
            }
        };
        &mut self.entries[place]
    }

    pub(super) fn remove(&mut self, print: Fingerprint) -> Option<T> {
        self.index_of(print).map(|place| self.take(place))
    }

    /// Looks at the next `count` entries, or all if those are fewer, and drops those that have
    /// expired.
    pub(super) fn sweep(&mut self, count: usize, now: Micros, mut dropped: impl FnMut(T)) {
        for _ in 0..count.min(self.entries.len() + 1) {
            match self.entries.get(self.cursor) {
                // Another entry comes to stand where one goes, and is the next.
                Some(slot) if slot.expires() <= now => dropped(self.take(self.cursor)),
                Some(_) => self.cursor += 1,
                None => {
                    self.cursor = 0;
                    self.shrink();
                }
            }
        }
    }

    /// Takes out everything.
    #[cfg(feature = "redis")]
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.index.clear();
        self.entries.drain(..).map(|slot| slot.value)
    }

    /// Drops one entry as a full table does; false if there is none.
    pub(super) fn evict(&mut self, now: Micros) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        self.evict_one(now, drop);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn index_of(&self, print: Fingerprint) -> Option<usize> {
        let is_at = |place: &u32| self.entries[*place as usize].fingerprint == print;
        let place = self.index.find(print.hash(), is_at)?;
        Some(*place as usize)
    }

    /// Adds what is not there yet, and says where it stands.
    fn push(&mut self, slot: Entry<T>) -> usize {
        let place = self.entries.len();
        if place == self.entries.capacity() {
            // By an eighth, where `Vec` would double: entries are what costs memory.
            let more = (place / 8 + 4).min(self.capacity - place);
            self.entries.reserve_exact(more);
        }
        let hash = slot.fingerprint.hash();
        self.entries.push(slot);
        let slots = &self.entries;
        self.index
            .insert_unique(hash, to_index(place), |place| hash_at(slots, *place));
        place
    }

    /// Takes out what stands at `place`. The last entry takes its place.
    fn take(&mut self, place: usize) -> T {
        let slot = self.entries.swap_remove(place);
        let (old, new) = (to_index(self.entries.len()), to_index(place));
        if let Ok(entry) = self
            .index
            .find_entry(slot.fingerprint.hash(), |at| *at == new)
        {
            entry.remove();
        }
        if let Some(moved) = self.entries.get(place)
            && let Some(at) = self
                .index
                .find_mut(moved.fingerprint.hash(), |at| *at == old)
        {
            *at = new;
        }
        slot.value
    }

    /// Drops an expired entry, or else the one of least worth that expires soonest, among a few
    /// that stand far from each other: neighbours have come together and may be of one kind.
    fn evict_one(&mut self, now: Micros, mut dropped: impl FnMut(T)) {
        let len = self.entries.len();
        self.cursor = (self.cursor + 1) % len;
        let stride = len.div_ceil(SAMPLE);
        let sample = (0..SAMPLE).map(|index| (self.cursor + index * stride) % len);
        let mut least = self.cursor;
        for place in sample {
            let slot = &self.entries[place];
            if slot.expires() <= now {
                least = place;
                break;
            }
            if slot.rank < self.entries[least].rank {
                least = place;
            }
        }
        dropped(self.take(least));
    }

    /// Gives back memory that a past crowd has left.
    fn shrink(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > SMALL && len < self.entries.capacity() / 8 {
            self.entries.shrink_to(2 * len);
            let slots = &self.entries;
            self.index
                .shrink_to(2 * len, |place| hash_at(slots, *place));
        }
    }
}

fn hash_at<T>(slots: &[Entry<T>], place: u32) -> u64 {
    slots[place as usize].fingerprint.hash()
}

/// A place as it is kept. The table holds no more entries than it can tell apart.
fn to_index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
