//! The store itself: the calls of its trait, and what it is made of.

use std::{sync::Arc, time::Duration};

use actix_throttle_core::{
    check::{Check, Outcomes},
    decide::Precedence,
    identity::IdentityQuery,
    key::{Key, KeySelection, Naming},
    stored::StoredEntry,
    time::Micros,
};

#[cfg(feature = "cluster")]
use super::cluster::migration;
use super::{
    batch::BatchKey,
    block_watch::BlockWatch,
    connection::{reconnect::Upkeep, topology::RedisPool, worker::WorkerConnections},
    executor::Executor,
    reply,
    script::{Call, CallContext},
};
#[cfg(feature = "test-util")]
use crate::engine::clock::ManualClock;
use crate::engine::{
    observe::Observers,
    store::{
        circuit_breaker::Circuit,
        interface::{Miss, ScanBounds, Scanned, Store, StoreError},
        key_hash::KeyHasher,
    },
};

/// The store that keeps its counters in Redis or Valkey.
#[derive(Debug)]
pub(crate) struct RedisStore {
    pub(super) executor: Arc<Executor>,
}

impl RedisStore {
    pub(crate) fn new(
        pool: RedisPool,
        naming: Naming,
        circuit: Arc<Circuit>,
        deadline: Duration,
        observers: Observers,
        #[cfg(feature = "test-util")] clock: Option<ManualClock>,
    ) -> Self {
        let upkeep = Upkeep {
            pool,
            circuit,
            naming,
            hasher: KeyHasher::new(),
            deadline,
        };
        Self {
            executor: Arc::new(Executor {
                connections: WorkerConnections::new(Arc::new(upkeep)),
                block_watch: BlockWatch::new(),
                observers,
                #[cfg(feature = "cluster")]
                open_slots: migration::OpenSlots::default(),
                #[cfg(feature = "test-util")]
                clock,
            }),
        }
    }

    pub(super) fn context(&self) -> CallContext<'_> {
        self.executor.context()
    }
}

impl Store for RedisStore {
    async fn decide(&self, checks: &[Check<'_>], _miss: Miss) -> Result<Outcomes, StoreError> {
        #[cfg(feature = "cluster")]
        if self.executor.upkeep().pool.is_cluster() {
            return Box::pin(self.decide_by_slot(checks)).await;
        }
        let deadline = self.executor.deadline();
        self.executor
            .decide(BatchKey::default(), checks, deadline)
            .await
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        #[cfg(feature = "cluster")]
        if self.executor.upkeep().pool.is_cluster() {
            return self.delete_each(keys).await;
        }
        let mut command = redis::cmd("DEL");
        for key in keys {
            command.arg(key.text(&self.executor.upkeep().naming));
        }
        self.executor.send(&command).await
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        self.scan_and_delete(selection, bounds).await
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        self.scan_identity(who, bounds).await
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        let call = Call::block(&self.context(), key, length, precedence);
        let reply = self.executor.run(&call, self.executor.deadline()).await?;
        Ok(reply::has_blocked(&reply))
    }

    fn close(&self) {
        self.executor.connections.close();
    }
}
