//! The part of one limit in a decision: [`LimitStatus`] for applications, and [`Verdict`] as the
//! stores return it.

use std::time::Duration;

use crate::{
    algorithm::{Availability, Wait},
    limit::{AnyLimit, Concurrency, Limit, LimitRef},
    time::{self, Micros},
};

/// The longest wait that is reported to a request without a permit, in microseconds. A permit may
/// be released at any moment. Its deadline says little: most permits are released long before, and
/// other permits are renewed.
const MAX_PERMIT_WAIT: Micros = 1_000_000;

/// The standing of one limit of a [`Decision`](crate::decision::Decision).
#[derive(Clone, Debug)]
pub struct LimitStatus {
    limit: AnyLimit,
    pub(super) verdict: Verdict,
    /// The index of the charge among those that were to be decided.
    index: u32,
}

/// A store's verdict on one limit. All times are in microseconds.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub wait: Wait,
    pub blocked: bool,
    pub remaining: u32,
    pub reset: Micros,
    /// See [`Availability::more`].
    pub more: Micros,
}

impl Verdict {
    #[doc(hidden)]
    #[inline]
    pub fn new(wait: Wait, quota: Availability) -> Self {
        Self {
            wait,
            blocked: false,
            remaining: quota.remaining,
            reset: quota.reset,
            more: quota.more,
        }
    }

    /// Adds a block of the identity for `length` more microseconds to the verdict.
    #[doc(hidden)]
    #[inline]
    pub fn block_for(&mut self, length: Micros) {
        self.blocked = true;
        self.more = match self.remaining {
            0 => self.more.max(length),
            _ => length,
        };
        self.remaining = 0;
        self.reset = self.reset.max(length);
        self.wait = match self.wait {
            Wait::None => Wait::For(length),
            Wait::For(wait) => Wait::For(wait.max(length)),
            Wait::Never => Wait::Never,
        };
    }
}

impl LimitStatus {
    #[doc(hidden)]
    #[inline]
    pub fn new(limit: LimitRef<'_>, verdict: Verdict, index: u32) -> Self {
        let mut status = Self {
            limit: limit.to_any(),
            verdict,
            index,
        };
        status.limit.remove_marks();
        status
    }

    #[doc(hidden)]
    #[inline]
    pub fn index(&self) -> usize {
        self.index as usize
    }

    /// Returns the rate limit; `None` for a [`concurrency`](Self::concurrency) limit.
    #[must_use]
    #[inline]
    pub fn limit(&self) -> Option<&Limit> {
        match &self.limit {
            AnyLimit::Rate(limit) => Some(limit),
            AnyLimit::Concurrency(_) => None,
        }
    }

    /// Returns the concurrency limit; `None` for a rate [`limit`](Self::limit).
    #[must_use]
    #[inline]
    pub fn concurrency(&self) -> Option<&Concurrency> {
        match &self.limit {
            AnyLimit::Rate(_) => None,
            AnyLimit::Concurrency(limit) => Some(limit),
        }
    }

    /// Returns the most that fits at once: [`Limit::quota`], or [`Concurrency::max`].
    #[must_use]
    #[inline]
    pub fn quota(&self) -> u32 {
        self.limit.quota()
    }

    /// Returns the policy's name: the limit's name, else its zone.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &'static str {
        self.limit.name()
    }

    /// Returns the cost that would still be admitted at this moment.
    #[must_use]
    #[inline]
    pub fn remaining(&self) -> u32 {
        self.verdict.remaining
    }

    /// Returns the time until the quota is whole again. For permits, it is the time until the last
    /// of them expires, if none is renewed or acquired.
    #[must_use]
    #[inline]
    pub fn reset_after(&self) -> Duration {
        Duration::from_micros(self.verdict.reset)
    }

    /// Returns the time until more remains than now, to the microsecond, if nothing else is
    /// admitted: for a fixed window its end, for a sliding window the moment at which the next
    /// admission leaves it, for a bucket the next token. `None` while the quota is whole, and for
    /// permits, because it is unknown when one is released.
    ///
    /// The `RateLimit` header shows it as `t`, in whole seconds, rounded up.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use actix_throttle::{Algorithm, Limit, RateLimiter};
    ///
    /// const API: Limit = Limit::per_minute(60).algorithm(Algorithm::TokenBucket);
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// assert_eq!(limiter.peek(&API, "user:42").await?.limits()[0].more_after(), None);
    /// let decision = limiter.check(&API, "user:42").await?;
    /// let more = decision.limits()[0].more_after();
    /// assert!(more.is_some_and(|more| more <= Duration::from_secs(1)));
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[inline]
    pub fn more_after(&self) -> Option<Duration> {
        let micros = self.verdict.more;
        let known = micros > 0 && (self.limit().is_some() || self.verdict.blocked);
        known.then(|| Duration::from_micros(micros))
    }

    /// Returns how long this limit alone asks to wait. `None` if it had room, or if no wait would
    /// help.
    ///
    /// For a rate, waiting that long is enough. For permits it is unknown: one may be released in
    /// the next moment or kept for hours. So the wait is when to ask again: until the first permit
    /// expires unless it is renewed, and at most a second.
    #[must_use]
    #[inline]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self.verdict.wait, &self.limit) {
            (Wait::For(micros), AnyLimit::Rate(_)) => Some(Duration::from_micros(micros)),
            (Wait::For(micros), AnyLimit::Concurrency(_)) if self.verdict.blocked => {
                Some(Duration::from_micros(micros))
            }
            (Wait::For(micros), AnyLimit::Concurrency(_)) => {
                Some(Duration::from_micros(micros.min(MAX_PERMIT_WAIT)))
            }
            (Wait::None | Wait::Never, _) => None,
        }
    }

    /// Returns the value of `Retry-After`: whole seconds, rounded up, so at least 1.
    #[must_use]
    #[inline]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after().map(time::whole_seconds)
    }

    /// Returns whether this limit had no room.
    #[must_use]
    #[inline]
    pub fn is_exceeded(&self) -> bool {
        self.verdict.wait != Wait::None
    }

    /// Returns whether the cost exceeds what this limit can ever hold.
    #[must_use]
    #[inline]
    pub fn exceeds_capacity(&self) -> bool {
        self.verdict.wait == Wait::Never
    }

    /// Returns whether the identity is blocked in this limit's zone.
    #[must_use]
    #[inline]
    pub fn is_blocked(&self) -> bool {
        self.verdict.blocked
    }

    /// Returns whether this limit only counts and reports.
    #[must_use]
    #[inline]
    pub fn is_shadow(&self) -> bool {
        self.limit.is_shadow()
    }
}
