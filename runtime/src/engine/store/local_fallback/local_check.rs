//! The decision of a check while admissions of an outage may still count: both stores must admit.

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome},
    decision::{DecisionSource, Verdict},
};

use super::{LocalFallback, is_local, reservation::Reservation, stricter::stricter};
use crate::engine::store::interface::{Miss, Store, StoreError};

impl<S: Store> LocalFallback<S> {
    /// Decides a check with limits for which admissions of an outage may still count, and mirrors
    /// the decision. It charges the local fallback first, and the store inside only if that admits.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the local fallback refunds its charges. The store inside
    /// may have charged what is not mirrored here then.
    pub(super) async fn decide_with_local_check(
        &self,
        check: &Check<'_>,
    ) -> Result<Outcome, StoreError> {
        let mut known: Vec<Option<Verdict>> = check
            .charges
            .iter()
            .map(|charge| self.known(charge))
            .collect();
        let mut reserved = Reservation::new(&self.local, check);
        let mut is_denied = false;
        for (index, charge) in check.charges.iter().enumerate() {
            let Some(known) = known.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            if known.wait == Wait::None
                && check.mode.is_charge()
                && !is_denied
                && let Err(verdict) = reserved.add(index)
            {
                *known = verdict;
            }
            is_denied |= known.wait != Wait::None && !charge.limit.is_shadow();
        }
        if !is_denied {
            let mut outcome = self.inner_decides(check).await?;
            self.mirror(check, &mut outcome, reserved);
            return Ok(outcome);
        }
        drop(reserved);
        // The local fallback denies, so the store inside is only peeked at: the verdicts still show
        // how every limit stands.
        let peek = Check {
            mode: Mode::Peek,
            charges: check.charges.clone(),
        };
        let mut outcome = self.inner_decides(&peek).await?;
        outcome.allowed = false;
        outcome.source = DecisionSource::Local;
        for (verdict, known) in outcome.verdicts.iter_mut().zip(&known) {
            if let Some(known) = known {
                *verdict = stricter(*verdict, *known);
            }
        }
        self.mirror(check, &mut outcome, Reservation::new(&self.local, check));
        Ok(outcome)
    }

    /// Returns how a limit stands here, if admissions of an outage may still count for it.
    fn known(&self, charge: &Charge<'_>) -> Option<Verdict> {
        let may_hold = is_local(charge) && self.may_hold_outage_admissions(charge);
        may_hold.then(|| self.local.peek(charge))
    }

    async fn inner_decides(&self, check: &Check<'_>) -> Result<Outcome, StoreError> {
        let checks = std::slice::from_ref(check);
        let outcomes = self.inner.decide(checks, Miss::UNASKED).await?;
        outcomes.into_iter().next().ok_or_else(StoreError::nothing)
    }
}
