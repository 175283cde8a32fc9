//! [`EngineBuilder`]: the settings of an engine, and the store that is composed by them. It checks
//! Redis once.

use std::{mem, time::Duration};

#[cfg(any(feature = "redis", feature = "status-page"))]
use std::sync::Arc;

use actix_throttle_core::{enforcement::Enforcement, failure_mode::FailureMode, key::check_prefix};
#[cfg(feature = "redis")]
use actix_throttle_core::{key::Naming, time::to_micros};

#[cfg(feature = "test-util")]
use super::clock::ManualClock;
#[cfg(feature = "status-page")]
use super::inspect::Recorder;
#[cfg(feature = "redis")]
use super::store::{
    Circuit, CircuitBreaker, CircuitSettings, DenialCache, Leases, LocalFallback, RedisPool,
    RedisStore, pool_for,
};
use super::{
    clock::Clock,
    error::InitError,
    handle::Engine,
    log_throttle::TARGET,
    observe::{Observer, Observers},
    settings::EngineSettings,
    store::{MemoryStore, Stack},
};

const DEFAULT_PREFIX: &str = "throttle";
const DEFAULT_DEADLINE: Duration = Duration::from_millis(100);
const DEFAULT_FAILURE_THRESHOLD: u32 = 3;
const DEFAULT_RECOVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time for which other processes miss a reset or a refund of this one.
const DEFAULT_DENIAL_CACHE: Duration = Duration::from_secs(1);
/// The default bound is one million keys: about 65 MB of counters of constant size.
const DEFAULT_MAX_KEYS: usize = 1_000_000;

/// Settings of an [`Engine`], before `build` makes it.
pub(crate) struct EngineBuilder {
    pub(crate) store: Option<StoreChoice>,
    pub(crate) prefix: String,
    pub(crate) plain_keys: bool,
    pub(crate) deadline: Duration,
    pub(crate) failure_threshold: u32,
    pub(crate) recovery_timeout: Duration,
    pub(crate) denial_cache: Duration,
    pub(crate) max_keys: usize,
    pub(crate) settings: EngineSettings,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    #[cfg(feature = "test-util")]
    pub(crate) clock: Option<ManualClock>,
}

/// The store that the counters are in.
pub(crate) enum StoreChoice {
    Memory,
    #[cfg(feature = "redis")]
    Pool(RedisPool),
    #[cfg(feature = "redis")]
    Url(String),
}

/// Settings by which two in-memory stores of one process would be taken for one.
#[derive(PartialEq)]
pub(crate) struct StoreIdentity {
    prefix: String,
    max_keys: usize,
    failure_mode: FailureMode,
    max_waiting: usize,
    has_named_limits: bool,
}

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            store: None,
            prefix: DEFAULT_PREFIX.to_owned(),
            plain_keys: false,
            deadline: DEFAULT_DEADLINE,
            failure_threshold: DEFAULT_FAILURE_THRESHOLD,
            recovery_timeout: DEFAULT_RECOVERY_TIMEOUT,
            denial_cache: DEFAULT_DENIAL_CACHE,
            max_keys: DEFAULT_MAX_KEYS,
            settings: EngineSettings::default(),
            observers: Vec::new(),
            #[cfg(feature = "test-util")]
            clock: None,
        }
    }
}

impl EngineBuilder {
    /// Builds the engine from valid settings, and checks Redis once.
    ///
    /// # Errors
    ///
    /// If there is no store, or Redis has a problem that waiting does not solve.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, there is no engine. In Redis it leaves at most the keys of
    /// the startup check, which soon expire.
    pub(crate) async fn build(mut self) -> Result<Engine, InitError> {
        let clock = self.chosen_clock();
        #[cfg(feature = "status-page")]
        let recorder = self.recorder(&clock);
        let observers = Observers::new(mem::take(&mut self.observers));
        let store = match &self.store {
            Some(StoreChoice::Memory) => {
                log::info!(
                    target: TARGET,
                    "rate limits are decided by the in-memory store of this process, with {} keys at most",
                    self.max_keys
                );
                Stack::Memory(MemoryStore::new(self.max_keys, clock.clone()))
            }
            #[cfg(feature = "redis")]
            Some(StoreChoice::Pool(pool)) => self.redis_store(pool.clone(), &observers).await?,
            #[cfg(feature = "redis")]
            Some(StoreChoice::Url(url)) => self.redis_store(pool_for(url)?, &observers).await?,
            None if self.settings.enforcement == Enforcement::Off => Stack::Absent,
            None => {
                return Err(InitError::settings(
                    "no store was chosen; call `.redis(pool)`, `.redis_url(url)` or `.memory()`, \
                     or `.enforcement(Enforcement::Off)` to limit nothing",
                ));
            }
        };
        #[cfg(feature = "config")]
        if let Some(named) = &self.settings.named_limits {
            named.audience().join(&observers);
        }
        Ok(Engine::new(
            store,
            clock,
            self.settings,
            observers,
            #[cfg(feature = "status-page")]
            recorder,
        ))
    }

    /// Makes the recorder of snapshots, which observes as the application's observers do.
    #[cfg(feature = "status-page")]
    fn recorder(&mut self, clock: &Clock) -> Arc<Recorder> {
        let recorder = Arc::new(Recorder::new(clock.clone()));
        self.observers.push(Box::new(Arc::clone(&recorder)));
        recorder
    }

    #[cfg(feature = "redis")]
    async fn redis_store(
        &self,
        pool: RedisPool,
        observers: &Observers,
    ) -> Result<Stack, InitError> {
        let clock = self.chosen_clock();
        let settings = CircuitSettings {
            threshold: self.failure_threshold,
            recovery: self.recovery_timeout,
            deadline: self.deadline,
            verification: pool.verification(self.deadline),
        };
        let circuit = Arc::new(Circuit::new(settings, observers.clone()));
        let store = RedisStore::new(
            pool,
            Naming {
                prefix: self.prefix.as_str().into(),
                plain: self.plain_keys,
            },
            Arc::clone(&circuit),
            self.deadline,
            observers.clone(),
            #[cfg(feature = "test-util")]
            self.clock.clone(),
        );
        store.probe().await?;
        let circuit = CircuitBreaker::new(store, circuit);
        let max_age = to_micros(self.denial_cache);
        let denials = DenialCache::new(circuit, max_age, self.max_keys, clock.clone());
        let leases = Leases::new(denials, self.max_keys, clock.clone(), observers.clone());
        let local = MemoryStore::new(self.max_keys, clock.clone());
        let fallback = LocalFallback::new(leases, local, clock);
        Ok(Stack::Redis(Box::new(fallback)))
    }

    fn chosen_clock(&self) -> Clock {
        #[cfg(feature = "test-util")]
        if let Some(clock) = &self.clock {
            return Clock::Manual(clock.clone());
        }
        Clock::monotonic()
    }

    /// Checks that each setting is in its range.
    pub(crate) fn validate(&self) -> Result<(), InitError> {
        let in_range = |is_in_range: bool, message: &str| {
            if is_in_range {
                Ok(())
            } else {
                Err(InitError::settings(message))
            }
        };
        check_prefix(&self.prefix).map_err(InitError::settings)?;
        in_range(self.max_keys > 0, "`max_keys` must be at least 1")?;
        in_range(!self.deadline.is_zero(), "`deadline` must be above zero")?;
        in_range(
            self.failure_threshold > 0,
            "`failure_threshold` must be at least 1",
        )?;
        let pauses = Duration::from_millis(1)..=Duration::from_secs(366 * 24 * 60 * 60);
        in_range(
            pauses.contains(&self.recovery_timeout),
            "`recovery_timeout` must be from 1 ms to 366 days",
        )
    }

    /// Returns the settings that tell this builder's in-memory store from others. `None` for
    /// Redis, and with a manual clock: limiters of tests are separate on purpose.
    pub(crate) fn memory_identity(&self) -> Option<StoreIdentity> {
        #[cfg(feature = "test-util")]
        if self.clock.is_some() {
            return None;
        }
        let is_memory = matches!(self.store, Some(StoreChoice::Memory));
        is_memory.then(|| StoreIdentity {
            prefix: self.prefix.clone(),
            max_keys: self.max_keys,
            failure_mode: self.settings.failure_mode,
            max_waiting: self.settings.max_waiting,
            has_named_limits: self.settings.named_limits.is_some(),
        })
    }
}
