//! [`PermitHold`]: permits that are held until it is dropped, however the request ends.

use std::sync::Arc;

use actix_throttle_core::time::Micros;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{hold_state::HoldState, owned_charge::OwnedCharge};
use crate::engine::handle::Engine;

/// Permits that are held. Dropping this value releases them: at once if that needs no I/O, else by
/// the renewal task.
#[derive(Debug)]
pub(crate) struct PermitHold {
    state: Arc<HoldState>,
    /// The sender whose drop tells the renewal task that the hold has ended.
    end: Option<oneshot::Sender<()>>,
    /// The time at which the observers were told that the permits are held; `None` if they were
    /// not.
    held_since: Option<Micros>,
    pub(super) renewal: Option<JoinHandle<()>>,
}

impl PermitHold {
    pub(super) fn start(
        engine: Engine,
        permits: Vec<OwnedCharge>,
        sent: Micros,
        may_count: bool,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (end, ended) = oneshot::channel();
        let state = Arc::new(HoldState::new(engine, permits, sent, may_count));
        let renewal = Arc::clone(&state).renew_until_dropped(ended, sent);
        let hold = Self {
            state,
            end: Some(end),
            held_since: None,
            renewal: None,
        };
        (hold, renewal)
    }

    /// Tells the observers that the permits are held: from now until the hold is dropped.
    pub(super) fn tell_held(&mut self) {
        self.held_since = self.state.tell_held();
    }

    /// Whether all permits are certain: none was lost, and all were renewed in time.
    pub(crate) fn is_valid(&self) -> bool {
        self.state.is_valid()
    }

    /// Releases the permits, and waits for that.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the renewal task goes on.
    pub(crate) async fn release(mut self) {
        let renewal = self.renewal.take();
        drop(self);
        if let Some(renewal) = renewal {
            // The task does not panic, and is aborted only with its runtime.
            let _ = renewal.await;
        }
    }
}

impl Drop for PermitHold {
    fn drop(&mut self) {
        self.state.try_release();
        self.state.tell_released(self.held_since);
        drop(self.end.take());
    }
}
