//! The latest charges of a bucket, kept while some of them may still be settled. The twin of
//! `history.lua`.
//!
//! What a bucket owes depends on when it was full, and so on the order of its charges: two numbers
//! cannot tell what it would owe if an earlier charge had had another cost. So a bucket whose
//! limit is [settled later](Limit::for_settlement) keeps its latest charges. A settlement changes
//! one of them and charges them all again, which is exact.
//!
//! A charge that is older than the [`MOST_CHARGES`] latest ones is settled in the bucket before the
//! first of those, by what its receipt says: see
//! [`BucketCharge`](super::bucket_charge::BucketCharge). The others are then charged again, too. A
//! bucket that was full for longer than [`KEPT_FOR_SETTLEMENT`] has no charges any more.

use std::collections::VecDeque;

use super::{
    Availability, Settlement, Wait,
    counter_state::{CounterState, counted_from},
    interval_bucket::IntervalBucket,
    leaky_bucket::LeakyBucket,
    past_charge::PastCharge,
    token_bucket::GreedyBucket,
};
use crate::{limit::Limit, time::Micros};

/// The most charges that a bucket keeps. `history.lua` repeats it.
pub const MOST_CHARGES: usize = 64;

/// The time for which a full bucket keeps its charges, in microseconds: ten minutes. `history.lua`
/// repeats it.
pub const KEPT_FOR_SETTLEMENT: Micros = 600_000_000;

/// A bucket and its latest charges.
#[derive(Debug)]
pub struct BucketHistory(AnyHistory);

/// A bucket of any kind.
pub(super) enum AnyBucket {
    Greedy(GreedyBucket),
    Interval(IntervalBucket),
    Leaky(LeakyBucket),
}

/// The history of a bucket of any kind.
#[derive(Debug)]
enum AnyHistory {
    Greedy(ChargeHistory<GreedyBucket>),
    Interval(ChargeHistory<IntervalBucket>),
    Leaky(ChargeHistory<LeakyBucket>),
}

/// The history of a bucket of one kind.
#[derive(Debug)]
struct ChargeHistory<B> {
    bucket: B,
    /// The bucket before the first of the charges.
    base: B,
    charges: VecDeque<PastCharge>,
}

/// A bucket that can be charged again.
trait Bucket: CounterState + Copy + PartialEq {}

impl<B: CounterState + Copy + PartialEq> Bucket for B {}

/// Evaluates one expression on the history of any bucket.
macro_rules! each {
    ($history:expr, $inner:ident => $ask:expr) => {
        match $history {
            AnyHistory::Greedy($inner) => $ask,
            AnyHistory::Interval($inner) => $ask,
            AnyHistory::Leaky($inner) => $ask,
        }
    };
}

impl BucketHistory {
    /// Returns the history of a bucket without known charges.
    pub(super) fn of(bucket: AnyBucket) -> Self {
        Self(match bucket {
            AnyBucket::Greedy(bucket) => AnyHistory::Greedy(ChargeHistory::new(bucket)),
            AnyBucket::Interval(bucket) => AnyHistory::Interval(ChargeHistory::new(bucket)),
            AnyBucket::Leaky(bucket) => AnyHistory::Leaky(ChargeHistory::new(bucket)),
        })
    }

    /// Returns the bucket alone, if it keeps no charges.
    pub(super) fn without_charges(&self) -> Option<AnyBucket> {
        let is_empty = each!(&self.0, history => history.charges.is_empty());
        is_empty.then_some(match &self.0 {
            AnyHistory::Greedy(history) => AnyBucket::Greedy(history.bucket),
            AnyHistory::Interval(history) => AnyBucket::Interval(history.bucket),
            AnyHistory::Leaky(history) => AnyBucket::Leaky(history.bucket),
        })
    }

    pub(super) fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        each!(&self.0, history => history.bucket.receipt_tag(limit, now))
    }

    pub(super) fn full_for(&self) -> Micros {
        each!(&self.0, history => history.bucket.full_for())
    }

    /// Returns the tokens that were missing as of a time: whole ones, and W-ths of one.
    pub(super) fn numbers(&self) -> (u32, u64, Micros) {
        match &self.0 {
            AnyHistory::Greedy(history) => history.bucket.debt().numbers(),
            AnyHistory::Leaky(history) => history.bucket.debt().numbers(),
            AnyHistory::Interval(history) => {
                let (missing, since) = history.bucket.numbers();
                (missing, 0, since)
            }
        }
    }

    pub(super) fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        each!(&self.0, history => history.bucket.peek(limit, cost, now))
    }

    pub(super) fn try_charge(
        &mut self,
        limit: &Limit,
        cost: u32,
        now: Micros,
    ) -> (Wait, Availability) {
        each!(&mut self.0, history => history.try_charge(limit, cost, now))
    }

    pub(super) fn force_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> Availability {
        each!(&mut self.0, history => history.force_charge(limit, cost, now))
    }

    /// Changes the cost of a charge; returns whether that has changed the bucket.
    pub(super) fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        each!(&mut self.0, history => history.settle(limit, settlement, now))
    }
}

impl<B: Bucket> ChargeHistory<B> {
    fn new(bucket: B) -> Self {
        Self {
            bucket,
            base: bucket,
            charges: VecDeque::new(),
        }
    }

    fn try_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        let before = self.bucket;
        let charged = self.bucket.try_charge(limit, cost, now);
        if charged.0 == Wait::None && cost > 0 {
            let from = if limit.is_in_turn() {
                counted_from(before.due_at(limit, now), now)
            } else {
                now
            };
            self.keep(before, limit, PastCharge::new(limit, cost, now, from));
        }
        charged
    }

    fn force_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> Availability {
        let before = self.bucket;
        let left = self.bucket.force_charge(limit, cost, now);
        if cost > 0 {
            // It is final: an estimate of nothing is charged when it is settled.
            let mut charge = PastCharge::new(limit, cost, now, now);
            charge.is_final = true;
            self.keep(before, limit, charge);
        }
        left
    }

    /// Changes the cost of a charge; returns whether that has changed the bucket. A charge from the
    /// future (the clock has stepped back) is not changed, and the others are kept.
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        if settlement.receipt.at > now {
            return false;
        }
        let before = self.bucket;
        if let Some(settled) = self.settled(limit, settlement) {
            *self = settled;
        } else {
            // The charges do not explain the bucket any more.
            self.charges.clear();
            self.bucket.settle(limit, settlement, now);
        }
        self.bucket != before
    }

    /// Returns the history with the other cost of a charge. `None` if the charges do not explain
    /// the bucket as it is, because the limit has other numbers since, or if none of them was made
    /// at that time or later.
    ///
    /// A charge that is not kept is settled in the bucket before the first one that is.
    fn settled(&self, limit: &Limit, settlement: &Settlement) -> Option<Self> {
        let first = self.charges.front()?;
        if self.charged_again(limit) != self.bucket {
            return None;
        }
        let mut settled = Self {
            bucket: self.bucket,
            base: self.base,
            charges: self.charges.clone(),
        };
        if !settled.change(settlement) {
            let at = settlement.receipt.at;
            if at > first.at {
                return None;
            }
            // The first charge may count from before this one was made, if it has waited.
            settled
                .base
                .settle(limit, settlement, first.counts_from().max(at));
        }
        settled.bucket = settled.charged_again(limit);
        Some(settled)
    }

    /// Changes the cost of a charge, or of charges of which it was a part; returns whether they are
    /// kept.
    ///
    /// A lease is one charge, which its local charges are parts of. The cost tells charges of one
    /// moment apart. If none has it, any that is larger will do, or several of them: they count
    /// from the same moment.
    fn change(&mut self, settlement: &Settlement) -> bool {
        let charges = self.charges.iter_mut().rev();
        let of_this_moment = charges.filter(|charge| charge.at == settlement.receipt.at);
        let mut charges: Vec<&mut PastCharge> = of_this_moment.collect();
        let from = settlement.from;
        let index = {
            let find =
                |fits: &dyn Fn(&PastCharge) -> bool| charges.iter().position(|one| fits(one));
            find(&|one| one.cost == from && !one.is_final)
                .or_else(|| find(&|one| one.cost == from))
                .or_else(|| find(&|one| one.cost > from && !one.is_final))
                .or_else(|| find(&|one| one.cost > from))
        };
        if let Some(charge) = index.and_then(|index| charges.get_mut(index)) {
            charge.settle(settlement);
            return true;
        }
        charges.retain(|charge| !charge.is_final);
        let open: u64 = charges.iter().map(|charge| u64::from(charge.cost)).sum();
        if open < from.into() {
            return false;
        }
        let mut rest = from;
        for charge in &mut charges {
            let taken = charge.cost.min(rest);
            charge.cost -= taken;
            rest -= taken;
        }
        if let Some(latest) = charges.first_mut() {
            latest.cost = latest.cost.saturating_add(settlement.to);
        }
        !charges.is_empty()
    }

    /// Returns the bucket as the charges make it.
    fn charged_again(&self, limit: &Limit) -> B {
        let mut bucket = self.base;
        for charge in &self.charges {
            charge.charge(&mut bucket, limit);
        }
        bucket
    }

    /// Adds a charge to those that are kept, and drops those that need not be kept any more.
    fn keep(&mut self, before: B, limit: &Limit, charge: PastCharge) {
        while let Some(first) = self.charges.front().copied()
            && (first.is_final || self.charges.len() >= MOST_CHARGES)
        {
            first.charge(&mut self.base, limit);
            self.charges.pop_front();
        }
        if self.charges.is_empty() {
            if charge.is_final {
                return;
            }
            self.base = before;
        }
        self.charges.push_back(charge);
    }
}

#[cfg(test)]
mod tests;
