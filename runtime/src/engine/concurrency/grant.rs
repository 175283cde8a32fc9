//! The grant of a check that may hold permits.

use actix_throttle_core::decision::Decision;

use super::hold::PermitHold;
use crate::engine::{charged::Charged, handle::Engine};

/// The outcome of a check that may hold permits.
#[derive(Debug)]
pub struct Granted {
    pub(crate) decision: Decision,
    /// The permits; `None` if the check was denied, asked for no permit, or a shadow limit had none
    /// left.
    pub(crate) hold: Option<PermitHold>,
    /// The rates that were charged, if they can be refunded.
    pub(crate) refund: Option<Charged>,
    /// Whether the observers have been told of the grant.
    pub(crate) is_told: bool,
}

impl Granted {
    /// The grant under `Enforcement::Off`: nothing was charged, and nothing is held.
    pub(crate) fn unlimited() -> Self {
        Self {
            decision: Decision::unlimited(),
            hold: None,
            refund: None,
            // There is no limit to tell of.
            is_told: true,
        }
    }

    /// Whether all of its permits are certain, as they are if there is none.
    pub(crate) fn is_valid(&self) -> bool {
        self.hold.as_ref().is_none_or(PermitHold::is_valid)
    }

    /// Undoes the grant: dropping the hold releases the permits, and the rates are refunded here.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before its first poll, it releases the permits and refunds no rate.
    /// Once polled, the refund is carried out even if the future is dropped.
    pub(super) async fn refund_all(mut self, engine: &Engine) {
        drop(self.hold.take());
        if let Some(refund) = self.refund.take() {
            engine.refund(refund).await;
        }
    }
}
