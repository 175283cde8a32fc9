//! [`Permit`]: what an acquisition was granted. It renews nothing itself: the limiter's hold does.

use actix_throttle_core::decision::Decision;

use super::grant::Granted;
use crate::engine::{charged::Charged, handle::Engine, pending::PendingCharges};

/// An acquired demand. Dropping it releases its permits; rates stay charged.
#[derive(Debug)]
pub struct Permit {
    engine: Engine,
    granted: Granted,
    /// The rates that a settlement is about.
    estimates: PendingCharges,
    /// The other rates that were charged.
    others: Charged,
}

impl Permit {
    pub(crate) fn new(engine: Engine, mut granted: Granted) -> Self {
        let charged = granted.refund.take().unwrap_or_default();
        let (estimates, others) = charged.split_estimates();
        Self {
            estimates: PendingCharges::new(engine.clone(), estimates),
            others,
            engine,
            granted,
        }
    }

    /// Returns the decision that granted it: the limits, and what remained of each at that time.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.granted.decision
    }

    /// Returns whether it holds all of its permits for certain; see
    /// [`SemaphoreGuard::is_valid`](crate::SemaphoreGuard::is_valid). It does if it has none.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.granted.is_valid()
    }

    /// Corrects what was charged, once: a limit that was given a [`cost`](crate::Limit::cost)
    /// counts `actual` in its place, as if that had been the cost from the beginning. The
    /// difference to a lower cost is refunded as by [`refund`](Self::refund). A higher cost is
    /// charged though there may be no room: the counter is then in debt, and admits nothing until
    /// that is paid.
    ///
    /// Limits without a cost count requests and stay as they are; if no limit has a cost, all of
    /// them are corrected. A bucket then knows less of the charge, and may not settle it exactly
    /// ([the guide](crate::guide::settling#buckets) says how): give its limit a cost, even of 1.
    /// Permits stay held.
    ///
    /// Returns `false`, and changes nothing, if it was settled before. Returns `false` as well if
    /// the store could not be told, or did not confirm it in time, which is logged: the cost of the
    /// acquisition may stand then, or `actual` may count, and [`refund`](Self::refund) returns
    /// the smaller of the two.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const TOKENS: Limit = Limit::per_minute(1_000).name("tokens");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let permit = limiter.acquire(&TOKENS.cost(200), "ann").await?;
    /// // The answer took 700 tokens.
    /// permit.settle(700).await;
    /// assert_eq!(limiter.remaining(&TOKENS, "ann").await?, 300);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Once the future was polled, the settlement is done even if the future is dropped.
    pub async fn settle(&self, actual: u32) -> bool {
        self.estimates.settle(actual).await
    }

    /// Refunds what was charged, or settled, as far as it still counts, releases the permits, and
    /// wakes waiters of this process. A [settlement](Self::settle) that is under way comes first.
    /// Returns `false` if the store could not be told of the refund, which is logged. If it could
    /// not be told of the release, a task tries again until the permits have expired.
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
    ///
    /// # Cancel safety
    ///
    /// Once the future was polled, the refund is done even if the future is dropped.
    pub async fn refund(mut self) -> bool {
        let (estimates, after_settlement) = self.estimates.take_all();
        let charged = self.others.join(estimates);
        let hold = self.granted.hold.take();
        let mut is_done = charged.is_empty() || self.engine.refund(charged).await.is_some();
        if let Some(hold) = hold {
            hold.release_once().await;
        }
        if let Some(refunded) = after_settlement {
            is_done &= refunded.await.unwrap_or(false);
        }
        is_done
    }
}
