//! The Redis and Valkey store: one call of a Lua script decides a batch of checks atomically.
//!
//! The stack of store layers calls [`RedisStore`] as its innermost layer. The store never sends a
//! call again that may have been carried out.

mod batch;
mod batch_call;
mod block_watch;
mod call_builder;
mod connection;
mod connection_guard;
mod connection_state;
mod drain;
mod encode;
mod endpoint;
mod error_text;
mod executor;
mod keeper;
mod key_table;
mod lateness;
mod limit_table;
#[cfg(feature = "cluster")]
mod migration;
#[cfg(feature = "cluster")]
mod owners;
#[cfg(feature = "cluster")]
mod pace;
mod parameters;
#[cfg(feature = "cluster")]
mod part;
mod plain_builder;
mod plain_call;
mod plain_checks;
mod plain_replay;
mod plain_runs;
mod plain_script;
mod reply;
#[cfg(feature = "cluster")]
mod rollback;
mod script;
mod send;
mod server_info;
#[cfg(feature = "cluster")]
mod single_key;
#[cfg(feature = "cluster")]
mod split;
mod startup_check;
mod startup_error;
#[cfg(feature = "tls")]
mod tls;
mod topology;
mod url;
mod verify;
mod worker_connection;

use std::{sync::Arc, time::Duration};

use actix_throttle_core::{
    check::{Check, Outcomes},
    key::{Key, Naming},
    time::Micros,
};

use self::{
    batch::Lane,
    block_watch::BlockWatch,
    executor::Executor,
    keeper::Upkeep,
    script::{Call, CallContext},
    worker_connection::WorkerConnections,
};
use super::{
    circuit_breaker::Circuit,
    interface::{Miss, Store, StoreError},
    key_hash::KeyHasher,
};

pub use self::topology::RedisPool;
pub(crate) use self::url::pool_for;
#[cfg(feature = "test-util")]
use crate::engine::clock::ManualClock;

/// The store that keeps its counters in Redis or Valkey.
#[derive(Debug)]
pub(crate) struct RedisStore {
    executor: Arc<Executor>,
}

impl RedisStore {
    pub(crate) fn new(
        pool: RedisPool,
        naming: Naming,
        circuit: Arc<Circuit>,
        deadline: Duration,
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
                #[cfg(feature = "cluster")]
                open_slots: migration::OpenSlots::default(),
                #[cfg(feature = "test-util")]
                clock,
            }),
        }
    }

    fn context(&self) -> CallContext<'_> {
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
            .decide(Lane::default(), checks, deadline)
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

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        let call = Call::block(&self.context(), key, length);
        let done = self.executor.run(&call, self.executor.deadline()).await;
        done.map(drop)
    }

    fn close(&self) {
        self.executor.connections.close();
    }
}
