use crate::{
    decision::Decision,
    limiter::{Granted, RateLimiter},
};

/// What was acquired. Dropped, rates stay charged, and places are given back.
#[derive(Debug)]
pub struct Permit {
    limiter: RateLimiter,
    granted: Granted,
}

impl Permit {
    pub(super) fn new(limiter: RateLimiter, granted: Granted) -> Self {
        Self { limiter, granted }
    }

    /// What was decided when it was acquired: what remained then, and of which limits.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.granted.decision
    }

    /// Whether it holds all of its places for certain; see
    /// [`SemaphoreGuard::is_valid`](crate::SemaphoreGuard::is_valid). Without places it does.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.granted.is_valid()
    }

    /// Gives back what was charged, as far as time has not, and calls those who wait for it in this
    /// process. `false` if the store could not be told, with a line in the log.
    ///
    /// Once the future was polled it is done even if it is dropped.
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
        let owed = self.granted.refund.take();
        let hold = self.granted.hold.take();
        let is_done = match owed {
            Some(owed) => self.limiter.refund(owed).await.is_some(),
            None => true,
        };
        if let Some(hold) = hold {
            hold.release().await;
        }
        is_done
    }
}
