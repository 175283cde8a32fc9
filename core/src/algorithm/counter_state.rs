//! The trait of all counting algorithms. [`State`](super::State) calls it; each algorithm answers
//! its questions in a file of its own, without I/O and without reading the time.

use super::{Availability, Settlement, Wait};
use crate::{limit::Limit, time::Micros};

/// The most by which a charge that has waited for its turn may count back, in microseconds. Tokio's
/// timers wake up to 2 ms late, and a worker may have other tasks to poll first. `bucket.lua`
/// repeats it.
pub const TIMER_SLACK: Micros = 5_000;

/// The time after which a full bucket has kept no request waiting, in microseconds: a charge then
/// counts from when it is made. A state is kept for that long after its reset, also on Redis.
pub const IDLE: Micros = 100_000;

/// The state of one key under one algorithm.
///
/// A decision asks several questions, and computing what the state is at one moment takes most of
/// the time. So that is done once, as a [`View`](Self::View), and the questions are put to the
/// view.
pub(super) trait CounterState {
    /// The state as of one moment, under the numbers of one limit.
    type View;

    fn view_at(&self, limit: &Limit, now: Micros) -> Self::View;

    /// Returns how many microseconds until `cost` fits; 0 means now. `cost` is from 1 to the quota.
    fn wait(&self, view: &Self::View, limit: &Limit, cost: u32, now: Micros) -> Micros;

    /// Charges `cost`, which fits or is forced, and returns the view after that.
    fn charge(&mut self, view: Self::View, limit: &Limit, cost: u32, now: Micros) -> Self::View;

    /// Returns the cost that would fit now, and the time until the quota is whole again.
    fn available(&self, view: &Self::View, limit: &Limit, now: Micros) -> (u32, Micros);

    /// Returns when the cost of a charge that has waited for its turn came to fit: `now` or
    /// earlier.
    #[inline]
    fn due_at(&self, _limit: &Limit, now: Micros) -> Micros {
        now
    }

    /// Changes the cost of a charge under `limit`, as far as the state still holds the charge;
    /// returns whether anything has changed.
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool;

    /// Charges `cost` whether or not it fits, and returns what is left.
    #[inline]
    fn force_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> Availability {
        let view = self.view_at(limit, now);
        let view = match cost {
            0 => view,
            cost => self.charge(view, limit, cost, now),
        };
        self.availability(&view, limit, now)
    }

    #[inline]
    fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        let view = self.view_at(limit, now);
        let wait = self.wait_for_cost(&view, limit, cost, now);
        (wait, self.availability(&view, limit, now))
    }

    #[inline]
    fn try_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        let mut view = self.view_at(limit, now);
        let wait = self.wait_for_cost(&view, limit, cost, now);
        if wait == Wait::None && cost > 0 {
            let from = if limit.is_in_turn() {
                counted_from(self.due_at(limit, now), now)
            } else {
                now
            };
            view = if from < now {
                let then = self.view_at(limit, from);
                self.charge(then, limit, cost, from);
                self.view_at(limit, now)
            } else {
                self.charge(view, limit, cost, now)
            };
        }
        (wait, self.availability(&view, limit, now))
    }

    /// Returns the available quota, with the time until there is more of it.
    #[inline]
    fn availability(&self, view: &Self::View, limit: &Limit, now: Micros) -> Availability {
        let (remaining, reset) = self.available(view, limit, now);
        let more = match reset {
            0 => 0,
            _ => self.wait(view, limit, remaining.saturating_add(1), now),
        };
        Availability {
            remaining,
            reset,
            more,
        }
    }

    /// Returns the [`wait`](Self::wait) for any cost, including 0 and costs above the quota.
    #[inline]
    fn wait_for_cost(&self, view: &Self::View, limit: &Limit, cost: u32, now: Micros) -> Wait {
        if cost == 0 {
            return Wait::None;
        }
        if cost > limit.quota() {
            return Wait::Never;
        }
        match self.wait(view, limit, cost, now) {
            0 => Wait::None,
            micros => Wait::For(micros),
        }
    }
}

/// Returns the time from which a charge counts that was `due` then and is made now.
#[inline]
pub(super) fn counted_from(due: Micros, now: Micros) -> Micros {
    match now.checked_sub(due) {
        Some(late) if late <= IDLE => now - late.min(TIMER_SLACK),
        _ => now,
    }
}
