//! The path from a check to the store, and from the store's outcome to a decision. Rules, waits and
//! calls by hand go through it; it never waits for room.

use std::slice;

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome},
    decision::Decision,
    enforcement::Enforcement,
    identity::Identity,
    key::Key,
    limit::Limit,
};

use super::{
    charged::ChargeReceipts,
    error::RateLimitError,
    fallback,
    handle::Engine,
    observe::report,
    store::interface::{Miss, Store, StoreError},
};

/// The decisions of which the observers are told at once. Of the others, the caller tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    All,
    /// All but an admission: the request may still be denied while it is delayed.
    Refusals,
    /// None: a denial is not the last word for a caller that waits.
    Nothing,
}

impl Engine {
    /// Decides one limit for one identity.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the limit may have been charged.
    pub(crate) async fn check(
        &self,
        mode: Mode<'_>,
        limit: &Limit,
        identity: &Identity,
    ) -> Result<Decision, RateLimitError> {
        let unenforced;
        let limit = match self.enforcement() {
            Enforcement::On => limit,
            Enforcement::Shadow => {
                unenforced = limit.unenforced();
                &unenforced
            }
            _ => return Ok(Decision::unlimited()),
        };
        let charges = Charges::from_buf([self.charge(limit, identity)]);
        self.decision(&Check { mode, charges }).await
    }

    /// Charges several limits at once: all of them, or none.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, all of them may have been charged.
    pub(crate) async fn check_all(
        &self,
        mut limits: Vec<(Limit, Identity)>,
    ) -> Result<Decision, RateLimitError> {
        if !self.put_in_force(&mut limits) {
            return Ok(Decision::unlimited());
        }
        let (mode, charges) = (Mode::Charge, self.charges(&limits));
        self.decision(&Check { mode, charges }).await
    }

    /// Decides a check without I/O: the first phase of every decision.
    ///
    /// # Errors
    ///
    /// A [`Miss`] if that needs I/O, for the second phase.
    #[inline]
    pub(crate) fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        self.store().try_decide(check)
    }

    /// Decides a check by I/O: the second phase, if the first one has missed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the check may have been charged.
    pub(crate) async fn decide(
        &self,
        check: &Check<'_>,
        miss: Miss,
    ) -> Result<Outcome, StoreError> {
        let outcomes = self.store().decide(slice::from_ref(check), miss).await?;
        outcomes.into_iter().next().ok_or_else(StoreError::nothing)
    }

    /// Decides a check in both phases. No failure mode is applied to an error.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the check may have been charged.
    pub(super) async fn outcome(&self, check: &Check<'_>) -> Result<Outcome, StoreError> {
        coop_yield().await;
        match self.try_decide(check) {
            Ok(outcome) => Ok(outcome),
            Err(miss) => self.decide(check, miss).await,
        }
    }

    /// Validates and decides a check whose receipts nothing needs.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the check may have been charged.
    pub(super) async fn decision(&self, check: &Check<'_>) -> Result<Decision, RateLimitError> {
        coop_yield().await;
        validate(&check.charges)?;
        match self.try_decide(check) {
            Ok(outcome) => Ok(self.decided(check, &outcome)),
            // The future is boxed, so that that of a decision in memory stays small.
            Err(miss) => {
                let decided = Box::pin(self.decide(check, miss)).await;
                let (decision, _) = self.to_decision(check, decided, Tell::All)?;
                Ok(decision)
            }
        }
    }

    /// Puts each limit in force as the switch says. Returns `false` if none is to be decided.
    pub(super) fn put_in_force(&self, limits: &mut [(Limit, Identity)]) -> bool {
        match self.enforcement() {
            Enforcement::On => true,
            Enforcement::Shadow => {
                for (limit, _) in limits {
                    *limit = limit.unenforced();
                }
                true
            }
            _ => false,
        }
    }

    /// Returns the charges of these limits at their own costs.
    pub(super) fn charges<'a>(&self, limits: &'a [(Limit, Identity)]) -> Charges<'a> {
        limits
            .iter()
            .map(|(limit, identity)| self.charge(limit, identity))
            .collect()
    }

    #[inline]
    fn charge<'a>(&self, limit: &'a Limit, identity: &'a Identity) -> Charge<'a> {
        Charge {
            key: Key::counter(identity, limit),
            limit: limit.into(),
            cost: limit.cost_value(),
            failure_mode: self.settings().failure_mode,
        }
    }

    /// Turns the store's outcome into a decision whose receipts nothing needs, and tells the
    /// observers. Most decisions are of this kind, so nothing large is moved.
    #[inline]
    pub(crate) fn decided(&self, check: &Check<'_>, outcome: &Outcome) -> Decision {
        let decision = outcome.decision((0..).zip(&check.charges));
        self.note_shadows(check, &decision);
        if self.observers().is_heard() {
            self.tell_decided(check, Ok(&decision));
        }
        decision
    }

    /// Turns the store's outcome into a decision; the failure mode decides if there is an error.
    #[inline]
    pub(crate) fn to_decision(
        &self,
        check: &Check<'_>,
        decided: Result<Outcome, StoreError>,
        tell: Tell,
    ) -> Result<(Decision, ChargeReceipts), RateLimitError> {
        let decision = match decided {
            Ok(outcome) => {
                let decision = outcome.decision((0..).zip(&check.charges));
                Ok((decision, ChargeReceipts::of(outcome)))
            }
            Err(error) => fallback::decide(self.store(), self.observers(), check, error),
        };
        let known = decision.as_ref().map(|(decision, _)| decision);
        if let Ok(decision) = known {
            self.note_shadows(check, decision);
        }
        let is_told = match tell {
            Tell::All => true,
            Tell::Refusals => !known.is_ok_and(Decision::is_allowed),
            Tell::Nothing => false,
        };
        if is_told && self.observers().is_heard() {
            self.tell_decided(check, known);
        }
        decision
    }

    /// Tells the observers of a decision, if the check charges.
    pub(crate) fn tell_decided(
        &self,
        check: &Check<'_>,
        decided: Result<&Decision, &RateLimitError>,
    ) {
        if check.mode.is_charge() {
            report(self.observers(), check, decided);
            self.tell_size_sometimes();
        }
    }

    /// Counts what the shadow limits of an admission would have denied.
    #[inline]
    fn note_shadows(&self, check: &Check<'_>, decision: &Decision) {
        if check.mode.is_charge() && decision.is_allowed() {
            self.shadow_stats().report(decision);
        }
    }
}

/// Spends one unit of tokio's cooperative budget. A decision by the in-memory store never yields,
/// so a task that checks limits in a loop would starve the other tasks of its worker.
pub(crate) async fn coop_yield() {
    tokio::task::coop::consume_budget().await;
}

/// Validates each limit, and that no two charges share a counter.
pub(crate) fn validate(charges: &[Charge<'_>]) -> Result<(), RateLimitError> {
    for (index, charge) in charges.iter().enumerate() {
        charge.limit.validate()?;
        let mut before = charges[..index].iter();
        if before.any(|other| other.key.is_same(&charge.key)) {
            return Err(RateLimitError::SharedCounter);
        }
    }
    Ok(())
}
