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
        let decided = self.decide_for_receipts(check).await;
        decided.map(|(decision, _)| decision)
    }

    /// The same, and what was taken, if the check asks for that.
    pub(crate) async fn decide_for_receipts(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let_others_run().await;
        match self.decide_at_once(check) {
            Some(decided) => decided,
            None => self.decide_by_server(check).await,
        }
    }

    /// The same, if nothing need be waited for.
    pub(crate) fn decide_at_once(
        &self,
        check: &Check<'_>,
    ) -> Option<Result<(Decision, ChargeReceipts), RateLimitError>> {
        if let Err(error) = validate(&check.charges) {
            return Some(Err(error));
        }
        let outcome = self.inner.store.decide_at_once(check)?;
        Some(self.conclude(check, Ok(Some(outcome))))
    }

    /// The same for a check that could not be decided at once.
    pub(crate) async fn decide_by_server(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let decided = self.ask_server(check).await;
        self.conclude(check, decided)
    }

    /// The store's own word.
    pub(super) async fn ask(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let_others_run().await;
        match self.inner.store.decide_at_once(check) {
            Some(outcome) => Ok(Some(outcome)),
            None => self.ask_server(check).await,
        }
    }

    async fn ask_server(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let outcomes = self.inner.store.decide(slice::from_ref(check)).await;
        outcomes.map(|outcomes| outcomes.into_iter().next())
    }

    /// What the store's word means for the request.
    pub(super) fn conclude(
        &self,
        check: &Check<'_>,
        decided: Result<Option<Outcome>, StoreError>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let (decision, slips) = match decided {
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
        Ok((decision, slips))
    }
}

/// What is decided without asking a server never waits; a task that asks on and on is to let others
/// run all the same.
pub(crate) async fn let_others_run() {
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
