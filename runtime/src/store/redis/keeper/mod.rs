//! The task that looks after a worker's connection: makes it, notices when it closes, keeps it from
//! idling out, replaces it when it stalls, and verifies the store while the circuit is open.

mod attempt;
#[cfg(feature = "cluster")]
mod cluster;
mod pause;

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use self::pause::{AT_ONCE, pause, up_to};
use super::{
    connection_guard::ends_connection,
    connection_state::{ConnectionState, Established, State, Successor, timed_out},
    lateness::{Expired, within},
    script::CallContext,
    topology::RedisPool,
    verify::verify,
};
use crate::{
    key::Naming,
    store::{circuit_breaker::Circuit, key_hash::KeyHasher},
};

/// Between two looks at a connection that requests are content with. A close is noticed so soon; a
/// request that comes in between notices it itself, before it is sent.
const TICK: Duration = Duration::from_millis(50);
/// A connection on which nothing was said for so long is asked for a sign of life. Below what
/// servers, load balancers and NAT take for idle, which is a minute and more.
const IDLE: Duration = Duration::from_secs(5);

/// What all keepers of a store work with.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) pool: RedisPool,
    pub(super) circuit: Arc<Circuit>,
    pub(super) naming: Naming,
    pub(super) hasher: KeyHasher,
    /// For one decision.
    pub(super) deadline: Duration,
}

impl Upkeep {
    /// The longest time for a verification on a connection that there is.
    fn verification(&self) -> Duration {
        self.deadline.saturating_mul(2)
    }

    fn terms(&self) -> CallContext<'_> {
        CallContext {
            naming: &self.naming,
            hasher: &self.hasher,
            // The server's time, whatever the clock of a test says: a probe is to expire.
            now: None,
            #[cfg(feature = "cluster")]
            once: None,
        }
    }
}

/// The work that a state asks for.
#[derive(Debug)]
enum Task {
    /// Make a connection that requests wait for.
    Connect,
    /// Make one that none waits for, yet.
    Reconnect,
    /// Make a successor of the present one, which stays in use until then.
    Replace(Established),
}

impl State {
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

struct Keeper {
    /// Weak: the connection ends this task when it goes, and this makes sure of it.
    state: Weak<ConnectionState>,
    states: watch::Receiver<State>,
    upkeep: Arc<Upkeep>,
    /// How long the latest connection took to be made.
    took: Option<Duration>,
    /// The latest attempt failed, so the next one waits for its turn.
    has_failed: bool,
    /// No successor is made in a cluster before this.
    #[cfg(feature = "cluster")]
    not_before: Instant,
}

/// What an attempt's turn has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Due,
    /// The state is another by now, and asks for something else.
    Changed,
}

/// Keeps a worker's connection until it is dropped.
pub(super) async fn keep(
    state: Weak<ConnectionState>,
    states: watch::Receiver<State>,
    upkeep: Arc<Upkeep>,
) {
    let mut keeper = Keeper {
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
        let next = keeper.states.wait_for(|state| state.task().is_some());
        let task = match timeout(TICK, next).await {
            Ok(Ok(state)) => state.task(),
            Ok(Err(_)) => return,
            Err(_) => None,
        };
        let goes_on = match task {
            Some(Task::Connect) => {
                if !is_first {
                    // All workers of all processes lose a server together, and should not all come
                    // back in the same moment.
                    sleep(up_to(AT_ONCE)).await;
                }
                is_first = false;
                keeper.connect().await
            }
            Some(Task::Reconnect) => match keeper.wait_for_turn().await {
                Some(Turn::Due) => keeper.connect().await,
                Some(Turn::Changed) => Some(()),
                None => None,
            },
            Some(Task::Replace(present)) => keeper.replace(&present).await,
            None => keeper.check().await,
        };
        if goes_on.is_none() {
            return;
        }
    }
}

/// `None`: the connection is gone, and the task ends.
type GoesOn = Option<()>;

impl Keeper {
    /// Waits for the turn of the next attempt after one that has failed: at growing intervals, and
    /// while the circuit is open when the store is to be verified. A request may hurry it.
    async fn wait_for_turn(&mut self) -> Option<Turn> {
        let due = Instant::now() + pause(self.state.upgrade()?.attempts());
        loop {
            let circuit = &self.upkeep.circuit;
            let is_due = match circuit.is_closed() {
                true => Instant::now() >= due,
                false => circuit.begin_verification(),
            };
            if is_due {
                return Some(Turn::Due);
            }
            if self.wait_for_change(TICK).await? == Turn::Changed {
                return Some(Turn::Changed);
            }
        }
    }

    /// Waits for so long, or until the state changes.
    async fn wait_for_change(&mut self, length: Duration) -> Option<Turn> {
        match timeout(length, self.states.changed()).await {
            Ok(Ok(())) => Some(Turn::Changed),
            Ok(Err(_)) => None,
            Err(_) => Some(Turn::Due),
        }
    }

    /// Looks at the connection while requests are content with it.
    async fn check(&mut self) -> GoesOn {
        let present = self.state.upgrade()?.established();
        let Some(present) = present else {
            return Some(());
        };
        if present.connection.is_closed() {
            self.state
                .upgrade()?
                .replace_established(present.id, |_| Some(State::Connecting));
        } else if self.upkeep.circuit.begin_verification() {
            self.verify(&present).await?;
        } else if present.health.known_well().elapsed() >= IDLE {
            self.ping(&present).await?;
        }
        Some(())
    }

    /// Asks for a sign of life. Without one the connection is replaced, which is no incident: only
    /// an attempt to connect tells more than that this one is dead.
    async fn ping(&mut self, present: &Established) -> GoesOn {
        let mut handle = present.connection.clone();
        let outcome = within(Instant::now() + self.upkeep.deadline, pin!(handle.ping())).await;
        let state = self.state.upgrade()?;
        match outcome {
            Ok(Err(error)) if error.is_io_error() && !present.connection.is_cluster() => {
                state.replace_established(present.id, |_| Some(State::Connecting));
            }
            // An answer, or a server that knows no such command.
            Ok(_) => present.health.is_well(),
            Err(Expired::OwnLateness) => {}
            Err(Expired::Silence) => state.stalled(present),
        }
        Some(())
    }

    /// Verifies the store on the present connection, and tells the circuit.
    async fn verify(&mut self, present: &Established) -> GoesOn {
        let began = Instant::now();
        let upkeep = Arc::clone(&self.upkeep);
        let terms = upkeep.terms();
        let outcome = within(
            began + upkeep.verification(),
            pin!(verify(&present.connection, &terms, self.upkeep.deadline)),
        )
        .await;
        let state = self.state.upgrade()?;
        match outcome {
            Ok(Ok(())) => {
                present.health.is_well();
                state.answered();
                upkeep.circuit.decided();
            }
            Ok(Err(error)) => {
                upkeep.circuit.incident(began, &error);
                match present.connection.is_cluster() {
                    true => state.request_successor(present.id, Successor::default()),
                    false if ends_connection(&error) => {
                        state.discard(present.id, &error);
                    }
                    // It answers, and refuses.
                    false => present.health.is_well(),
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
