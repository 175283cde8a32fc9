//! One charge that a bucket keeps, because it may still be settled.

use super::{Settlement, counter_state::CounterState};
use crate::{limit::Limit, time::Micros};

/// One charge of a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct PastCharge {
    /// The time of the charge, by which its receipt names it.
    pub(super) at: Micros,
    pub(super) cost: u32,
    /// The time by which it counts earlier, because it has waited for its turn: at most
    /// `TIMER_SLACK`.
    early: u16,
    /// Whether it will not be settled any more.
    pub(super) is_final: bool,
}

/// A bucket may keep many of them.
const _: () = assert!(size_of::<PastCharge>() == 16);

impl PastCharge {
    /// Returns the charge that is made at `at` and counts from `from`.
    pub(super) fn new(limit: &Limit, cost: u32, at: Micros, from: Micros) -> Self {
        Self {
            at,
            cost,
            early: u16::try_from(at - from).unwrap_or(u16::MAX),
            is_final: !limit.is_for_settlement(),
        }
    }

    /// Returns the time from which it counts.
    pub(super) fn counts_from(&self) -> Micros {
        self.at.saturating_sub(self.early.into())
    }

    /// Changes the cost. The charge is final then, unless the settlement is one of a part.
    pub(super) fn settle(&mut self, settlement: &Settlement) {
        self.is_final |= self.cost == settlement.from;
        self.cost = settlement.apply(self.cost);
    }

    /// Charges it to `bucket`, which is as it was right before.
    pub(super) fn charge(&self, bucket: &mut impl CounterState, limit: &Limit) {
        if self.cost > 0 {
            let from = self.counts_from();
            let view = bucket.view_at(limit, from);
            bucket.charge(view, limit, self.cost, from);
        }
    }
}
