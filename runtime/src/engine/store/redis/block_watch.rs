//! The block watch remembers for a moment that some identity is blocked. The plain script looks for
//! one key that is there while any identity may be blocked; the executor notes here that it was
//! there, and names the blocks in its next calls at once.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// The time for which calls name their blocks after the marker was seen.
const LASTING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct BlockWatch {
    made: Instant,
    /// The end of that time, in milliseconds since `made`. `Relaxed`: a stale value costs a second
    /// call or some keys more, and no more.
    until: AtomicU64,
}

impl BlockWatch {
    pub(super) fn new() -> Self {
        Self {
            made: Instant::now(),
            until: AtomicU64::new(0),
        }
    }

    /// Notes that the marker was there.
    pub(super) fn renew(&self) {
        let until = millis(self.made.elapsed() + LASTING);
        self.until.store(until, Ordering::Relaxed);
    }

    /// Whether the marker was there a moment ago.
    pub(super) fn is_on(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        // Most services never block, and read no clock for it.
        until > 0 && millis(self.made.elapsed()) < until
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
