//! The latest charges of a bucket, kept while some of them may still be settled. The twin of
//! `history.lua`.
//!
//! What a bucket owes depends on when it was full, and so on the order of its charges: two numbers
//! cannot tell what it would owe if an earlier charge had had another cost. So a bucket whose
//! limit is [settled later](Limit::for_settlement) keeps its latest charges. A settlement changes
//! one of them and charges them all again, which is exact.
//!
//! A charge that is not among them, because it is older than the [`MOST_CHARGES`] latest ones or
//! because the bucket was full for longer than [`KEPT_FOR_SETTLEMENT`], is settled by what its
//! receipt says: see [`BucketCharge`](super::bucket_charge::BucketCharge).

use std::collections::VecDeque;

use super::{
    Availability, Settlement, Wait,
    counter_state::{CounterState, counted_from},
    interval_bucket::IntervalBucket,
    leaky_bucket::LeakyBucket,
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
pub struct BucketHistory(Kind);

#[derive(Debug)]
enum Kind {
    Greedy(History<GreedyBucket>),
    Interval(History<IntervalBucket>),
    Leaky(History<LeakyBucket>),
}

#[derive(Debug)]
struct History<B> {
    bucket: B,
    /// The bucket before the first of the charges.
    base: B,
    charges: VecDeque<PastCharge>,
}

/// One charge of a bucket.
#[derive(Clone, Copy, Debug)]
struct PastCharge {
    /// The time of the charge, by which its receipt names it.
    at: Micros,
    cost: u32,
    /// The time by which it counts earlier, because it has waited for its turn: at most
    /// `TIMER_SLACK`.
    early: u16,
    /// Whether it will not be settled any more.
    is_final: bool,
}

/// A bucket may keep many of them.
const _: () = assert!(size_of::<PastCharge>() == 16);

/// A bucket that can be charged again.
trait Bucket: CounterState + Copy + PartialEq {}

impl<B: CounterState + Copy + PartialEq> Bucket for B {}

/// Evaluates one expression on the history of any bucket.
macro_rules! each {
    ($history:expr, $inner:ident => $ask:expr) => {
        match $history {
            Kind::Greedy($inner) => $ask,
            Kind::Interval($inner) => $ask,
            Kind::Leaky($inner) => $ask,
        }
    };
}

impl BucketHistory {
    pub(super) fn of_greedy(bucket: GreedyBucket) -> Self {
        Self(Kind::Greedy(History::new(bucket)))
    }

    pub(super) fn of_interval(bucket: IntervalBucket) -> Self {
        Self(Kind::Interval(History::new(bucket)))
    }

    pub(super) fn of_leaky(bucket: LeakyBucket) -> Self {
        Self(Kind::Leaky(History::new(bucket)))
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
            Kind::Greedy(history) => history.bucket.debt().numbers(),
            Kind::Leaky(history) => history.bucket.debt().numbers(),
            Kind::Interval(history) => {
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

impl<B: Bucket> History<B> {
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
            self.keep(before, limit, PastCharge::new(limit, cost, now, now));
        }
        left
    }

    /// Changes the cost of a charge; returns whether that has changed the bucket.
    fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let before = self.bucket;
        let kept = self.index_of(settlement, now);
        let settled = kept.and_then(|index| {
            let bucket = self.charged_again(limit, index, settlement.to)?;
            Some((self.charges.get_mut(index)?, bucket))
        });
        if let Some((charge, bucket)) = settled {
            charge.cost = settlement.to;
            charge.is_final = true;
            self.bucket = bucket;
        } else if kept.is_none() && settlement.given() > 0 && self.began_full(limit, settlement) {
            // Time had paid for the charge, or it was deleted by a reset: nothing is owed of it.
        } else if self.bucket.settle(limit, settlement, now) || kept.is_some() {
            // The charges do not explain the bucket any more.
            self.charges.clear();
        }
        self.bucket != before
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

    /// Returns whether the bucket was full after the charge, before the first one that is kept.
    fn began_full(&self, limit: &Limit, settlement: &Settlement) -> bool {
        self.charges.front().is_some_and(|first| {
            let (_, left) = self.base.peek(limit, 0, first.from());
            settlement.receipt.at < first.at && left.reset == 0
        })
    }

    /// Returns the index of the charge that is settled, if it is kept.
    fn index_of(&self, settlement: &Settlement, now: Micros) -> Option<usize> {
        let at = settlement.receipt.at;
        let is_this = |charge: &PastCharge| charge.at == at && charge.cost == settlement.from;
        let index = self.charges.iter().rposition(is_this)?;
        (at <= now).then_some(index)
    }

    /// Returns the bucket as it would be if the charge at `index` had had the cost `to`. `None` if
    /// the charges do not explain the bucket as it is: the limit has other numbers since.
    fn charged_again(&self, limit: &Limit, index: usize, to: u32) -> Option<B> {
        let mut as_it_was = self.base;
        let mut charges = self.charges.iter();
        for charge in charges.by_ref().take(index) {
            charge.charge(&mut as_it_was, limit);
        }
        let mut as_settled = as_it_was;
        let settled = charges.next()?;
        settled.charge(&mut as_it_was, limit);
        PastCharge {
            cost: to,
            ..*settled
        }
        .charge(&mut as_settled, limit);
        for charge in charges {
            charge.charge(&mut as_it_was, limit);
            charge.charge(&mut as_settled, limit);
        }
        (as_it_was == self.bucket).then_some(as_settled)
    }
}

impl PastCharge {
    /// Returns the charge that is made at `at` and counts from `from`.
    fn new(limit: &Limit, cost: u32, at: Micros, from: Micros) -> Self {
        Self {
            at,
            cost,
            early: u16::try_from(at - from).unwrap_or(u16::MAX),
            is_final: !limit.is_for_settlement(),
        }
    }

    /// Returns the time from which it counts.
    fn from(&self) -> Micros {
        self.at.saturating_sub(self.early.into())
    }

    /// Charges it to `bucket`, which is as it was right before.
    fn charge<B: Bucket>(&self, bucket: &mut B, limit: &Limit) {
        if self.cost > 0 {
            let from = self.from();
            let view = bucket.view_at(limit, from);
            bucket.charge(view, limit, self.cost, from);
        }
    }
}
