//! The one way to the store for decisions, and what its word means.

use std::slice;

use super::{ChargeReceipts, RateLimiter, fallback};
use crate::{
    decision::{Decision, LimitStatus},
    error::RateLimitError,
    store::interface::{Charge, Check, Outcome, Store, StoreError},
};

impl RateLimiter {
    pub(crate) async fn decide(&self, check: &Check<'_>) -> Result<Decision, RateLimitError> {
        let decided = self.decide_with_receipts(check).await;
        decided.map(|(decision, _)| decision)
    }

    /// The same, and what was taken, if the check asks for that.
    pub(crate) async fn decide_with_receipts(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        coop_yield().await;
        match self.try_decide(check) {
            Some(decided) => decided,
            None => self.decide_remotely(check).await,
        }
    }

    /// The same, if nothing need be waited for.
    pub(crate) fn try_decide(
        &self,
        check: &Check<'_>,
    ) -> Option<Result<(Decision, ChargeReceipts), RateLimitError>> {
        if let Err(error) = validate(&check.charges) {
            return Some(Err(error));
        }
        let outcome = self.inner.store.try_decide(check)?;
        Some(self.into_decision(check, Ok(Some(outcome))))
    }

    /// The same for a check that could not be decided at once.
    pub(crate) async fn decide_remotely(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let decided = self.ask_remote_store(check).await;
        self.into_decision(check, decided)
    }

    /// The store's own word.
    pub(super) async fn ask_store(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        coop_yield().await;
        match self.inner.store.try_decide(check) {
            Some(outcome) => Ok(Some(outcome)),
            None => self.ask_remote_store(check).await,
        }
    }

    async fn ask_remote_store(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let outcomes = self.inner.store.decide(slice::from_ref(check)).await;
        outcomes.map(|outcomes| outcomes.into_iter().next())
    }

    /// What the store's word means for the request.
    pub(super) fn into_decision(
        &self,
        check: &Check<'_>,
        decided: Result<Option<Outcome>, StoreError>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let (decision, receipts) = match decided {
            Ok(Some(outcome)) => {
                let decision = decision(&outcome, (0..).zip(&check.charges));
                (decision, ChargeReceipts::of(outcome))
            }
            Ok(None) => (
                Decision::new(true, std::iter::empty()),
                ChargeReceipts::default(),
            ),
            Err(error) => fallback::decide(&self.inner.store, check, error)?,
        };
        if check.mode.is_charge() && decision.is_allowed() {
            self.inner.shadows.report(&decision);
        }
        Ok((decision, receipts))
    }
}

/// What is decided without asking a server never waits; a task that asks on and on is to let others
/// run all the same.
pub(crate) async fn coop_yield() {
    tokio::task::coop::consume_budget().await;
}

/// Whether all limits make sense, and no two of them share a counter.
pub(super) fn validate(charges: &[Charge<'_>]) -> Result<(), RateLimitError> {
    for (index, charge) in charges.iter().enumerate() {
        charge.limit.validate()?;
        let mut before = charges[..index].iter();
        if before.any(|other| other.key.is_same(&charge.key)) {
            return Err(RateLimitError::SharedCounter);
        }
    }
    Ok(())
}

/// What became of these charges, each with its place among those that were to be decided.
pub(super) fn decision<'c, 'a: 'c>(
    outcome: &Outcome,
    charges: impl Iterator<Item = (u32, &'c Charge<'a>)>,
) -> Decision {
    let limits = charges
        .zip(&outcome.verdicts)
        .map(|((place, charge), verdict)| LimitStatus::new(charge.limit, *verdict, place));
    Decision::new(outcome.allowed, limits)
}
