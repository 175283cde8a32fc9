//! Charges with receipts, and their refund by hand, for tests.

use actix_throttle_core::{
    check::{Check, Mode},
    decision::Decision,
    identity::Identity,
    limit::Limit,
};

use super::{error::RateLimitError, handle::Engine, refund::Refund};

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

impl Engine {
    pub(crate) async fn check_with_receipts(
        &self,
        mut limits: Vec<(Limit, Identity)>,
    ) -> Result<(Decision, ChargedForTest), RateLimitError> {
        if !self.put_in_force(&mut limits) {
            return Ok((Decision::unlimited(), ChargedForTest(Refund::nothing())));
        }
        let (mode, charges) = (Mode::ChargeForReceipts, self.charges(&limits));
        let check = Check { mode, charges };
        let (decision, receipts) = self.decision(&check).await?;
        Ok((decision, ChargedForTest(Refund::of(&check, &receipts))))
    }

    pub(crate) async fn refund_charged(
        &self,
        ChargedForTest(refund): ChargedForTest,
    ) -> Result<Decision, RateLimitError> {
        match self.try_refund(&refund) {
            Ok(done) => Ok(done),
            Err(miss) => Ok(self.refund_remotely(&refund, miss).await?),
        }
    }
}
