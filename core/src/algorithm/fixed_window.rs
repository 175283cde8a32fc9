//! Fixed window: the first admitted request opens a window of length W, and at most T fit in it.
//! The twin of `fixed_window.lua`.

use super::{Settlement, counter_state::CounterState};
use crate::{limit::Limit, time::Micros};

#[derive(Clone, Copy, Debug, Default)]
pub struct FixedWindow {
    start: Micros,
    used: u32,
}

/// The usage in the window, and the time that is left of it.
pub(super) struct View {
    used: u32,
    left: Micros,
}

impl FixedWindow {
    #[inline]
    pub(super) fn new(start: Micros, used: u32) -> Self {
        Self { start, used }
    }

    /// Returns the start of the window and what was used in it.
    pub(super) fn numbers(&self) -> (Micros, u32) {
        (self.start, self.used)
    }

    /// Returns the start of the window that took the charge.
    #[inline]
    pub(super) fn receipt_tag(&self) -> u64 {
        self.start
    }
}

impl CounterState for FixedWindow {
    type View = View;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        let window = limit.window_micros();
        let (used, left) = match now.checked_sub(self.start) {
            Some(elapsed) if elapsed < window && self.used > 0 => (self.used, window - elapsed),
            _ => (0, window),
        };
        View { used, left }
    }

    #[inline]
    fn wait(&self, view: &View, limit: &Limit, cost: u32, _now: Micros) -> Micros {
        if u64::from(view.used) + u64::from(cost) <= u64::from(limit.times()) {
            0
        } else {
            view.left
        }
    }

    #[inline]
    fn charge(&mut self, view: View, _limit: &Limit, cost: u32, now: Micros) -> View {
        if view.used == 0 {
            self.start = now;
        }
        self.used = view.used.saturating_add(cost);
        View {
            used: self.used,
            ..view
        }
    }

    /// Settles in the window of the charge. The window keeps its start; once nothing is used in it,
    /// the next charge opens a new one.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let View { used, .. } = self.view_at(limit, now);
        if used == 0 || self.start != settlement.receipt.tag {
            return false;
        }
        self.used = settlement.apply(used);
        true
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let reset = if view.used == 0 { 0 } else { view.left };
        (limit.times().saturating_sub(view.used), reset)
    }
}
