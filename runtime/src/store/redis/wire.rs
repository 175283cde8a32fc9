//! The way to the servers: over this worker's link, within a deadline.

use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use super::{connection::Connection, link::Links, script::Call};
use crate::store::interface::StoreError;

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) links: Links,
    /// For one decision, waiting for a connection included.
    pub(super) deadline: Duration,
}

impl Wire {
    /// When a decision that begins now is late.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    pub(super) async fn run(&self, call: &Call, deadline: Instant) -> Result<Vec<i64>, StoreError> {
        self.on_link(deadline, async |connection: &mut Connection| {
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

    pub(super) async fn send(&self, command: &Cmd) -> Result<(), StoreError> {
        let work = async |connection: &mut Connection| command.query_async(connection).await;
        self.on_link(self.deadline(), work).await
    }

    /// Does `work` on this worker's connection within the deadline, and tells the link how that
    /// went. Nothing is tried twice: it may have been done.
    async fn on_link<T>(
        &self,
        deadline: Instant,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        // Timers and connections want one; without, there is an error and no panic.
        let runtime =
            Handle::try_current().map_err(|error| StoreError::misuse(error.to_string()))?;
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
                let reason = loan.weigh(StoreError::new(error.to_string()));
                Err(reason.of(loan.failed(error)))
            }
            Err(elapsed) => {
                let reason = loan.weigh(late(elapsed));
                loan.was_late();
                Err(reason)
            }
        }
    }
}
