//! The public type [`Limit`] and its builder.

use std::time::Duration;

use super::{Algorithm, Refill, block_lengths::BlockLengths};
use crate::{
    calendar::{Period, TimeZone},
    time::whole_micros,
};

/// A number of admissions per window, counted by an [`Algorithm`].
///
/// A `Limit` is a small `Copy` value with a `const` builder, so it can be a constant. The builder
/// accepts every number. Whether they make sense together is checked when the limit is used (an
/// `Err`), or at compile time by [`expect_valid`](Self::expect_valid).
///
/// Ranges: the window from 1 ms to 366 days; `times` and `capacity` from 1 to 10⁹, `lease` from 2;
/// at most one token a microsecond for the two bucket algorithms; `times` at most 1,000,000 for
/// [`Algorithm::SlidingWindow`].
///
/// ```
/// use std::time::Duration;
/// use actix_throttle::{Algorithm, Limit};
///
/// const LOGIN: Limit = Limit::per_minute(5)
///     .algorithm(Algorithm::TokenBucket)
///     .capacity(10)
///     .name("login")
///     .expect_valid();
///
/// assert_eq!(LOGIN.quota(), 10);
/// assert!(Limit::new(0, Duration::from_secs(1)).validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Limit {
    pub(super) times: u32,
    /// The window in whole microseconds; `fraction` says whether a part of one was cut off. It is
    /// the length of the longest period if there is a `period`.
    pub(super) window: u64,
    pub(super) period: Option<Period>,
    pub(super) time_zone: Option<TimeZone>,
    pub(super) fraction: bool,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) capacity: Option<u32>,
    pub(super) refill: Option<Refill>,
    pub(super) cost: Option<u32>,
    pub(super) name: Option<&'static str>,
    pub(super) zone: Option<&'static str>,
    pub(super) block: Option<BlockLengths>,
    pub(super) lease: Option<u32>,
    pub(super) shadow: bool,
    pub(super) in_turn: bool,
    pub(super) for_settlement: bool,
    /// Whether the limiter does not enforce it: it counts in its own counter and never denies.
    pub(super) unenforced: bool,
}

impl Limit {
    /// Creates a limit of `times` admissions per `window`, counted by the exact sliding window.
    pub const fn new(times: u32, window: Duration) -> Self {
        Self {
            times,
            window: whole_micros(window),
            period: None,
            time_zone: None,
            fraction: !window.subsec_nanos().is_multiple_of(1_000),
            algorithm: None,
            capacity: None,
            refill: None,
            cost: None,
            name: None,
            zone: None,
            block: None,
            lease: None,
            shadow: false,
            in_turn: false,
            for_settlement: false,
            unenforced: false,
        }
    }

    /// Creates a limit of `times` admissions per second.
    pub const fn per_second(times: u32) -> Self {
        Self::new(times, Duration::from_secs(1))
    }

    /// Creates a limit of `times` admissions per minute.
    pub const fn per_minute(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60))
    }

    /// Creates a limit of `times` admissions per hour.
    pub const fn per_hour(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60 * 60))
    }

    /// Creates a limit of `times` admissions per day of 24 hours.
    pub const fn per_day(times: u32) -> Self {
        Self::new(times, Duration::from_secs(24 * 60 * 60))
    }

    /// Sets the algorithm. Default: [`Algorithm::SlidingWindow`].
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Sets the burst size of a token bucket, in tokens. Default: `times`.
    pub const fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// Sets how a token bucket gains its tokens. Default: [`Refill::Greedy`].
    pub const fn refill(mut self, refill: Refill) -> Self {
        self.refill = Some(refill);
        self
    }

    /// Sets the cost of one request. Default: 1. A cost of 0 is admitted without being counted.
    pub const fn cost(mut self, cost: u32) -> Self {
        self.cost = Some(cost);
        self
    }

    /// Sets the policy's name in headers, problem documents and logs: printable ASCII.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the counter's name: limits of one zone, algorithm and window share one counter for each
    /// identity.
    ///
    /// Default outside handlers: the limit's [name](Self::name), else `default`; on a handler: the
    /// handler's full path.
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Leases up to this many from Redis at once for a hot identity, and serves them in this
    /// process. Range: from 2. Default: each request asks Redis.
    ///
    /// A part that is not used within a tenth of the window, at most one second, is refunded. With
    /// [`Algorithm::FixedWindow`], all processes together never admit more than the limit. With the
    /// other algorithms, they admit at most what is leased at one moment more, which is `lease` for
    /// each process. [`Algorithm::LeakyBucket`] cannot be leased: it never has more than one to
    /// lease. The in-memory store ignores the lease.
    pub const fn lease(mut self, lease: u32) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Makes the limit count and report, but never deny. A shadow limit has counters of its own.
    pub const fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Returns the most that can be admitted at once: a token bucket's capacity, else `times`.
    ///
    /// `X-RateLimit-Limit` shows this figure.
    #[must_use]
    pub const fn quota(&self) -> u32 {
        match self.capacity {
            Some(capacity) => capacity,
            None => self.times,
        }
    }

    /// Returns the admissions per window.
    #[must_use]
    pub const fn times(&self) -> u32 {
        self.times
    }

    /// Returns the length of the window; of a limit by the [calendar](Self::every), that of its
    /// longest period in UTC.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_micros(self.window)
    }

    /// Returns the length of the window in microseconds, cut to at most `u64::MAX`.
    #[doc(hidden)]
    #[must_use]
    pub const fn window_micros(&self) -> u64 {
        self.window
    }

    /// Returns the algorithm. A limit by the [calendar](Self::every) is a fixed window whose ends
    /// are those of the calendar.
    #[must_use]
    pub const fn algorithm_value(&self) -> Algorithm {
        match (self.period, self.algorithm) {
            (Some(_), _) => Algorithm::FixedWindow,
            (None, Some(algorithm)) => algorithm,
            (None, None) => Algorithm::SlidingWindow,
        }
    }

    /// Returns whether the limit was given a cost, rather than counting requests.
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub const fn has_cost(&self) -> bool {
        self.cost.is_some()
    }

    /// Returns the cost of a request for which the caller gives no cost.
    #[must_use]
    pub const fn cost_value(&self) -> u32 {
        match self.cost {
            Some(cost) => cost,
            None => 1,
        }
    }

    /// Returns the policy's name, if it is set.
    #[must_use]
    pub const fn name_value(&self) -> Option<&'static str> {
        self.name
    }

    /// Returns whether this limit only counts and reports.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow || self.unenforced
    }

    /// Returns whether it has the counters of a shadow limit. A limit that is not enforced for a
    /// while keeps its own.
    #[doc(hidden)]
    #[must_use]
    pub const fn has_shadow_counter(&self) -> bool {
        self.shadow
    }

    /// Marks the limit of a charge under `Enforcement::Shadow`. It is hidden, because only the
    /// limiter uses it.
    #[doc(hidden)]
    pub const fn unenforced(mut self) -> Self {
        self.unenforced = true;
        self
    }

    #[doc(hidden)]
    pub const fn refill_value(&self) -> Refill {
        match self.refill {
            Some(refill) => refill,
            None => Refill::Greedy,
        }
    }

    /// Returns the size of a lease; 0 if the limit is not leased.
    #[doc(hidden)]
    pub const fn lease_size(&self) -> u32 {
        match self.lease {
            Some(lease) => lease,
            None => 0,
        }
    }

    #[doc(hidden)]
    pub fn zone_name(&self) -> &'static str {
        self.zone.or(self.name).unwrap_or("default")
    }

    #[doc(hidden)]
    pub const fn explicit_zone(&self) -> Option<&'static str> {
        self.zone
    }
}
