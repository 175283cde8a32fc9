//! The clock of a limiter, in microseconds since the Unix epoch. The limiter reads it and passes
//! the time to the stores; the algorithms never read it themselves.

#[cfg(feature = "test-util")]
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use std::{
    pin::pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use actix_throttle_core::time::{Micros, to_micros};
use futures_util::future::{Either, select};

#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The clock of the in-memory store: the wall clock at its start, advanced by the monotonic
    /// clock.
    Monotonic { epoch: Micros, start: Instant },
    #[cfg(feature = "test-util")]
    Manual(ManualClock),
}

impl Clock {
    pub(crate) fn monotonic() -> Self {
        Self::Monotonic {
            epoch: wall(),
            start: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Micros {
        match self {
            Self::Monotonic { epoch, start } => epoch.saturating_add(to_micros(start.elapsed())),
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.micros(),
        }
    }
}

impl Clock {
    /// Waits for `event`, but not beyond `end`; returns `None` if it has not happened by then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops `event`, and has no other effect.
    pub(crate) async fn timeout_at<T>(
        &self,
        end: Option<Micros>,
        event: impl Future<Output = T>,
    ) -> Option<T> {
        let Some(end) = end else {
            return Some(event.await);
        };
        match select(pin!(event), pin!(self.sleep_until(end))).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(((), _)) => None,
        }
    }

    /// Waits until the time is `then`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub(crate) async fn sleep_until(&self, then: Micros) {
        match self {
            Self::Monotonic { .. } => {
                let left = then.saturating_sub(self.now());
                // Both clocks cut fractions of a microsecond, so one more microsecond is needed.
                tokio::time::sleep(Duration::from_micros(left + 1)).await;
            }
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.reaches(then).await,
        }
    }

    /// Returns the time of day, which follows corrections of the machine's clock.
    pub(crate) fn wall(&self) -> Micros {
        match self {
            Self::Monotonic { .. } => wall(),
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.micros(),
        }
    }
}

#[inline]
pub(crate) fn wall() -> Micros {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, to_micros)
}

/// A clock for tests that moves only when a test moves it.
///
/// Pass it to [`Builder::clock`](crate::Builder::clock): it then drives the in-memory store, and
/// replaces Redis' own time in the script. Clones share one time.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use actix_throttle::{Limit, ManualClock, RateLimiter};
///
/// let clock = ManualClock::new();
/// let limiter = RateLimiter::builder().memory().clock(clock.clone()).build().await?;
/// let limit = Limit::per_second(1);
///
/// assert!(limiter.check(&limit, "ann").await?.is_allowed());
/// assert!(!limiter.check(&limit, "ann").await?.is_allowed());
/// clock.advance(Duration::from_secs(1));
/// assert!(limiter.check(&limit, "ann").await?.is_allowed());
/// # Ok(()) }
/// ```
#[cfg(feature = "test-util")]
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hand>);

/// The state that the clones of a manual clock share.
#[cfg(feature = "test-util")]
#[derive(Debug)]
struct Hand {
    /// The time, in microseconds. Its operations are sequentially consistent, on which `reaches`
    /// relies: a waiter that registers and then reads an old time is notified by the move.
    micros: AtomicU64,
    /// The microseconds by which the clock of this process is ahead of the store's. It is relaxed,
    /// because no other memory depends on it.
    process_ahead: AtomicI64,
    moved: tokio::sync::Notify,
}

#[cfg(feature = "test-util")]
impl ManualClock {
    /// Creates a clock that stands at 2024-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Hand {
            micros: AtomicU64::new(1_704_067_200_000_000),
            process_ahead: AtomicI64::new(0),
            moved: tokio::sync::Notify::new(),
        }))
    }

    /// Advances the clock by `by`, in whole microseconds.
    pub fn advance(&self, by: Duration) {
        self.0.micros.fetch_add(to_micros(by), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Sets the clock to `since_epoch` after the Unix epoch, in whole microseconds and at least 1;
    /// it may move back.
    pub fn set(&self, since_epoch: Duration) {
        let micros = to_micros(since_epoch).max(1);
        self.0.micros.store(micros, Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Returns the time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }

    /// Sets how many microseconds the clock of this process is ahead of Redis' own, which this
    /// clock then is. It is hidden, because only the tests of the script need it.
    #[doc(hidden)]
    pub fn set_process_ahead(&self, micros: i64) {
        self.0.process_ahead.store(micros, Ordering::Relaxed);
    }

    /// Returns the time of the store, and that of this process.
    #[cfg(feature = "redis")]
    pub(crate) fn of_store_and_process(&self) -> (Micros, Micros) {
        let (now, ahead) = (self.micros(), self.0.process_ahead.load(Ordering::Relaxed));
        (now, now.saturating_add_signed(ahead))
    }

    pub(crate) fn micros(&self) -> Micros {
        self.0.micros.load(Ordering::SeqCst)
    }

    async fn reaches(&self, then: Micros) {
        loop {
            // The waiter registers before it reads the time: otherwise a move in between would be
            // missed.
            let mut moved = std::pin::pin!(self.0.moved.notified());
            moved.as_mut().enable();
            if self.micros() >= then {
                return;
            }
            moved.await;
        }
    }
}

#[cfg(feature = "test-util")]
impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}
