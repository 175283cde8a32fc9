//! Leaky bucket as a meter: one request each W/T, evenly spaced, without bursts. It is the GCRA
//! with a tolerance of zero. The twin of `leaky_bucket.lua`.
//!
//! Source: ITU-T I.371, annex A (generic cell rate algorithm, limit L = 0).
//!
//! A request is admitted once the debt of all earlier ones has drained. Time counts in whole
//! microseconds while W/T may have a fraction, so what has drained past zero within the last
//! microsecond is carried over: at T = 700,000 a second, the average stays 700,000.

use super::{
    Settlement,
    bucket_charge::BucketCharge,
    counter_state::CounterState,
    debt::{Debt, TokenDebt},
};
use crate::{limit::Limit, time::Micros};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeakyBucket(Debt);

/// The debt, or by how many W-ths of a token it has drained past zero.
type View = Result<TokenDebt, u128>;

impl LeakyBucket {
    #[inline]
    pub(super) fn new(debt: Debt) -> Self {
        Self(debt)
    }

    pub(super) fn debt(&self) -> Debt {
        self.0
    }

    #[inline]
    pub(super) fn full_for(&self) -> Micros {
        self.0.full_for().micros()
    }

    /// Returns how much of the latest charge has drained by `now`, in W-ths of a token: what was
    /// carried over into it, and what has drained since if it counts from an earlier time.
    #[inline]
    pub(super) fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        self.0.drained(limit, now)
    }
}

impl CounterState for LeakyBucket {
    type View = View;

    #[inline]
    fn view_at(&self, limit: &Limit, now: Micros) -> View {
        self.0.at_time(limit, limit.times(), now)
    }

    #[inline]
    fn wait(&self, view: &View, limit: &Limit, _cost: u32, _now: Micros) -> Micros {
        view.map_or(0, |owed| owed.drain_time(limit))
    }

    #[inline]
    fn charge(&mut self, view: View, limit: &Limit, cost: u32, now: Micros) -> View {
        let charged = TokenDebt::tokens(cost, limit).0;
        let times = limit.times();
        let (owed, full_for) = match view {
            // A forced charge adds to the debt.
            Ok(owed) => (owed.0 + charged, self.0.full_for()),
            // T W-ths of a token drain per microsecond, so this is from the last microsecond.
            Err(past) if past < u128::from(times) => (charged - past, self.0.full_for()),
            Err(_) => (charged, self.0.full_for_at(limit, times, now)),
        };
        let owed = TokenDebt(owed);
        self.0 = Debt::new(owed, limit, times, now, full_for);
        Ok(owed)
    }

    #[inline]
    fn due_at(&self, limit: &Limit, _now: Micros) -> Micros {
        self.0.paid_at(limit, limit.times())
    }

    /// Settles what is left of a charge. A refund loses what was carried over into the charge,
    /// which is less than drains in one microsecond.
    #[inline]
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        // The bucket owed only this charge, less what had drained of it already.
        let charged = TokenDebt::tokens(settlement.from, limit).0;
        let charged = TokenDebt(charged.saturating_sub(settlement.receipt.tag.into()));
        let charge = BucketCharge {
            limit,
            capacity: limit.times(),
            charged,
            own: charged,
            settlement,
        };
        charge.settle(&mut self.0, now)
    }

    #[inline]
    fn available(&self, view: &View, limit: &Limit, now: Micros) -> (u32, Micros) {
        let reset = self.wait(view, limit, 1, now);
        (u32::from(reset == 0), reset)
    }
}
