//! Acquisition by hand: the application waits for room and for permits, apart from any rule.

use actix_throttle_core::{
    identity::Identity,
    limit::{Concurrency, Limit},
};

use super::RateLimiter;
use crate::engine::{Acquire, Demand, Permit, Semaphore, error::RateLimitError};

impl RateLimiter {
    /// Waits for room under a limit, and charges it.
    ///
    /// Callers that wait in this process for one counter are served in order of arrival. Only the
    /// first of them polls the store, at the time for which the store has promised room.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use actix_throttle::{Limit, RateLimitError, RateLimiter};
    ///
    /// const CALLS: Limit = Limit::new(1, Duration::from_millis(200)).name("calls");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.acquire(&CALLS, "service").await?;
    /// let soon = limiter.acquire(&CALLS, "service").max_wait(Duration::from_millis(10)).await;
    /// assert!(matches!(soon, Err(RateLimitError::TimedOut { .. })), "and took nothing");
    /// limiter.acquire(&CALLS, "service").max_wait(Duration::from_secs(3)).await?;
    /// # Ok(()) }
    /// ```
    pub fn acquire(&self, limit: &Limit, identity: impl Into<Identity>) -> Acquire {
        self.acquire_for(Demand::of(limit, identity))
    }

    /// Waits until all of these demands can be charged together. Until then, none is.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const OVERALL: Limit = Limit::per_minute(10).name("overall");
    /// const PATH: Limit = Limit::per_second(1).name("path");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let permit = limiter.acquire_all([(&OVERALL, "service"), (&PATH, "/towns")]).await?;
    /// assert_eq!(permit.decision().limits().len(), 2);
    /// # Ok(()) }
    /// ```
    pub fn acquire_all<D: Into<Demand>>(&self, all: impl IntoIterator<Item = D>) -> Acquire {
        self.acquire_for(Demand::all(all))
    }

    /// Waits until one of these demands can be charged: the first that can, in the order given.
    pub fn acquire_any<D: Into<Demand>>(&self, any: impl IntoIterator<Item = D>) -> Acquire {
        self.acquire_for(Demand::any(any))
    }

    /// Waits for a limit, all of several or any of several: see [`Demand`].
    pub fn acquire_for(&self, demand: impl Into<Demand>) -> Acquire {
        Acquire::new(self.engine.clone(), demand.into())
    }

    /// Charges a limit if there is room right now and no caller in this process waits for it
    /// already.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) would return one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing: what the store grants afterwards is refunded.
    pub async fn try_acquire(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire(limit, identity).try_now().await
    }

    /// Charges all of these demands if there is room for all right now.
    ///
    /// # Errors
    ///
    /// If [`check_all`](Self::check_all) would return one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing: what the store grants afterwards is refunded.
    pub async fn try_acquire_all<D: Into<Demand>>(
        &self,
        all: impl IntoIterator<Item = D>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire_all(all).try_now().await
    }

    /// Charges the first of these demands that has room right now.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) would return one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing: what the store grants afterwards is refunded.
    pub async fn try_acquire_any<D: Into<Demand>>(
        &self,
        any: impl IntoIterator<Item = D>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire_any(any).try_now().await
    }

    /// Makes a semaphore for one identity: at most [`max`](Concurrency::new) of its permits are
    /// held at once, across all processes that share the store.
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
        Semaphore::new(self.engine.clone(), *limit, identity.into())
    }
}
