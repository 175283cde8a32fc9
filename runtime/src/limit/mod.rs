//! What is allowed: numbers only, nothing of HTTP.

mod any_limit;
mod concurrency;
mod defaults;
mod kind;
mod range;
mod rate;

use std::time::Duration;

pub(crate) use self::any_limit::{AnyLimit, LimitRef, PermitId};
pub use self::{
    concurrency::Concurrency,
    kind::{Algorithm, Refill},
    range::LimitError,
    rate::RateError,
};

/// So many admissions in so much time, counted by an [`Algorithm`].
///
/// A `Limit` is a small `Copy` value with a `const` builder, so it can be a constant. The builder
/// accepts every number; whether they make sense together is checked when the limit is used
/// (an `Err`), or at compile time by [`expect_valid`](Self::expect_valid).
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
    times: u32,
    /// In microseconds, cut; `fraction` says whether anything was cut off.
    window: u64,
    fraction: bool,
    algorithm: Option<Algorithm>,
    capacity: Option<u32>,
    refill: Option<Refill>,
    cost: Option<u32>,
    name: Option<&'static str>,
    zone: Option<&'static str>,
    /// In microseconds.
    block: Option<u64>,
    lease: Option<u32>,
    shadow: bool,
    in_turn: bool,
}

impl Limit {
    /// `times` admissions per `window`, by the exact sliding window.
    pub const fn new(times: u32, window: Duration) -> Self {
        Self {
            times,
            window: range::micros(window),
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
        }
    }

    /// `times` admissions per second.
    pub const fn per_second(times: u32) -> Self {
        Self::new(times, Duration::from_secs(1))
    }

    /// `times` admissions per minute.
    pub const fn per_minute(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60))
    }

    /// `times` admissions per hour.
    pub const fn per_hour(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60 * 60))
    }

    /// `times` admissions per day of 24 hours.
    pub const fn per_day(times: u32) -> Self {
        Self::new(times, Duration::from_secs(24 * 60 * 60))
    }

    /// Counts by this algorithm instead of [`Algorithm::SlidingWindow`].
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// The burst size of a token bucket, in tokens. Default: `times`.
    pub const fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// How a token bucket gains its tokens. Default: [`Refill::Greedy`].
    pub const fn refill(mut self, refill: Refill) -> Self {
        self.refill = Some(refill);
        self
    }

    /// What one request takes. Default: 1. A cost of 0 is admitted without being counted.
    pub const fn cost(mut self, cost: u32) -> Self {
        self.cost = Some(cost);
        self
    }

    /// The policy's name in headers, problem documents and logs: printable ASCII.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The counter's name: limits of one zone, algorithm and window share one counter an identity.
    ///
    /// Default outside handlers: the limit's [name](Self::name), else `default`; on a handler: the
    /// handler's full path.
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Once exceeded, deny everything of that identity in that zone for this long.
    pub const fn block(mut self, block: Duration) -> Self {
        self.block = Some(range::micros(block));
        self
    }

    /// Takes up to this many from the server at once for a hot identity, and serves them in this
    /// process. From 2; default: each request asks the server.
    ///
    /// What is not used within a tenth of the window, at most one second, is given back. With
    /// [`Algorithm::FixedWindow`] all processes together never admit more than the limit; with the
    /// other algorithms at most what is leased at one moment, `lease` a process, more. Not for
    /// [`Algorithm::LeakyBucket`], which never has more than one to give. The embedded store
    /// ignores it.
    pub const fn lease(mut self, lease: u32) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Count and report, never deny. A shadow limit has counters of its own.
    pub const fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// The most that can be admitted at once: a token bucket's capacity, else `times`.
    ///
    /// This is what `X-RateLimit-Limit` shows.
    #[must_use]
    pub const fn quota(&self) -> u32 {
        match self.capacity {
            Some(capacity) => capacity,
            None => self.times,
        }
    }

    /// Admissions per window.
    #[must_use]
    pub const fn times(&self) -> u32 {
        self.times
    }

    /// The window's length.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_micros(self.window)
    }

    /// The window's length in microseconds, cut at `u64::MAX`.
    #[must_use]
    pub const fn window_micros(&self) -> u64 {
        self.window
    }

    /// The algorithm that counts.
    #[must_use]
    pub const fn kind(&self) -> Algorithm {
        match self.algorithm {
            Some(algorithm) => algorithm,
            None => Algorithm::SlidingWindow,
        }
    }

    /// What one request takes unless the caller says otherwise.
    #[must_use]
    pub const fn default_cost(&self) -> u32 {
        match self.cost {
            Some(cost) => cost,
            None => 1,
        }
    }

    /// The policy's name, if it was given one.
    #[must_use]
    pub const fn policy_name(&self) -> Option<&'static str> {
        self.name
    }

    /// Whether this limit only counts and reports.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The same limit, for a charge that has waited for its turn: a bucket counts it from the moment
    /// at which it was whole again, not from when the waiter woke up. Hidden, for the line of those
    /// who wait and for tests.
    #[doc(hidden)]
    pub const fn in_turn(mut self) -> Self {
        self.in_turn = true;
        self
    }

    pub(crate) const fn out_of_turn(mut self) -> Self {
        self.in_turn = false;
        self
    }

    /// Whether the charge has waited for its turn.
    pub(crate) const fn is_in_turn(&self) -> bool {
        self.in_turn
    }

    pub(crate) const fn refill_kind(&self) -> Refill {
        match self.refill {
            Some(refill) => refill,
            None => Refill::Greedy,
        }
    }

    pub(crate) const fn block_micros(&self) -> u64 {
        match self.block {
            Some(block) => block,
            None => 0,
        }
    }

    /// How many to take from the server at once; 0 without a lease.
    #[cfg_attr(
        not(any(feature = "redis", feature = "config")),
        expect(dead_code, reason = "an embedded store has nothing to lease from")
    )]
    pub(crate) const fn lease_size(&self) -> u32 {
        match self.lease {
            Some(lease) => lease,
            None => 0,
        }
    }

    pub(crate) fn zone_name(&self) -> &'static str {
        self.zone.or(self.name).unwrap_or("default")
    }

    #[cfg(feature = "config")]
    pub(crate) const fn explicit_zone(&self) -> Option<&'static str> {
        self.zone
    }

    /// Whether the numbers are in range and make sense together.
    ///
    /// # Errors
    ///
    /// The first thing wrong with them, saying what to write instead.
    pub const fn validate(&self) -> Result<(), LimitError> {
        range::validate(self)
    }

    /// The same limit, or, in a constant, a failed build.
    ///
    /// ```compile_fail
    /// use actix_throttle::Limit;
    /// const NOTHING: Limit = Limit::per_second(0).expect_valid();
    /// println!("{NOTHING:?}");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`validate`](Self::validate) is an error, or one request costs more than the limit can ever
    /// hold. Meant for constants, where that is a compile error; else call `validate`.
    #[allow(clippy::panic, reason = "in a constant this is the compile error")]
    #[track_caller]
    pub const fn expect_valid(self) -> Self {
        if let Err(error) = self.validate() {
            panic!("{}", error.message());
        }
        if self.default_cost() > self.quota() {
            panic!("`cost` is more than this limit can ever hold; lower it or raise the limit");
        }
        self
    }
}

#[cfg(test)]
mod tests;
