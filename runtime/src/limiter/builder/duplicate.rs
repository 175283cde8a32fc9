//! The warning about in-memory limiters that were meant to be one. The builder calls it.
//!
//! `HttpServer::new` calls its closure once per worker. A limiter that is built inside counts for
//! that worker alone, so N workers admit N times the limit, and no response shows it.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

use crate::{
    engine::{StoreIdentity, log_throttle::TARGET},
    limiter::HttpSettings,
};

/// The in-memory limiters of this process that are still alive.
static BUILT: Mutex<Vec<Built>> = Mutex::new(Vec::new());

/// Whether the warning was logged. One line is enough: the second of four workers already tells it
/// all. It is relaxed, because the swap alone decides which thread logs.
static WARNED: AtomicBool = AtomicBool::new(false);

struct Built {
    http: Weak<HttpSettings>,
    memory: StoreIdentity,
}

/// Warns if another in-memory limiter with equal settings is alive in this process.
pub(super) fn register(http: &Arc<HttpSettings>, memory: StoreIdentity) {
    if WARNED.load(Ordering::Relaxed) {
        return;
    }
    let mut built = BUILT.lock();
    built.retain(|other| other.http.strong_count() > 0);
    let is_equal = built.iter().any(|other| {
        let is_equal = |other: Arc<HttpSettings>| other.is_equal(http);
        other.memory == memory && other.http.upgrade().is_some_and(is_equal)
    });
    built.push(Built {
        http: Arc::downgrade(http),
        memory,
    });
    drop(built);
    if is_equal && !WARNED.swap(true, Ordering::Relaxed) {
        log::warn!(
            target: TARGET,
            "this process has two in-memory limiters with the same settings, and each counts for itself: \
             N of them admit N times the limit. A limiter that is built inside the closure of \
             `HttpServer::new` is built once for each worker: build it before the closure, and move a \
             clone into it. If the limiters are meant to count apart, give each a `prefix` of its own",
        );
    }
}
