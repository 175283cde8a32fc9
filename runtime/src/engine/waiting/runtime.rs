//! The runtime that a wait needs. `wait` and `delays` ask for it.

use tokio::runtime::Handle;

use crate::engine::error::RateLimitError;

/// Fails without a tokio runtime, where the timers of a wait would panic.
pub(super) fn needs_runtime() -> Result<(), RateLimitError> {
    Handle::try_current()
        .map(drop)
        .map_err(|error| RateLimitError::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        })
}
