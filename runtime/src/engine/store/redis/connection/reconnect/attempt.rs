//! Attempts to connect, and what the circuit breaker learns from them. The reconnect task calls
//! this module for every state that lacks a connection or a successor.

use std::{pin::pin, sync::Arc};

use redis::RedisError;
use tokio::time::Instant;

use super::{AttemptTurn, GoesOn, ReconnectTask};
use crate::engine::store::redis::{
    connection::{
        connection::Connection,
        guard::ends_connection,
        state::{Connectivity, Established, timed_out},
        verify::verify,
    },
    lateness::{Expired, within},
};

/// The reason why an attempt to connect or a verification has failed.
#[derive(Debug)]
pub(crate) enum AttemptError {
    Failed(RedisError),
    /// This process was late itself, so nothing is known about the store.
    OwnLateness,
}

impl ReconnectTask {
    /// Makes a connection where there is none.
    pub(crate) async fn connect(&mut self) -> GoesOn {
        let outcome = self.attempt().await;
        self.state
            .upgrade()?
            .replace(|state| match (state, outcome) {
                (Connectivity::Closed, _) | (_, Err(AttemptError::OwnLateness)) => None,
                (_, Ok(connection)) => Some(Connectivity::Ready(Established::new(connection))),
                (_, Err(AttemptError::Failed(error))) => Some(Connectivity::failed(error)),
            });
        Some(())
    }

    /// Makes a successor of a stalled connection: make before break. The stalled connection stays
    /// in place, and remains in use if a reply arrives on it meanwhile.
    pub(crate) async fn replace(&mut self, present: &Established) -> GoesOn {
        #[cfg(feature = "cluster")]
        if present.connection.is_cluster() {
            return self.replace_in_cluster(present).await;
        }
        let turn = if self.has_failed {
            self.wait_for_turn().await?
        } else {
            // A short stall is over by then. All workers of all processes notice a stall together,
            // and must not all reconnect to a server that has just recovered: a thundering herd.
            self.wait_for_change(self.upkeep.deadline).await?
        };
        if turn == AttemptTurn::Changed {
            return Some(());
        }
        if let Ok(connection) = self.attempt().await {
            self.state
                .upgrade()?
                .replace_established(present.id, |present| {
                    let is_wanted = present.successor.is_some();
                    is_wanted.then(|| Connectivity::Ready(Established::new(connection)))
                });
        }
        Some(())
    }

    /// Tries once to connect, and tells the circuit breaker the result.
    pub(crate) async fn attempt(&mut self) -> Result<Connection, AttemptError> {
        let began = Instant::now();
        let outcome = self.connection().await;
        if let Some(state) = self.state.upgrade() {
            state.count_attempt();
        }
        self.has_failed = outcome.is_err();
        match &outcome {
            Ok(_) => self.took = Some(began.elapsed()),
            Err(AttemptError::Failed(error)) => self.upkeep.circuit.incident(began, error),
            Err(AttemptError::OwnLateness) => {}
        }
        outcome
    }

    /// Makes a connection. While the circuit is not closed, it also verifies the store over it. If
    /// Redis refuses that with an error, the connection is used all the same, and the refusal is an
    /// incident.
    async fn connection(&mut self) -> Result<Connection, AttemptError> {
        let upkeep = Arc::clone(&self.upkeep);
        let longest = upkeep.pool.connect_timeout(self.took);
        let connection = timely(longest, upkeep.pool.connect()).await?;
        if upkeep.circuit.is_closed() {
            return Ok(connection);
        }
        let began = Instant::now();
        let context = upkeep.context();
        match timely(
            upkeep.verification(),
            verify(&connection, &context, upkeep.deadline),
        )
        .await
        {
            Ok(()) => upkeep.circuit.decided(),
            Err(AttemptError::Failed(error)) if !ends_connection(&error) => {
                upkeep.circuit.incident(began, &error);
            }
            Err(error) => return Err(error),
        }
        Ok(connection)
    }
}

/// The output of `work`, if it comes within `longest`.
///
/// # Errors
///
/// The error of `work` or a timeout; [`AttemptError::OwnLateness`] if this process was late
/// itself.
pub(crate) async fn timely<T>(
    longest: std::time::Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, AttemptError> {
    match within(Instant::now() + longest, pin!(work)).await {
        Ok(outcome) => outcome.map_err(AttemptError::Failed),
        Err(Expired::Silence) => Err(AttemptError::Failed(timed_out())),
        Err(Expired::OwnLateness) => Err(AttemptError::OwnLateness),
    }
}
