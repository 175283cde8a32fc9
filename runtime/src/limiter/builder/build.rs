//! Builds a limiter: validates the settings, checks Redis once, and puts the store's layers
//! together.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "redis")]
use actix_throttle_core::time::to_micros;

use super::{Builder, Source, duplicate};
#[cfg(feature = "redis")]
use crate::engine::store::{
    Circuit, CircuitBreaker, CircuitSettings, DenialCache, Leases, LocalFallback, RedisPool,
    RedisStore, pool_for,
};
use crate::{
    engine::{
        clock::Clock,
        error::InitError,
        log_throttle::TARGET,
        store::{MemoryStore, Stack},
        waiting::queue::WaitQueues,
    },
    limiter::{Inner, RateLimiter, global, shadow_stats::ShadowStats},
};
#[cfg(feature = "redis")]
use actix_throttle_core::key::Naming;

impl Builder {
    /// Builds the limiter, checks Redis once, and installs the limiter for the whole process.
    ///
    /// # Errors
    ///
    /// If a limiter is installed already, a setting is invalid, or Redis has a problem that waiting
    /// does not solve. A Redis that cannot be reached right now is a warning in the log.
    pub async fn init(self) -> Result<(), InitError> {
        // Before the check of Redis, which takes a while; `install` decides.
        if RateLimiter::is_installed() {
            return Err(global::already_initialized());
        }
        self.build().await?.install()
    }

    /// Builds the limiter and checks Redis once, for `app_data` or use by hand.
    ///
    /// # Errors
    ///
    /// If a setting is invalid, or Redis has a problem that waiting does not solve.
    pub async fn build(self) -> Result<RateLimiter, InitError> {
        self.check_settings()?;
        let clock = self.chosen_clock();
        let store = match &self.store {
            Some(Source::Memory) => {
                log::info!(
                    target: TARGET,
                    "rate limits are decided by the embedded store of this process, with {} keys at most",
                    self.max_keys
                );
                Stack::Memory(MemoryStore::new(self.max_keys, clock.clone()))
            }
            #[cfg(feature = "redis")]
            Some(Source::Pool(pool)) => self.redis_store(pool.clone()).await?,
            #[cfg(feature = "redis")]
            Some(Source::Url(url)) => self.redis_store(pool_for(url)?).await?,
            None => {
                return Err(InitError::settings(
                    "no store was chosen; call `.redis(pool)`, `.redis_url(url)` or `.memory()`",
                ));
            }
        };
        let embedded = match store {
            Stack::Memory(_) => self.counts(),
            #[cfg(feature = "redis")]
            Stack::Redis(_) => None,
        };
        let inner = Arc::new(Inner {
            store,
            clock,
            settings: self.settings,
            shadows: ShadowStats::default(),
            lines: WaitQueues::default(),
        });
        if let Some(counts) = embedded {
            duplicate::register(&inner, counts);
        }
        Ok(RateLimiter { inner })
    }

    #[cfg(feature = "redis")]
    async fn redis_store(&self, pool: RedisPool) -> Result<Stack, InitError> {
        let clock = self.chosen_clock();
        let circuit = Arc::new(Circuit::new(CircuitSettings {
            threshold: self.failure_threshold,
            recovery: self.recovery_timeout,
            deadline: self.deadline,
            verification: pool.verification(self.deadline),
        }));
        let store = RedisStore::new(
            pool,
            Naming {
                prefix: self.prefix.as_str().into(),
                plain: self.plain_keys,
            },
            Arc::clone(&circuit),
            self.deadline,
            #[cfg(feature = "test-util")]
            self.clock.clone(),
        );
        store.probe().await?;
        let circuit = CircuitBreaker::new(store, circuit);
        let max_age = to_micros(self.denial_cache);
        let denials = DenialCache::new(circuit, max_age, self.max_keys, clock.clone());
        let leases = Leases::new(denials, self.max_keys, clock.clone());
        let local = MemoryStore::new(self.max_keys, clock.clone());
        let standby = LocalFallback::new(leases, local, clock);
        Ok(Stack::Redis(Box::new(standby)))
    }

    fn chosen_clock(&self) -> Clock {
        #[cfg(feature = "test-util")]
        if let Some(clock) = &self.clock {
            return Clock::Manual(clock.clone());
        }
        Clock::monotonic()
    }

    fn check_settings(&self) -> Result<(), InitError> {
        let settle = |fine: bool, otherwise: &str| match fine {
            true => Ok(()),
            false => Err(InitError::settings(otherwise)),
        };
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
        settle(
            !self.prefix.is_empty() && self.prefix.bytes().all(plain),
            "`prefix` must be printable ASCII without braces or spaces, and not empty",
        )?;
        settle(self.max_keys > 0, "`max_keys` must be at least 1")?;
        settle(!self.deadline.is_zero(), "`deadline` must be above zero")?;
        settle(
            self.failure_threshold > 0,
            "`failure_threshold` must be at least 1",
        )?;
        let lengths = Duration::from_millis(1)..=Duration::from_secs(366 * 24 * 60 * 60);
        settle(
            lengths.contains(&self.recovery_timeout),
            "`recovery_timeout` must be from 1 ms to 366 days",
        )?;
        settle(
            (1..=128).contains(&self.settings.clients.ipv6_prefix),
            "`ipv6_prefix` must be from 1 to 128",
        )?;
        match self.settings.identifier.validate() {
            None => Ok(()),
            Some(mistake) => Err(InitError::settings(mistake)),
        }
    }
}
