//! Sliding window counter: windows aligned to the epoch,
//! `previous × (1 − elapsed / W) + current + cost ≤ T`.
//!
//! Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains".

use super::{Receipt, counter_state::CounterState, div_ceil, saturate, saturate_count};
use crate::{clock::Micros, limit::Limit};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WindowCounters {
    /// Where the current window begins: a multiple of W.
    start: Micros,
    current: u32,
    previous: u32,
}

/// The two counts, as seen `left` before the end of the window that begins at `start`.
pub(super) struct View {
    start: Micros,
    left: Micros,
    current: u32,
    previous: u32,
    /// What the previous window still weighs, rounded up.
    weight: u64,
}

impl CounterState for WindowCounters {
    type View = View;

    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        let window = limit.window_micros();
        // Most requests find the window that the latest one was in: no need to divide.
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

    fn wait(&self, view: &View, limit: &Limit, cost: u32, _now: Micros) -> Micros {
        let window = limit.window_micros();
        let times = u64::from(limit.times());
        let cost = u64::from(cost);
        if view.used() + cost <= times {
            return 0;
        }
        // The first moment at which the part of the full window that still overlaps leaves room.
        match times.checked_sub(u64::from(view.current) + cost) {
            Some(room) => view.left - share(room, window, view.previous),
            None => view.left + window - share(times - cost, window, view.current),
        }
    }

    fn charge(&mut self, view: View, _limit: &Limit, cost: u32, _now: Micros) -> View {
        let current = view.current + cost;
        *self = Self {
            start: view.start,
            current,
            previous: view.previous,
        };
        View { current, ..view }
    }

    /// Out of the window that took the charge, while that still weighs.
    fn refund(&mut self, limit: &Limit, cost: u32, receipt: &Receipt, now: Micros) -> bool {
        let mut view = self.view_at(limit, now);
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
    /// What counts against the limit.
    fn used(&self) -> u64 {
        self.weight + u64::from(self.current)
    }
}

/// How much of a window `room` is when `full` fills it, rounded down. `full` is above `room`.
fn share(room: u64, window: Micros, full: u32) -> Micros {
    saturate(u128::from(room) * u128::from(window) / u128::from(full.max(1)))
}
