//! The counting algorithms: pure functions on the state of one key, one algorithm a file, each the
//! twin of a Lua file in `store/redis/scripts`. The in-memory store calls them; they never do I/O
//! and never read the time. All numbers are integers, and all times are microseconds.
//!
//! A [`CounterState`] answers three questions about one key: how long until a cost fits, what the
//! state is once it is charged, and what is left. [`State`] is the enum of all algorithms. Each
//! answer is computed under the limit that is passed in, so a changed limit keeps what was used. A
//! state from the future (the clock has stepped back) does not count: that admits at most one quota
//! more and locks no identity out.
//!
//! [`PermitTable`] counts what is running and not what has started, so its functions differ.
//!
//! A charge can be refunded by its receipt ([`State::refund`]). Only what the state still holds of
//! the charge is refunded: a later window is not touched, and a bucket gets nothing back that has
//! drained already. Where that cannot be known, less is refunded and not more.
//!
//! A waiter for a token wakes up late, because timers are late. If its charge counted from then,
//! that lateness would be lost with each waiter, and a wait queue would get less than the limit's
//! rate. So a bucket counts such a charge ([`Limit::is_in_turn`]) from the moment at which it was
//! full, but from at most [`TIMER_SLACK`] ago. Counted like this, admissions are spaced as evenly
//! as ever, and each happens at most that much later: any interval of length W holds at most what
//! one longer by `TIMER_SLACK` would.

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
    limit::{Counting, Limit},
    time::{MAX_MICROS, Micros},
};

pub use self::{concurrency::PermitTable, receipt::Receipt};
use self::{
    counter_state::CounterState,
    fixed_window::FixedWindow,
    leaky_bucket::LeakyBucket,
    sliding_window::AdmissionLog,
    sliding_window_counter::WindowCounters,
    token_bucket::{GreedyBucket, IntervalBucket},
};

/// How far back a charge that has waited for its turn may count, in microseconds. Tokio's timers
/// wake up to 2 ms late, and a worker may have other tasks to poll first. `bucket.lua` repeats it.
pub const TIMER_SLACK: Micros = 5_000;

/// The time after which a full bucket has kept no request waiting, in microseconds: a charge then
/// counts from when it is made. A state is kept for that long after its reset, also on Redis.
pub const IDLE: Micros = 100_000;

/// The time until a cost fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The cost fits now.
    None,
    /// The cost fits after this many microseconds (at least 1), if nothing else is admitted.
    For(Micros),
    /// The cost exceeds what the limit can ever hold.
    Never,
}

/// The available quota of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The cost that would fit now.
    pub remaining: u32,
    /// The time until the quota is whole again, in microseconds; after that the state means
    /// nothing.
    pub reset: Micros,
    /// The time until more fits than now, in microseconds; 0 if the quota is whole, or if it is
    /// unknown.
    pub more: Micros,
}

/// The counted state behind one key.
#[derive(Debug)]
pub enum State {
    FixedWindow(FixedWindow),
    WindowCounters(WindowCounters),
    Greedy(GreedyBucket),
    Interval(IntervalBucket),
    Leaky(LeakyBucket),
    /// Boxed: the log is far larger than the other states, of which a store has millions.
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
            State::AdmissionLog($inner) => $ask,
        }
    };
}

impl State {
    /// Returns the state of an absent key.
    pub fn empty(limit: &Limit) -> Self {
        match limit.counting() {
            Counting::FixedWindow => Self::FixedWindow(FixedWindow::default()),
            Counting::SlidingWindowCounter => Self::WindowCounters(WindowCounters::default()),
            Counting::GreedyBucket => Self::Greedy(GreedyBucket::default()),
            Counting::IntervalBucket => Self::Interval(IntervalBucket::default()),
            Counting::LeakyBucket => Self::Leaky(LeakyBucket::default()),
            Counting::SlidingWindow => Self::AdmissionLog(Box::default()),
        }
    }

    /// Returns how long until `cost` fits, and what is left.
    pub fn peek(&self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        each!(self, state => state.peek(limit, cost, now))
    }

    /// Charges `cost` if it fits, and returns what is left. `Wait::None` means that it was charged.
    pub fn try_charge(&mut self, limit: &Limit, cost: u32, now: Micros) -> (Wait, Availability) {
        each!(self, state => state.try_charge(limit, cost, now))
    }

    /// Returns what a receipt holds beside the charge's time and the remaining quota. Called right
    /// after the charge, at the same `now`.
    pub fn receipt_tag(&self, limit: &Limit, now: Micros) -> u64 {
        match self {
            Self::FixedWindow(state) => state.receipt_tag(),
            Self::Greedy(state) => state.receipt_tag(limit, now),
            Self::Interval(state) => state.mark(limit, now),
            Self::Leaky(state) => state.receipt_tag(limit, now),
            // The time identifies the charge.
            Self::WindowCounters(_) | Self::AdmissionLog(_) => 0,
        }
    }

    /// Refunds what is left of a charge of `cost` under `limit`; returns whether anything was left.
    pub fn refund(&mut self, limit: &Limit, cost: u32, receipt: &Receipt, now: Micros) -> bool {
        each!(self, state => state.refund(limit, cost, receipt, now))
    }
}

/// Cuts an exact length to at most [`MAX_MICROS`].
fn saturate(micros: u128) -> Micros {
    u64::try_from(micros).map_or(MAX_MICROS, |micros| micros.min(MAX_MICROS))
}

/// Divides and rounds up. Most numbers fit in 64 bits; a 128-bit division is a function call.
fn div_ceil(number: u128, by: u64) -> u128 {
    match u64::try_from(number) {
        Ok(number) => number.div_ceil(by).into(),
        Err(_) => number.div_ceil(by.into()),
    }
}

/// Divides, and returns the quotient and the remainder.
fn div_rem(number: u128, by: u64) -> (u128, u64) {
    match u64::try_from(number) {
        Ok(number) => ((number / by).into(), number % by),
        Err(_) => (number / u128::from(by), saturate(number % u128::from(by))),
    }
}

/// Converts an exact count that is known to fit in 32 bits.
fn saturate_count(exact: u128) -> u32 {
    u32::try_from(exact).unwrap_or(u32::MAX)
}
