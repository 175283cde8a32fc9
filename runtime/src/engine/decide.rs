//! The path from a check to the store, and from the store's outcome to a decision. Rules, waits and
//! calls by hand go through it; it never waits for room.

use std::slice;

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    decision::Decision,
    identity::Identity,
    key::Key,
    limit::Limit,
};

use super::{
    error::RateLimitError,
    fallback,
    handle::Engine,
    refund::ChargeReceipts,
    store::interface::{Store, StoreError},
};

impl Engine {
    /// Decides one limit for one identity.
    pub(crate) async fn check(
        &self,
        mode: Mode<'_>,
        limit: &Limit,
        identity: &Identity,
    ) -> Result<Decision, RateLimitError> {
        let charges = Charges::from_buf([self.charge(limit, identity)]);
        self.decide(&Check { mode, charges }).await
    }

    /// Charges several limits at once: all of them, or none.
    pub(crate) async fn check_all(
        &self,
        limits: &[(Limit, Identity)],
    ) -> Result<Decision, RateLimitError> {
        let (mode, charges) = (Mode::Charge, self.charges(limits));
        self.decide(&Check { mode, charges }).await
    }

    pub(super) async fn decide(&self, check: &Check<'_>) -> Result<Decision, RateLimitError> {
        let decided = self.decide_with_receipts(check).await;
        decided.map(|(decision, _)| decision)
    }

    /// Decides a check, and returns the receipts of its charges if the check asks for them. If the
    /// future is dropped midway, the check may have been charged.
    pub(super) async fn decide_with_receipts(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        coop_yield().await;
        match self.try_decide(check) {
            Some(decided) => decided,
            None => self.decide_remotely(check).await,
        }
    }

    /// Decides a check if the store can without I/O; `None` if it cannot.
    pub(crate) fn try_decide(
        &self,
        check: &Check<'_>,
    ) -> Option<Result<(Decision, ChargeReceipts), RateLimitError>> {
        if let Err(error) = validate(&check.charges) {
            return Some(Err(error));
        }
        let outcome = self.store().try_decide(check)?;
        Some(self.conclude(check, Ok(Some(outcome))))
    }

    /// Decides a check by I/O, after `try_decide` could not.
    pub(crate) async fn decide_remotely(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let decided = self.ask_remote_store(check).await;
        self.conclude(check, decided)
    }

    /// Asks the store alone: no failure mode is applied to its error.
    pub(super) async fn ask_store(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        coop_yield().await;
        match self.store().try_decide(check) {
            Some(outcome) => Ok(Some(outcome)),
            None => self.ask_remote_store(check).await,
        }
    }

    async fn ask_remote_store(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let outcomes = self.store().decide(slice::from_ref(check)).await;
        outcomes.map(|outcomes| outcomes.into_iter().next())
    }

    /// Returns the charges of these limits at their own costs.
    pub(super) fn charges<'a>(&self, limits: &'a [(Limit, Identity)]) -> Charges<'a> {
        limits
            .iter()
            .map(|(limit, identity)| self.charge(limit, identity))
            .collect()
    }

    fn charge<'a>(&self, limit: &'a Limit, identity: &'a Identity) -> Charge<'a> {
        Charge {
            key: Key::counter(identity, limit),
            limit: limit.into(),
            cost: limit.default_cost(),
            failure_mode: self.settings().failure_mode,
        }
    }

    /// Turns the store's outcome into a decision; the failure mode decides if there is an error.
    pub(super) fn conclude(
        &self,
        check: &Check<'_>,
        decided: Result<Option<Outcome>, StoreError>,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let (decision, receipts) = match decided {
            Ok(Some(outcome)) => {
                let decision = outcome.decision((0..).zip(&check.charges));
                (decision, ChargeReceipts::of(outcome))
            }
            Ok(None) => (
                Decision::new(true, std::iter::empty()),
                ChargeReceipts::default(),
            ),
            Err(error) => fallback::decide(self.store(), check, error)?,
        };
        if check.mode.is_charge() && decision.is_allowed() {
            self.shadow_stats().report(&decision);
        }
        Ok((decision, receipts))
    }
}

/// Spends one unit of tokio's cooperative budget. A decision by the in-memory store never yields,
/// so a task that checks limits in a loop would starve the other tasks of its worker.
pub(crate) async fn coop_yield() {
    tokio::task::coop::consume_budget().await;
}

/// Validates each limit, and that no two charges share a counter.
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
