//! A bounded hash table whose entries expire.
//!
//! Expired entries are dropped a few slots at a time by a cursor that goes round with the traffic,
//! so there is no scan that stops anyone. A full table drops what expires soonest among a few: the
//! least is forgotten with it.

use hashbrown::{HashTable, hash_table::Entry};

use crate::clock::Micros;

/// How many entries a full table compares before it drops one.
const SAMPLE: usize = 8;
/// Below this many slots shrinking is not worth its while.
const SMALL: usize = 64;

/// A keyed 128-bit hash that stands for a key: two keys share one with a probability of 2^-64
/// at four billion keys, and nobody outside can look for two that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print(u64, u64);

impl Print {
    pub(super) fn new(high: u64, low: u64) -> Self {
        Self(high, low)
    }
}

#[derive(Debug)]
pub(super) struct Table<T> {
    slots: HashTable<Slot<T>>,
    capacity: usize,
    cursor: usize,
}

#[derive(Debug)]
pub(super) struct Slot<T> {
    print: Print,
    expires: Micros,
    value: T,
}

impl<T> Slot<T> {
    pub(super) fn value(&mut self) -> &mut T {
        &mut self.value
    }

    pub(super) fn set_expiry(&mut self, expires: Micros) {
        self.expires = expires;
    }
}

impl<T> Table<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            slots: HashTable::new(),
            capacity,
            cursor: 0,
        }
    }

    /// What is kept under `print`, unless that has expired.
    pub(super) fn find(&self, print: Print, now: Micros) -> Option<&T> {
        let slot = self.slots.find(print.1, |slot| slot.print == print)?;
        (slot.expires > now).then_some(&slot.value)
    }

    /// The slot of `print`, unless that has expired.
    pub(super) fn find_mut(&mut self, print: Print, now: Micros) -> Option<&mut Slot<T>> {
        let slot = self.slots.find_mut(print.1, |slot| slot.print == print)?;
        (slot.expires > now).then_some(slot)
    }

    /// The slot of `print`. What has expired, or is not there, is made anew with `value`; if the
    /// table is full, another makes room. `dropped` is told of what goes.
    pub(super) fn find_or_insert(
        &mut self,
        print: Print,
        now: Micros,
        value: impl FnOnce() -> T,
        mut dropped: impl FnMut(&T),
    ) -> &mut Slot<T> {
        if self.slots.len() >= self.capacity
            && self
                .slots
                .find(print.1, |slot| slot.print == print)
                .is_none()
        {
            self.make_room(now, &mut dropped);
        }
        let entry = self
            .slots
            .entry(print.1, |slot| slot.print == print, |slot| slot.print.1);
        match entry {
            Entry::Occupied(occupied) => {
                let slot = occupied.into_mut();
                if slot.expires <= now {
                    dropped(&slot.value);
                    slot.value = value();
                }
                slot
            }
            Entry::Vacant(vacant) => {
                let slot = Slot {
                    print,
                    expires: now,
                    value: value(),
                };
                vacant.insert(slot).into_mut()
            }
        }
    }

    pub(super) fn remove(&mut self, print: Print) -> Option<T> {
        let found = self.slots.find_entry(print.1, |slot| slot.print == print);
        found.ok().map(|entry| entry.remove().0.value)
    }

    /// Looks at the next `count` slots and drops what has expired.
    pub(super) fn sweep(&mut self, count: usize, now: Micros, mut dropped: impl FnMut(&T)) {
        for _ in 0..count {
            let at = self.advance();
            if let Ok(entry) = self.slots.get_bucket_entry(at)
                && entry.get().expires <= now
            {
                dropped(&entry.remove().0.value);
            }
        }
    }

    /// Drops an expired entry, or the one that expires soonest, among the next few.
    fn make_room(&mut self, now: Micros, mut dropped: impl FnMut(&T)) {
        let mut soonest: Option<(Micros, usize)> = None;
        let mut seen = 0;
        for _ in 0..self.slots.num_buckets() {
            let at = self.advance();
            let Some(slot) = self.slots.get_bucket(at) else {
                continue;
            };
            seen += 1;
            if soonest.is_none_or(|(expires, _)| slot.expires < expires) {
                soonest = Some((slot.expires, at));
            }
            if seen == SAMPLE || slot.expires <= now {
                break;
            }
        }
        if let Some((_, at)) = soonest
            && let Ok(entry) = self.slots.get_bucket_entry(at)
        {
            dropped(&entry.remove().0.value);
        }
    }

    /// The next slot of the round. Once a round, gives back memory that a past crowd has left.
    fn advance(&mut self) -> usize {
        self.cursor += 1;
        if self.cursor >= self.slots.num_buckets() {
            self.cursor = 0;
            let buckets = self.slots.num_buckets();
            if buckets > SMALL && self.slots.len() < buckets / 8 {
                self.slots
                    .shrink_to(2 * self.slots.len(), |slot| slot.print.1);
            }
        }
        self.cursor
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}
