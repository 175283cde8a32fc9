use super::{Acquire, Demand, SemaphoreGuard};
use crate::{
    decision::Decision,
    error::RateLimitError,
    identity::Identity,
    limit::{Concurrency, Limit},
    limiter::RateLimiter,
};

impl RateLimiter {
    /// Places for one identity, of which at most [`max`](Concurrency::new) are taken at once, by all
    /// processes that share the store.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use actix_throttle::{Concurrency, RateLimiter};
    ///
    /// const CALLS: Concurrency = Concurrency::new(2).name("calls");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let calls = limiter.semaphore(&CALLS, "api-token");
    ///
    /// let one = calls.acquire().max_wait(Duration::from_secs(3)).await?;
    /// let other = calls.acquire().await?;
    /// assert!(calls.try_acquire().await?.is_none());
    /// drop(one);
    /// assert!(calls.try_acquire().await?.is_some());
    /// # drop(other);
    /// # Ok(()) }
    /// ```
    pub fn semaphore(&self, limit: &Concurrency, identity: impl Into<Identity>) -> Semaphore {
        Semaphore {
            limiter: self.clone(),
            limit: *limit,
            identity: identity.into(),
            rates: Vec::new(),
        }
    }
}

/// What can be acquired so many times at once. Made by [`RateLimiter::semaphore`].
///
/// Within a process, those who wait are served in the order in which they came. Whoever gives a place
/// back in the same process calls the first of them at once. What other processes give back it
/// learns by asking again: after 20 ms, then after pauses that grow up to a second, and in any
/// case when a place expires.
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until `acquire` is awaited"]
pub struct Semaphore {
    limiter: RateLimiter,
    limit: Concurrency,
    identity: Identity,
    rates: Vec<(Limit, Identity)>,
}

impl Semaphore {
    /// Charges a rate limit with each place, in one decision: without room for it no place is taken,
    /// and without a place nothing is charged. Giving the place back does not give that back.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Concurrency, Limit, RateLimiter};
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let calls = limiter
    ///     .semaphore(&Concurrency::new(10), "api-token")
    ///     .and(&Limit::per_minute(1), "api-token");
    ///
    /// let call = calls.try_acquire().await?;
    /// assert!(call.is_some());
    /// assert!(calls.try_acquire().await?.is_none(), "places are free, but that minute is used up");
    /// # Ok(()) }
    /// ```
    pub fn and(mut self, limit: &Limit, identity: impl Into<Identity>) -> Self {
        self.rates.push((*limit, identity.into()));
        self
    }

    /// Waits for a place. Nothing happens before this is awaited.
    pub fn acquire(&self) -> Acquire<SemaphoreGuard> {
        Acquire::new(self.limiter.clone(), self.demand())
    }

    /// Takes a place if one is free right now, and nobody in this process waits for it already.
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    pub async fn try_acquire(&self) -> Result<Option<SemaphoreGuard>, RateLimitError> {
        self.acquire().try_now().await
    }

    /// How the places and the rates stand, without taking anything.
    ///
    /// # Errors
    ///
    /// As for [`try_acquire`](Self::try_acquire).
    pub async fn peek(&self) -> Result<Decision, RateLimitError> {
        let alternatives = self.demand().alternatives(&self.limiter)?;
        self.limiter
            .peek_charges(alternatives.first().map_or(&[], Vec::as_slice))
            .await
    }

    /// What one place asks for, the place first.
    pub(super) fn demand(&self) -> Demand {
        let place = Demand::permit(&self.limit, self.identity.clone());
        let rates = self
            .rates
            .iter()
            .map(|(limit, who)| Demand::of(limit, who.clone()));
        Demand::all(std::iter::once(place).chain(rates))
    }
}
