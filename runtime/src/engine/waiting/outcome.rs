//! The outcome of a wait.

use actix_throttle_core::{decision::Decision, time::Micros};

use crate::engine::concurrency::Granted;

/// The outcome of a wait.
#[derive(Debug)]
pub(crate) enum WaitOutcome {
    Granted(Granted),
    /// There was no room in time. Nothing was charged.
    TimedOut {
        /// The index of the limit that was waited for, in the first alternative.
        by: usize,
        /// The time until a retry may help, as far as it is known.
        retry_after: Option<Micros>,
        /// The store's last decision, if it was asked.
        decision: Option<Decision>,
    },
}
