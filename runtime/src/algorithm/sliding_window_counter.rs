//! Sliding window counter: windows aligned to the epoch,
//! `previous × (1 − elapsed / W) + current + cost ≤ T`.
//!
//! Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains".

use super::{Quota, Receipt, count, cut};
use crate::{clock::Micros, limit::Limit};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter {
    /// Where the current window begins: a multiple of W.
    start: Micros,
    current: u32,
    previous: u32,
}

/// The two counts, as seen `elapsed` into the window that begins at `start`.
struct View {
    start: Micros,
    elapsed: Micros,
    current: u32,
    previous: u32,
}

impl Counter {
    fn at(&self, limit: &Limit, now: Micros) -> View {
        let window = limit.window_micros();
        let elapsed = now % window;
        let start = now - elapsed;
        let (current, previous) = if self.start == start {
            (self.current, self.previous)
        } else if self.start + window == start {
            (0, self.current)
        } else {
            (0, 0)
        };
        View {
            start,
            elapsed,
            current,
            previous,
        }
    }

    pub(super) fn wait(&self, limit: &Limit, cost: u32, now: Micros) -> Micros {
        let view = self.at(limit, now);
        let window = limit.window_micros();
        let left = window - view.elapsed;
        let times = u64::from(limit.times());
        let cost = u64::from(cost);
        if view.used(window) + u64::from(view.current) + cost <= times {
            return 0;
        }
        // The first moment at which the part of the full window that still overlaps leaves room.
        match times.checked_sub(u64::from(view.current) + cost) {
            Some(room) => left - share(room, window, view.previous),
            None => left + window - share(times - cost, window, view.current),
        }
    }

    pub(super) fn charge(&mut self, limit: &Limit, cost: u32, now: Micros) {
        let view = self.at(limit, now);
        *self = Self {
            start: view.start,
            current: view.current + cost,
            previous: view.previous,
        };
    }

    /// Out of the window that took the charge, while that still weighs.
    pub(super) fn refund(
        &mut self,
        limit: &Limit,
        cost: u32,
        receipt: &Receipt,
        now: Micros,
    ) -> bool {
        let mut view = self.at(limit, now);
        let window = limit.window_micros();
        let start = receipt.at - receipt.at % window;
        let taken = if start == view.start {
            &mut view.current
        } else if start + window == view.start {
            &mut view.previous
        } else {
            return false;
        };
        if *taken == 0 {
            return false;
        }
        *taken = taken.saturating_sub(cost);
        *self = Self {
            start: view.start,
            current: view.current,
            previous: view.previous,
        };
        true
    }

    pub(super) fn quota(&self, limit: &Limit, now: Micros) -> Quota {
        let view = self.at(limit, now);
        let window = limit.window_micros();
        let left = window - view.elapsed;
        let used = view.used(window) + u64::from(view.current);
        Quota {
            remaining: count(u128::from(u64::from(limit.times()).saturating_sub(used))),
            reset: match (view.current, view.previous) {
                (0, 0) => 0,
                (0, _) => left,
                _ => left + window,
            },
        }
    }
}

impl View {
    /// What the previous window still weighs, rounded up.
    fn used(&self, window: Micros) -> u64 {
        let left = u128::from(window - self.elapsed);
        cut((u128::from(self.previous) * left).div_ceil(u128::from(window)))
    }
}

/// How much of a window `room` is when `full` fills it, rounded down. `full` is above `room`.
fn share(room: u64, window: Micros, full: u32) -> Micros {
    cut(u128::from(room) * u128::from(window) / u128::from(full.max(1)))
}
