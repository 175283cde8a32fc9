//! The state of one worker's connection, shared by its requests and the reconnect task. It is a
//! state machine that does no I/O.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::RedisError;
use tokio::{sync::watch, time::Instant};

use crate::engine::store::redis::connection::connection::Connection;

/// The age from which a failed attempt says little about now. The next request then triggers
/// another attempt, and waits for it.
const STALE: Duration = Duration::from_millis(100);

/// The number of attempts without a reply up to which requests wait for the next one: a connection
/// may break a second time before it has served a request, and its server be well.
const PATIENT_ATTEMPTS: u32 = 2;

/// The state and its transitions. A task that waits for a transition subscribes.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    state: watch::Sender<Connectivity>,
    /// The number of attempts to connect since the last reply, with which the backoff grows. A
    /// connection alone is no success, because a demoted master accepts connections too. `Relaxed`:
    /// it guards no other memory.
    attempts: AtomicU32,
}

/// Whether there is a connection, and what stands in its way.
#[derive(Debug)]
pub(crate) enum Connectivity {
    /// The reconnect task makes a connection, and requests wait for it.
    Connecting,
    /// The last attempt failed, or its connection was of no use. The reconnect task will try again,
    /// but requests do not wait for it: they would hang on a server that is gone.
    Failed {
        error: RedisError,
        since: Instant,
    },
    Ready(Established),
    /// The store was closed. No other state follows.
    Closed,
}

/// A connection that was made.
#[derive(Clone)]
pub(crate) struct Established {
    /// The number that tells the connection from its successors, so that a call that saw it fail
    /// discards no other.
    pub(crate) id: u64,
    pub(crate) connection: Connection,
    pub(crate) health: Arc<Health>,
    /// The request for a successor, while the reconnect task is to make one.
    pub(crate) successor: Option<Successor>,
}

/// A request to replace a connection: make before break.
#[derive(Clone, Debug, Default)]
pub(crate) struct Successor {
    /// The key about which no node of a cluster has replied. A successor that gets no reply about
    /// the key is no better.
    #[cfg(feature = "cluster")]
    pub(crate) key: Option<Vec<u8>>,
}

/// The health of a connection. The atomics are `Relaxed`, because each guards no other memory.
#[derive(Debug)]
pub(crate) struct Health {
    made: Instant,
    /// The time at which the connection was last known to be well, in microseconds since it was
    /// made.
    well: AtomicU64,
    /// Whether a call on the connection is late. Nothing more is sent until there is a reply or a
    /// successor.
    is_stalled: AtomicBool,
}

/// The next id; the first is 1.
static IDS: AtomicU64 = AtomicU64::new(1);

/// An id that is unique in this process.
pub(crate) fn next_id() -> u64 {
    IDS.fetch_add(1, Ordering::Relaxed)
}

impl ConnectionState {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::Sender::new(Connectivity::Connecting),
            attempts: AtomicU32::new(0),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Connectivity> {
        self.state.subscribe()
    }

    pub(crate) fn borrow(&self) -> watch::Ref<'_, Connectivity> {
        self.state.borrow()
    }

    /// The connection that requests use, if there is one.
    pub(crate) fn established(&self) -> Option<Established> {
        match &*self.state.borrow() {
            Connectivity::Ready(established) => Some(established.clone()),
            _ => None,
        }
    }

    /// Replaces the state by the one that `next` returns, if any. Returns whether it did. `next`
    /// runs under the lock of the watch channel.
    pub(crate) fn replace(&self, next: impl FnOnce(&Connectivity) -> Option<Connectivity>) -> bool {
        let mut former = None;
        let was_replaced = self.state.send_if_modified(|state| {
            former = next(state).map(|next| std::mem::replace(state, next));
            former.is_some()
        });
        // The former state is dropped after the lock is released, because the drop may close a
        // connection.
        drop(former);
        was_replaced
    }

    /// Replaces the state if connection `id` is in use and `next` returns a state. Returns whether
    /// it did.
    pub(crate) fn replace_established(
        &self,
        id: u64,
        next: impl FnOnce(&Established) -> Option<Connectivity>,
    ) -> bool {
        self.replace(|state| match state {
            Connectivity::Ready(established) if established.id == id => next(established),
            _ => None,
        })
    }

    /// Requests a successor of connection `id` from the reconnect task, unless one was requested
    /// already.
    pub(crate) fn request_successor(&self, id: u64, successor: Successor) {
        self.replace_established(id, |established| {
            let is_new = established.successor.is_none();
            is_new.then(|| Connectivity::Ready(established.with(Some(successor))))
        });
    }

    /// Marks a connection as stalled that has brought no reply, and requests a successor. A cluster
    /// connection is not marked, because other nodes may reply.
    pub(crate) fn stalled(&self, established: &Established) {
        if !established.connection.is_cluster() {
            established.health.stall();
        }
        self.request_successor(established.id, Successor::default());
    }

    /// Discards connection `id`, because it is closed or leads to the wrong server.
    pub(crate) fn discard(&self, id: u64, error: &RedisError) {
        let attempts = self.attempts();
        self.replace_established(id, |established| {
            let has_lasted = established.health.made.elapsed() >= STALE;
            Some(if has_lasted || attempts <= PATIENT_ATTEMPTS {
                // The connection has served requests, or could have, so a new one may be there at
                // once.
                Connectivity::Connecting
            } else {
                // Connections break as fast as they are made, so the next attempt follows a
                // backoff.
                Connectivity::failed(error.clone())
            })
        });
    }

    /// Makes the reconnect task try again now, unless its last attempt failed less than [`STALE`]
    /// ago. Returns whether the request should wait for the attempt.
    pub(crate) fn reconnect_now(&self) -> bool {
        let mut waits = false;
        self.replace(|state| {
            let is_stale =
                matches!(state, Connectivity::Failed { since, .. } if since.elapsed() >= STALE);
            waits = is_stale || matches!(state, Connectivity::Connecting);
            is_stale.then_some(Connectivity::Connecting)
        });
        waits
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Records a reply on a connection that is well, which resets the backoff.
    pub(crate) fn replied(&self) {
        // The number is read first: a worker's requests share this memory, and a write is seldom
        // needed.
        if self.attempts() != 0 {
            self.attempts.store(0, Ordering::Relaxed);
        }
    }
}

impl Connectivity {
    pub(crate) fn failed(error: RedisError) -> Self {
        let since = Instant::now();
        Self::Failed { error, since }
    }
}

impl Established {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            id: next_id(),
            connection,
            health: Arc::new(Health {
                made: Instant::now(),
                well: AtomicU64::new(0),
                is_stalled: AtomicBool::new(false),
            }),
            successor: None,
        }
    }

    pub(crate) fn with(&self, successor: Option<Successor>) -> Self {
        Self {
            successor,
            ..self.clone()
        }
    }
}

impl fmt::Debug for Established {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Established").field(&self.id).finish()
    }
}

impl Health {
    /// Returns when the connection was last known to be well: when it was made, or at the latest
    /// reply.
    pub(crate) fn known_well(&self) -> Instant {
        self.made + Duration::from_micros(self.well.load(Ordering::Relaxed))
    }

    pub(crate) fn is_well(&self) {
        let since = u64::try_from(self.made.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.well.store(since, Ordering::Relaxed);
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::Relaxed);
    }

    /// Ends a stall, because a reply has arrived after all. Returns whether the connection was
    /// stalled.
    pub(crate) fn recover(&self) -> bool {
        // The flag is read first: a worker's requests share this memory, and most connections are
        // not stalled.
        self.is_stalled() && self.is_stalled.swap(false, Ordering::Relaxed)
    }
}

/// The error of a connection that was closed on purpose.
pub(crate) fn aborted() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}

/// The error of an attempt to connect, or of a verification, that took too long.
pub(crate) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}
