//! The state of one worker's connection, which the connection's users and its keeper share.

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

use super::connection::Connection;

/// A failure older than this says little about now: the next request has another attempt made, and
/// waits for it.
const STALE: Duration = Duration::from_millis(100);

/// The state and what changes it. Whoever waits for a change subscribes.
#[derive(Debug)]
pub(super) struct ConnectionState {
    state: watch::Sender<State>,
    /// The number of attempts to connect since the last answer: pauses between attempts grow by it.
    /// A connection alone is no success, a demoted master hands them out too.
    attempts: AtomicU32,
}

#[derive(Debug)]
pub(super) enum State {
    /// The keeper makes a connection; requests wait for it.
    Connecting,
    /// The last attempt failed, or its connection was of no use. The keeper will make another, and
    /// requests do not wait for it: they would hold on to a server that is gone.
    Failed {
        error: RedisError,
        since: Instant,
    },
    Ready(Established),
    /// For good.
    Closed,
}

/// A connection that was made.
#[derive(Clone)]
pub(super) struct Established {
    /// Tells it from its successors, so that a user who saw it fail drops no other.
    pub(super) id: u64,
    pub(super) connection: Connection,
    pub(super) health: Arc<Health>,
    /// Present while the keeper is to make a successor.
    pub(super) successor: Option<Successor>,
}

/// Why a connection is to be replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Successor {
    /// In a cluster, the key that there was no answer about. A successor that gets none about it
    /// either is no better.
    #[cfg(feature = "cluster")]
    pub(super) key: Option<Vec<u8>>,
}

/// What is known of how a connection fares.
#[derive(Debug)]
pub(super) struct Health {
    made: Instant,
    /// When it was last known to be well, in microseconds since it was made.
    well: AtomicU64,
    /// A call on it is late. Nothing more is sent on it until there is an answer or a successor.
    is_stalled: AtomicBool,
}

/// Numbers start at 1.
static IDS: AtomicU64 = AtomicU64::new(1);

/// A number that nothing else has.
pub(super) fn next_id() -> u64 {
    IDS.fetch_add(1, Ordering::Relaxed)
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::Connecting),
            attempts: AtomicU32::new(0),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn borrow(&self) -> watch::Ref<'_, State> {
        self.state.borrow()
    }

    /// The connection that is lent to requests, if there is one.
    pub(super) fn established(&self) -> Option<Established> {
        match &*self.state.borrow() {
            State::Ready(established) => Some(established.clone()),
            _ => None,
        }
    }

    /// Puts another state in place of this one, if `next` says so. Whether it did.
    pub(super) fn replace(&self, next: impl FnOnce(&State) -> Option<State>) -> bool {
        let mut former = None;
        let was_replaced = self.state.send_if_modified(|state| {
            former = next(state).map(|next| std::mem::replace(state, next));
            former.is_some()
        });
        // Dropped only now that the lock is released: it may close a connection.
        drop(former);
        was_replaced
    }

    /// The same, if the connection in place is the one of this number.
    pub(super) fn replace_established(
        &self,
        id: u64,
        next: impl FnOnce(&Established) -> Option<State>,
    ) -> bool {
        self.replace(|state| match state {
            State::Ready(established) if established.id == id => next(established),
            _ => None,
        })
    }

    /// Asks the keeper for a successor, unless it has been asked already.
    pub(super) fn request_successor(&self, id: u64, successor: Successor) {
        self.replace_established(id, |established| {
            let is_new = established.successor.is_none();
            is_new.then(|| State::Ready(established.with(Some(successor))))
        });
    }

    /// There is no answer on this connection.
    pub(super) fn stalled(&self, established: &Established) {
        if !established.connection.is_cluster() {
            established.health.stall();
        }
        self.request_successor(established.id, Successor::default());
    }

    /// Takes the connection of this number away, as it is closed or leads to the wrong server.
    pub(super) fn discard(&self, id: u64, error: &RedisError) {
        let was_of_use = self.attempts() == 0;
        self.replace_established(id, |_| {
            Some(match was_of_use {
                // It served until now; the next may be there at once.
                true => State::Connecting,
                // It never did; the next is made after a pause.
                false => State::failed(error.clone()),
            })
        });
    }

    /// Has the keeper make its next attempt now, unless the last one was only just. Whether requests
    /// wait for it.
    pub(super) fn reconnect_now(&self) -> bool {
        let mut waits = false;
        self.replace(|state| {
            let is_stale = matches!(state, State::Failed { since, .. } if since.elapsed() >= STALE);
            waits = is_stale || matches!(state, State::Connecting);
            is_stale.then_some(State::Connecting)
        });
        waits
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// The server has answered, on a connection that is well.
    pub(super) fn answered(&self) {
        // Read first: a write to memory that a worker's requests share is seldom needed.
        if self.attempts() != 0 {
            self.attempts.store(0, Ordering::Relaxed);
        }
    }
}

impl State {
    pub(super) fn failed(error: RedisError) -> Self {
        let since = Instant::now();
        Self::Failed { error, since }
    }
}

impl Established {
    pub(super) fn new(connection: Connection) -> Self {
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

    pub(super) fn with(&self, successor: Option<Successor>) -> Self {
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
    /// When the connection was last known to be well: made, or answered on.
    pub(super) fn known_well(&self) -> Instant {
        self.made + Duration::from_micros(self.well.load(Ordering::Relaxed))
    }

    pub(super) fn is_well(&self) {
        let since = u64::try_from(self.made.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.well.store(since, Ordering::Relaxed);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    pub(super) fn stall(&self) {
        self.is_stalled.store(true, Ordering::Relaxed);
    }

    /// There is an answer after all. Whether the connection was stalled.
    pub(super) fn recover(&self) -> bool {
        // Read first, for the reason above.
        self.is_stalled() && self.is_stalled.swap(false, Ordering::Relaxed)
    }
}

/// The error of a connection that was closed on purpose.
pub(super) fn aborted() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}

/// The error of an attempt that took too long.
pub(super) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}
