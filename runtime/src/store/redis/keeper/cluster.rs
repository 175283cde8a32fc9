//! Successors of a cluster's connection.
//!
//! A call that fails in a cluster may fail of its slot or its node alone. So it is no incident:
//! it makes this verify the store at other slots, and that is one if none of them decides.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    GoesOn, Keeper, Turn,
    attempt::{Missed, timely},
    pause::{AT_ONCE, LONGEST, half_to_whole, up_to},
};
use crate::store::redis::{
    connection::Connection,
    connection_state::{Established, State, Successor},
    verify::verify,
};

/// For a successor's answer about the key that its predecessor had none about.
const TRIAL: Duration = Duration::from_millis(500);
/// Between verifications of a store that has just failed one.
const AGAIN: Duration = Duration::from_millis(200);

impl Keeper {
    /// Makes a successor, if there is one that is better than the present connection.
    pub(super) async fn replace_in_cluster(&mut self, present: &Established) -> GoesOn {
        if !self.upkeep.circuit.is_closed() && self.wait_for_turn().await? == Turn::Changed {
            return Some(());
        }
        if !self.decides(&present.connection).await && self.upkeep.circuit.is_closed() {
            // Verified again, until it decides or the circuit opens.
            sleep(half_to_whole(AGAIN)).await;
            return Some(());
        }
        if self.upkeep.circuit.is_closed() {
            sleep_until(self.not_before.max(Instant::now() + up_to(AT_ONCE))).await;
        }
        let wish = present.successor.clone().unwrap_or_default();
        let successor = self.successor(wish).await;
        // Requests to other nodes say nothing about a dead one, so there is no success from which
        // pauses could be counted. While a shard is dead this is all that it costs.
        self.not_before = Instant::now() + half_to_whole(LONGEST);
        self.state
            .upgrade()?
            .replace_established(present.id, |present| {
                Some(State::Ready(match successor {
                    Some(successor) => Established::new(successor),
                    // The next call without an answer will ask again.
                    None => present.with(None),
                }))
            });
        Some(())
    }

    /// Whether any of a few slots decides on this connection. The circuit is told.
    async fn decides(&self, connection: &Connection) -> bool {
        let began = Instant::now();
        let terms = self.upkeep.terms();
        let circuit = &self.upkeep.circuit;
        match timely(
            self.upkeep.verification(),
            verify(connection, &terms, self.upkeep.deadline),
        )
        .await
        {
            Ok(()) => {
                circuit.decided();
                true
            }
            Err(Missed::Failed(error)) => {
                circuit.incident(began, &error);
                false
            }
            Err(Missed::OwnLateness) => true,
        }
    }

    /// A connection that is better than the present one, if there is one now.
    ///
    /// A new connection to a cluster with a dead node leaves that node out. Requests about its keys
    /// then wander through the cluster, and each makes the client look at all nodes again, with
    /// everyone else waiting. The present one merely gets no answers from there. So a successor
    /// must show that it reaches the node in question, which it does once a replica has taken over.
    async fn successor(&mut self, wish: Successor) -> Option<Connection> {
        let upkeep = Arc::clone(&self.upkeep);
        let connecting = upkeep.pool.connect();
        let successor = timely(upkeep.pool.patience(None), connecting).await.ok()?;
        if !upkeep.circuit.is_closed() {
            self.decides(&successor).await;
        }
        let Some(key) = wish.key else {
            return Some(successor);
        };
        // On a handle of its own, which is what remembers the key.
        let mut handle = successor.clone();
        let reaches = async { Ok(handle.reaches(&key).await) };
        let reaches = timely(TRIAL, reaches).await;
        reaches.unwrap_or(false).then_some(successor)
    }
}
