//! The warning about in-memory limiters that were meant to be one. The builder calls it.
//!
//! `HttpServer::new` calls its closure once per worker. A limiter that is built inside counts for
//! that worker alone, so N workers admit N times the limit, and no response shows it.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

use super::Builder;
use crate::{
    engine::log_throttle::TARGET,
    limiter::{Inner, Settings},
};

/// The in-memory limiters of this process that are still alive.
static BUILT: Mutex<Vec<Built>> = Mutex::new(Vec::new());

/// Whether the warning was logged. Once is enough: of four workers, the second tells it all.
/// Relaxed: the swap alone decides which thread logs.
static WARNED: AtomicBool = AtomicBool::new(false);

struct Built {
    inner: Weak<Inner>,
    counts: Counts,
}

/// Settings that a built limiter does not keep.
#[derive(PartialEq)]
pub(super) struct Counts {
    prefix: String,
    max_keys: usize,
}

impl Builder {
    /// Returns the settings that tell this builder's in-memory limiter from others. `None` with a
    /// manual clock: limiters of tests are separate on purpose.
    pub(super) fn counts(&self) -> Option<Counts> {
        #[cfg(feature = "test-util")]
        if self.clock.is_some() {
            return None;
        }
        Some(Counts {
            prefix: self.prefix.clone(),
            max_keys: self.max_keys,
        })
    }
}

/// Warns if another in-memory limiter with equal settings is alive in this process.
pub(super) fn register(inner: &Arc<Inner>, counts: Counts) {
    if WARNED.load(Ordering::Relaxed) {
        return;
    }
    let mut built = BUILT.lock();
    built.retain(|other| other.inner.strong_count() > 0);
    let is_equal = built.iter().any(|other| {
        let same_settings = |other: Arc<Inner>| other.settings.is_equal(&inner.settings);
        other.counts == counts && other.inner.upgrade().is_some_and(same_settings)
    });
    built.push(Built {
        inner: Arc::downgrade(inner),
        counts,
    });
    drop(built);
    if is_equal && !WARNED.swap(true, Ordering::Relaxed) {
        log::warn!(
            target: TARGET,
            "this process has two embedded limiters with the same settings, and each counts for itself: \
             with N of them, N times the limit is admitted. Inside the closure of `HttpServer::new` one is \
             built for each worker: build it before, and give the closure a clone. If they are meant to \
             count apart, give each a `prefix` of its own",
        );
    }
}

impl Settings {
    /// Whether both are equal, as far as can be told: functions cannot be compared.
    fn is_equal(&self, other: &Self) -> bool {
        self.identifier.is_same(&other.identifier)
            && self.failure_mode == other.failure_mode
            && self.clients == other.clients
            && self.headers == other.headers
            && self.max_waiting == other.max_waiting
            && self.on_limited.is_some() == other.on_limited.is_some()
            && self.on_unidentified.is_some() == other.on_unidentified.is_some()
            && self.named.is_some() == other.named.is_some()
    }
}
