//! Acquisition by hand: the application waits for permits with [`Acquire`], apart from any rule. It
//! queues no caller itself: `wait` does.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use actix_throttle_core::time::to_micros;

use super::{demand::Demand, outcome::WaitOutcome, report::Observed, wait::wait_for};
use crate::engine::{
    concurrency::{Granted, MaxWait, Permit, SemaphoreGuard},
    error::RateLimitError,
    handle::Engine,
};

/// A request for permits, which waits once it is awaited.
/// [`RateLimiter::acquire`](crate::RateLimiter::acquire) and its variants make it, and so does
/// [`Semaphore::acquire`](crate::Semaphore::acquire).
///
/// If the store cannot decide, the [`FailureMode`](crate::FailureMode) of the limiter does, and
/// `Open` admits every caller.
///
/// # Errors
///
/// [`RateLimitError::TimedOut`] as soon as it is certain that there is no room in time, or that no
/// wait could help; else as for [`RateLimiter::check_all`](crate::RateLimiter::check_all).
///
/// # Cancel safety
///
/// Dropping the future charges nothing, and wakes the next waiter.
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until this is awaited"]
pub struct Acquire<T = Permit> {
    engine: Engine,
    demand: Demand,
    max_wait: MaxWait,
    priority: u32,
    max_waiting: Option<usize>,
    what: PhantomData<fn() -> T>,
}

impl<T: Acquired> Acquire<T> {
    pub(crate) fn new(engine: Engine, demand: Demand) -> Self {
        Self {
            engine,
            demand,
            max_wait: MaxWait::Unbounded,
            priority: 0,
            max_waiting: None,
            what: PhantomData,
        }
    }

    /// Sets the longest wait. Default: without end. A turn that is due at the very end is in time,
    /// and is waited for as long as timers are late: a few milliseconds more.
    ///
    /// The store is asked once in any case, unless so many callers wait already that it would be in
    /// vain. A reply that is on its way at the end is waited for: at most the
    /// [`deadline`](crate::Builder::deadline) of the store longer.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = MaxWait::AtMost(to_micros(max_wait));
        self
    }

    /// Sets the priority among the waiters of this process: lower goes first. Default: 0.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Waits only if fewer than `most` callers in this process wait for the counter already.
    /// Default: no maximum.
    pub fn max_waiting(mut self, most: usize) -> Self {
        self.max_waiting = Some(most);
        self
    }

    /// Acquires if that needs no waiting. Returns `None`, with nothing charged, if it does, or if
    /// another caller in this process waits already.
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future charges nothing: what the store grants afterwards is refunded.
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
            engine,
            demand,
            max_wait,
            priority,
            max_waiting,
            ..
        } = self;
        let mut alternatives = demand.alternatives(&engine)?;
        for wanted in alternatives.iter_mut().flatten() {
            wanted.max_wait = max_wait;
        }
        match wait_for(&engine, &alternatives, priority, max_waiting, Observed::All).await? {
            WaitOutcome::Granted(granted) => Ok(T::granted(engine, granted)),
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

/// The result of a wait: a [`Permit`] or a [`SemaphoreGuard`].
pub trait Acquired: sealed::FromGrant {}

impl Acquired for Permit {}
impl Acquired for SemaphoreGuard {}

pub(super) mod sealed {
    use super::{Engine, Granted};

    pub trait FromGrant: Sized + Send {
        fn granted(engine: Engine, granted: Granted) -> Self;
    }
}

impl sealed::FromGrant for Permit {
    fn granted(engine: Engine, granted: Granted) -> Self {
        Self::new(engine, granted)
    }
}

impl sealed::FromGrant for SemaphoreGuard {
    fn granted(_: Engine, granted: Granted) -> Self {
        Self::new(granted)
    }
}
