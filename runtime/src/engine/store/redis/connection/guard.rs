//! The connection guard: a connection that one call has checked out, and what the call's result
//! says about it. The executor reports the result here. The guard tells the connection's state, and
//! never the circuit breaker: it only classifies how far a failure reaches.

use std::{cmp::min, sync::Arc};

use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::time::Instant;

use crate::engine::store::redis::connection::{
    connection::Connection,
    state::{ConnectionState, Connectivity, Established, Health, Successor, aborted},
};

/// The reach of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// An incident of the whole store, by evidence that began at this moment.
    Store(Instant),
    /// A failure of a part of the store or of this call alone, as far as one call can tell.
    Part,
}

/// A handle of the connection for one call. Dropping it changes nothing.
pub(crate) struct ConnectionGuard {
    pub(crate) connection: Connection,
    id: u64,
    health: Arc<Health>,
    state: Arc<ConnectionState>,
}

impl ConnectionGuard {
    pub(crate) fn new(established: &Established, state: Arc<ConnectionState>) -> Self {
        Self {
            connection: established.connection.clone(),
            id: established.id,
            health: Arc::clone(&established.health),
            state,
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.connection.is_cluster()
    }

    /// Returns what discards the connection after the call, if its reply turns out to be none.
    pub(crate) fn discarder(&self) -> impl FnOnce() + use<> {
        let (state, id) = (Arc::clone(&self.state), self.id);
        move || state.discard(id, &aborted())
    }

    /// Records that Redis has replied to the call.
    pub(crate) fn replied(&self) {
        self.state.replied();
        self.is_well();
    }

    /// Records that the connection works: Redis has replied, if only with an error.
    fn is_well(&self) {
        self.health.is_well();
        // A cluster connection stays marked for replacement, because another node may have replied.
        if !self.is_cluster() && self.health.recover() {
            self.state.replace_established(self.id, |established| {
                Some(Connectivity::Ready(established.with(None)))
            });
        }
    }

    /// Records that a call, sent at `sent`, has no reply in time, and requests a successor. A
    /// network may have dropped this connection silently, while new connections work.
    pub(crate) fn late(&self, sent: Instant) -> Reach {
        let reach = self.reach(sent);
        if !self.is_cluster() {
            self.health.stall();
        }
        self.request_successor();
        reach
    }

    /// Records that a call, sent at `sent`, has failed. Discards the connection if a new one may do
    /// better.
    pub(crate) fn failed(&self, error: &RedisError, sent: Instant) -> Reach {
        // The application's pool has a response timeout of its own, so the connection may be
        // intact.
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
        // Redis has replied, if only with an error, so the connection works.
        self.is_well();
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::TryAgain | ServerErrorKind::Ask | ServerErrorKind::Moved,
            ) => Reach::Part,
            _ => Reach::Store(sent),
        }
    }

    /// Records that the connection was closed before anything was sent on it: this is neither a
    /// failure nor evidence of one.
    pub(crate) fn was_closed(&self) {
        self.state.discard(self.id, &aborted());
    }

    /// Returns how far the failure of a call that was sent at `sent` reaches. The evidence begins
    /// when the connection was last known to be well, if that is before the call: other calls may
    /// have noticed the cause already, and all of them are one incident. In a cluster no single
    /// call is evidence about the whole store, so the reconnect task verifies other slots.
    fn reach(&self, sent: Instant) -> Reach {
        if self.is_cluster() {
            Reach::Part
        } else {
            Reach::Store(min(sent, self.health.known_well()))
        }
    }

    fn request_successor(&self) {
        let successor = Successor {
            #[cfg(feature = "cluster")]
            key: self.connection.latest_key(),
        };
        self.state.request_successor(self.id, successor);
    }

    /// Waits until this connection is superseded, which loses the replies that are due on it. It
    /// never completes in a cluster, where a connection goes on replying after its successor is
    /// made.
    pub(crate) fn superseded(&self) -> impl Future<Output = ()> + use<> {
        let (state, id) = (Arc::clone(&self.state), self.id);
        let is_cluster = self.is_cluster();
        async move {
            if is_cluster {
                return std::future::pending().await;
            }
            let mut states = state.subscribe();
            let is_this =
                |state: &Connectivity| matches!(state, Connectivity::Ready(this) if this.id == id);
            // `wait_for` cannot fail, because `state` holds the sender.
            let _ = states.wait_for(|state| !is_this(state)).await;
        }
    }
}

/// Whether the connection is broken, or leads to a server that is no longer the master.
pub(crate) fn ends_connection(error: &RedisError) -> bool {
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

/// Whether a command inside the script failed with this error code. Redis before version 7 only
/// quotes the code, as in `ERR Error running script …: -READONLY You can't write …`.
pub(crate) fn has_code(error: &RedisError, code: &str) -> bool {
    let mut words = error.detail().unwrap_or_default().split_ascii_whitespace();
    words.any(|word| word.strip_prefix('-') == Some(code))
}
