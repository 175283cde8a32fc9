//! The enum of all algorithms' states. The stores hold one for each key.

use super::{
    Availability, Settlement, Wait,
    bucket_history::{AnyBucket, BucketHistory, KEPT_FOR_SETTLEMENT},
    calendar_window::CalendarWindow,
    counter_state::CounterState,
    fixed_window::FixedWindow,
    interval_bucket::IntervalBucket,
    leaky_bucket::LeakyBucket,
    sliding_window::AdmissionLog,
    sliding_window_counter::WindowCounters,
    token_bucket::GreedyBucket,
};
use crate::{
    limit::{Counting, Limit},
    time::Micros,
};

/// The counted state behind one key.
#[derive(Debug)]
pub enum State {
    FixedWindow(FixedWindow),
    WindowCounters(WindowCounters),
    Greedy(GreedyBucket),
    Interval(IntervalBucket),
    Leaky(LeakyBucket),
    /// A bucket with the charges that may still be settled. It is boxed, as few buckets have any.
    BucketHistory(Box<BucketHistory>),
    CalendarWindow(CalendarWindow),
    /// The log is boxed, because it is far larger than the other states, of which a store has
    /// millions.
    AdmissionLog(Box<AdmissionLog>),
}

/// Evaluates one expression on the state of any algorithm.
macro_rules! each {
    ($state:expr, $inner:ident => $ask:expr) => {
        match $state {
            State::FixedWindow($inner) => $ask,
            State::WindowCounters($inner) => $ask,
            State::Greedy($inner) => $ask,
            State::Interval($inner) => $ask,
            State::Leaky($inner) => $ask,
            State::BucketHistory($inner) => $ask,
            State::CalendarWindow($inner) => $ask,
            State::AdmissionLog($inner) => $ask,
        }
    };
}

impl State {
    /// Returns the state of an absent key.
    #[inline]
    pub fn empty(limit: &Limit) -> Self {
        match limit.counting() {
            Counting::FixedWindow => Self::FixedWindow(FixedWindow::default()),
            Counting::SlidingWindowCounter => Self::WindowCounters(WindowCounters::default()),
            Counting::GreedyBucket => Self::Greedy(GreedyBucket::default()),
            Counting::IntervalBucket => Self::Interval(IntervalBucket::default()),
            Counting::LeakyBucket => Self::Leaky(LeakyBucket::default()),
            Counting::Calendar => Self::CalendarWindow(CalendarWindow::default()),
            Counting::SlidingWindow => Self::AdmissionLog(Box::default()),
        }
    }

    /// Returns how long until `cost` fits, and what is left.
    #[inline]
    pub fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        each!(self, state => state.peek(limit, cost, now))
    }

    /// Charges `cost` if it fits, and returns what is left. `Wait::None` means that it was charged.
    #[inline]
    pub fn try_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        if limit.is_for_settlement() || self.has_history() {
            return self.try_charge_and_keep(limit, cost, now);
        }
        each!(self, state => state.try_charge(limit, cost, now))
    }

    /// Charges a bucket that keeps its charges. It is not inlined, to keep it out of the hot path.
    #[inline(never)]
    fn try_charge_and_keep(
        &mut self,
        limit: &Limit,
        cost: u32,
        now: Micros,
    ) -> (Wait, Availability) {
        if let Some(bucket) = self.bucket() {
            let mut history = BucketHistory::of(bucket);
            let (wait, left) = history.try_charge(limit, cost, now);
            if wait == Wait::None && cost > 0 {
                *self = Self::BucketHistory(Box::new(history));
            }
            return (wait, left);
        }
        let charged = each!(self, state => state.try_charge(limit, cost, now));
        self.drop_empty_history();
        charged
    }

    /// Returns what a receipt holds beside the charge's time and the remaining quota. It must be
    /// called right after the charge, at the same `now`.
    #[inline]
    pub fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        match self {
            Self::FixedWindow(state) => state.receipt_tag(),
            Self::Greedy(state) => state.receipt_tag(limit, now),
            Self::Interval(state) => state.receipt_tag(limit, now),
            Self::Leaky(state) => state.receipt_tag(limit, now),
            Self::BucketHistory(state) => state.receipt_tag(limit, now),
            Self::WindowCounters(state) => state.receipt_tag(),
            Self::CalendarWindow(state) => state.receipt_tag(),
            // The time identifies the charge.
            Self::AdmissionLog(_) => 0,
        }
    }

    /// Returns how long a bucket has been full at any time until its latest charge, in microseconds
    /// and modulo [`FULL_FOR_SPAN`](super::FULL_FOR_SPAN). While it is full, time gives it nothing.
    /// A settlement needs to know that: what is charged on top would have been paid by that time.
    ///
    /// An absent bucket has been full since the epoch. It is 0 for windows, which do not drain.
    #[inline]
    pub fn full_for(&self) -> Micros {
        match self {
            Self::Greedy(state) => state.full_for(),
            Self::Interval(state) => state.full_for(),
            Self::Leaky(state) => state.full_for(),
            Self::BucketHistory(state) => state.full_for(),
            Self::FixedWindow(_)
            | Self::WindowCounters(_)
            | Self::AdmissionLog(_)
            | Self::CalendarWindow(_) => 0,
        }
    }

    /// Charges `cost` whether or not it fits, and returns what is left.
    #[inline]
    pub fn force_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> Availability {
        let left = each!(self, state => state.force_charge(limit, cost, now));
        self.drop_empty_history();
        left
    }

    /// Changes the cost of a charge under `limit`, as far as this state still holds the charge.
    /// Returns whether anything has changed.
    #[inline]
    pub fn settle(&mut self, limit: &Limit, settlement: &Settlement, now: Micros) -> bool {
        let is_changed = each!(self, state => state.settle(limit, settlement, now));
        self.drop_empty_history() || is_changed
    }

    /// Returns the time for which a full bucket is kept for the sake of its charges.
    #[inline]
    pub(crate) fn kept_for_settlement(&self) -> Micros {
        if self.has_history() {
            KEPT_FOR_SETTLEMENT
        } else {
            0
        }
    }

    #[inline]
    fn has_history(&self) -> bool {
        matches!(self, Self::BucketHistory(_))
    }

    /// Makes a bucket that keeps no charges any more as small as others; returns whether it has.
    #[inline]
    fn drop_empty_history(&mut self) -> bool {
        if let Self::BucketHistory(history) = self
            && let Some(bucket) = history.without_charges()
        {
            *self = match bucket {
                AnyBucket::Greedy(bucket) => Self::Greedy(bucket),
                AnyBucket::Interval(bucket) => Self::Interval(bucket),
                AnyBucket::Leaky(bucket) => Self::Leaky(bucket),
            };
            return true;
        }
        false
    }

    /// Returns the bucket, if it is one that keeps no charges.
    fn bucket(&self) -> Option<AnyBucket> {
        match self {
            Self::Greedy(bucket) => Some(AnyBucket::Greedy(*bucket)),
            Self::Interval(bucket) => Some(AnyBucket::Interval(*bucket)),
            Self::Leaky(bucket) => Some(AnyBucket::Leaky(*bucket)),
            _ => None,
        }
    }
}
