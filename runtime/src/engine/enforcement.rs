//! The enforcement of an engine: each decision reads it, and waits end by it. The switch keeps it.

use std::pin::pin;

use actix_throttle_core::enforcement::Enforcement;
use futures_util::future::{Either, select};

use super::handle::Engine;

impl Engine {
    /// The enforcement in force.
    #[inline]
    pub(crate) fn enforcement(&self) -> Enforcement {
        self.switch().in_force()
    }

    pub(crate) fn set_enforcement(&self, enforcement: Enforcement) {
        self.switch().set(enforcement);
    }

    /// Waits for `event` for as long as limits are enforced; `None` once they are not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `event`, and has no other effect.
    pub(crate) async fn while_enforced<T>(&self, event: impl Future<Output = T>) -> Option<T> {
        match select(pin!(event), pin!(self.switch().unenforced())).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(((), _)) => None,
        }
    }
}
