//! The Redis and Valkey store: one script call decides a list of checks.

mod link;
mod probe;
mod script;
mod topology;

use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, aio::MultiplexedConnection};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use self::{link::Links, script::Call};
use super::interface::{Check, Outcomes, Store, StoreError};
use crate::{clock::Micros, key::Key};

pub use self::topology::RedisPool;
pub(crate) use self::topology::pool_for;

#[derive(Debug)]
pub(crate) struct RedisStore {
    links: Links,
    prefix: Box<str>,
    /// For one call, waiting for a connection included.
    deadline: Duration,
    #[cfg(feature = "test-util")]
    clock: Option<crate::clock::ManualClock>,
}

impl RedisStore {
    pub(crate) fn new(pool: RedisPool, prefix: &str, deadline: Duration) -> Self {
        Self {
            links: Links::new(pool),
            prefix: prefix.into(),
            deadline,
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

    async fn run(&self, call: &Call) -> Result<Vec<i64>, StoreError> {
        self.on_link(async |connection: &mut MultiplexedConnection| {
            match call.by_hash().query_async(connection).await {
                // The server has restarted or was told to forget scripts. Nothing was done yet.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    call.by_source().query_async(connection).await
                }
                reply => reply,
            }
        })
        .await
    }

    async fn send(&self, command: &Cmd) -> Result<(), StoreError> {
        self.on_link(async |connection: &mut MultiplexedConnection| {
            command.query_async(connection).await
        })
        .await
    }

    /// Does `work` on this worker's connection within the deadline, and drops a connection that
    /// failed or did not answer in time. Nothing is tried twice: it may have been done.
    async fn on_link<T>(
        &self,
        work: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        // Timers and connections want one; without, there is an error and no panic.
        let runtime = Handle::try_current().map_err(|error| StoreError::new(error.to_string()))?;
        let deadline = Instant::now() + self.deadline;
        let late = |_| StoreError::new(format!("no answer within {:?}", self.deadline));
        let mut loan = timeout_at(deadline, self.links.get(&runtime))
            .await
            .map_err(late)?
            .map_err(|error| StoreError::new(error.to_string()))?;
        match timeout_at(deadline, work(&mut loan.connection)).await {
            Ok(Ok(done)) => {
                loan.answered();
                Ok(done)
            }
            Ok(Err(error)) => {
                if ends_connection(&error) {
                    loan.discard();
                }
                Err(StoreError::new(error.to_string()))
            }
            Err(elapsed) => {
                loan.was_late();
                Err(late(elapsed))
            }
        }
    }
}

/// Whether another connection might do better: this one is broken, or leads to a server that is
/// no longer the one to ask.
fn ends_connection(error: &RedisError) -> bool {
    let elsewhere = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    elsewhere || error.is_io_error() || error.is_unrecoverable_error()
}

impl Store for RedisStore {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        let call = Call::decide(&self.prefix, checks, self.now());
        script::outcomes(&self.run(&call).await?, checks)
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        for key in keys {
            command.arg(key.text(&self.prefix));
        }
        self.send(&command).await
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        let call = Call::block(&self.prefix, key, length, self.now());
        self.run(&call).await.map(drop)
    }

    fn close(&self) {
        self.links.close();
    }
}
