//! The pace at which a cluster replies, by which `migration.rs` knows when to call a call off.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// The longest wait for a call of several keys before it is called off; for a distant cluster,
/// twice its latest round trip if that is longer.
pub(crate) const MAX_PATIENCE: Duration = Duration::from_millis(20);
/// The divisor of a short deadline: the wait is `deadline / PATIENCE_OF_DEADLINE` if that is less.
const PATIENCE_OF_DEADLINE: u32 = 8;

/// The cluster's latest round trip, in microseconds. `Relaxed`: it guards no other memory.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU64);

impl Pace {
    pub(crate) fn patience(&self, deadline: Duration) -> Duration {
        let latest = Duration::from_micros(self.0.load(Ordering::Relaxed));
        MAX_PATIENCE
            .min(deadline / PATIENCE_OF_DEADLINE)
            .max(latest * 2)
    }

    pub(crate) fn answered(&self, since: Instant) {
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.store(micros, Ordering::Relaxed);
    }
}
