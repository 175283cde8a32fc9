//! Charges with receipts, and their refund by hand, for tests.

use actix_throttle_core::{decision::Decision, identity::Identity, limit::Limit};

use super::RateLimiter;
use crate::engine::{ChargedForTest, error::RateLimitError};

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
        self.engine.check_with_receipts(limits).await
    }

    /// Refunds what was charged, as far as it still counts. Returns how the limits stand then.
    ///
    /// # Errors
    ///
    /// If the store could not be reached.
    #[doc(hidden)]
    pub async fn refund_charged(
        &self,
        charged: ChargedForTest,
    ) -> Result<Decision, RateLimitError> {
        let (decision, _) = self.engine.settle_charged(charged, 0).await?;
        Ok(decision)
    }

    /// Settles what was charged, as far as it still counts. Returns how the limits stand then, and
    /// the charges as they count since.
    ///
    /// # Errors
    ///
    /// If the store could not be reached.
    #[doc(hidden)]
    pub async fn settle_charged(
        &self,
        charged: ChargedForTest,
        actual: u32,
    ) -> Result<(Decision, ChargedForTest), RateLimitError> {
        self.engine.settle_charged(charged, actual).await
    }
}
