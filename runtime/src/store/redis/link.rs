//! One link a worker: a connection made on the worker's own runtime, reused by all its requests,
//! remade on error.
//!
//! A connection's driver task lives on the runtime that made it and dies with it, so links are
//! kept by runtime. It is made by a task of its own: a request waits for it no longer than its
//! deadline, and one that gives up, or whose client leaves, does not undo what has been done.

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use redis::{RedisError, aio::MultiplexedConnection};
use tokio::{
    runtime::{self, Handle},
    sync::watch,
    time::timeout,
};

use super::topology::RedisPool;

/// For one attempt to connect, names and handshakes included. Far above a request's deadline: a
/// server at a distance is to be reached in the end.
const CONNECT: Duration = Duration::from_secs(2);
/// So many answers in a row that come too late, and the connection is given up: the other end may
/// be gone without a word.
const LATE: u32 = 3;

/// All links of one store.
#[derive(Debug)]
pub(super) struct Links {
    /// Tells this store's links from another's in the memory of each thread.
    id: u64,
    pool: RedisPool,
    all: Mutex<HashMap<runtime::Id, Arc<Link>>>,
}

/// The connection of one worker.
#[derive(Debug)]
pub(super) struct Link(watch::Sender<State>);

#[derive(Debug)]
enum State {
    Idle,
    Connecting,
    Failed(RedisError),
    Ready(Numbered),
}

/// A connection, numbered so that whoever saw it fail drops that one and not its successor.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
    /// How many answers in a row have come too late.
    late: Arc<AtomicU32>,
}

/// A connection on loan.
pub(super) struct Loan {
    pub(super) connection: MultiplexedConnection,
    number: u64,
    late: Arc<AtomicU32>,
    link: Arc<Link>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

type Known = (u64, runtime::Id, Weak<Link>);

thread_local! {
    /// The links this thread has used, so that its requests need not look into the shared list.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

impl Links {
    pub(super) fn new(pool: RedisPool) -> Self {
        Self {
            id: NUMBERS.fetch_add(1, Ordering::Relaxed),
            pool,
            all: Mutex::default(),
        }
    }

    /// The connection of this worker; if there is none, waits for the attempt to make one.
    pub(super) async fn get(&self, runtime: &Handle) -> Result<Loan, RedisError> {
        let link = self.link(runtime.id());
        if let Some(loan) = link.lend() {
            return Ok(loan);
        }
        let mut states = link.0.subscribe();
        if link.starts_connecting() {
            runtime.spawn(connect(Arc::clone(&link), self.pool.clone()));
        }
        let settled = states
            .wait_for(|state| matches!(state, State::Ready(_) | State::Failed(_)))
            .await;
        match settled.as_deref() {
            Ok(State::Ready(held)) => Ok(held.lent_by(&link)),
            Ok(State::Failed(error)) => Err(error.clone()),
            _ => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
        }
    }

    /// Drops every connection. A worker that asks afterwards makes a new one.
    pub(super) fn close(&self) {
        for link in self.all.lock().drain().map(|(_, link)| link) {
            link.0.send_replace(State::Idle);
        }
    }

    fn link(&self, runtime: runtime::Id) -> Arc<Link> {
        KNOWN.with_borrow_mut(|known| {
            let found = known
                .iter()
                .find(|(id, of, _)| *id == self.id && *of == runtime)
                .and_then(|(_, _, link)| link.upgrade());
            found.unwrap_or_else(|| {
                let link = Arc::clone(self.all.lock().entry(runtime).or_default());
                known.retain(|(_, _, link)| link.strong_count() > 0);
                known.push((self.id, runtime, Arc::downgrade(&link)));
                link
            })
        })
    }
}

/// Makes the connection of a link, whoever waits for it.
async fn connect(link: Arc<Link>, pool: RedisPool) {
    let state = match timeout(CONNECT, pool.connect()).await {
        Ok(Ok(connection)) => State::Ready(Numbered {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            connection,
            late: Arc::default(),
        }),
        Ok(Err(error)) => State::Failed(error),
        Err(_) => State::Failed(io::Error::from(io::ErrorKind::TimedOut).into()),
    };
    link.0.send_replace(state);
}

impl Link {
    fn lend(self: &Arc<Self>) -> Option<Loan> {
        match &*self.0.borrow() {
            State::Ready(held) => Some(held.lent_by(self)),
            _ => None,
        }
    }

    /// Whether the caller is the one to connect: one attempt at a time.
    fn starts_connecting(&self) -> bool {
        self.0.send_if_modified(|state| {
            let starts = matches!(state, State::Idle | State::Failed(_));
            if starts {
                *state = State::Connecting;
            }
            starts
        })
    }
}

impl Default for Link {
    fn default() -> Self {
        Self(watch::Sender::new(State::Idle))
    }
}

impl Numbered {
    fn lent_by(&self, link: &Arc<Link>) -> Loan {
        Loan {
            connection: self.connection.clone(),
            number: self.number,
            late: Arc::clone(&self.late),
            link: Arc::clone(link),
        }
    }
}

impl Loan {
    /// The connection answered in time.
    pub(super) fn answered(&self) {
        // Read first: a write to what all requests of a worker share is seldom needed.
        if self.late.load(Ordering::Relaxed) != 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }

    /// The connection did not answer in time: one may be slow, several are given up.
    pub(super) fn was_late(self) {
        if self.late.fetch_add(1, Ordering::Relaxed) + 1 >= LATE {
            self.discard();
        }
    }

    /// Drops the connection from its link, unless that has a newer one.
    pub(super) fn discard(self) {
        self.link.0.send_if_modified(|state| {
            let held = matches!(state, State::Ready(held) if held.number == self.number);
            if held {
                *state = State::Idle;
            }
            held
        });
    }
}

impl std::fmt::Debug for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Numbered").field(&self.number).finish()
    }
}
