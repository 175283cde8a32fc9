use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use super::{
    Demand, Permit, SemaphoreGuard,
    wait::{WaitOutcome, wait_for},
};
use crate::{
    clock::to_micros,
    error::RateLimitError,
    identity::Identity,
    limit::Limit,
    limiter::{Granted, MaxWait, RateLimiter},
};

impl RateLimiter {
    /// Waits for room under a limit, and charges it.
    ///
    /// Those who wait in this process for one counter are served in the order in which they came.
    /// Only the first of them asks the store, at the moment for which the store has promised room.
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

    /// Waits until all of these can be charged together. Until then, none is.
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

    /// Waits until one of these can be charged: the first that can, in the order given.
    pub fn acquire_any<D: Into<Demand>>(&self, any: impl IntoIterator<Item = D>) -> Acquire {
        self.acquire_for(Demand::any(any))
    }

    /// Waits for limits, all of some, any of some: see [`Demand`].
    pub fn acquire_for(&self, demand: impl Into<Demand>) -> Acquire {
        Acquire::new(self.clone(), demand.into())
    }

    /// Charges a limit if there is room right now and nobody in this process waits for it already.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check).
    pub async fn try_acquire(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire(limit, identity).try_now().await
    }

    /// Charges all of these if there is room for all right now.
    ///
    /// # Errors
    ///
    /// As for [`check_all`](Self::check_all).
    pub async fn try_acquire_all<D: Into<Demand>>(
        &self,
        all: impl IntoIterator<Item = D>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire_all(all).try_now().await
    }

    /// Charges the first of these that has room right now.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check).
    pub async fn try_acquire_any<D: Into<Demand>>(
        &self,
        any: impl IntoIterator<Item = D>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire_any(any).try_now().await
    }
}

/// A wait, until it is awaited. Made by [`RateLimiter::acquire`] and its like, and by
/// [`Semaphore::acquire`](crate::Semaphore::acquire).
///
/// Awaited, it is an error of [`RateLimitError::TimedOut`] if there was no room in time, as soon as
/// that is certain, and if no wait could help; else as for [`RateLimiter::check_all`]. Dropping the
/// future takes nothing, and calls the next who waits.
///
/// If the store cannot decide, the [`FailureMode`](crate::FailureMode) of the limiter does, and `Open`
/// lets everybody through.
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until this is awaited"]
pub struct Acquire<T = Permit> {
    limiter: RateLimiter,
    demand: Demand,
    max_wait: MaxWait,
    priority: u32,
    most: Option<usize>,
    what: PhantomData<fn() -> T>,
}

impl<T: Acquired> Acquire<T> {
    pub(super) fn new(limiter: RateLimiter, demand: Demand) -> Self {
        Self {
            limiter,
            demand,
            max_wait: MaxWait::Unbounded,
            priority: 0,
            most: None,
            what: PhantomData,
        }
    }

    /// Waits no longer than this. Default: for ever. A turn that is due at the very end is in time, and
    /// is waited for as long as timers are late: a few milliseconds more.
    ///
    /// The store is asked once in any case, unless so many wait already that it would be in vain. An
    /// answer that is on its way at the end is waited for: at most the
    /// [`deadline`](crate::Builder::deadline) of the store longer.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = MaxWait::AtMost(to_micros(max_wait));
        self
    }

    /// Lower goes first among those who wait in this process. Default: 0.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Waits only if fewer than `most` in this process wait for that already. Default: however
    /// many.
    pub fn max_waiting(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    /// Takes it if that needs no waiting. `None`, and nothing taken, if it does, and if others in
    /// this process wait for it.
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    pub async fn try_now(mut self) -> Result<Option<T>, RateLimitError> {
        self.max_wait = MaxWait::AtMost(0);
        match self.wait().await {
            Ok(acquired) => Ok(Some(acquired)),
            Err(RateLimitError::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn wait(self) -> Result<T, RateLimitError> {
        let Self {
            limiter,
            demand,
            max_wait,
            priority,
            most,
            ..
        } = self;
        let mut alternatives = demand.alternatives(&limiter)?;
        for wanted in alternatives.iter_mut().flatten() {
            wanted.max_wait = max_wait;
        }
        match wait_for(&limiter, &alternatives, priority, most).await? {
            WaitOutcome::Granted(granted) => Ok(T::granted(limiter, granted)),
            WaitOutcome::TimedOut {
                retry_after,
                decision,
                ..
            } => {
                let told = decision.and_then(|decision| decision.retry_after());
                let retry_after = retry_after.map(Duration::from_micros).or(told);
                Err(RateLimitError::TimedOut { retry_after })
            }
        }
    }
}

impl<T: Acquired + 'static> IntoFuture for Acquire<T> {
    type Output = Result<T, RateLimitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.wait())
    }
}

/// What may come of a wait: a [`Permit`] or a [`SemaphoreGuard`].
pub trait Acquired: sealed::FromGrant {}

impl Acquired for Permit {}
impl Acquired for SemaphoreGuard {}

pub(super) mod sealed {
    use super::{Granted, RateLimiter};

    pub trait FromGrant: Sized + Send {
        fn granted(limiter: RateLimiter, granted: Granted) -> Self;
    }
}

impl sealed::FromGrant for Permit {
    fn granted(limiter: RateLimiter, granted: Granted) -> Self {
        Self::new(limiter, granted)
    }
}

impl sealed::FromGrant for SemaphoreGuard {
    fn granted(_: RateLimiter, granted: Granted) -> Self {
        Self::new(granted)
    }
}
