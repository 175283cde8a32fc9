//! [`Decided`]: what was decided for one limit, as observers see it.

use std::time::Duration;

use actix_throttle_core::{
    check::Charge,
    decision::{DecisionSource, LimitStatus},
    identity::Identity,
    limit::{Concurrency, Limit, LimitRef},
};

use super::result::DecisionResult;

/// The decision of one limit on a request, a call by hand or a message.
///
/// A check of several limits makes one of these for each limit that has a part in the decision. An
/// admitted request was charged by all of its limits. A denied one was charged by none, so only the
/// limits that denied it are told: those with room neither admitted nor denied it.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    policy: &'static str,
    result: DecisionResult,
    source: DecisionSource,
    limit: Option<LimitRef<'a>>,
    identity: Option<&'a Identity>,
    cost: u32,
    remaining: Option<u32>,
    retry_after: Option<Duration>,
}

impl<'a> Decided<'a> {
    /// Returns the decision on a charge, without the store's word on how it stands.
    pub(crate) fn of(charge: &Charge<'a>, result: DecisionResult, source: DecisionSource) -> Self {
        Self {
            policy: charge.limit.name(),
            result,
            source,
            limit: Some(charge.limit),
            identity: Some(charge.key.identity),
            cost: charge.cost,
            remaining: None,
            retry_after: None,
        }
    }

    /// A request that was denied because it has no identity.
    pub(crate) fn unidentified(policy: &'static str) -> Self {
        Self {
            policy,
            result: DecisionResult::Unidentified,
            source: DecisionSource::Local,
            limit: None,
            identity: None,
            cost: 0,
            remaining: None,
            retry_after: None,
        }
    }

    pub(crate) fn standing(self, status: &LimitStatus) -> Self {
        Self {
            remaining: Some(status.remaining()),
            retry_after: status.retry_after(),
            ..self
        }
    }

    pub(crate) fn retrying_after(self, wait: Option<Duration>) -> Self {
        Self {
            retry_after: wait.or(self.retry_after),
            ..self
        }
    }

    /// Returns the policy: the limit's name, else its zone.
    #[must_use]
    pub fn policy(&self) -> &'static str {
        self.policy
    }

    /// Returns what was decided.
    #[must_use]
    pub fn result(&self) -> DecisionResult {
        self.result
    }

    /// Returns where that was decided.
    #[must_use]
    pub fn source(&self) -> DecisionSource {
        self.source
    }

    /// Returns the identity that was counted; `None` if the request has none.
    ///
    /// It may be a secret, such as an API key. Mask it before you show it, and never make it the
    /// label of a metric.
    #[must_use]
    pub fn identity(&self) -> Option<&'a Identity> {
        self.identity
    }

    /// Returns the cost that was asked for; 1 for a permit.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Returns the rate limit; `None` for a concurrency limit and an unidentified request.
    #[must_use]
    pub fn limit(&self) -> Option<&'a Limit> {
        match self.limit? {
            LimitRef::Rate(limit) => Some(limit),
            LimitRef::Concurrency(..) => None,
        }
    }

    /// Returns the concurrency limit; `None` for a rate limit and an unidentified request.
    #[must_use]
    pub fn concurrency(&self) -> Option<&'a Concurrency> {
        match self.limit? {
            LimitRef::Rate(_) => None,
            LimitRef::Concurrency(limit, _) => Some(limit),
        }
    }

    /// Returns the most that fits at once; `None` for an unidentified request.
    #[must_use]
    pub fn quota(&self) -> Option<u32> {
        self.limit.map(|limit| limit.quota())
    }

    /// Returns the cost that would still be admitted after the decision; `None` if the store could
    /// not say, or was not asked.
    #[must_use]
    pub fn remaining(&self) -> Option<u32> {
        self.remaining
    }

    /// Returns how long the limit asks to wait; `None` if it had room, or that is not known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns whether the limit only counts and reports.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.limit.is_some_and(|limit| limit.is_shadow())
    }
}
