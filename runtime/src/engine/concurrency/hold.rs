//! [`PermitHold`]: permits that are held until it is dropped, however the request ends.

use std::{pin::pin, sync::Arc};

use actix_throttle_core::time::Micros;
use futures_util::future::select;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{owned_charge::OwnedCharge, renewal::Renewal};
use crate::engine::handle::Engine;

/// Permits that are held. Dropping this value releases them: at once if that needs no I/O, else by
/// the renewal task.
#[derive(Debug)]
pub(crate) struct PermitHold {
    renewal: Arc<Renewal>,
    /// The sender whose drop tells the renewal task that the hold has ended.
    end: Option<oneshot::Sender<()>>,
    /// The time at which the observers were told that the permits are held; `None` if they were
    /// not.
    held_since: Option<Micros>,
    /// The renewal task.
    pub(super) task: Option<JoinHandle<()>>,
}

impl PermitHold {
    pub(super) fn start(
        engine: Engine,
        permits: Vec<OwnedCharge>,
        sent: Micros,
        may_count: bool,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (end, ended) = oneshot::channel();
        let renewal = Arc::new(Renewal::new(engine, permits, sent, may_count));
        let until_dropped = Arc::clone(&renewal).renew_until_dropped(ended, sent);
        let hold = Self {
            renewal,
            end: Some(end),
            held_since: None,
            task: None,
        };
        (hold, until_dropped)
    }

    /// Tells the observers that the permits are held: from now until the hold is dropped.
    pub(super) fn tell_held(&mut self) {
        self.held_since = self.renewal.tell_held();
    }

    /// Whether all permits are certain: none was lost, and all were renewed in time.
    pub(crate) fn is_valid(&self) -> bool {
        self.renewal.is_valid()
    }

    /// Releases the permits, and waits for that, until they have expired at the latest.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the renewal task goes on.
    pub(crate) async fn release(mut self) {
        let task = self.task.take();
        drop(self);
        if let Some(task) = task {
            // The task does not panic, and is aborted only with its runtime.
            let _ = task.await;
        }
    }

    /// Releases the permits, and waits until that was tried once, for the store's deadline at most.
    /// A renewal that is under way comes first. If the store could not be told, the renewal task
    /// tries again.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the renewal task goes on.
    pub(crate) async fn release_once(mut self) {
        let (task, renewal) = (self.task.take(), Arc::clone(&self.renewal));
        drop(self);
        if let Some(task) = task {
            // The task ends at once if the permits are released already.
            select(task, pin!(renewal.release_tried())).await;
        }
    }
}

impl Drop for PermitHold {
    fn drop(&mut self) {
        self.renewal.try_release();
        self.renewal.tell_released(self.held_since);
        drop(self.end.take());
    }
}
