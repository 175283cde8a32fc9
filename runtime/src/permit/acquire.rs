//! Acquisition by hand: the application waits for permits with [`Acquire`], apart from any rule. It
//! queues no caller itself: `wait` does.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use actix_throttle_core::{identity::Identity, limit::Limit, time::to_micros};

use super::{
    Demand, Permit, SemaphoreGuard,
    wait::{WaitOutcome, wait_for},
};
use crate::{
    engine::error::RateLimitError,
    limiter::{Granted, MaxWait, RateLimiter},
};

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
        Acquire::new(self.clone(), demand.into())
    }

    /// Charges a limit if there is room right now and no caller in this process waits for it
    /// already.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) would return one.
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
    pub async fn try_acquire_any<D: Into<Demand>>(
        &self,
        any: impl IntoIterator<Item = D>,
    ) -> Result<Option<Permit>, RateLimitError> {
        self.acquire_any(any).try_now().await
    }
}

/// A request for permits, which waits once it is awaited. Made by [`RateLimiter::acquire`] and its
/// variants, and by [`Semaphore::acquire`](crate::Semaphore::acquire).
///
/// If the store cannot decide, the [`FailureMode`](crate::FailureMode) of the limiter does, and
/// `Open` admits every caller.
///
/// # Errors
///
/// [`RateLimitError::TimedOut`] as soon as it is certain that there is no room in time, or that no
/// wait could help; else as for [`RateLimiter::check_all`].
///
/// # Cancel safety
///
/// Dropping the future charges nothing, and wakes the next waiter.
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

    /// Waits no longer than this. Default: without end. A turn that is due at the very end is in
    /// time, and is waited for as long as timers are late: a few milliseconds more.
    ///
    /// The store is asked once in any case, unless so many callers wait already that it would be in
    /// vain. A reply that is on its way at the end is waited for: at most the
    /// [`deadline`](crate::Builder::deadline) of the store longer.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = MaxWait::AtMost(to_micros(max_wait));
        self
    }

    /// Priority among the waiters of this process: lower goes first. Default: 0.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Waits only if fewer than `most` callers in this process wait for the counter already.
    /// Default: no maximum.
    pub fn max_waiting(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    /// Acquires if that needs no waiting. Returns `None`, with nothing charged, if it does, or if
    /// another caller in this process waits already.
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

/// What a wait can return: a [`Permit`] or a [`SemaphoreGuard`].
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
