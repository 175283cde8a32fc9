//! [`Engine`]: the handle of a store with what decisions need beside it. The limiter composes it
//! with the settings of HTTP.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    circuit_state::CircuitState,
    clock::Clock,
    observe::Observers,
    settings::Settings,
    shadow_stats::ShadowStats,
    store::{Stack, interface::Store},
    waiting::queue::WaitQueues,
};

/// Decides checks. A cheap handle: clones share one store.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Stack,
    clock: Clock,
    settings: Settings,
    observers: Observers,
    shadow_stats: ShadowStats,
    wait_queues: WaitQueues,
}

impl Engine {
    pub(super) fn new(
        store: Stack,
        clock: Clock,
        settings: Settings,
        observers: Observers,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            settings,
            observers,
            shadow_stats: ShadowStats::default(),
            wait_queues: WaitQueues::default(),
        }))
    }

    pub(crate) fn circuit(&self) -> CircuitState {
        self.0.store.circuit()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    #[inline]
    pub(crate) fn observers(&self) -> &Observers {
        &self.0.observers
    }

    pub(crate) fn shadow_stats(&self) -> &ShadowStats {
        &self.0.shadow_stats
    }

    /// Returns the time since the Unix epoch, for headers that clients compare with their own
    /// clocks.
    pub(crate) fn wall_time(&self) -> Duration {
        Duration::from_micros(self.0.clock.wall())
    }

    /// Returns the leases and closes the connections. If the future is dropped midway, leases may
    /// not have been returned.
    pub(crate) async fn close(&self) {
        self.0.store.retire().await;
        self.0.store.close();
    }

    pub(super) fn store(&self) -> &Stack {
        &self.0.store
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The wait queues of this process.
    pub(super) fn wait_queues(&self) -> &WaitQueues {
        &self.0.wait_queues
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
