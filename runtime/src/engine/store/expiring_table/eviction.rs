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
        let stride = len.div_ceil(count);
        let sample = (0..count).map(|index| (self.cursor + index * stride) % len);
        let mut least: Option<usize> = None;
        for index in sample {
            let slot = &self.entries[index];
            if slot.expires() <= now {
                least = Some(index);
                break;
            }
            let is_less = |least: usize| slot.rank < self.entries[least].rank;
            if may_go(slot) && least.is_none_or(is_less) {
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
