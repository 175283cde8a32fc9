//! A connection on loan, and what a request's experience with it says about it.

use std::{
    fmt, io,
    num::NonZeroU64,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::{
    connection::Connection,
    link::{Link, State, next_number},
};
use crate::store::interface::StoreError;

/// So many answers in a row that come too late, and the connection is given up: the other end may
/// be gone without a word.
const LATE: u32 = 3;

/// The connection that a link has, numbered so that whoever saw it fail drops that one and not its
/// successor.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) number: u64,
    pub(super) connection: Connection,
    /// How many answers in a row have come too late.
    late: Arc<AtomicU32>,
    /// What it broke of, once it has: whatever was under way on it has failed of the same.
    incident: Arc<OnceLock<u64>>,
    /// Whether another is to take its place, while it goes on being lent.
    #[cfg(feature = "cluster")]
    pub(super) replacement: Option<Replacement>,
}

/// Why a connection is to be replaced.
#[cfg(feature = "cluster")]
#[derive(Clone)]
pub(super) struct Replacement {
    /// The key that it got no answer about. A successor that gets none either is no better.
    pub(super) key: Option<Vec<u8>>,
}

impl Held {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            number: next_number(),
            connection,
            late: Arc::default(),
            incident: Arc::default(),
            #[cfg(feature = "cluster")]
            replacement: None,
        }
    }

    #[cfg(feature = "cluster")]
    pub(super) fn with(&self, replacement: Option<Replacement>) -> Self {
        Self {
            replacement,
            ..self.clone()
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.number).finish()
    }
}

/// A connection on loan to one request.
pub(super) struct Loan {
    pub(super) connection: Connection,
    number: u64,
    late: Arc<AtomicU32>,
    incident: Arc<OnceLock<u64>>,
    /// How many answers there were on its link when it was lent.
    #[cfg(feature = "cluster")]
    answers_before: u32,
    link: Arc<Link>,
}

impl Loan {
    pub(super) fn new(held: &Held, link: Arc<Link>) -> Self {
        Self {
            connection: held.connection.clone(),
            number: held.number,
            late: Arc::clone(&held.late),
            incident: Arc::clone(&held.incident),
            #[cfg(feature = "cluster")]
            answers_before: link.answers(),
            link,
        }
    }

    /// The connection answered in time.
    pub(super) fn answered(&self) {
        self.link.answered();
        #[cfg(feature = "cluster")]
        if let Connection::Cluster(_) = self.connection {
            self.link.count_answer();
        }
        // As there: seldom needed.
        if self.late.load(Ordering::Relaxed) != 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }

    /// Waits until the link has given this connection up: what was asked on it is lost, and who
    /// waits for it keeps it from being closed.
    pub(super) fn given_up(&self) -> impl Future<Output = ()> + use<> {
        let (link, number) = (Arc::clone(&self.link), self.number);
        // A cluster's goes on answering while its successor is made.
        let may_be = matches!(self.connection, Connection::One(_));
        async move {
            match may_be {
                true => link.lost(number).await,
                false => std::future::pending().await,
            }
        }
    }

    /// Says of a failure how far it reaches. In a cluster whose other nodes have answered meanwhile it
    /// is one node's: were it counted as the store's, a third of the keys would close the way to all.
    #[cfg_attr(not(feature = "cluster"), expect(clippy::unused_self))]
    pub(super) fn weigh(&self, failure: StoreError) -> StoreError {
        #[cfg(feature = "cluster")]
        if self.link.answers() != self.answers_before {
            return failure.partial();
        }
        failure
    }

    /// The connection did not answer in time: one may be slow, several are given up.
    pub(super) fn was_late(self) {
        let count = self.late.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.connection {
            // In a row means little where others answer for the node that does not.
            #[cfg(feature = "cluster")]
            Connection::Cluster(_) => self.wish_for_another(),
            Connection::One(_) if count >= LATE => {
                self.give_up(io::Error::from(io::ErrorKind::TimedOut).into());
            }
            Connection::One(_) => {}
        }
    }

    /// The same for an answer that another handle was to bring. `key` says what it was about.
    #[cfg_attr(not(feature = "cluster"), expect(unused_mut, unused_variables))]
    pub(super) fn was_late_about(mut self, key: impl FnOnce() -> Option<String>) {
        #[cfg(feature = "cluster")]
        if let Some(key) = key() {
            self.connection.remember(key);
        }
        self.was_late();
    }

    /// The call failed. Gives the connection up if another might do better. The number of the
    /// incident, if the connection broke.
    pub(super) fn failed(self, error: RedisError) -> Option<NonZeroU64> {
        // A limit for answers that the pool was given: the connection may be whole.
        if error.is_timeout() {
            self.was_late();
            return None;
        }
        let broke = matches!(self.connection, Connection::One(_)) && error.is_io_error();
        let incident = broke.then(|| *self.incident.get_or_init(next_number));
        match &self.connection {
            #[cfg(feature = "cluster")]
            Connection::Cluster(_) if ends_connection(&error) || lost_its_way(&error) => {
                self.wish_for_another();
            }
            Connection::One(_) if ends_connection(&error) => self.give_up(error),
            _ => {
                // The server has answered, and refused.
            }
        }
        incident.and_then(NonZeroU64::new)
    }

    /// Takes the connection from its link, unless that has a newer one.
    fn give_up(self, error: RedisError) {
        let was_of_use = self.link.attempts() == 0;
        self.link.replace(|state| match state {
            State::Ready(held) if held.number != self.number => None,
            // It served until now; the next may be there at once.
            State::Ready(_) if was_of_use => Some(State::Connecting),
            // It never did; the next is made after a while.
            State::Ready(_) => Some(State::failed(error)),
            _ => None,
        });
    }

    /// Has a successor made. The connection stays: the nodes that answer go on doing so.
    #[cfg(feature = "cluster")]
    fn wish_for_another(self) {
        let asked = self.connection.asked();
        self.link.replace(|state| match state {
            State::Ready(held) if held.number == self.number && held.replacement.is_none() => {
                Some(State::Ready(held.with(Some(Replacement { key: asked }))))
            }
            _ => None,
        });
    }
}

/// Whether the connection is broken, or leads to a server that is no longer the one to ask.
fn ends_connection(error: &RedisError) -> bool {
    let elsewhere = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    elsewhere
        || says(error, "READONLY")
        || says(error, "MASTERDOWN")
        || error.is_io_error()
        || error.is_unrecoverable_error()
}

/// Whether the error of a command inside the script had this code. Before version 7 a server only
/// quotes it, as `ERR Error running script …: -READONLY You can't write …`.
pub(super) fn says(error: &RedisError, code: &str) -> bool {
    let mut words = error.detail().unwrap_or_default().split_ascii_whitespace();
    words.any(|word| word.strip_prefix('-') == Some(code))
}

/// Whether the connection's picture of the cluster may be an old one.
#[cfg(feature = "cluster")]
fn lost_its_way(error: &RedisError) -> bool {
    error.is_cluster_error() || error.kind() == ErrorKind::ClusterConnectionNotFound
}
