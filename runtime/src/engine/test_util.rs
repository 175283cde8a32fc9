//! Charges with receipts, and their refund by hand, for tests.

use actix_throttle_core::{
    check::{Check, Mode},
    decision::Decision,
    identity::Identity,
    limit::Limit,
};

use super::{
    charged::Charged,
    decide::{Tell, validate},
    error::RateLimitError,
    handle::Engine,
};

/// The charges of one decision, to be refunded once.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct ChargedForTest(Charged);

impl ChargedForTest {
    /// A part of this cost of each charge, to be settled apart from the rest, as charges that a
    /// lease has served are.
    #[must_use]
    pub fn part(&self, cost: u32) -> Self {
        Self(self.0.part(cost))
    }

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
            return Ok((Decision::unlimited(), ChargedForTest(Charged::default())));
        }
        let (mode, charges) = (Mode::ChargeForReceipts, self.charges(&limits));
        let check = Check { mode, charges };
        validate(&check.charges)?;
        let outcome = self.outcome(&check).await;
        let (decision, receipts) = self.to_decision(&check, outcome, Tell::All)?;
        Ok((decision, ChargedForTest(Charged::of(&check, &receipts))))
    }

    pub(crate) async fn settle_charged(
        &self,
        ChargedForTest(mut charged): ChargedForTest,
        to: u32,
    ) -> Result<(Decision, ChargedForTest), RateLimitError> {
        let done = match self.try_settle(&mut charged, to) {
            Ok(done) => done,
            Err(miss) => self.settle_remotely(&mut charged, to, miss).await?,
        };
        Ok((done, ChargedForTest(charged)))
    }
}
