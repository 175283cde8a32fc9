//! The process-wide limiter.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use once_cell::sync::Lazy;

use super::{Inner, RateLimiter};
use crate::{
    error::{InitError, InitKind},
    store::interface::Store,
};

/// Read by every request without a lock, and empty again after `close`.
static GLOBAL: Lazy<ArcSwapOption<Inner>> = Lazy::new(ArcSwapOption::empty);

/// How often it was installed or taken away.
static CHANGES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The process-wide limiter after so many changes, if there was one.
    static OF_THREAD: RefCell<(u64, Option<Rc<RateLimiter>>)> = const { RefCell::new((0, None)) };
}

impl RateLimiter {
    /// Installs a limiter with default settings on this pool for the whole process, after one look
    /// at the server.
    ///
    /// ```no_run
    /// use actix_throttle::{RateLimiter, deadpool_redis::{Config, Runtime}};
    ///
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = Config::from_url("redis://127.0.0.1:6379").create_pool(Some(Runtime::Tokio1))?;
    /// RateLimiter::init(pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If one is installed already, or the server is one that waiting will not mend: credentials
    /// that it refuses, a version before Redis 6.2, something that is no Redis. A server that
    /// cannot be reached right now is a warning in the log.
    #[cfg(feature = "redis")]
    pub async fn init(pool: impl Into<crate::RedisPool>) -> Result<(), InitError> {
        Self::builder().redis(pool).init().await
    }

    /// The process-wide limiter, if one is installed.
    #[must_use]
    pub fn global() -> Option<Self> {
        GLOBAL.load_full().map(|inner| Self { inner })
    }

    /// The same, held once a thread: what many threads count up and down they wait for.
    pub(super) fn of_thread() -> Option<Rc<Self>> {
        // Before the limiter: if it changes in between, the next request looks again.
        let changes = CHANGES.load(Ordering::Acquire);
        let mut former = None;
        let held = OF_THREAD.try_with(|held| {
            let (after, limiter) = &mut *held.borrow_mut();
            if *after != changes {
                *after = changes;
                former = std::mem::replace(limiter, Self::global().map(Rc::new));
            }
            limiter.clone()
        });
        // It may be the last to hold it; that goes only now, while nobody looks.
        drop(former);
        // The thread ends.
        held.unwrap_or_else(|_| Self::global().map(Rc::new))
    }

    /// Takes the process-wide limiter away, gives back what it has on lease and closes its
    /// connections; `init` may be called again. Does nothing if none is installed.
    ///
    /// Handles of it that are still about go on deciding, but lease nothing more. A thread that has
    /// served requests has one, until it serves the next or ends.
    pub async fn close() {
        if let Some(inner) = GLOBAL.swap(None) {
            CHANGES.fetch_add(1, Ordering::Release);
            // What this thread holds of it: others let go when they next ask, or end.
            drop(Self::of_thread());
            inner.store.retire().await;
            inner.store.close();
        }
        // The tasks that drive the connections end when they are next polled.
        tokio::task::yield_now().await;
    }

    /// Installs this limiter for the whole process.
    pub(super) fn install(self) -> Result<(), InitError> {
        let none: Option<Arc<Inner>> = None;
        let before = GLOBAL.compare_and_swap(&none, Some(self.inner));
        match *before {
            None => {
                CHANGES.fetch_add(1, Ordering::Release);
                Ok(())
            }
            Some(_) => Err(already_initialized()),
        }
    }

    pub(super) fn is_installed() -> bool {
        GLOBAL.load().is_some()
    }
}

pub(super) fn already_initialized() -> InitError {
    InitError::new(
        InitKind::AlreadyInitialized,
        "a limiter is installed for this process already; call `RateLimiter::close().await` \
         first, or `build()` this one and give it to a part of the app by `app_data`",
    )
}
