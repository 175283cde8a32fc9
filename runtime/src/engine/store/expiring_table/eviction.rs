//! Eviction: how a full table chooses the entry that makes room.

use actix_throttle_core::time::Micros;

use super::{Entry, ExpiringTable, SAMPLE};

impl<T> ExpiringTable<T> {
    /// Evicts one entry; returns false if the table is empty.
    pub(in super::super) fn evict(&mut self, now: Micros) -> bool {
        self.evict_where(SAMPLE, now, |_| true, drop)
    }

    /// Evicts one entry that `may_go`, or an expired one, out of a sample of `count`; returns false
    /// if the sample has none.
    pub(in super::super) fn evict_if(
        &mut self,
        count: usize,
        now: Micros,
        may_go: impl Fn(&Entry<T>) -> bool,
    ) -> bool {
        self.evict_where(count, now, may_go, drop)
    }

    /// Drops an expired entry, or else the one of lowest rank among those that `may_go`, out of a
    /// sample. The sample is spread over the list, because neighbours were inserted together and
    /// may be alike.
    pub(super) fn evict_where(
        &mut self,
        count: usize,
        now: Micros,
        may_go: impl Fn(&Entry<T>) -> bool,
        mut dropped: impl FnMut(T),
    ) -> bool {
        let len = self.entries.len();
        if len == 0 {
            return false;
        }
        self.cursor = (self.cursor + 1) % len;
        let cursor = self.cursor;
        let count = count.min(len);
        // Steps of `len / count`, rounded one by one: a step that is rounded once would meet some
        // entries twice and leave others out.
        let sample = (0..count).map(|index| (cursor + index * len / count) % len);
        let mut least: Option<usize> = None;
        for index in sample {
            let entry = &self.entries[index];
            if entry.expires() <= now {
                least = Some(index);
                break;
            }
            let is_less = |least: usize| entry.rank < self.entries[least].rank;
            if may_go(entry) && least.is_none_or(is_less) {
                least = Some(index);
            }
        }
        let Some(least) = least else {
            return false;
        };
        dropped(self.take(least));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashSet};

    use super::*;
    use crate::engine::store::fingerprint::Fingerprint;

    const NEVER: Micros = 1_000_000;

    fn table(len: usize) -> ExpiringTable<usize> {
        let mut table = ExpiringTable::new(len);
        for index in 0..len {
            let fingerprint = Fingerprint::new(index as u64, index as u64);
            let entry = table.find_or_insert(fingerprint, 0, || index, drop);
            entry.set_expiry(NEVER);
        }
        table
    }

    #[test]
    fn sample_has_no_entry_twice() {
        for count in [SAMPLE, 64] {
            for len in 1..=300 {
                let mut table = table(len);
                for _ in 0..3 {
                    let seen = RefCell::new(HashSet::new());
                    let is_evicted = table.evict_if(count, 0, |entry| {
                        seen.borrow_mut().insert(*entry.peek());
                        false
                    });
                    assert!(!is_evicted);
                    let seen = seen.into_inner();
                    assert_eq!(seen.len(), count.min(len), "{count} of {len}");
                }
            }
        }
    }

    #[test]
    fn sample_is_spread_over_the_list() {
        for len in 9..=300 {
            let mut table = table(len);
            let seen = RefCell::new(Vec::new());
            table.evict_if(SAMPLE, 0, |entry| {
                seen.borrow_mut().push(*entry.peek());
                false
            });
            let mut seen = seen.into_inner();
            seen.sort_unstable();
            let gaps = seen.windows(2).map(|pair| pair[1] - pair[0]);
            let around = seen[0] + len - seen[seen.len() - 1];
            let widest = gaps.chain([around]).max();
            assert!(widest <= Some(len.div_ceil(SAMPLE)), "{len}: {seen:?}");
        }
    }
}
