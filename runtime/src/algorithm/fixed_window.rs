//! Fixed window: the first admitted request opens a window of length W; at most T in it.

use super::{Quota, Receipt};
use crate::{clock::Micros, limit::Limit};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FixedWindow {
    start: Micros,
    used: u32,
}

impl FixedWindow {
    /// What is used in the window that `now` lies in, and how long it lasts.
    fn at(&self, limit: &Limit, now: Micros) -> (u32, Micros) {
        let window = limit.window_micros();
        match now.checked_sub(self.start) {
            Some(elapsed) if elapsed < window && self.used > 0 => (self.used, window - elapsed),
            _ => (0, window),
        }
    }

    pub(super) fn wait(&self, limit: &Limit, cost: u32, now: Micros) -> Micros {
        let (used, left) = self.at(limit, now);
        if u64::from(used) + u64::from(cost) <= u64::from(limit.times()) {
            0
        } else {
            left
        }
    }

    pub(super) fn charge(&mut self, limit: &Limit, cost: u32, now: Micros) {
        let (used, _) = self.at(limit, now);
        if used == 0 {
            self.start = now;
        }
        self.used = used + cost;
    }

    /// Which window it was that took the charge.
    pub(super) fn mark(&self) -> u64 {
        self.start
    }

    /// The window stays where it is, whoever opened it: one with nothing in it is none.
    pub(super) fn refund(
        &mut self,
        limit: &Limit,
        cost: u32,
        receipt: &Receipt,
        now: Micros,
    ) -> bool {
        let (used, _) = self.at(limit, now);
        if used == 0 || self.start != receipt.mark {
            return false;
        }
        self.used = used.saturating_sub(cost);
        true
    }

    pub(super) fn quota(&self, limit: &Limit, now: Micros) -> Quota {
        let (used, left) = self.at(limit, now);
        Quota {
            remaining: limit.times().saturating_sub(used),
            reset: if used == 0 { 0 } else { left },
        }
    }
}
