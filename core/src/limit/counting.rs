//! The way a rate limit counts, as waiting, local fallback and the script must know it.

use super::{Algorithm, Limit, Refill};
use crate::time::{MAX_MICROS, Micros};

/// The most by which timers are late for a charge that has waited: one millisecond, in
/// microseconds.
const TIMER_GRAIN: Micros = 1_000;

/// An algorithm together with its refill: every way of counting that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Counting {
    /// [`Algorithm::SlidingWindow`].
    SlidingWindow,
    /// [`Algorithm::SlidingWindowCounter`].
    SlidingWindowCounter,
    /// [`Algorithm::FixedWindow`].
    FixedWindow,
    /// [`Algorithm::TokenBucket`] with [`Refill::Greedy`].
    GreedyBucket,
    /// [`Algorithm::TokenBucket`] with [`Refill::Interval`].
    IntervalBucket,
    /// [`Algorithm::LeakyBucket`].
    LeakyBucket,
    /// [`Limit::every`]: a fixed window whose ends are those of the calendar.
    Calendar,
}

impl Counting {
    /// Returns how a limit with this algorithm counts, unless its periods are those of the
    /// calendar.
    #[must_use]
    #[inline]
    pub const fn of(algorithm: Algorithm, refill: Refill) -> Self {
        match (algorithm, refill) {
            (Algorithm::SlidingWindow, _) => Self::SlidingWindow,
            (Algorithm::SlidingWindowCounter, _) => Self::SlidingWindowCounter,
            (Algorithm::FixedWindow, _) => Self::FixedWindow,
            (Algorithm::TokenBucket, Refill::Greedy) => Self::GreedyBucket,
            (Algorithm::TokenBucket, Refill::Interval) => Self::IntervalBucket,
            (Algorithm::LeakyBucket, _) => Self::LeakyBucket,
        }
    }

    /// Returns the code by which the packed arguments of the scripts name this way of counting.
    #[must_use]
    #[inline]
    pub const fn code(self) -> u8 {
        match self {
            Self::SlidingWindow => 1,
            Self::SlidingWindowCounter => 2,
            Self::FixedWindow => 3,
            Self::GreedyBucket => 4,
            Self::IntervalBucket => 5,
            Self::LeakyBucket => 6,
            Self::Calendar => 11,
        }
    }
}

impl Limit {
    /// Returns how this limit counts.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub const fn counting(&self) -> Counting {
        if self.period.is_some() {
            return Counting::Calendar;
        }
        Counting::of(self.algorithm_value(), self.refill_value())
    }

    /// Returns whether both limits would charge one counter of an identity: they have one zone,
    /// algorithm, refill and window, or one period of the calendar, and both or neither are shadow
    /// limits. A period's time zone does not matter.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn shares_counter_with(&self, other: &Self) -> bool {
        (self.algorithm_value(), self.refill_value())
            == (other.algorithm_value(), other.refill_value())
            && self.period == other.period
            && self.window_micros() == other.window_micros()
            && self.has_shadow_counter() == other.has_shadow_counter()
            && self.zone_name() == other.zone_name()
    }

    /// Returns a lower bound, in microseconds, for the time until the waiter behind `ahead` others
    /// can be admitted, counted from the moment at which the first of them can. A request that
    /// cannot be served within its `max_wait` is rejected at once by it.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn time_for(&self, ahead: u64) -> Micros {
        let (times, window) = (u64::from(self.times()).max(1), self.window_micros());
        match self.counting() {
            Counting::LeakyBucket | Counting::GreedyBucket => {
                let micros = u128::from(ahead) * u128::from(window) / u128::from(times);
                Micros::try_from(micros).unwrap_or(Micros::MAX)
            }
            Counting::IntervalBucket | Counting::FixedWindow | Counting::SlidingWindow => {
                (ahead / times).saturating_mul(window)
            }
            // Periods differ in length: February has 28 days, and a day may have 23 hours.
            Counting::Calendar => (ahead / times).saturating_mul(window / 2),
            // The weight of its previous window decreases continuously.
            Counting::SlidingWindowCounter => 0,
        }
    }

    /// Returns by how many microseconds the wait is longer than [`time_for`](Self::time_for)
    /// because timers fire late.
    ///
    /// Buckets count a waiter's charge from when it was due. Windows count it from when it is made,
    /// so the lateness of timers adds up from window to window, except by the calendar.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn timer_slack(&self, ahead: u64) -> Micros {
        match self.counting() {
            Counting::LeakyBucket | Counting::GreedyBucket | Counting::IntervalBucket => 0,
            // A period ends when the calendar says so, whenever its charges were made.
            Counting::Calendar => 0,
            Counting::FixedWindow | Counting::SlidingWindow | Counting::SlidingWindowCounter => {
                (ahead / u64::from(self.times().max(1))).saturating_mul(TIMER_GRAIN)
            }
        }
    }

    /// Returns the time for which an admission can count, in microseconds, a block included.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub fn retention(&self) -> Micros {
        let windows = match self.counting() {
            // A bucket in steady use never fills up, and so never forgets.
            Counting::GreedyBucket => return MAX_MICROS,
            Counting::IntervalBucket => self.quota().div_ceil(self.times().max(1)),
            Counting::SlidingWindowCounter => 2,
            Counting::SlidingWindow
            | Counting::FixedWindow
            | Counting::LeakyBucket
            | Counting::Calendar => 1,
        };
        let counted = self.window_micros().saturating_mul(windows.into());
        let counted = counted.saturating_add(self.kept_after_reset());
        counted.max(self.longest_block()).min(MAX_MICROS)
    }
}
