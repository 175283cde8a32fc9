//! [`Denied`]: a denial, and what it means for a caller that may wait.

use actix_throttle_core::{
    decision::{Decision, LimitStatus},
    time::{Micros, to_micros},
};

use crate::engine::{concurrency::OwnedCharge, error::RateLimitError};

/// A denial, and what it means for a caller that may wait.
pub(super) struct Denied<'a> {
    pub(super) decision: Decision,
    /// The charges that were denied.
    pub(super) alternative: &'a [OwnedCharge],
    /// The charge that denies for the longest.
    pub(super) by: &'a OwnedCharge,
    /// The time before which no poll succeeds, by rates and blocks, in microseconds. A permit may
    /// be released at any time.
    pub(super) min_wait: Micros,
    /// The end of the wait; `None`: never.
    pub(super) end: Option<Micros>,
}

impl<'a> Denied<'a> {
    /// The denial of a caller that came at `arrived_at`.
    pub(super) fn new(
        decision: Decision,
        alternative: &'a [OwnedCharge],
        arrived_at: Micros,
    ) -> Result<Self, RateLimitError> {
        let min_wait = decision
            .violated()
            .filter(|limit| limit.concurrency().is_none() || limit.is_blocked())
            .filter_map(LimitStatus::retry_after)
            .max()
            .map_or(0, to_micros);
        let violated = decision
            .violated()
            .filter_map(|limit| alternative.get(limit.index()));
        let end = violated
            .filter_map(|wanted| wanted.max_wait.ends_at(arrived_at))
            .min();
        let strictest = decision
            .strictest()
            .and_then(|limit| alternative.get(limit.index()));
        let by = strictest
            .or(alternative.first())
            .ok_or(RateLimitError::InvalidDemand)?;
        Ok(Self {
            decision,
            alternative,
            by,
            min_wait,
            end,
        })
    }

    /// The order of denials: the least is worth waiting for.
    pub(super) fn order(&self) -> (bool, Option<Micros>) {
        let wait = self.decision.retry_after();
        (self.decision.exceeds_capacity(), wait.map(to_micros))
    }
}
