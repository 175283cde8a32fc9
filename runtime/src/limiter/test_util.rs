//! Charges with receipts, and their refund by hand, for tests.

use actix_throttle_core::{
    check::{Check, Mode},
    decision::Decision,
    identity::Identity,
    limit::Limit,
};

use super::{RateLimiter, refund::Refund};
use crate::engine::error::RateLimitError;

/// The charges of one decision, to be refunded once.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct ChargedForTest(Refund);

impl ChargedForTest {
    /// Whether each limit, in the order given, was charged at all.
    #[must_use]
    pub fn was_charged(&self) -> Vec<bool> {
        self.0.was_charged()
    }
}

impl RateLimiter {
    /// Charges as [`check_all`](Self::check_all) does, and returns the receipts.
    ///
    /// # Errors
    ///
    /// If [`check_all`](Self::check_all) would return one.
    #[doc(hidden)]
    pub async fn check_with_receipts<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<(Decision, ChargedForTest), RateLimitError> {
        let limits: Vec<(Limit, Identity)> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        let (mode, charges) = (Mode::ChargeForReceipts, self.charges(&limits));
        let check = Check { mode, charges };
        let (decision, receipts) = self.decide_with_receipts(&check).await?;
        Ok((decision, ChargedForTest(Refund::of(&check, &receipts))))
    }

    /// Refunds what was charged, as far as it still counts. Returns how the limits stand then.
    ///
    /// # Errors
    ///
    /// If the store could not be reached.
    #[doc(hidden)]
    pub async fn refund_charged(
        &self,
        ChargedForTest(refund): ChargedForTest,
    ) -> Result<Decision, RateLimitError> {
        match self.try_refund(&refund) {
            Some(done) => Ok(done),
            None => Ok(self.refund_remotely(&refund).await?),
        }
    }
}
