//! Successors of a cluster connection, which the reconnect task replaces differently.
//!
//! In a cluster, a call may fail because of its slot or its node alone, so a failed call is no
//! incident. It makes the reconnect task verify the store at other slots instead. The incident is
//! that none of these decides.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    AttemptTurn, GoesOn, ReconnectTask,
    attempt::{AttemptError, timely},
    pause::{AT_ONCE, LONGEST, half_to_whole, up_to},
};
use crate::engine::store::redis::connection::{
    connection::Connection,
    state::{Connectivity, Established, Successor},
    verify::verify,
};

/// The longest time for a successor to get a reply about the key about which its predecessor got
/// none.
const TRIAL: Duration = Duration::from_millis(500);
/// The longest pause between verifications of a store that has just failed one, before jitter.
const AGAIN: Duration = Duration::from_millis(200);

impl ReconnectTask {
    /// Makes a successor, and installs it if it is better than the present connection.
    pub(crate) async fn replace_in_cluster(&mut self, present: &Established) -> GoesOn {
        if !self.upkeep.circuit.is_closed() && self.wait_for_turn().await? == AttemptTurn::Changed {
            return Some(());
        }
        if !self.decides(&present.connection).await && self.upkeep.circuit.is_closed() {
            // The reconnect task verifies again, until the store decides or the circuit opens.
            sleep(half_to_whole(AGAIN)).await;
            return Some(());
        }
        if self.upkeep.circuit.is_closed() {
            sleep_until(self.not_before.max(Instant::now() + up_to(AT_ONCE))).await;
        }
        let requested = present.successor.clone().unwrap_or_default();
        let successor = self.successor(requested).await;
        // Replies of other nodes say nothing about a dead node, so there is no success that could
        // reset a backoff. This pause bounds the cost while a shard is down.
        self.not_before = Instant::now() + half_to_whole(LONGEST);
        self.state
            .upgrade()?
            .replace_established(present.id, |present| {
                Some(Connectivity::Ready(match successor {
                    Some(successor) => Established::new(successor),
                    // The next call without a reply requests a successor again.
                    None => present.with(None),
                }))
            });
        Some(())
    }

    /// Whether the store decides for any of a few slots over this connection. Tells the circuit
    /// breaker the result; if this process was late, there is none, and the return value is `true`.
    async fn decides(&self, connection: &Connection) -> bool {
        let began = Instant::now();
        let context = self.upkeep.context();
        let circuit = &self.upkeep.circuit;
        match timely(
            self.upkeep.verification(),
            verify(connection, &context, self.upkeep.deadline),
        )
        .await
        {
            Ok(()) => {
                circuit.decided();
                true
            }
            Err(AttemptError::Failed(error)) => {
                circuit.incident(began, &error);
                false
            }
            Err(AttemptError::OwnLateness) => true,
        }
    }

    /// A new connection that is better than the present one, if there is one now.
    ///
    /// A new connection to a cluster with a dead node leaves that node out. Requests about its keys
    /// are then redirected through the cluster, and each makes the client ask all nodes for their
    /// slots again while all other requests wait. The present connection merely gets no replies
    /// from the dead node. So a successor must prove that it reaches the node in question, which it
    /// does once a replica has taken over.
    async fn successor(&mut self, requested: Successor) -> Option<Connection> {
        let upkeep = Arc::clone(&self.upkeep);
        let connecting = upkeep.pool.connect();
        let successor = timely(upkeep.pool.connect_timeout(None), connecting)
            .await
            .ok()?;
        if !upkeep.circuit.is_closed() {
            self.decides(&successor).await;
        }
        let Some(key) = requested.key else {
            return Some(successor);
        };
        // A separate handle, because a handle remembers the key of its latest command.
        let mut handle = successor.clone();
        let reaches = async { Ok(handle.reaches(&key).await) };
        let reaches = timely(TRIAL, reaches).await;
        reaches.unwrap_or(false).then_some(successor)
    }
}
