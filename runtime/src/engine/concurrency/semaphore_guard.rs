//! [`SemaphoreGuard`]: a held permit of a semaphore. It renews nothing itself: a task does.

use actix_throttle_core::decision::Decision;

use super::grant::Granted;

/// A held permit of a [`Semaphore`](crate::Semaphore). Dropping it releases the permit.
///
/// A task of the runtime that it was acquired on renews the permit for as long as the guard lives.
/// If the process dies, the permit is free again after the limit's
/// [`expiry`](crate::Concurrency::expiry).
#[derive(Debug)]
#[must_use = "the permit is released as soon as this is dropped"]
pub struct SemaphoreGuard {
    granted: Granted,
}

impl SemaphoreGuard {
    pub(crate) fn new(granted: Granted) -> Self {
        Self { granted }
    }

    /// Returns whether the permit is still certain to be held.
    ///
    /// It no longer is if the permit expired before it could be renewed: the store was unreachable,
    /// the process was stopped, or the store's clock jumped. From then on other work may run in
    /// its place, so work that must not run beside it should end. A lost permit stays lost; but
    /// while the guard lives, it is counted again as soon as there is room for it.
    ///
    /// While the store cannot be asked, the [`FailureMode`](crate::FailureMode) decides: with
    /// `Closed` the guard is valid until the permit expires, with `Open` and `Local` beyond that.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.granted.is_valid()
    }

    /// Returns the decision that granted the permit: the limits, and what remained of each at that
    /// time.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.granted.decision
    }

    /// Releases the permit and waits until the store has done so; dropping the guard leaves that to
    /// a task.
    ///
    /// If the store cannot be reached, it waits until the permit has expired at the latest.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the task goes on.
    pub async fn release(mut self) {
        if let Some(hold) = self.granted.hold.take() {
            hold.release().await;
        }
    }
}
