//! The Redis and Valkey store: one script call decides a list of checks.

#[cfg(feature = "cluster")]
mod alone;
mod connection;
mod draft;
mod judge;
mod keeper;
mod keys;
mod kinds;
mod link;
mod loan;
#[cfg(feature = "cluster")]
mod migrating;
#[cfg(feature = "cluster")]
mod owners;
mod probe;
mod queue;
mod reply;
mod script;
#[cfg(feature = "cluster")]
mod slots;
#[cfg(feature = "cluster")]
mod taken;
#[cfg(feature = "tls")]
mod tls;
mod topology;
mod url;
mod wire;

use std::{sync::Arc, time::Duration};

use self::{
    link::Links,
    queue::Lane,
    script::{Call, Terms},
    wire::Wire,
};
use super::{
    interface::{Check, Outcomes, Store, StoreError},
    place::Hasher,
};
use crate::{clock::Micros, key::Key};

pub use self::topology::RedisPool;
pub(crate) use self::url::pool_for;

#[derive(Debug)]
pub(crate) struct RedisStore {
    wire: Arc<Wire>,
    #[cfg(feature = "cluster")]
    open_slots: migrating::OpenSlots,
}

impl RedisStore {
    pub(crate) fn new(
        pool: RedisPool,
        prefix: &str,
        deadline: Duration,
        #[cfg(feature = "test-util")] clock: Option<crate::clock::ManualClock>,
    ) -> Self {
        Self {
            wire: Arc::new(Wire {
                links: Links::new(pool),
                prefix: prefix.into(),
                hasher: Hasher::new(),
                deadline,
                #[cfg(feature = "test-util")]
                clock,
            }),
            #[cfg(feature = "cluster")]
            open_slots: migrating::OpenSlots::default(),
        }
    }

    fn terms(&self) -> Terms<'_> {
        self.wire.terms()
    }
}

impl Store for RedisStore {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        #[cfg(feature = "cluster")]
        if self.wire.links.pool().is_cluster() {
            return Box::pin(self.decide_by_slot(checks)).await;
        }
        let deadline = self.wire.deadline();
        self.wire.decide(Lane::default(), checks, deadline).await
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        #[cfg(feature = "cluster")]
        if self.wire.links.pool().is_cluster() {
            return self.forget_each(keys).await;
        }
        let mut command = redis::cmd("DEL");
        for key in keys {
            command.arg(key.text(&self.wire.prefix));
        }
        self.wire.send(&command).await
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        let call = Call::block(&self.terms(), key, length);
        let done = self.wire.run(&call, self.wire.deadline()).await;
        done.map(drop)
    }

    fn close(&self) {
        self.wire.links.close();
    }
}
