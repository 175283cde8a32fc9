//! Attempts to connect, and what the circuit learns from them.

use std::{pin::pin, sync::Arc};

use redis::RedisError;
use tokio::time::Instant;

use super::{GoesOn, Keeper, Turn};
use crate::store::redis::{
    connection::Connection,
    connection_guard::ends_connection,
    connection_state::{Established, State, timed_out},
    lateness::{Expired, within},
    verify::verify,
};

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(super) enum Missed {
    Failed(RedisError),
    /// This process was late itself, so nothing is known.
    OwnLateness,
}

impl Keeper {
    /// Makes a connection where there is none.
    pub(super) async fn connect(&mut self) -> GoesOn {
        let outcome = self.attempt().await;
        self.state
            .upgrade()?
            .replace(|state| match (state, outcome) {
                (State::Closed, _) | (_, Err(Missed::OwnLateness)) => None,
                (_, Ok(connection)) => Some(State::Ready(Established::new(connection))),
                (_, Err(Missed::Failed(error))) => Some(State::failed(error)),
            });
        Some(())
    }

    /// Makes a successor of a connection that has stalled. The stalled one stays: should it answer
    /// meanwhile, it goes on.
    pub(super) async fn replace(&mut self, present: &Established) -> GoesOn {
        #[cfg(feature = "cluster")]
        if present.connection.is_cluster() {
            return self.replace_in_cluster(present).await;
        }
        let turn = match self.has_failed {
            true => self.wait_for_turn().await?,
            // A short stall is over by then. All workers of all processes notice one together, and
            // should not all connect anew to a server that has just come to itself.
            false => self.wait_for_change(self.upkeep.deadline).await?,
        };
        if turn == Turn::Changed {
            return Some(());
        }
        if let Ok(connection) = self.attempt().await {
            self.state
                .upgrade()?
                .replace_established(present.id, |present| {
                    let is_wanted = present.successor.is_some();
                    is_wanted.then(|| State::Ready(Established::new(connection)))
                });
        }
        Some(())
    }

    /// Tries once, and tells the circuit what came of it.
    pub(super) async fn attempt(&mut self) -> Result<Connection, Missed> {
        let began = Instant::now();
        let outcome = self.connection().await;
        if let Some(state) = self.state.upgrade() {
            state.count_attempt();
        }
        self.has_failed = outcome.is_err();
        match &outcome {
            Ok(_) => self.took = Some(began.elapsed()),
            Err(Missed::Failed(error)) => self.upkeep.circuit.incident(began, error),
            Err(Missed::OwnLateness) => {}
        }
        outcome
    }

    /// A connection; while the circuit is open, one on which the store decides. A server that
    /// connects but refuses is used as far as it goes.
    async fn connection(&mut self) -> Result<Connection, Missed> {
        let upkeep = Arc::clone(&self.upkeep);
        let patience = upkeep.pool.patience(self.took);
        let connection = timely(patience, upkeep.pool.connect()).await?;
        if upkeep.circuit.is_closed() {
            return Ok(connection);
        }
        let began = Instant::now();
        let terms = upkeep.terms();
        match timely(
            upkeep.verification(),
            verify(&connection, &terms, upkeep.deadline),
        )
        .await
        {
            Ok(()) => upkeep.circuit.decided(),
            Err(Missed::Failed(error)) if !ends_connection(&error) => {
                upkeep.circuit.incident(began, &error);
            }
            Err(missed) => return Err(missed),
        }
        Ok(connection)
    }
}

/// The output, if it comes in time.
pub(super) async fn timely<T>(
    patience: std::time::Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Missed> {
    match within(Instant::now() + patience, pin!(work)).await {
        Ok(outcome) => outcome.map_err(Missed::Failed),
        Err(Expired::Silence) => Err(Missed::Failed(timed_out())),
        Err(Expired::OwnLateness) => Err(Missed::OwnLateness),
    }
}
