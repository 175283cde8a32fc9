use super::RateLimiter;
use crate::{
    decision::Decision,
    error::RateLimitError,
    identity::Identity,
    limit::Limit,
    store::interface::{Check, Mode, Receipts},
};

/// What one decision has taken, for giving it back, once. It owns all it needs, so it may outlive
/// the request.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Taken {
    limits: Vec<(Limit, Identity)>,
    receipts: Receipts,
}

impl Taken {
    /// Whether each limit, in the order given, was charged at all.
    #[must_use]
    pub fn was_charged(&self) -> Vec<bool> {
        self.receipts.iter().map(Option::is_some).collect()
    }
}

impl RateLimiter {
    /// As [`check_all`](Self::check_all), and says what was taken.
    ///
    /// # Errors
    ///
    /// As for `check_all`.
    #[doc(hidden)]
    pub async fn check_with_receipts<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<(Decision, Taken), RateLimitError> {
        let limits: Vec<(Limit, Identity)> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        let (mode, charges) = (Mode::ChargeForReceipts, self.charges(&limits));
        let (decision, receipts) = self.settle(&Check { mode, charges }).await?;
        Ok((decision, Taken { limits, receipts }))
    }

    /// Gives back what was taken, as far as time has not. Says how things stand then.
    ///
    /// # Errors
    ///
    /// If the store could not be reached.
    #[doc(hidden)]
    pub async fn give_back(&self, taken: Taken) -> Result<Decision, RateLimitError> {
        let (mode, charges) = (Mode::Refund(&taken.receipts), self.charges(&taken.limits));
        self.decide(&Check { mode, charges }).await
    }
}
