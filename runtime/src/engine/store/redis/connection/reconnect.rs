//! The reconnect task of a worker's connection: makes the connection, notices when it closes, keeps
//! it from idling out, replaces it when it stalls, and verifies the store while the circuit is
//! open. `WorkerConnection` starts the task, which never sends the checks of a request.

mod attempt;
#[cfg(feature = "cluster")]
mod cluster;
mod pause;

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use actix_throttle_core::key::Naming;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use self::pause::{AT_ONCE, pause, up_to};
use crate::engine::store::redis::{
    connection::{
        guard::ends_connection,
        state::{ConnectionState, Connectivity, Established, Successor, timed_out},
        topology::RedisPool,
        verify::{ROUND_TRIPS, verify},
    },
    lateness::{Expired, within},
    script::CallContext,
};
use crate::engine::store::{circuit_breaker::Circuit, key_hash::KeyHasher};

/// The interval between checks of a connection that works, and so the longest time until a close is
/// noticed. A request in between notices the close itself, before it is sent.
const TICK: Duration = Duration::from_millis(50);
/// The time without a reply after which the reconnect task sends a `PING`. Servers, load balancers
/// and NAT take a connection for idle later, after a minute and more.
const IDLE: Duration = Duration::from_secs(5);

/// The settings that all reconnect tasks of a store share.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) pool: RedisPool,
    pub(crate) circuit: Arc<Circuit>,
    pub(crate) naming: Naming,
    pub(crate) hasher: KeyHasher,
    /// The longest time for one decision.
    pub(crate) deadline: Duration,
}

impl Upkeep {
    /// The longest time for a verification over a connection that exists.
    fn verification(&self) -> Duration {
        self.deadline.saturating_mul(ROUND_TRIPS)
    }

    fn context(&self) -> CallContext<'_> {
        CallContext {
            naming: &self.naming,
            hasher: &self.hasher,
            // The time is Redis' own, even under a test's manual clock: the key of a probe must
            // expire.
            now: None,
            #[cfg(feature = "cluster")]
            remember_for: None,
        }
    }
}

/// The work that a state requires of the reconnect task.
#[derive(Debug)]
enum Task {
    /// Make a connection that requests wait for.
    Connect,
    /// Make a connection that no request waits for yet, after a backoff.
    Reconnect,
    /// Make a successor. The present connection stays in use until then: make before break.
    Replace(Established),
}

impl Connectivity {
    fn task(&self) -> Option<Task> {
        match self {
            Self::Connecting => Some(Task::Connect),
            Self::Failed { .. } => Some(Task::Reconnect),
            Self::Ready(established) if established.successor.is_some() => {
                Some(Task::Replace(established.clone()))
            }
            Self::Ready(_) | Self::Closed => None,
        }
    }
}

/// The reconnect task's view of its connection.
struct ReconnectTask {
    /// The state. The reference is weak, so that the task does not keep the state alive. The
    /// connection aborts the task when it is dropped; a failed upgrade ends the task in any case.
    state: Weak<ConnectionState>,
    states: watch::Receiver<Connectivity>,
    upkeep: Arc<Upkeep>,
    /// The time that the latest connection took to be made.
    took: Option<Duration>,
    /// Whether the latest attempt failed, so that the next one waits for its turn.
    has_failed: bool,
    /// The earliest moment for the next successor in a cluster.
    #[cfg(feature = "cluster")]
    not_before: Instant,
}

/// The reason why the wait for an attempt's turn has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AttemptTurn {
    Due,
    /// The state has changed, and requires something else.
    Changed,
}

/// Maintains a worker's connection until that is dropped.
///
/// # Cancel safety
///
/// Aborting the task drops the attempt under way, and leaves the state as it is.
pub(crate) async fn reconnect_loop(
    state: Weak<ConnectionState>,
    states: watch::Receiver<Connectivity>,
    upkeep: Arc<Upkeep>,
) {
    let mut task = ReconnectTask {
        state,
        states,
        upkeep,
        took: None,
        has_failed: false,
        #[cfg(feature = "cluster")]
        not_before: Instant::now(),
    };
    let mut is_first = true;
    loop {
        let next = task.states.wait_for(|state| state.task().is_some());
        let next = match timeout(TICK, next).await {
            Ok(Ok(state)) => state.task(),
            Ok(Err(_)) => return,
            Err(_) => None,
        };
        let goes_on = match next {
            Some(Task::Connect) => {
                if !is_first {
                    // Jitter against a thundering herd: all workers of all processes lose a server
                    // together, and must not reconnect in the same moment.
                    sleep(up_to(AT_ONCE)).await;
                }
                is_first = false;
                task.connect().await
            }
            Some(Task::Reconnect) => match task.wait_for_turn().await {
                Some(AttemptTurn::Due) => task.connect().await,
                Some(AttemptTurn::Changed) => Some(()),
                None => None,
            },
            Some(Task::Replace(present)) => task.replace(&present).await,
            None => task.check().await,
        };
        if goes_on.is_none() {
            return;
        }
    }
}

/// Whether the reconnect task goes on. `None`: the connection was dropped, and the task ends.
type GoesOn = Option<()>;

impl ReconnectTask {
    /// Waits for the turn of the next attempt after one that has failed. While the circuit is
    /// closed, the turn comes after a growing backoff; otherwise, when the circuit breaker wants
    /// the store to be verified. A request may end the wait early, by a change of the state.
    async fn wait_for_turn(&mut self) -> Option<AttemptTurn> {
        let due = Instant::now() + pause(self.state.upgrade()?.attempts());
        loop {
            let circuit = &self.upkeep.circuit;
            let is_due = if circuit.is_closed() {
                Instant::now() >= due
            } else {
                circuit.begin_verification()
            };
            if is_due {
                return Some(AttemptTurn::Due);
            }
            if self.wait_for_change(TICK).await? == AttemptTurn::Changed {
                return Some(AttemptTurn::Changed);
            }
        }
    }

    /// Waits for `length`, or until the state changes. `None`: the connection was dropped.
    async fn wait_for_change(&mut self, length: Duration) -> Option<AttemptTurn> {
        match timeout(length, self.states.changed()).await {
            Ok(Ok(())) => Some(AttemptTurn::Changed),
            Ok(Err(_)) => None,
            Err(_) => Some(AttemptTurn::Due),
        }
    }

    /// Checks a connection that works: for a close, for a verification that is due, for idleness.
    async fn check(&mut self) -> GoesOn {
        let present = self.state.upgrade()?.established();
        let Some(present) = present else {
            return Some(());
        };
        if present.connection.is_closed() {
            self.state
                .upgrade()?
                .replace_established(present.id, |_| Some(Connectivity::Connecting));
        } else if self.upkeep.circuit.begin_verification() {
            self.verify(&present).await?;
        } else if present.health.known_well().elapsed() >= IDLE {
            self.ping(&present).await?;
        }
        Some(())
    }

    /// Sends a `PING`. Without a reply the connection is replaced. That is no incident: a dead
    /// connection says nothing about the store, and only a failed attempt to connect does.
    async fn ping(&mut self, present: &Established) -> GoesOn {
        let mut handle = present.connection.clone();
        let outcome = within(Instant::now() + self.upkeep.deadline, pin!(handle.ping())).await;
        let state = self.state.upgrade()?;
        match outcome {
            Ok(Err(error)) if error.is_io_error() && !present.connection.is_cluster() => {
                state.replace_established(present.id, |_| Some(Connectivity::Connecting));
            }
            // A reply, or the error of a server that does not know `PING`.
            Ok(_) => present.health.is_well(),
            Err(Expired::OwnLateness) => {}
            Err(Expired::Silence) => state.stalled(present),
        }
        Some(())
    }

    /// Verifies the store over the present connection, and tells the circuit breaker the result.
    async fn verify(&mut self, present: &Established) -> GoesOn {
        let began = Instant::now();
        let upkeep = Arc::clone(&self.upkeep);
        let context = upkeep.context();
        let outcome = within(
            began + upkeep.verification(),
            pin!(verify(&present.connection, &context, self.upkeep.deadline)),
        )
        .await;
        let state = self.state.upgrade()?;
        match outcome {
            Ok(Ok(())) => {
                present.health.is_well();
                state.replied();
                upkeep.circuit.decided();
            }
            Ok(Err(error)) => {
                upkeep.circuit.incident(began, &error);
                if present.connection.is_cluster() {
                    state.request_successor(present.id, Successor::default());
                } else if ends_connection(&error) {
                    state.discard(present.id, &error);
                } else {
                    // Redis has replied, if only with an error, so the connection works.
                    present.health.is_well();
                }
            }
            Err(Expired::OwnLateness) => {}
            Err(Expired::Silence) => {
                upkeep.circuit.incident(began, &timed_out());
                state.stalled(present);
            }
        }
        Some(())
    }
}
