use crate::{decision::Decision, limiter::Granted};

/// A place among those who may run at once. Dropped, it is given back.
///
/// It is renewed in the background, by a task of the runtime that it was acquired on, for as long
/// as it is there. If the process dies, the place is free again after the limit's
/// [`expiry`](crate::Concurrency::expiry).
#[derive(Debug)]
#[must_use = "the place is given back as soon as this is dropped"]
pub struct SemaphoreGuard {
    granted: Granted,
}

impl SemaphoreGuard {
    pub(super) fn new(granted: Granted) -> Self {
        Self { granted }
    }

    /// Whether the place is still certain to be held.
    ///
    /// It is not once it could not be renewed for so long that it has expired: the store could not be
    /// reached, the process was stopped, or the store's clock leapt. From then on others may run in its
    /// place, so what must not run beside them should end. Once lost, it stays so; but it goes on
    /// being counted as soon as there is room for it, for as long as the guard is there.
    ///
    /// While the store cannot be asked, the [`FailureMode`](crate::FailureMode) decides: with
    /// `Closed` the guard is valid until the place expires, with `Open` and `Local` beyond that.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.granted.is_valid()
    }

    /// What was decided when the place was acquired: what remained then, and of which limits.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.granted.decision
    }

    /// Gives the place back and waits until the store has it, where dropping leaves that to a task.
    ///
    /// If the store cannot be reached, that is until the place has expired at the latest. If this
    /// future is dropped, the task goes on.
    pub async fn release(mut self) {
        if let Some(hold) = self.granted.hold.take() {
            hold.release().await;
        }
    }
}
