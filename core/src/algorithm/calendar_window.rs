//! Calendar window: a fixed window whose ends are those of the calendar. The twin of
//! `calendar_window.lua`.
//!
//! The state holds when the latest charge was made, and not where its period began. So the usage
//! belongs to the period that contains that moment, wherever a changed time zone or changed rules
//! of a zone put the period's ends.
//!
//! Periods begin at whole seconds, so the latest charge is remembered to the second. The rest of
//! that number, below a second, is that of the first charge: it tells this counter from another one
//! of the same period, which began after a reset.

use super::{Settlement, counter_state::CounterState};
use crate::{limit::Limit, time::Micros};

const SECOND: Micros = 1_000_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct CalendarWindow {
    /// The second of the latest charge, and the microsecond of the first one.
    latest: Micros,
    used: u32,
}

/// The usage in the period, where the period begins and ends, and the time that is left of it.
pub(super) struct View {
    used: u32,
    start: Micros,
    end: Micros,
    left: Micros,
}

impl CalendarWindow {
    /// Returns the time of the latest charge, and what was used in its period.
    pub(super) fn numbers(&self) -> (Micros, u32) {
        (self.latest, self.used)
    }

    /// Returns what tells this counter from others of its period.
    #[inline]
    pub(super) fn receipt_tag(&self) -> u64 {
        self.latest % SECOND
    }
}

impl CounterState for CalendarWindow {
    type View = View;

    /// A charge from the future counts if it lies in the period that contains `now`: a clock that
    /// has stepped back then gives no quota away, and nothing waits longer than the period lasts.
    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        let period = limit.period_at(now);
        View {
            used: if period.contains(self.latest) {
                self.used
            } else {
                0
            },
            start: period.start,
            end: period.end,
            left: period.end.saturating_sub(now),
        }
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
        self.latest = match view.used {
            0 => now,
            _ => {
                let mark = self.latest % SECOND;
                let second = self.latest.max(now) / SECOND;
                second * SECOND + mark
            }
        };
        self.used = view.used.saturating_add(cost);
        View {
            used: self.used,
            ..view
        }
    }

    /// Settles a charge of the period that contains `now`, and of this counter.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let view = self.view_at(limit, now);
        let (at, tag) = (settlement.receipt.at, settlement.receipt.tag);
        if view.used == 0 || at < view.start || at >= view.end || tag != self.receipt_tag() {
            return false;
        }
        self.used = settlement.apply(view.used);
        true
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, _now: Micros) -> (u32, Micros) {
        let reset = if view.used == 0 { 0 } else { view.left };
        (limit.times().saturating_sub(view.used), reset)
    }
}
