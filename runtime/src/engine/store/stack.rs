//! The store of one limiter with its layers: in memory, or Redis behind the circuit breaker, the
//! denial cache, the leases and the local fallback. The limiter calls it; it decides nothing
//! itself.

use actix_throttle_core::{
    check::{Charge, Check, Outcome, Outcomes},
    decide::Precedence,
    identity::IdentityQuery,
    key::{Key, KeySelection},
    stored::StoredEntry,
    time::Micros,
};

#[cfg(feature = "redis")]
use super::{
    circuit_breaker::CircuitBreaker, denial_cache::DenialCache, leases::Leases,
    local_fallback::LocalFallback, redis::RedisStore,
};
use super::{
    interface::{Miss, ScanBounds, Scanned, Store, StoreError},
    memory::{Full, MemoryStore, StoreSize},
};
use crate::engine::circuit_state::CircuitState;

/// An enum that is chosen once, when a limiter is built: a decision then needs no allocation for a
/// `dyn` future.
#[derive(Debug)]
pub(crate) enum Stack {
    Memory(MemoryStore),
    /// The limiter is off for good, and was built without a store.
    Absent,
    #[cfg(feature = "redis")]
    Redis(Box<LocalFallback<Leases<DenialCache<CircuitBreaker<RedisStore>>>>>),
}

impl Stack {
    pub(crate) fn circuit(&self) -> CircuitState {
        match self {
            // An in-memory store cannot fail, and neither can what is not there.
            Self::Memory(_) | Self::Absent => CircuitState::Closed,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.inner().inner().inner().state(),
        }
    }

    /// Returns how full the in-memory store of this process is.
    pub(crate) fn size(&self) -> StoreSize {
        match self {
            Self::Memory(store) => store.size(),
            Self::Absent => StoreSize::default(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.local_size(),
        }
    }

    /// Returns this process's unused leases to Redis, and leases nothing more.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, leases that are not returned yet count as used.
    pub(crate) async fn return_leases(&self) {
        match self {
            Self::Memory(_) | Self::Absent => {}
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.inner().return_leases().await,
        }
    }

    /// Returns whether this process alone can decide a charge after [`Store::decide`] failed. A
    /// full in-memory store still decides the charges whose keys it has.
    pub(crate) fn can_decide_locally(&self, charge: &Charge<'_>) -> bool {
        match self {
            Self::Memory(store) => store.has_room(charge),
            Self::Absent => false,
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.can_decide_locally(charge),
        }
    }

    /// Decides for this process alone, after [`Store::decide`] failed.
    pub(crate) fn decide_locally(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        match self {
            Self::Memory(store) => store.decide_one(check),
            Self::Absent => Err(Full),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.decide_locally(check),
        }
    }

    /// Remembers what these charges owe in this process alone, after a settlement.
    pub(crate) fn remember_debts<'a>(&self, charges: impl Iterator<Item = Charge<'a>>) {
        match self {
            Self::Memory(_) | Self::Absent => drop(charges),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.remember_debts(charges),
        }
    }
}

impl Store for Stack {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        match self {
            Self::Memory(store) => store.try_decide(check),
            Self::Absent => Err(Miss::UNASKED),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.try_decide(check),
        }
    }

    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        match self {
            Self::Memory(store) => store.decide(checks, miss).await,
            Self::Absent => Err(StoreError::absent()),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.decide(checks, miss).await,
        }
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.delete(keys).await,
            Self::Absent => Ok(()),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.delete(keys).await,
        }
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        match self {
            Self::Memory(store) => store.delete_selected(selection, bounds).await,
            Self::Absent => Ok(Scanned::NOTHING),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.delete_selected(selection, bounds).await,
        }
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        match self {
            Self::Memory(store) => store.read_identity(who, bounds).await,
            Self::Absent => Ok((Vec::new(), Scanned::NOTHING)),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.read_identity(who, bounds).await,
        }
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(store) => store.block(key, length, precedence).await,
            Self::Absent => Ok(false),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.block(key, length, precedence).await,
        }
    }

    fn close(&self) {
        match self {
            Self::Memory(store) => store.close(),
            Self::Absent => {}
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.close(),
        }
    }
}
