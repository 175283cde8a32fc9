//! The Redis and Valkey store: one script call decides a list of checks.

mod connection;
mod judge;
mod keeper;
mod link;
mod loan;
mod probe;
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
    script::{Call, Terms},
    wire::Wire,
};
use super::interface::{Check, Outcomes, Store, StoreError};
use crate::{clock::Micros, key::Key};

pub use self::topology::RedisPool;
pub(crate) use self::url::pool_for;

#[derive(Debug)]
pub(crate) struct RedisStore {
    wire: Arc<Wire>,
    prefix: Box<str>,
    #[cfg(feature = "test-util")]
    clock: Option<crate::clock::ManualClock>,
}

impl RedisStore {
    pub(crate) fn new(pool: RedisPool, prefix: &str, deadline: Duration) -> Self {
        Self {
            wire: Arc::new(Wire {
                links: Links::new(pool),
                deadline,
            }),
            prefix: prefix.into(),
            #[cfg(feature = "test-util")]
            clock: None,
        }
    }

    /// Passes this clock's time to the script in place of the server's.
    #[cfg(feature = "test-util")]
    pub(crate) fn with_clock(mut self, clock: Option<crate::clock::ManualClock>) -> Self {
        self.clock = clock;
        self
    }

    /// The time to pass to the script; `None` is the server's.
    fn now(&self) -> Option<Micros> {
        #[cfg(feature = "test-util")]
        let now = self.clock.as_ref().map(crate::clock::ManualClock::micros);
        #[cfg(not(feature = "test-util"))]
        let now = None;
        now
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            prefix: &self.prefix,
            now: self.now(),
            #[cfg(feature = "cluster")]
            once: self.once(),
        }
    }
}

impl Store for RedisStore {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        #[cfg(feature = "cluster")]
        if self.wire.links.pool().is_cluster() {
            return self.decide_by_slot(checks).await;
        }
        let call = Call::decide(&self.terms(), checks);
        let reply = self.wire.run(&call, self.wire.deadline()).await?;
        reply::outcomes(&reply, checks)
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        for key in keys {
            command.arg(key.text(&self.prefix));
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
