//! The stores that tests run against. Each has a clock that only the test moves.

use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_throttle::{
    Algorithm, Builder, FailureMode, Limit, ManualClock, RateLimiter, Refill, Semaphore,
    deadpool_redis,
};

use crate::{ServerVersion, cluster_of_open_slots, shared, shared_cluster};

/// A generous deadline, because test machines are slow at times. Other tests cover deadlines.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Bound for a whole test.
const LONGEST: Duration = Duration::from_secs(240);

/// A store to test against.
#[derive(Clone, Copy, Debug)]
pub enum StoreKind {
    Memory,
    Server(ServerVersion),
    Cluster,
    /// A cluster in which every slot is being migrated and no migration ends.
    OpenSlots(ServerVersion),
}

/// A limiter that belongs to one test.
pub struct StoreFixture {
    pub limiter: RateLimiter,
    pub clock: ManualClock,
    target: StoreKind,
}

impl StoreFixture {
    pub async fn new(target: StoreKind) -> Self {
        Self::with(target, |builder| builder).await
    }

    pub async fn with(target: StoreKind, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new();
        let builder = match target {
            StoreKind::Memory => RateLimiter::builder().memory(),
            StoreKind::Server(version) => RateLimiter::builder()
                .redis_url(shared(version).url())
                .prefix(unique("bench"))
                .deadline(LONGEST_WAIT),
            StoreKind::Cluster => RateLimiter::builder()
                .redis(cluster_pool(shared_cluster().urls()))
                .prefix(unique("bench"))
                .deadline(LONGEST_WAIT),
            StoreKind::OpenSlots(version) => RateLimiter::builder()
                .redis(cluster_pool(cluster_of_open_slots(version).urls()))
                .prefix(unique("bench"))
                // Fail closed: a check without a decision then fails the test.
                .failure_mode(FailureMode::Closed)
                .deadline(LONGEST_WAIT),
        };
        let builder = settings(builder.clock(clock.clone()));
        let limiter = builder.build().await.unwrap();
        Self {
            limiter,
            clock,
            target,
        }
    }

    /// Another limiter on a store of this kind, with settings and counters of its own.
    pub async fn with_settings(&self, settings: impl FnOnce(Builder) -> Builder) -> Self {
        Self::with(self.target, settings).await
    }

    pub fn advance(&self, micros: u64) {
        self.clock.advance(Duration::from_micros(micros));
    }
}

pub fn cluster_pool(urls: Vec<String>) -> deadpool_redis::cluster::Pool {
    deadpool_redis::cluster::Config::from_urls(urls)
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .unwrap()
}

/// One limit for each algorithm and refill, with `times` per `seconds`.
pub fn every_algorithm(times: u32, seconds: u64) -> [Limit; 6] {
    let limit = Limit::new(times, Duration::from_secs(seconds));
    [
        limit.algorithm(Algorithm::SlidingWindow),
        limit.algorithm(Algorithm::SlidingWindowCounter),
        limit.algorithm(Algorithm::FixedWindow),
        limit.algorithm(Algorithm::TokenBucket),
        limit
            .algorithm(Algorithm::TokenBucket)
            .refill(Refill::Interval),
        limit.algorithm(Algorithm::LeakyBucket),
    ]
}

/// A text that no other test has, in this process or another one.
pub fn unique(text: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{text}{}-{count}", process::id())
}

/// Runs a test on a single-threaded runtime, like an actix worker. Panics if it takes longer than
/// `LONGEST`.
pub fn block_on<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { tokio::time::timeout(LONGEST, test).await })
        .unwrap_or_else(|_| panic!("still running after {LONGEST:?}"))
}

/// Waits until a condition holds, at most `LONGEST_WAIT`.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = std::time::Instant::now() + LONGEST_WAIT;
    while !condition().await {
        assert!(std::time::Instant::now() < end, "still not: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A runtime that advances only when a test says so, like a process that stalls.
pub struct Elsewhere(Option<tokio::runtime::Runtime>);

impl Elsewhere {
    pub fn start() -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Self(Some(runtime.enable_all().build().unwrap()))
    }

    /// Runs this future and, meanwhile, the other tasks of that runtime.
    pub fn run<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        let runtime = self.0.as_ref().unwrap();
        // A thread of its own, because the test's thread runs a runtime already.
        std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join().unwrap())
    }

    /// Acquires a permit and ends without releasing it, like a process that is killed.
    pub fn die_holding(mut self, semaphore: &Semaphore) {
        let guard = self.run(semaphore.try_acquire()).unwrap();
        std::mem::forget(guard.expect("a permit"));
        self.0.take().unwrap().shutdown_background();
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
