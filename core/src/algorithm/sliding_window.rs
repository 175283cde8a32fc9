//! Sliding window: an exact log of admissions. No half-open interval of length W ever holds more
//! than T. The twin of `sliding_window.lua`.
//!
//! For each admission, the log holds its time and the running sum of costs up to and including it.
//! The usage of a window is then the difference of two sums, and an admission of any cost is one
//! entry. Entries are sorted by time, so a binary search finds the ends of the window. The next
//! charge drops what has left it.

use std::collections::VecDeque;

use super::{
    Settlement,
    counter_state::CounterState,
    log_entry::{LogEntry, SUM_SPAN, since},
};
use crate::{
    limit::{Limit, range::MAX_LOGGED},
    time::Micros,
};

#[derive(Debug, Default)]
pub struct AdmissionLog {
    /// The running sum before the oldest entry.
    base: u32,
    entries: VecDeque<LogEntry>,
}

/// The largest cost of one entry: it alone exceeds every limit, so a larger one makes no
/// difference.
const MAX_COST: u32 = MAX_LOGGED + 1;

/// The entries `from..to` of the log, which are inside the window.
pub(super) struct View {
    from: usize,
    to: usize,
    /// The running sum before `from`.
    base: u32,
    used: u32,
}

/// Returns how much of a cost a window can take that holds `used`.
#[inline]
fn may_add(used: u32, cost: u32) -> u32 {
    cost.min(MAX_COST).min((SUM_SPAN - 1).saturating_sub(used))
}

impl CounterState for Box<AdmissionLog> {
    type View = View;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        self.view_in(limit.window_micros(), now)
    }

    #[inline]
    fn wait(&self, view: &View, limit: &Limit, cost: u32, now: Micros) -> Micros {
        let excess = (u64::from(view.used) + u64::from(cost)).saturating_sub(limit.times().into());
        if excess == 0 {
            return 0;
        }
        // The cost fits once the entry leaves whose sum reaches the excess.
        let leaving = view.from
            + match excess {
                // Every entry has a cost of at least 1, so the first one is enough.
                1 => 0,
                _ => bisect(view.to.saturating_sub(view.from), |index| {
                    u64::from(since(view.base, self.sum_at(view.from + index))) < excess
                }),
            };
        let age = self
            .entries
            .get(leaving)
            .and_then(|entry| entry.age(now))
            .unwrap_or(0);
        limit.window_micros().saturating_sub(age)
    }

    #[inline]
    fn charge(&mut self, view: View, _limit: &Limit, cost: u32, now: Micros) -> View {
        self.entries.truncate(view.to);
        self.entries.drain(..view.from);
        self.base = view.base;
        let cost = may_add(view.used, cost);
        let used = view.used + cost;
        if cost == 0 {
            // A forced charge adds nothing to a window that holds the most already.
            return View {
                from: 0,
                to: self.entries.len(),
                ..view
            };
        }
        let sum = view.base.wrapping_add(used);
        self.reserve();
        self.entries.push_back(LogEntry::new(now, sum));
        View {
            from: 0,
            to: self.entries.len(),
            base: view.base,
            used,
        }
    }

    /// Settles what is left of a charge. Entries of one time leave the window together, so it does
    /// not matter which of them was the charge: a refund leaves the last one for what is left of
    /// all of them, and what is charged on top is added to it.
    ///
    /// Takes time linear in the number of newer entries.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let at = settlement.receipt.at;
        let view = self.view_at(limit, now);
        let from = self.entries.partition_point(|entry| entry.time() < at);
        let to = self.entries.partition_point(|entry| entry.time() <= at);
        // Entries from the future do not count now but may count again, so they stay unchanged.
        if from == to || from < view.from || view.to < self.entries.len() {
            return false;
        }
        let before = from
            .checked_sub(1)
            .map_or(self.base, |before| self.sum_at(before));
        let taken = since(before, self.sum_at(to - 1));
        let given = taken.min(settlement.given());
        let more = may_add(view.used, settlement.more());
        for entry in self.entries.range_mut(to - 1..) {
            entry.set_sum(entry.sum().wrapping_sub(given).wrapping_add(more));
        }
        if given > 0 {
            self.entries.drain(from..to - usize::from(taken > given));
        }
        given > 0 || more > 0
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, now: Micros) -> (u32, Micros) {
        let youngest = match view.to.checked_sub(1) {
            Some(last) if last >= view.from => self.entries.get(last),
            _ => None,
        };
        let reset = youngest
            .and_then(|entry| entry.age(now))
            .map_or(0, |age| limit.window_micros().saturating_sub(age));
        (limit.times().saturating_sub(view.used), reset)
    }
}

impl AdmissionLog {
    /// Returns a log of admissions that cost `used` together, at least 1, of which only the times
    /// of the first and of the last one are known. `leaving` has further ones: the time of that
    /// admission with which so much cost has left the window.
    ///
    /// The first admission has a cost of at least 1, so the log knows when 1 more would fit. When
    /// more would, it knows only of what `leaving` has.
    pub(super) fn between(
        oldest: Micros,
        newest: Micros,
        used: u32,
        mut leaving: Vec<(u32, Micros)>,
    ) -> Self {
        let mut entries = VecDeque::with_capacity(leaving.len() + 3);
        if used > 1 {
            entries.push_back(LogEntry::new(oldest, 1));
        }
        leaving.sort_unstable();
        for (cost, time) in leaving {
            if cost > 1 && cost < used {
                entries.push_back(LogEntry::new(time, cost));
            }
        }
        entries.push_back(LogEntry::new(newest, used));
        Self { base: 0, entries }
    }

    /// Returns the times of the first and the last admission in the window at `now`, and their
    /// costs together.
    pub(super) fn usage(&self, window: Micros, now: Micros) -> (Micros, Micros, u32) {
        let view = self.view_in(window, now);
        let time = |index: usize| self.entries.get(index).map_or(0, LogEntry::time);
        (time(view.from), time(view.to.saturating_sub(1)), view.used)
    }

    #[inline]
    fn view_in(&self, window: Micros, now: Micros) -> View {
        let len = self.entries.len();
        let is_future = |entry: &LogEntry| entry.age(now).is_none();
        let to = match self.entries.back() {
            Some(last) if is_future(last) => {
                self.entries.partition_point(|entry| !is_future(entry))
            }
            _ => len,
        };
        let from = self.first(|entry| entry.age(now).is_none_or(|age| age < window));
        let base = match from.checked_sub(1) {
            Some(before) => self.sum_at(before),
            None => self.base,
        };
        let used = match to.checked_sub(1) {
            Some(last) if last >= from => since(base, self.sum_at(last)),
            _ => 0,
        };
        View {
            from,
            to,
            base,
            used,
        }
    }

    #[inline]
    fn sum_at(&self, index: usize) -> u32 {
        self.entries.get(index).map_or(self.base, LogEntry::sum)
    }

    /// Returns the first entry for which `inside` is true, as it then is for all later ones; the
    /// number of entries if there is none. The search gallops in doubling steps, because few
    /// entries have left since the latest charge.
    #[inline]
    fn first(&self, inside: impl Fn(&LogEntry) -> bool) -> usize {
        let outside = |index: usize| self.entries.get(index).is_some_and(|entry| !inside(entry));
        let (mut low, mut step) = (0, 1);
        while outside(low + step - 1) {
            low += step;
            step *= 2;
        }
        let high = (low + step - 1).min(self.entries.len());
        low + bisect(high - low, |index| outside(low + index))
    }

    /// Grows by an eighth and shrinks to fit, where `VecDeque` would double and never shrink: most
    /// memory is in the logs.
    #[inline]
    fn reserve(&mut self) {
        let len = self.entries.len();
        if len == self.entries.capacity() {
            self.entries.reserve_exact(len / 8 + 4);
        } else if self.entries.capacity() > 2 * len + 16 {
            self.entries.shrink_to(len + len / 8 + 4);
        }
    }
}

/// Returns the first index of `0..len` for which `below` is false; `len` if there is none.
#[inline]
fn bisect(len: usize, below: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
