//! One pure step function a file, each the twin of one Lua file in `store/redis/scripts`.
//!
//! A step is three questions to the state of one key, all on integers in microseconds: how long
//! until this cost fits ([`State::wait`]), the state once it is charged ([`State::charge`]), and
//! what is left ([`State::quota`]). Each reads the state under the numbers of the limit it is
//! given, so a changed limit keeps what was used. A state from the future (the clock has stepped
//! back) counts for nothing: that admits at most one quota more and locks nobody out.
//!
//! A charge can be given back by its receipt ([`State::refund`]): only what the state still holds
//! of it, so a window that came later is not touched and a bucket is not given what time has given
//! back already. Where that cannot be told, less is given back and not more.

mod bucket;
mod fixed_window;
mod leaky_bucket;
mod receipt;
mod sliding_window;
mod sliding_window_counter;
mod token_bucket;

use crate::{
    clock::{FOREVER, Micros},
    limit::{Algorithm, Limit, Refill},
};

pub(crate) use self::receipt::Receipt;
use self::{
    bucket::Deficit, fixed_window::FixedWindow, leaky_bucket::LeakyBucket, sliding_window::Log,
    sliding_window_counter::Counter, token_bucket::IntervalBucket,
};

/// How long until a cost fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It fits now.
    Fits,
    /// It fits after so many microseconds (at least 1) without further admissions.
    For(Micros),
    /// It is more than the limit can ever hold.
    Never,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// What would fit at this moment.
    pub(crate) remaining: u32,
    /// How long until the quota is whole again; the state means nothing after that.
    pub(crate) reset: Micros,
}

/// The counted state behind one key.
#[derive(Debug)]
pub(crate) enum State {
    FixedWindow(FixedWindow),
    Counter(Counter),
    Greedy(Deficit),
    Interval(IntervalBucket),
    Leaky(LeakyBucket),
    /// Boxed: the log is far larger than the others, which come by the million.
    Log(Box<Log>),
}

impl State {
    /// The state of a key that nothing is known of.
    pub(crate) fn empty(limit: &Limit) -> Self {
        match (limit.kind(), limit.refill_kind()) {
            (Algorithm::FixedWindow, _) => Self::FixedWindow(FixedWindow::default()),
            (Algorithm::SlidingWindowCounter, _) => Self::Counter(Counter::default()),
            (Algorithm::TokenBucket, Refill::Greedy) => Self::Greedy(Deficit::default()),
            (Algorithm::TokenBucket, Refill::Interval) => Self::Interval(IntervalBucket::default()),
            (Algorithm::LeakyBucket, _) => Self::Leaky(LeakyBucket::default()),
            (Algorithm::SlidingWindow, _) => Self::Log(Box::default()),
        }
    }

    /// How long until `cost` fits.
    pub(crate) fn wait(&self, limit: &Limit, cost: u32, now: Micros) -> Wait {
        if cost == 0 {
            return Wait::Fits;
        }
        if cost > limit.quota() {
            return Wait::Never;
        }
        let micros = match self {
            Self::FixedWindow(state) => state.wait(limit, cost, now),
            Self::Counter(state) => state.wait(limit, cost, now),
            Self::Greedy(state) => token_bucket::wait(state, limit, cost, now),
            Self::Interval(state) => state.wait(limit, cost, now),
            Self::Leaky(state) => state.wait(limit, now),
            Self::Log(state) => state.wait(limit, cost, now),
        };
        match micros {
            0 => Wait::Fits,
            micros => Wait::For(micros),
        }
    }

    /// Charges `cost`, which must fit now.
    pub(crate) fn charge(&mut self, limit: &Limit, cost: u32, now: Micros) {
        if cost == 0 {
            return;
        }
        match self {
            Self::FixedWindow(state) => state.charge(limit, cost, now),
            Self::Counter(state) => state.charge(limit, cost, now),
            Self::Greedy(state) => token_bucket::charge(state, limit, cost, now),
            Self::Interval(state) => state.charge(limit, cost, now),
            Self::Leaky(state) => state.charge(limit, cost, now),
            Self::Log(state) => state.charge(limit, cost, now),
        }
    }

    /// What the receipt of a charge must say beside its time and what remained. Asked right after
    /// the charge, at the same `now`.
    pub(crate) fn mark(&self, now: Micros) -> u64 {
        match self {
            Self::FixedWindow(state) => state.mark(),
            Self::Greedy(state) => state.mark(),
            Self::Interval(state) => state.mark(now),
            Self::Leaky(state) => state.mark(),
            // The time says it all.
            Self::Counter(_) | Self::Log(_) => 0,
        }
    }

    /// Gives back what is left of a charge of `cost` under `limit`; says whether there was any.
    pub(crate) fn refund(
        &mut self,
        limit: &Limit,
        cost: u32,
        receipt: &Receipt,
        now: Micros,
    ) -> bool {
        match self {
            Self::FixedWindow(state) => state.refund(limit, cost, receipt, now),
            Self::Counter(state) => state.refund(limit, cost, receipt, now),
            Self::Greedy(state) => token_bucket::refund(state, limit, cost, receipt, now),
            Self::Interval(state) => state.refund(limit, cost, receipt, now),
            Self::Leaky(state) => state.refund(limit, cost, receipt, now),
            Self::Log(state) => state.refund(limit, cost, receipt, now),
        }
    }

    pub(crate) fn quota(&self, limit: &Limit, now: Micros) -> Quota {
        match self {
            Self::FixedWindow(state) => state.quota(limit, now),
            Self::Counter(state) => state.quota(limit, now),
            Self::Greedy(state) => token_bucket::quota(state, limit, now),
            Self::Interval(state) => state.quota(limit, now),
            Self::Leaky(state) => state.quota(limit, now),
            Self::Log(state) => state.quota(limit, now),
        }
    }
}

/// Cuts an exact length at [`FOREVER`].
fn cut(micros: u128) -> Micros {
    u64::try_from(micros).map_or(FOREVER, |micros| micros.min(FOREVER))
}

/// An exact count that is known to be at most one of 32 bits.
fn count(exact: u128) -> u32 {
    u32::try_from(exact).unwrap_or(u32::MAX)
}
