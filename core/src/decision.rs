//! Decisions: whether a check was admitted, and how each of its limits stands. The limiter makes
//! them, and applications, headers and logs read them.

mod source;
mod status;

use std::time::Duration;

pub use self::{
    source::DecisionSource,
    status::{LimitStatus, Verdict},
};
use crate::{
    algorithm::Wait,
    time::{self, Micros},
};

/// The decision on one check: all of its limits were charged, or none.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{Limit, RateLimiter};
///
/// const LOGIN: Limit = Limit::per_minute(5).name("login");
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let decision = limiter.check(&LOGIN, "user:42").await?;
/// assert!(decision.is_allowed());
/// assert_eq!(decision.limits()[0].remaining(), 4);
/// assert_eq!(decision.retry_after(), None);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Decision {
    allowed: bool,
    fallback: bool,
    source: DecisionSource,
    /// The statuses are on the heap, because a decision is moved many times until the headers are
    /// written.
    limits: Vec<LimitStatus>,
}

impl Decision {
    #[doc(hidden)]
    #[inline]
    pub fn new(allowed: bool, limits: impl Iterator<Item = LimitStatus>) -> Self {
        let (_, most) = limits.size_hint();
        let mut decision = Self {
            allowed,
            fallback: false,
            source: DecisionSource::Store,
            // `collect` would reserve for more than the one limit that most decisions have.
            limits: Vec::with_capacity(most.unwrap_or(1)),
        };
        decision.limits.extend(limits);
        decision
    }

    /// A decision on no limit at all, which admits.
    #[doc(hidden)]
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(true, std::iter::empty())
    }

    /// Marks the decision as one of the failure mode.
    #[doc(hidden)]
    #[inline]
    pub fn by_fallback(self) -> Self {
        Self {
            fallback: true,
            source: DecisionSource::Local,
            ..self
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn with_source(self, source: DecisionSource) -> Self {
        Self { source, ..self }
    }

    /// Returns whether all limits had room and were charged.
    #[must_use]
    #[inline]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Returns whether the store could not decide, and the
    /// [`FailureMode`](crate::failure_mode::FailureMode) did: limits of `Open` are admitted and not
    /// among [`limits`](Self::limits), and those of `Local` were decided for this process alone.
    #[must_use]
    #[inline]
    pub fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Returns where the decision was made: by the store, or without asking it.
    #[must_use]
    #[inline]
    pub fn source(&self) -> DecisionSource {
        self.source
    }

    /// Returns every limit that was decided, in the order given, shadow limits included.
    ///
    /// It is empty if the store could not decide and the failure mode admitted the check
    /// ([`is_fallback`](Self::is_fallback)), and while enforcement is off.
    #[must_use]
    #[inline]
    pub fn limits(&self) -> &[LimitStatus] {
        &self.limits
    }

    /// Returns how long to wait until the same check alone would be admitted. Waiting that long is
    /// enough, except for permits ([`LimitStatus::retry_after`]).
    ///
    /// `None` if the check was allowed, or if no wait would help
    /// ([`exceeds_capacity`](Self::exceeds_capacity)).
    #[must_use]
    #[inline]
    pub fn retry_after(&self) -> Option<Duration> {
        if self.allowed || self.exceeds_capacity() {
            return None;
        }
        self.violated().filter_map(LimitStatus::retry_after).max()
    }

    /// Returns the value of `Retry-After`: whole seconds, rounded up, so at least 1.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_minute(1).name("login");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.check(&LOGIN, "user:42").await?;
    /// let denied = limiter.check(&LOGIN, "user:42").await?;
    /// assert_eq!(denied.retry_after_seconds(), Some(60));
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[inline]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after().map(time::whole_seconds)
    }

    /// Returns whether the check was denied because its cost exceeds what a limit can ever hold.
    #[must_use]
    #[inline]
    pub fn exceeds_capacity(&self) -> bool {
        !self.allowed && self.violated().any(LimitStatus::exceeds_capacity)
    }

    /// Returns the limits that denied the check.
    #[inline]
    pub fn violated(&self) -> impl Iterator<Item = &LimitStatus> {
        self.enforced().filter(|limit| limit.is_exceeded())
    }

    /// Returns the limit that matters most, as `X-RateLimit-*` shows it. If allowed, that is the
    /// limit with the least remaining; if denied, the violated one with the longest wait. `None` if
    /// all are shadow limits.
    #[must_use]
    #[inline]
    pub fn strictest(&self) -> Option<&LimitStatus> {
        strictest(self.enforced(), self.allowed)
    }

    /// Replaces the figures of each limit that `after`, a decision made `since` later, has too.
    /// Times are converted to count from this decision. Whether `after` allows is ignored, because
    /// it belongs to a refund, which always does.
    #[doc(hidden)]
    #[inline]
    pub fn refresh(&mut self, after: &Self, since: Duration) {
        for status in &mut self.limits {
            let mut others = after.limits.iter();
            if let Some(other) = others.find(|other| other.index() == status.index()) {
                status.verdict.remaining = other.verdict.remaining;
                let later = |micros| {
                    let length = Duration::from_micros(micros).saturating_add(since);
                    time::to_micros(length)
                };
                status.verdict.reset = later(other.verdict.reset);
                status.verdict.more = match other.verdict.more {
                    0 => 0,
                    more => later(more),
                };
            }
        }
    }

    /// Lets this time pass: what is left of each time is less by it, in microseconds.
    #[doc(hidden)]
    pub fn elapse(&mut self, time: Micros) {
        for status in &mut self.limits {
            let verdict = &mut status.verdict;
            verdict.reset = verdict.reset.saturating_sub(time);
            verdict.more = match verdict.more {
                0 => 0,
                more => more.saturating_sub(time).max(1),
            };
        }
    }

    /// Takes over the verdicts of a later decision on some of the limits, whose indices here are
    /// given in its order. The decision is denied if the later one is.
    #[doc(hidden)]
    pub fn merge(&mut self, part: &Self, indices: &[usize]) {
        self.allowed &= part.allowed;
        for later in &part.limits {
            let index = indices.get(later.index());
            let mut limits = self.limits.iter_mut();
            if let Some(status) = limits.find(|status| Some(&status.index()) == index) {
                status.verdict = later.verdict;
            }
        }
    }

    /// Denies the check by the limit at `index`, for at least `wait` microseconds.
    #[doc(hidden)]
    #[inline]
    pub fn deny(&mut self, index: usize, wait: Micros) {
        self.allowed = false;
        let mut limits = self.limits.iter_mut();
        if let Some(limit) = limits.find(|limit| limit.index() == index) {
            limit.verdict.wait = match limit.verdict.wait {
                Wait::None => Wait::For(wait),
                Wait::For(other) => Wait::For(other.max(wait)),
                Wait::Never => Wait::Never,
            };
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn enforced(&self) -> impl Iterator<Item = &LimitStatus> + Clone {
        self.limits.iter().filter(|limit| !limit.is_shadow())
    }
}

#[doc(hidden)]
#[inline]
pub fn strictest<'a>(
    limits: impl Iterator<Item = &'a LimitStatus>,
    allowed: bool,
) -> Option<&'a LimitStatus> {
    if allowed {
        limits.min_by_key(|limit| (limit.remaining(), std::cmp::Reverse(limit.verdict.reset)))
    } else {
        limits
            .filter(|limit| limit.is_exceeded())
            .max_by_key(|limit| (limit.exceeds_capacity(), limit.retry_after()))
    }
}

/// Returns the stricter status of two: a denial, else the one with less remaining.
#[doc(hidden)]
#[must_use]
pub fn stricter<'a>(one: &'a LimitStatus, other: &'a LimitStatus) -> &'a LimitStatus {
    let is_allowed = !one.is_exceeded() && !other.is_exceeded();
    strictest([one, other].into_iter(), is_allowed).unwrap_or(one)
}
