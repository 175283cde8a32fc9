//! Sliding window counter: two counters in windows aligned to the epoch, with `previous × (1 −
//! elapsed / W) + current + cost ≤ T`. The twin of `sliding_window_counter.lua`.
//!
//! A counter has a mark, which tells it from another one of the same window that began after a
//! reset: how far into its window its first charge came.
//!
//! Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains".

use super::{
    Settlement,
    arithmetic::{div_ceil, saturate, saturate_count},
    counter_state::CounterState,
};
use crate::{limit::Limit, time::Micros};

/// Packed, so that a [`State`](super::State) of it takes three words.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed)]
pub struct WindowCounters {
    /// The start of the current window: a multiple of W.
    start: Micros,
    current: u32,
    previous: u32,
    /// The mark, in microseconds: less than W, which is below 2^45.
    mark: [u8; 6],
}

/// The two counts as of `left` before the end of the window that starts at `start`.
pub(super) struct View {
    start: Micros,
    left: Micros,
    current: u32,
    previous: u32,
    /// The contribution of the previous window, rounded up.
    weight: u64,
}

impl WindowCounters {
    /// Returns the counters of a window that contains `marked`, the start and the mark together.
    #[inline]
    pub(super) fn new(marked: Micros, limit: &Limit, current: u32, previous: u32) -> Self {
        let mark = marked % limit.window_micros();
        Self {
            start: marked - mark,
            current,
            previous,
            mark: six_bytes(mark),
        }
    }

    /// Returns what tells this counter from others of its windows.
    #[inline]
    pub(super) fn receipt_tag(&self) -> u64 {
        let [a, b, c, d, e, f] = self.mark;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// Returns the start of the current window, and the two counts as of then.
    pub(super) fn numbers(&self) -> (Micros, u32, u32) {
        (self.start, self.current, self.previous)
    }
}

impl CounterState for WindowCounters {
    type View = View;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        let window = limit.window_micros();
        // Most requests come in the same window as the one before, which needs no division.
        let elapsed = match now.checked_sub(self.start) {
            Some(elapsed) if elapsed < window => elapsed,
            _ => now % window,
        };
        let start = now - elapsed;
        let (current, previous) = if self.start == start {
            (self.current, self.previous)
        } else if self.start + window == start {
            (0, self.current)
        } else {
            (0, 0)
        };
        let left = window - elapsed;
        View {
            start,
            left,
            current,
            previous,
            weight: match previous {
                0 => 0,
                _ => saturate(div_ceil(u128::from(previous) * u128::from(left), window)),
            },
        }
    }

    #[inline]
    fn wait(&self, view: &View, limit: &Limit, cost: u32, _now: Micros) -> Micros {
        let window = limit.window_micros();
        let times = u64::from(limit.times());
        let cost = u64::from(cost);
        if view.used() + cost <= times {
            return 0;
        }
        // Finds the first moment at which the part of the full window that still overlaps leaves
        // room.
        match times.checked_sub(u64::from(view.current) + cost) {
            Some(room) => view.left - share(room, window, view.previous),
            None => view.left + window - share(times - cost, window, view.current),
        }
    }

    #[inline]
    fn charge(&mut self, view: View, _limit: &Limit, cost: u32, now: Micros) -> View {
        let current = view.current.saturating_add(cost);
        let mark = match (view.current, view.previous) {
            // Nothing counts any more, so it is a new counter.
            (0, 0) => six_bytes(now - view.start),
            _ => self.mark,
        };
        *self = Self {
            start: view.start,
            current,
            previous: view.previous,
            mark,
        };
        View { current, ..view }
    }

    /// Settles in the window that took the charge, as long as it still contributes.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let mut view = self.view_at(limit, now);
        let window = limit.window_micros();
        let at = settlement.receipt.at;
        let start = at - at % window;
        if settlement.receipt.tag != self.receipt_tag() {
            return false;
        }
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
        *taken = settlement.apply(*taken);
        *self = Self {
            start: view.start,
            current: view.current,
            previous: view.previous,
            mark: self.mark,
        };
        true
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let remaining = u64::from(limit.times()).saturating_sub(view.used());
        let reset = match (view.current, view.previous) {
            (0, 0) => 0,
            (0, _) => view.left,
            _ => view.left + limit.window_micros(),
        };
        (saturate_count(remaining.into()), reset)
    }
}

impl View {
    /// Returns the usage that counts against the limit.
    #[inline]
    fn used(&self) -> u64 {
        self.weight + u64::from(self.current)
    }
}

#[inline]
fn six_bytes(number: u64) -> [u8; 6] {
    let [a, b, c, d, e, f, _, _] = number.to_le_bytes();
    [a, b, c, d, e, f]
}

/// Returns the part of a window that `room` takes of `full`, rounded down; `full` is above `room`.
#[inline]
fn share(room: u64, window: Micros, full: u32) -> Micros {
    saturate(u128::from(room) * u128::from(window) / u128::from(full.max(1)))
}
