//! What was decided, and what is left.

use std::time::Duration;

use smallvec::SmallVec;

use crate::{
    algorithm::{Quota, Wait},
    clock::{self, Micros},
    limit::Limit,
};

/// The answer to one check: all of its limits were charged, or none.
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
    limits: SmallVec<[LimitStatus; 1]>,
}

impl Decision {
    pub(crate) fn new(allowed: bool, limits: impl Iterator<Item = LimitStatus>) -> Self {
        let mut decision = Self {
            allowed,
            fallback: false,
            limits: SmallVec::new(),
        };
        // One by one: it is one mostly, and to collect is made for many.
        for limit in limits {
            decision.limits.push(limit);
        }
        decision
    }

    /// The same, made by the failure mode.
    pub(crate) fn by_fallback(self) -> Self {
        Self {
            fallback: true,
            ..self
        }
    }

    /// Whether all limits had room, and were charged.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Whether the store could not decide, and the [`FailureMode`](crate::FailureMode) did:
    /// limits of `Open` are let through and not among [`limits`](Self::limits), those of `Local`
    /// were decided for this process alone.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Every limit that was asked, in the order given, shadow ones included.
    #[must_use]
    pub fn limits(&self) -> &[LimitStatus] {
        &self.limits
    }

    /// How long to wait until the same check alone would be admitted; waiting that long is enough.
    ///
    /// `None` if it was allowed, or if no wait would help ([`is_impossible`](Self::is_impossible)).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if self.allowed || self.is_impossible() {
            return None;
        }
        self.violated().filter_map(LimitStatus::retry_after).max()
    }

    /// Whether it was denied for a cost above what a limit can ever hold.
    #[must_use]
    pub fn is_impossible(&self) -> bool {
        !self.allowed && self.violated().any(LimitStatus::is_impossible)
    }

    /// The limits that denied it.
    pub fn violated(&self) -> impl Iterator<Item = &LimitStatus> {
        self.enforced().filter(|limit| limit.is_violated())
    }

    /// The limit that matters most, as `X-RateLimit-*` shows it: if allowed the one with the least
    /// remaining, if denied the violated one with the longest wait. `None` if all are shadows.
    #[must_use]
    pub fn strictest(&self) -> Option<&LimitStatus> {
        strictest(self.enforced(), self.allowed)
    }

    /// Shows what remains of those limits that stand in `after` too, which is by `since` later; of
    /// it nothing else is believed, as it allows whatever it is asked.
    pub(crate) fn restate(&mut self, after: &Self, since: Duration) {
        for status in &mut self.limits {
            let mut others = after.limits.iter();
            if let Some(other) = others.find(|other| other.place == status.place) {
                status.verdict.remaining = other.verdict.remaining;
                let reset = other.reset_after().saturating_add(since);
                status.verdict.reset = clock::length(reset);
            }
        }
    }

    pub(crate) fn enforced(&self) -> impl Iterator<Item = &LimitStatus> + Clone {
        self.limits.iter().filter(|limit| !limit.is_shadow())
    }
}

pub(crate) fn strictest<'a>(
    limits: impl Iterator<Item = &'a LimitStatus>,
    allowed: bool,
) -> Option<&'a LimitStatus> {
    if allowed {
        limits.min_by_key(|limit| (limit.remaining(), std::cmp::Reverse(limit.verdict.reset)))
    } else {
        limits
            .filter(|limit| limit.is_violated())
            .max_by_key(|limit| (limit.is_impossible(), limit.retry_after()))
    }
}

/// One limit's part in a [`Decision`].
#[derive(Clone, Debug)]
pub struct LimitStatus {
    limit: Limit,
    verdict: Verdict,
    /// Which of the charges that were to be decided this is.
    place: u32,
}

/// What a store says of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) wait: Wait,
    pub(crate) blocked: bool,
    pub(crate) remaining: u32,
    pub(crate) reset: Micros,
}

impl Verdict {
    pub(crate) fn new(wait: Wait, quota: Quota) -> Self {
        Self {
            wait,
            blocked: false,
            remaining: quota.remaining,
            reset: quota.reset,
        }
    }

    /// The same while blocked for `length` more.
    pub(crate) fn block_for(&mut self, length: Micros) {
        self.blocked = true;
        self.remaining = 0;
        self.reset = self.reset.max(length);
        self.wait = match self.wait {
            Wait::Fits => Wait::For(length),
            Wait::For(wait) => Wait::For(wait.max(length)),
            Wait::Never => Wait::Never,
        };
    }
}

impl LimitStatus {
    pub(crate) fn new(limit: Limit, verdict: Verdict, place: u32) -> Self {
        Self {
            limit,
            verdict,
            place,
        }
    }

    pub(crate) fn place(&self) -> usize {
        self.place as usize
    }

    /// The limit that was asked.
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// The policy's name: the limit's, else its zone.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.limit.policy_name().unwrap_or(self.limit.zone_name())
    }

    /// What would still be admitted at this moment.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.verdict.remaining
    }

    /// How long until the quota is whole again.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        Duration::from_micros(self.verdict.reset)
    }

    /// How long this limit alone asks to wait. `None` if it had room, or no wait would help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.verdict.wait {
            Wait::For(micros) => Some(Duration::from_micros(micros)),
            Wait::Fits | Wait::Never => None,
        }
    }

    /// Whether this limit had no room.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.verdict.wait != Wait::Fits
    }

    /// Whether the cost is more than this limit can ever hold.
    #[must_use]
    pub fn is_impossible(&self) -> bool {
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
        self.limit.is_shadow()
    }
}
