use super::{Availability, IDLE, Receipt, TIMER_SLACK, Wait};
use crate::{clock::Micros, limit::Limit};

/// What an algorithm makes of the state of one key.
///
/// The state is read once, as a view of it at one moment; the three questions are put to that. A
/// decision needs all their answers, and reading is what takes time.
pub(super) trait CounterState {
    /// The state as it stands at `now`, under the numbers of a limit.
    type View;

    fn view_at(&self, limit: &Limit, now: Micros) -> Self::View;

    /// How long until `cost`, which is not 0 and not more than the quota, fits; 0 is now.
    fn wait(&self, view: &Self::View, limit: &Limit, cost: u32, now: Micros) -> Micros;

    /// Charges `cost`, which fits, and gives the view after that.
    fn charge(&mut self, view: Self::View, limit: &Limit, cost: u32, now: Micros) -> Self::View;

    /// The cost that would fit, and how long until the quota is whole again.
    fn available(&self, view: &Self::View, limit: &Limit, now: Micros) -> (u32, Micros);

    /// When the cost of a charge that has waited for its turn came to fit, at `now` or before.
    fn due_at(&self, _limit: &Limit, now: Micros) -> Micros {
        now
    }

    /// Gives back what is left of a charge of `cost` under `limit`; says whether there was any.
    fn refund(&mut self, limit: &Limit, cost: u32, receipt: &Receipt, now: Micros) -> bool;

    fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        let view = self.view_at(limit, now);
        let wait = self.wait_for_cost(&view, limit, cost, now);
        (wait, self.availability(&view, limit, now))
    }

    fn try_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        let mut view = self.view_at(limit, now);
        let wait = self.wait_for_cost(&view, limit, cost, now);
        if wait == Wait::None && cost > 0 {
            let from = match limit.is_in_turn() {
                true => counted_from(self.due_at(limit, now), now),
                false => now,
            };
            view = match from < now {
                true => {
                    let then = self.view_at(limit, from);
                    self.charge(then, limit, cost, from);
                    self.view_at(limit, now)
                }
                false => self.charge(view, limit, cost, now),
            };
        }
        (wait, self.availability(&view, limit, now))
    }

    /// The quota that is left, with the time until more of it is.
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

    /// [`wait`](Self::wait), for any cost.
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

/// When a charge counts from that was `due` then and is made now.
fn counted_from(due: Micros, now: Micros) -> Micros {
    match now.checked_sub(due) {
        Some(late) if late <= IDLE => now - late.min(TIMER_SLACK),
        _ => now,
    }
}
