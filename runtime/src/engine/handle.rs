//! [`Engine`]: the handle of a store with what decisions need beside it. The limiter composes it
//! with the settings of HTTP.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    circuit_state::CircuitState,
    clock::Clock,
    settings::Settings,
    shadow_stats::ShadowStats,
    store::{Stack, interface::Store},
    switch::Switch,
    waiting::{Delays, queue::WaitQueues},
};

/// Decides checks. A cheap handle: clones share one store.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Stack,
    clock: Clock,
    switch: Arc<Switch>,
    settings: Settings,
    shadow_stats: ShadowStats,
    wait_queues: WaitQueues,
    delays: Delays,
}

impl Engine {
    pub(super) fn new(store: Stack, clock: Clock, settings: Settings) -> Self {
        let (code, file) = (settings.enforcement, settings.live_enforcement.as_ref());
        let switch = Switch::new(code, file, !matches!(store, Stack::Absent));
        Self(Arc::new(Inner {
            store,
            clock,
            switch,
            settings,
            shadow_stats: ShadowStats::default(),
            wait_queues: WaitQueues::default(),
            delays: Delays::default(),
        }))
    }

    pub(crate) fn circuit(&self) -> CircuitState {
        self.0.store.circuit()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
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

    pub(super) fn switch(&self) -> &Switch {
        &self.0.switch
    }

    /// The delayed requests of this process.
    pub(super) fn delays(&self) -> &Delays {
        &self.0.delays
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
