//! A connection that is lent to one call, and what the call's experience says about it.

use std::{cmp::min, sync::Arc};

use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::Instant;

use super::{
    connection::Connection,
    connection_state::{ConnectionState, Established, Health, State, Successor},
};

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It is an incident of the store, by evidence that began at this moment.
    Store(Instant),
    /// It concerns a part of the store or nothing but this call, as far as can be told from it.
    Part,
}

pub(super) struct ConnectionGuard {
    pub(super) connection: Connection,
    id: u64,
    health: Arc<Health>,
    state: Arc<ConnectionState>,
}

impl ConnectionGuard {
    pub(super) fn new(established: &Established, state: Arc<ConnectionState>) -> Self {
        Self {
            connection: established.connection.clone(),
            id: established.id,
            health: Arc::clone(&established.health),
            state,
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.connection.is_cluster()
    }

    /// The server has answered.
    pub(super) fn answered(&self) {
        self.state.answered();
        self.is_well();
    }

    /// The server has said something, be it an error.
    fn is_well(&self) {
        self.health.is_well();
        // A cluster's stays to be replaced: another node may have answered.
        if !self.is_cluster() && self.health.recover() {
            self.state.replace_established(self.id, |established| {
                Some(State::Ready(established.with(None)))
            });
        }
    }

    /// A call that was sent at this moment has no answer in time. One connection may be dead while
    /// new ones are fine, as where a network has dropped it without a word: has a successor made.
    pub(super) fn late(&self, sent: Instant) -> Reach {
        let reach = self.reach(sent);
        if !self.is_cluster() {
            self.health.stall();
        }
        self.request_successor();
        reach
    }

    /// The call that was sent at this moment has failed. Gives the connection up if another might
    /// do better.
    pub(super) fn failed(&self, error: &RedisError, sent: Instant) -> Reach {
        // A limit for answers that the application's pool was given: the connection may be whole.
        if error.is_timeout() {
            return self.late(sent);
        }
        if self.is_cluster() {
            self.request_successor();
            return Reach::Part;
        }
        let reach = self.reach(sent);
        if ends_connection(error) {
            self.state.discard(self.id, error);
        }
        if error.is_io_error() {
            return reach;
        }
        // The server has answered, and refused.
        self.is_well();
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::TryAgain | ServerErrorKind::Ask | ServerErrorKind::Moved,
            ) => Reach::Part,
            _ => Reach::Store(sent),
        }
    }

    /// The connection was closed before anything was sent on it: no failure, and no evidence.
    pub(super) fn was_closed(&self) {
        self.state
            .discard(self.id, &super::connection_state::aborted());
    }

    /// Evidence about a connection begins when that was last known to be well, if that is before the
    /// call: whatever has stalled or broken it may be what others have noticed already. In a cluster
    /// no single call is evidence about the whole: its keeper verifies other slots.
    fn reach(&self, sent: Instant) -> Reach {
        match self.is_cluster() {
            true => Reach::Part,
            false => Reach::Store(min(sent, self.health.known_well())),
        }
    }

    fn request_successor(&self) {
        let successor = Successor {
            #[cfg(feature = "cluster")]
            key: self.connection.asked(),
        };
        self.state.request_successor(self.id, successor);
    }

    /// Waits until this connection is no longer the one that is lent: what was asked on it is lost.
    /// A cluster's goes on answering while its successor is made, and after.
    pub(super) fn superseded(&self) -> impl Future<Output = ()> + use<> {
        let (state, id) = (Arc::clone(&self.state), self.id);
        let is_cluster = self.is_cluster();
        async move {
            if is_cluster {
                return std::future::pending().await;
            }
            let mut states = state.subscribe();
            let is_other = |state: &State| !matches!(state, State::Ready(other) if other.id == id);
            // It cannot end otherwise: `state` holds the other end.
            let _ = states.wait_for(is_other).await;
        }
    }
}

/// Whether the connection is broken, or leads to a server that is no longer the one to ask.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    let is_elsewhere = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    is_elsewhere
        || has_code(error, "READONLY")
        || has_code(error, "MASTERDOWN")
        || error.is_io_error()
        || error.is_unrecoverable_error()
}

/// Whether the error of a command inside the script had this code. Before version 7 a server only
/// quotes it, as `ERR Error running script …: -READONLY You can't write …`.
pub(super) fn has_code(error: &RedisError, code: &str) -> bool {
    let mut words = error.detail().unwrap_or_default().split_ascii_whitespace();
    words.any(|word| word.strip_prefix('-') == Some(code))
}
