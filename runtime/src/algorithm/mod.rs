//! One pure step function a file, each the twin of one Lua file in `store/redis/scripts`.
//!
//! A [`CounterState`] is three questions to the state of one key, all on integers in microseconds: how long
//! until this cost fits, the state once it is charged, and what is left. [`State`] asks them for
//! whichever algorithm it is of. Each reads the state under the numbers of the limit it is
//! given, so a changed limit keeps what was used. A state from the future (the clock has stepped
//! back) counts for nothing: that admits at most one quota more and locks nobody out.
//!
//! [`PermitTable`] counts who runs and not what was started, so it asks its questions otherwise.
//!
//! A charge can be given back by its receipt ([`State::refund`]): only what the state still holds
//! of it, so a window that came later is not touched and a bucket is not given what time has given
//! back already. Where that cannot be told, less is given back and not more.

//!
//! Who has waited for a token is woken late, as timers are. Were its charge counted from then, each
//! waiter's lateness would be lost, and a line would get less than the limit's rate. So such a
//! charge ([`Limit::is_in_turn`]) is counted by a bucket from the moment at which the bucket was
//! whole, but at most [`LATENESS`] back. Counted so, admissions are as evenly spaced as ever, and
//! each happens at most that much later: any interval of length W holds at most what one longer by
//! `LATENESS` would.

mod concurrency;
mod counter_state;
mod debt;
mod fixed_window;
mod leaky_bucket;
mod receipt;
mod sliding_window;
mod sliding_window_counter;
mod token_bucket;

use crate::{
    clock::{MAX_MICROS, Micros},
    limit::{Algorithm, Limit, Refill},
};

pub(crate) use self::{concurrency::PermitTable, receipt::Receipt};
use self::{
    counter_state::CounterState,
    fixed_window::FixedWindow,
    leaky_bucket::LeakyBucket,
    sliding_window::AdmissionLog,
    sliding_window_counter::WindowCounters,
    token_bucket::{GreedyBucket, IntervalBucket},
};

/// How far back a charge that has waited for its turn may count. Tokio's timers wake up to 2 ms
/// late, and a worker may have others to poll first. `bucket.lua` has it too.
pub(crate) const TIMER_SLACK: Micros = 5_000;

/// A bucket that has been whole for longer has kept nobody waiting, so a charge counts from when it
/// is made. A state must be kept for so long after its reset; keys on Redis outlive theirs by as
/// much.
pub(crate) const IDLE: Micros = 100_000;

/// How long until a cost fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It fits now.
    None,
    /// It fits after so many microseconds (at least 1) without further admissions.
    For(Micros),
    /// It is more than the limit can ever hold.
    Never,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Availability {
    /// What would fit at this moment.
    pub(crate) remaining: u32,
    /// How long until the quota is whole again; the state means nothing after that.
    pub(crate) reset: Micros,
    /// How long until more fits than does now; 0 if the quota is whole, or if nobody knows.
    pub(crate) more: Micros,
}

/// The counted state behind one key.
#[derive(Debug)]
pub(crate) enum State {
    FixedWindow(FixedWindow),
    WindowCounters(WindowCounters),
    Greedy(GreedyBucket),
    Interval(IntervalBucket),
    Leaky(LeakyBucket),
    /// Boxed: the log is far larger than the others, which come by the million.
    AdmissionLog(Box<AdmissionLog>),
}

/// Asks the state of whichever algorithm it is.
macro_rules! each {
    ($state:expr, $inner:ident => $ask:expr) => {
        match $state {
            State::FixedWindow($inner) => $ask,
            State::WindowCounters($inner) => $ask,
            State::Greedy($inner) => $ask,
            State::Interval($inner) => $ask,
            State::Leaky($inner) => $ask,
            State::AdmissionLog($inner) => $ask,
        }
    };
}

impl State {
    /// The state of a key that nothing is known of.
    pub(crate) fn empty(limit: &Limit) -> Self {
        match (limit.kind(), limit.refill_kind()) {
            (Algorithm::FixedWindow, _) => Self::FixedWindow(FixedWindow::default()),
            (Algorithm::SlidingWindowCounter, _) => Self::WindowCounters(WindowCounters::default()),
            (Algorithm::TokenBucket, Refill::Greedy) => Self::Greedy(GreedyBucket::default()),
            (Algorithm::TokenBucket, Refill::Interval) => Self::Interval(IntervalBucket::default()),
            (Algorithm::LeakyBucket, _) => Self::Leaky(LeakyBucket::default()),
            (Algorithm::SlidingWindow, _) => Self::AdmissionLog(Box::default()),
        }
    }

    /// How long until `cost` fits, and what is left.
    pub(crate) fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        each!(self, state => state.peek(limit, cost, now))
    }

    /// The same once `cost` is charged, if it fits: `Wait::None` says that it was.
    pub(crate) fn try_charge(
        &mut self,
        limit: &Limit,
        cost: u32,
        now: Micros,
    ) -> (Wait, Availability) {
        each!(self, state => state.try_charge(limit, cost, now))
    }

    /// What the receipt of a charge must say beside its time and what remained. Asked right after
    /// the charge, at the same `now`.
    pub(crate) fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        match self {
            Self::FixedWindow(state) => state.receipt_tag(),
            Self::Greedy(state) => state.receipt_tag(limit, now),
            Self::Interval(state) => state.mark(limit, now),
            Self::Leaky(state) => state.receipt_tag(limit, now),
            // The time says it all.
            Self::WindowCounters(_) | Self::AdmissionLog(_) => 0,
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
        each!(self, state => state.refund(limit, cost, receipt, now))
    }
}

/// Cuts an exact length at [`FOREVER`].
fn saturate(micros: u128) -> Micros {
    u64::try_from(micros).map_or(MAX_MICROS, |micros| micros.min(MAX_MICROS))
}

/// Divides and rounds up. Most numbers fit a word, and dividing longer ones is a call of a
/// function.
fn div_ceil(number: u128, by: u64) -> u128 {
    match u64::try_from(number) {
        Ok(number) => number.div_ceil(by).into(),
        Err(_) => number.div_ceil(by.into()),
    }
}

/// What is left after dividing, too.
fn div_rem(number: u128, by: u64) -> (u128, u64) {
    match u64::try_from(number) {
        Ok(number) => ((number / by).into(), number % by),
        Err(_) => (number / u128::from(by), saturate(number % u128::from(by))),
    }
}

/// An exact count that is known to be at most one of 32 bits.
fn saturate_count(exact: u128) -> u32 {
    u32::try_from(exact).unwrap_or(u32::MAX)
}
