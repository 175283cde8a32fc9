//! [`Semaphore`]: a concurrency limit of one identity, to be acquired by hand.

use actix_throttle_core::{
    decision::Decision,
    identity::Identity,
    limit::{Concurrency, Limit},
};

use super::semaphore_guard::SemaphoreGuard;
use crate::engine::{
    error::RateLimitError,
    handle::Engine,
    waiting::{Acquire, Demand},
};

/// A semaphore across processes: so many permits, held at once.
/// [`RateLimiter::semaphore`](crate::RateLimiter::semaphore) makes it.
///
/// Within a process, waiters are served in order of arrival. A release in the same process wakes
/// the first of them at once. Releases by other processes are found by polling: after 20 ms, then
/// after pauses that grow up to a second, and in any case when a permit expires.
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until `acquire` is awaited"]
pub struct Semaphore {
    engine: Engine,
    limit: Concurrency,
    identity: Identity,
    rates: Vec<(Limit, Identity)>,
}

impl Semaphore {
    pub(crate) fn new(engine: Engine, limit: Concurrency, identity: Identity) -> Self {
        Self {
            engine,
            limit,
            identity,
            rates: Vec::new(),
        }
    }

    /// Charges a rate limit with each permit, in one decision: no permit is taken if the rate has
    /// no room, and nothing is charged if there is no permit. Releasing the permit does not refund
    /// the rate.
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
    /// assert!(
    ///     calls.try_acquire().await?.is_none(),
    ///     "permits are free, but that minute is used up",
    /// );
    /// # Ok(()) }
    /// ```
    pub fn and(mut self, limit: &Limit, identity: impl Into<Identity>) -> Self {
        self.rates.push((*limit, identity.into()));
        self
    }

    /// Waits for a permit. Nothing happens before the result is awaited.
    pub fn acquire(&self) -> Acquire<SemaphoreGuard> {
        Acquire::new(self.engine.clone(), self.demand())
    }

    /// Takes a permit if one is free right now and no caller in this process waits for it already.
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes no permit: what the store grants afterwards is released and
    /// refunded.
    pub async fn try_acquire(&self) -> Result<Option<SemaphoreGuard>, RateLimitError> {
        self.acquire().try_now().await
    }

    /// Returns how the permits and the rates stand, without charging anything.
    ///
    /// # Errors
    ///
    /// If [`try_acquire`](Self::try_acquire) would return one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn peek(&self) -> Result<Decision, RateLimitError> {
        let alternatives = self.demand().alternatives(&self.engine)?;
        self.engine
            .peek_charges(alternatives.first().map_or(&[], Vec::as_slice))
            .await
    }

    /// Returns the demand of one permit and its rates, the permit first.
    fn demand(&self) -> Demand {
        let permit = Demand::permit(&self.limit, self.identity.clone());
        let rates = self
            .rates
            .iter()
            .map(|(limit, identity)| Demand::of(limit, identity.clone()));
        Demand::all(std::iter::once(permit).chain(rates))
    }
}

impl From<&Semaphore> for Demand {
    fn from(semaphore: &Semaphore) -> Self {
        semaphore.demand()
    }
}
