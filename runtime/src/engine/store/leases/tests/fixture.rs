//! Several processes, each with its own leases, on one store and one clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_throttle_core::{
    check::{Charge, Check, Mode, Outcome, Outcomes},
    decide::Precedence,
    failure_mode::FailureMode,
    identity::{Identity, IdentityQuery},
    key::{Key, KeySelection},
    limit::{Algorithm, Limit, Refill},
    stored::StoredEntry,
    time::Micros,
};

use crate::engine::{
    clock::{Clock, ManualClock},
    observe::Observers,
    store::{
        MemoryStore,
        interface::{Miss, ScanBounds, Scanned, Store, StoreError},
        leases::Leases,
    },
};

pub(super) const SECOND: u64 = 1_000_000;

/// The store that all processes share, and the number of calls to it.
#[derive(Clone)]
pub(super) struct Server {
    shared: Arc<(MemoryStore, AtomicU32)>,
    /// The clock, if each call takes a microsecond, so that no two of them have the same time.
    ticks: Option<ManualClock>,
}

impl Store for Server {
    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        self.shared.1.fetch_add(1, Ordering::SeqCst);
        if let Some(clock) = &self.ticks {
            clock.advance(Duration::from_micros(1));
        }
        // Yields as a network call does, so that other tasks run in between.
        tokio::task::yield_now().await;
        let outcomes = self.shared.0.decide(checks, miss).await;
        tokio::task::yield_now().await;
        outcomes
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.shared.0.delete(keys).await
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        self.shared.0.delete_selected(selection, bounds).await
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        self.shared.0.read_identity(who, bounds).await
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        self.shared.0.block(key, length, precedence).await
    }

    fn close(&self) {}
}

pub(super) struct Service {
    pub(super) server: Server,
    pub(super) clock: ManualClock,
    pub(super) processes: Vec<Leases<Server>>,
}

impl Service {
    pub(super) fn new(processes: usize) -> Self {
        Self::with_ticks(processes, false)
    }

    /// A service whose store takes a microsecond for each call.
    pub(super) fn ticking(processes: usize) -> Self {
        Self::with_ticks(processes, true)
    }

    fn with_ticks(processes: usize, ticks: bool) -> Self {
        let clock = ManualClock::new();
        let of = || Clock::Manual(clock.clone());
        let server = Server {
            shared: Arc::new((MemoryStore::new(10_000, of()), AtomicU32::new(0))),
            ticks: ticks.then(|| clock.clone()),
        };
        let processes =
            (0..processes).map(|_| Leases::new(server.clone(), 10_000, of(), Observers::default()));
        Self {
            processes: processes.collect(),
            server,
            clock,
        }
    }

    pub(super) async fn ask(
        &self,
        process: usize,
        mode: Mode<'_>,
        limits: &[(&Limit, u32)],
    ) -> Outcome {
        let outcome = self.ask_only(process, mode, limits).await;
        settle().await;
        outcome
    }

    /// Decides a check without letting background tasks run.
    pub(super) async fn ask_only(
        &self,
        process: usize,
        mode: Mode<'_>,
        limits: &[(&Limit, u32)],
    ) -> Outcome {
        let identity = Identity::new("ann");
        let check = Check {
            mode,
            charges: limits
                .iter()
                .map(|(limit, cost)| Charge {
                    key: Key::counter(&identity, limit),
                    limit: (*limit).into(),
                    cost: *cost,
                    failure_mode: FailureMode::Open,
                })
                .collect(),
        };
        let leases = &self.processes[process];
        let outcome = match leases.try_decide(&check) {
            Ok(outcome) => Some(outcome),
            Err(miss) => {
                let outcomes = leases.decide(&[check], miss).await;
                outcomes.ok().and_then(|all| all.into_iter().next())
            }
        };
        outcome.expect("an in-memory store always decides")
    }

    pub(super) async fn admits(&self, process: usize, limit: &Limit) -> bool {
        self.ask(process, Mode::Charge, &[(limit, 1)]).await.allowed
    }

    pub(super) fn calls(&self) -> u32 {
        self.server.shared.1.load(Ordering::SeqCst)
    }

    pub(super) async fn advance(&self, micros: u64) {
        self.clock.advance(Duration::from_micros(micros));
        settle().await;
    }
}

/// Lets background tasks finish.
pub(super) async fn settle() {
    for _ in 0..12 {
        tokio::task::yield_now().await;
    }
}

pub(super) fn run(test: impl AsyncFnOnce()) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(test());
}

pub(super) fn fixed(times: u32) -> Limit {
    let minute = Duration::from_secs(60);
    Limit::new(times, minute).algorithm(Algorithm::FixedWindow)
}

/// A limit of each algorithm that can be leased.
pub(super) fn leasable(times: u32, seconds: u64) -> [Limit; 5] {
    let limit = Limit::new(times, Duration::from_secs(seconds));
    let bucket = limit.algorithm(Algorithm::TokenBucket);
    [
        limit.algorithm(Algorithm::FixedWindow),
        limit.algorithm(Algorithm::SlidingWindow),
        limit.algorithm(Algorithm::SlidingWindowCounter),
        bucket.refill(Refill::Greedy),
        bucket.refill(Refill::Interval),
    ]
}

/// A random number generator with a fixed seed, so that every run of the tests draws the same
/// numbers.
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    pub(super) fn roll(&mut self, below: usize) -> usize {
        self.0.usize(..below)
    }
}

pub(super) fn dice(seed: u64) -> Dice {
    Dice(fastrand::Rng::with_seed(seed))
}
