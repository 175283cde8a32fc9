//! The process-wide limiter: `init` installs it, `close` removes it, and requests without a limiter
//! in their `app_data` use it.

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

use super::RateLimiter;
use crate::engine::error::{InitError, InitKind};

/// The process-wide limiter. Requests read it without a lock; `close` empties it.
static GLOBAL: Lazy<ArcSwapOption<RateLimiter>> = Lazy::new(ArcSwapOption::empty);

/// The generation of `GLOBAL`: the number of installs and removals. A release after each swap pairs
/// with the acquire before each load: a thread that sees a new generation sees its limiter, too.
static CHANGES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The process-wide limiter of a generation, if there was one, as this thread keeps it.
    static OF_THREAD: RefCell<(u64, Option<Rc<RateLimiter>>)> = const { RefCell::new((0, None)) };
}

impl RateLimiter {
    /// Installs a limiter with default settings on this pool for the whole process, after it has
    /// checked Redis once.
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
    /// If a limiter is installed already, or Redis has a problem that waiting does not solve: it
    /// rejects the credentials, is older than 6.2, or is no Redis at all. A Redis that cannot be
    /// reached right now is a warning in the log.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, no limiter is installed.
    #[cfg(feature = "redis")]
    pub async fn init(pool: impl Into<crate::engine::store::RedisPool>) -> Result<(), InitError> {
        Self::builder().redis(pool).init().await
    }

    /// Returns the process-wide limiter, if one is installed.
    #[must_use]
    pub fn global() -> Option<Self> {
        GLOBAL.load().as_ref().map(|limiter| (**limiter).clone())
    }

    /// Returns the process-wide limiter by this thread's `Rc`: threads would contend for a shared
    /// count.
    pub(super) fn of_thread() -> Option<Rc<Self>> {
        // The generation is read first: if the limiter changes in between, the next request loads
        // it again.
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
        // This may be the last handle of the former limiter, so it is dropped outside the borrow.
        drop(former);
        // The thread is ending, and its locals are gone.
        held.unwrap_or_else(|_| Self::global().map(Rc::new))
    }

    /// Removes the process-wide limiter, returns its leases and closes its connections. `init` may
    /// be called again. Nothing happens if no limiter is installed.
    ///
    /// Remaining handles go on deciding, but lease nothing more. A thread that has served requests
    /// keeps a handle until it serves the next request or ends.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the limiter is removed all the same, but its leases may not
    /// have been returned.
    pub async fn close() {
        if let Some(limiter) = GLOBAL.swap(None) {
            CHANGES.fetch_add(1, Ordering::Release);
            // This thread's handle is dropped here; other threads drop theirs at their next
            // request, or when they end.
            drop(Self::of_thread());
            limiter.engine.close().await;
        }
        // The call yields, because the tasks that drive the connections end when they are next
        // polled.
        tokio::task::yield_now().await;
    }

    /// Installs this limiter for the whole process, or fails if one is installed.
    pub(super) fn install(self) -> Result<(), InitError> {
        let none: Option<Arc<Self>> = None;
        let before = GLOBAL.compare_and_swap(&none, Some(Arc::new(self)));
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
