//! [`Permit`]: what an acquisition was granted. It renews nothing itself: the limiter's hold does.

use actix_throttle_core::decision::Decision;

use super::grant::Granted;
use crate::engine::handle::Engine;

/// An acquired demand. Dropping it releases its permits; rates stay charged.
#[derive(Debug)]
pub struct Permit {
    engine: Engine,
    granted: Granted,
}

impl Permit {
    pub(crate) fn new(engine: Engine, granted: Granted) -> Self {
        Self { engine, granted }
    }

    /// Returns the decision that granted it: the limits, and what remained of each at that time.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.granted.decision
    }

    /// Whether it holds all of its permits for certain; see
    /// [`SemaphoreGuard::is_valid`](crate::SemaphoreGuard::is_valid). Without permits it does.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.granted.is_valid()
    }

    /// Refunds what was charged, as far as it still counts, releases the permits, and wakes waiters
    /// of this process. Returns `false` if the store could not be told, which is logged.
    ///
    /// Once the future was polled, the refund is done even if the future is dropped.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const MAILS: Limit = Limit::per_minute(1).name("mails");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let permit = limiter.acquire(&MAILS, "ann").await?;
    /// // The mail could not be sent after all.
    /// permit.refund().await;
    /// assert_eq!(limiter.remaining(&MAILS, "ann").await?, 1);
    /// # Ok(()) }
    /// ```
    pub async fn refund(mut self) -> bool {
        let refund = self.granted.refund.take();
        let hold = self.granted.hold.take();
        let is_done = match refund {
            Some(refund) => self.engine.refund(refund).await.is_some(),
            None => true,
        };
        if let Some(hold) = hold {
            hold.release().await;
        }
        is_done
    }
}
