//! Time, passed in: microseconds since the Unix epoch.

#[cfg(feature = "test-util")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{
    future::poll_fn,
    pin::pin,
    task::Poll,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Microseconds, as a point since the Unix epoch or as a length.
///
/// Everything that decides stays below 2^53, where the doubles of Redis' Lua are exact.
pub(crate) type Micros = u64;

/// The greatest length that is told apart: 2^53 − 1 µs, about 285 years.
pub(crate) const MAX_MICROS: Micros = (1 << 53) - 1;

#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The embedded store: the wall clock at start, moved on by the monotonic one.
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
    /// Waits for `event`, but not beyond `end`; `None` if it has not come by then.
    pub(crate) async fn timeout_at<T>(
        &self,
        end: Option<Micros>,
        event: impl Future<Output = T>,
    ) -> Option<T> {
        let Some(end) = end else {
            return Some(event.await);
        };
        let (mut event, mut sleep) = (pin!(event), pin!(self.sleep_until(end)));
        poll_fn(|context| match event.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Waits until it is `then`.
    pub(crate) async fn sleep_until(&self, then: Micros) {
        match self {
            Self::Monotonic { .. } => {
                let left = then.saturating_sub(self.now());
                // One microsecond more: both clocks cut what is less.
                tokio::time::sleep(Duration::from_micros(left + 1)).await;
            }
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.reaches(then).await,
        }
    }

    /// The time of day, which follows the machine's clock where it is corrected.
    pub(crate) fn wall(&self) -> Micros {
        match self {
            Self::Monotonic { .. } => wall(),
            #[cfg(feature = "test-util")]
            Self::Manual(clock) => clock.micros(),
        }
    }
}

fn wall() -> Micros {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, to_micros)
}

/// A duration in whole microseconds, cut at [`FOREVER`].
pub(crate) fn to_micros(duration: Duration) -> Micros {
    duration
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(duration.subsec_micros().into())
        .min(MAX_MICROS)
}

/// Whole seconds, rounded up: whoever waits so long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// A clock for tests that moves only when told to.
///
/// Give it to [`Builder::clock`](crate::Builder::clock): it then drives the embedded store, and is
/// passed to the Redis script in place of the server's time. Clones share one time.
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

/// What clones of a manual clock share.
#[cfg(feature = "test-util")]
#[derive(Debug)]
struct Hand {
    micros: AtomicU64,
    moved: tokio::sync::Notify,
}

#[cfg(feature = "test-util")]
impl ManualClock {
    /// A clock that stands at 2024-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Hand {
            micros: AtomicU64::new(1_704_067_200_000_000),
            moved: tokio::sync::Notify::new(),
        }))
    }

    /// Moves on by `by`, in whole microseconds.
    pub fn advance(&self, by: Duration) {
        self.0.micros.fetch_add(to_micros(by), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// Moves to `since_epoch` after the Unix epoch, in whole microseconds; back too. At least 1 µs.
    pub fn set(&self, since_epoch: Duration) {
        let micros = to_micros(since_epoch).max(1);
        self.0.micros.store(micros, Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// The time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.micros())
    }

    pub(crate) fn micros(&self) -> Micros {
        self.0.micros.load(Ordering::SeqCst)
    }

    async fn reaches(&self, then: Micros) {
        loop {
            // Before the look at the time, or a move in between would go unnoticed.
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
