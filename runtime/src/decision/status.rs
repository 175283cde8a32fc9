//! How one limit stands.

use std::time::Duration;

use crate::{
    algorithm::{Availability, Wait},
    clock::{self, Micros},
    limit::{AnyLimit, Concurrency, Limit, LimitRef},
};

/// So long whoever finds no place is told to wait at most. A place may come free at any moment;
/// until when it is held at the latest says little, for most are given back long before, and others
/// are renewed.
const PLACE_HINT: Micros = 1_000_000;

/// One limit's part in a [`Decision`](crate::Decision).
#[derive(Clone, Debug)]
pub struct LimitStatus {
    policy: AnyLimit,
    pub(super) verdict: Verdict,
    /// Which of the charges that were to be decided this is.
    place: u32,
}

/// A store's answer about one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) wait: Wait,
    pub(crate) blocked: bool,
    pub(crate) remaining: u32,
    pub(crate) reset: Micros,
    /// See [`Availability`].
    pub(crate) more: Micros,
}

impl Verdict {
    pub(crate) fn new(wait: Wait, quota: Availability) -> Self {
        Self {
            wait,
            blocked: false,
            remaining: quota.remaining,
            reset: quota.reset,
            more: quota.more,
        }
    }

    /// Takes into account that the identity is blocked for `length` more.
    pub(crate) fn block_for(&mut self, length: Micros) {
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
    pub(crate) fn new(bound: LimitRef<'_>, verdict: Verdict, place: u32) -> Self {
        Self {
            policy: bound.to_any().out_of_turn(),
            verdict,
            place,
        }
    }

    pub(crate) fn place(&self) -> usize {
        self.place as usize
    }

    /// The rate limit that was asked; `None` if it is a [`concurrency`](Self::concurrency) limit.
    #[must_use]
    pub fn limit(&self) -> Option<&Limit> {
        match &self.policy {
            AnyLimit::Rate(limit) => Some(limit),
            AnyLimit::Concurrency(_) => None,
        }
    }

    /// The concurrency limit that was asked; `None` if it is a [`limit`](Self::limit) of a rate.
    #[must_use]
    pub fn concurrency(&self) -> Option<&Concurrency> {
        match &self.policy {
            AnyLimit::Rate(_) => None,
            AnyLimit::Concurrency(limit) => Some(limit),
        }
    }

    /// The most that fits at once: [`Limit::quota`], or [`Concurrency::max`].
    #[must_use]
    pub fn quota(&self) -> u32 {
        self.policy.quota()
    }

    /// The policy's name: the limit's, else its zone.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.policy.name()
    }

    /// The cost that would still be admitted at this moment.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.verdict.remaining
    }

    /// How long until the quota is whole again. Of places: how long until all are free at the
    /// latest if nobody renews one or comes.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        Duration::from_micros(self.verdict.reset)
    }

    /// How long until more remains than does now, if nobody else comes: for a fixed window its end,
    /// for a sliding window the moment at which the next admission leaves it, for a bucket the next
    /// token. To the microsecond. `None` while the quota is whole, and of places: nobody knows when
    /// one is given back.
    ///
    /// It is the `t` of the `RateLimit` header, in whole seconds, rounded up.
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
    pub fn more_after(&self) -> Option<Duration> {
        let micros = self.verdict.more;
        let known = micros > 0 && (self.limit().is_some() || self.verdict.blocked);
        known.then(|| Duration::from_micros(micros))
    }

    /// How long this limit alone asks to wait. `None` if it had room, or no wait would help.
    ///
    /// For a rate, waiting that long is enough. For places nobody knows: one may be given back in
    /// the next moment or kept for hours. So this is until the first of them expires unless it is
    /// renewed, and a second at most: when to ask again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self.verdict.wait, &self.policy) {
            (Wait::For(micros), AnyLimit::Rate(_)) => Some(Duration::from_micros(micros)),
            (Wait::For(micros), AnyLimit::Concurrency(_)) if self.verdict.blocked => {
                Some(Duration::from_micros(micros))
            }
            (Wait::For(micros), AnyLimit::Concurrency(_)) => {
                Some(Duration::from_micros(micros.min(PLACE_HINT)))
            }
            (Wait::None | Wait::Never, _) => None,
        }
    }

    /// The value of `Retry-After`: whole seconds, rounded up, so at least 1.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after().map(clock::whole_seconds)
    }

    /// Whether this limit had no room.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.verdict.wait != Wait::None
    }

    /// Whether the cost is more than this limit can ever hold.
    #[must_use]
    pub fn exceeds_capacity(&self) -> bool {
        self.verdict.wait == Wait::Never
    }

    /// Whether the identity is blocked in this limit's zone.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.verdict.blocked
    }

    /// Whether this limit only counts and reports.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.policy.is_shadow()
    }
}
