//! The pace at which a cluster replies, by which `migration.rs` knows when to call a call off.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// The longest wait for a call of several keys before it is called off; for a distant cluster,
/// twice its latest round trip if that is longer.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(20);
/// The divisor of a short deadline: the wait is `deadline / DEADLINE_PARTS` if that is less.
const DEADLINE_PARTS: u32 = 8;

/// The cluster's latest round trip, in microseconds. `Relaxed`: it guards no other memory.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU64);

impl Pace {
    pub(crate) fn longest_wait(&self, deadline: Duration) -> Duration {
        let latest = Duration::from_micros(self.0.load(Ordering::Relaxed));
        MAX_WAIT.min(deadline / DEADLINE_PARTS).max(latest * 2)
    }

    pub(crate) fn record_reply(&self, sent: Instant) {
        let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.store(micros, Ordering::Relaxed);
    }
}
