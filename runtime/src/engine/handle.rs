//! [`Engine`]: the handle of a store with what decisions need beside it. The limiter composes it
//! with the settings of HTTP.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

#[cfg(feature = "status-page")]
use super::inspect::Recorder;
use super::{
    circuit_state::CircuitState,
    clock::Clock,
    observe::{Event, Observers},
    settings::EngineSettings,
    shadow_stats::ShadowStats,
    store::{Stack, interface::Store},
    switch::Switch,
    waiting::{Delays, queue::WaitQueues},
};

/// The number of decisions between two reports of the store's size, which lock all of its shards;
/// and the number of first decisions that are each followed by a report.
const SIZE_INTERVAL: u64 = 1024;
const SIZE_AT_FIRST: u64 = 64;

/// Decides checks. A cheap handle: clones share one store.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Stack,
    clock: Clock,
    switch: Arc<Switch>,
    settings: EngineSettings,
    observers: Observers,
    /// The number of decisions that observers were told. It is relaxed: it guards no other data.
    told: AtomicU64,
    shadow_stats: ShadowStats,
    wait_queues: WaitQueues,
    delays: Delays,
    #[cfg(feature = "status-page")]
    recorder: Arc<Recorder>,
}

impl Engine {
    pub(super) fn new(
        store: Stack,
        clock: Clock,
        settings: EngineSettings,
        observers: Observers,
        #[cfg(feature = "status-page")] recorder: Arc<Recorder>,
    ) -> Self {
        let (code, file) = (settings.enforcement, settings.live_enforcement.as_ref());
        let switch = Switch::new(code, file, !matches!(store, Stack::Absent));
        Self(Arc::new(Inner {
            store,
            clock,
            switch,
            settings,
            observers,
            told: AtomicU64::new(0),
            shadow_stats: ShadowStats::default(),
            wait_queues: WaitQueues::default(),
            delays: Delays::default(),
            #[cfg(feature = "status-page")]
            recorder,
        }))
    }

    pub(crate) fn circuit(&self) -> CircuitState {
        self.0.store.circuit()
    }

    pub(crate) fn settings(&self) -> &EngineSettings {
        &self.0.settings
    }

    #[inline]
    pub(crate) fn observers(&self) -> &Observers {
        &self.0.observers
    }

    /// Returns what this process remembers for snapshots.
    #[cfg(feature = "status-page")]
    pub(super) fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    pub(crate) fn shadow_stats(&self) -> &ShadowStats {
        &self.0.shadow_stats
    }

    /// Returns the time since the Unix epoch, for headers that clients compare with their own
    /// clocks.
    pub(crate) fn wall_time(&self) -> Duration {
        Duration::from_micros(self.0.clock.wall())
    }

    /// Returns the leases and closes the connections.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, leases may not have been returned.
    pub(crate) async fn close(&self) {
        self.0.store.return_leases().await;
        self.0.store.close();
    }

    pub(super) fn store(&self) -> &Stack {
        &self.0.store
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn switch(&self) -> &Switch {
        &self.0.switch
    }

    /// The delayed requests of this process.
    pub(super) fn delays(&self) -> &Delays {
        &self.0.delays
    }

    /// Tells the observers the store's size: each time at first, then at intervals. Keys come and
    /// go with decisions, so it needs no timer.
    pub(super) fn tell_size_sometimes(&self) {
        let told = self.0.told.fetch_add(1, Ordering::Relaxed) + 1;
        if told <= SIZE_AT_FIRST || told.is_multiple_of(SIZE_INTERVAL) {
            let size = self.0.store.size();
            self.0.observers.tell(|| Event::StoreSized {
                keys: size.keys,
                evictions: size.evictions,
            });
        }
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
