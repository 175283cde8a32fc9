//! A decision with the time from which its times count. The lists of a request's decisions hold
//! them; they ask no store.

use std::time::Duration;

use actix_throttle_core::{decision::Decision, time::Micros};

use crate::{
    engine::Engine,
    limiter::RateLimiter,
    response::{DatedStatus, HeaderStyle},
};

/// A decision, and when it was made.
pub(super) struct DatedDecision {
    /// The time since the Unix epoch, from which the decision's times are counted. Zero if the
    /// header style shows no time of day.
    pub(super) at: Duration,
    pub(super) decision: Decision,
    /// Whether the handler made it, which it may do for as many identities as a client names.
    pub(super) is_enforced: bool,
}

impl DatedDecision {
    pub(super) fn now(limiter: &RateLimiter, decision: Decision, is_enforced: bool) -> Self {
        let at = match limiter.settings().headers {
            HeaderStyle::GitHub => limiter.engine().wall_time(),
            // The other styles show no time of day.
            _ => Duration::ZERO,
        };
        Self {
            at,
            decision,
            is_enforced,
        }
    }

    /// Lets this time pass, in microseconds, from which its times are counted then.
    pub(super) fn elapse(&mut self, time: Micros) {
        self.decision.elapse(time);
        if !self.at.is_zero() {
            self.at = self.at.saturating_add(Duration::from_micros(time));
        }
    }

    pub(super) fn enforced(&self) -> impl Iterator<Item = DatedStatus<'_>> + Clone {
        let at = self.at;
        let limits = self.decision.enforced();
        limits.map(move |status| DatedStatus { at, status })
    }

    /// Updates the decision to the state of its limits after a refund.
    pub(super) fn refresh(&mut self, engine: &Engine, style: HeaderStyle, after: &Decision) {
        // Only GitHub's resets are points in time; `at` is what they are counted from.
        let since = match style {
            HeaderStyle::GitHub => engine.wall_time().saturating_sub(self.at),
            _ => Duration::ZERO,
        };
        self.decision.refresh(after, since);
    }
}
