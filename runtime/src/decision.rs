//! What was decided, and what is left.

use std::time::Duration;

use crate::{
    algorithm::{Quota, Wait},
    clock::{self, Micros},
    limit::{Bound, Concurrency, Limit, Policy},
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
    /// Apart: a decision changes hands many times until the headers are written.
    limits: Vec<LimitStatus>,
}

impl Decision {
    pub(crate) fn new(allowed: bool, limits: impl Iterator<Item = LimitStatus>) -> Self {
        let (_, most) = limits.size_hint();
        let mut decision = Self {
            allowed,
            fallback: false,
            // To collect takes room for more than the one that it is mostly.
            limits: Vec::with_capacity(most.unwrap_or(1)),
        };
        decision.limits.extend(limits);
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

    /// How long to wait until the same check alone would be admitted; waiting that long is enough,
    /// but for places ([`LimitStatus::retry_after`]).
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

    /// Denies it by one of its limits, for at least so long.
    pub(crate) fn deny(&mut self, place: usize, wait: Micros) {
        self.allowed = false;
        let mut limits = self.limits.iter_mut();
        if let Some(limit) = limits.find(|limit| limit.place() == place) {
            limit.verdict.wait = match limit.verdict.wait {
                Wait::Fits => Wait::For(wait),
                Wait::For(other) => Wait::For(other.max(wait)),
                Wait::Never => Wait::Never,
            };
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

/// So long whoever finds no place is told to wait at most. A place may come free at any moment;
/// until when it is held at the latest says little, for most are given back long before, and others
/// are renewed.
const PLACE_HINT: Micros = 1_000_000;

/// One limit's part in a [`Decision`].
#[derive(Clone, Debug)]
pub struct LimitStatus {
    policy: Policy,
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
    pub(crate) fn new(bound: Bound<'_>, verdict: Verdict, place: u32) -> Self {
        Self {
            policy: bound.policy().out_of_turn(),
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
            Policy::Rate(limit) => Some(limit),
            Policy::Running(_) => None,
        }
    }

    /// The concurrency limit that was asked; `None` if it is a [`limit`](Self::limit) of a rate.
    #[must_use]
    pub fn concurrency(&self) -> Option<&Concurrency> {
        match &self.policy {
            Policy::Rate(_) => None,
            Policy::Running(limit) => Some(limit),
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

    /// What would still be admitted at this moment.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.verdict.remaining
    }

    /// How long until the quota is whole again. Of places: how long until all are free at the latest
    /// if nobody renews one or comes.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        Duration::from_micros(self.verdict.reset)
    }

    /// How long this limit alone asks to wait. `None` if it had room, or no wait would help.
    ///
    /// For a rate, waiting that long is enough. For places nobody knows: one may be given back in the
    /// next moment or kept for hours. So this is until the first of them expires unless it is
    /// renewed, and a second at most: when to ask again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self.verdict.wait, &self.policy) {
            (Wait::For(micros), Policy::Rate(_)) => Some(Duration::from_micros(micros)),
            (Wait::For(micros), Policy::Running(_)) if self.verdict.blocked => {
                Some(Duration::from_micros(micros))
            }
            (Wait::For(micros), Policy::Running(_)) => {
                Some(Duration::from_micros(micros.min(PLACE_HINT)))
            }
            (Wait::Fits | Wait::Never, _) => None,
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
        self.policy.is_shadow()
    }
}
