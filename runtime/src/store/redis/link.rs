//! One link a worker: a connection made on the worker's own runtime, reused by all its requests,
//! remade on error.
//!
//! A connection's driver task lives on the runtime that made it and dies with it, so links are
//! kept by runtime and thread. The list is shared, so that `close` reaches them all; each worker
//! locks only its own entry while it serves.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::ThreadId,
};

use parking_lot::Mutex;
use redis::{RedisError, aio::MultiplexedConnection};
use tokio::{runtime, sync::Semaphore};

use super::topology::RedisPool;

/// All links of one store.
#[derive(Debug)]
pub(super) struct Links {
    /// Tells this store's links from another's in the memory of each thread.
    id: u64,
    pool: RedisPool,
    all: Mutex<HashMap<Place, Arc<Link>>>,
}

type Place = (runtime::Id, ThreadId);

/// The connection of one worker.
#[derive(Debug)]
pub(super) struct Link {
    held: Mutex<Option<Numbered>>,
    /// One attempt to connect at a time: whoever waits meanwhile finds what that one has made.
    attempt: Semaphore,
}

/// A connection, numbered so that whoever saw it fail drops that one and not its successor.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

/// A connection on loan.
pub(super) struct Loan {
    pub(super) connection: MultiplexedConnection,
    number: u64,
    link: Arc<Link>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The link this thread used last, so that its requests need not look into the shared list.
    static LATEST: RefCell<Option<(u64, runtime::Id, Weak<Link>)>> = const { RefCell::new(None) };
}

impl Links {
    pub(super) fn new(pool: RedisPool) -> Self {
        Self {
            id: NUMBERS.fetch_add(1, Ordering::Relaxed),
            pool,
            all: Mutex::default(),
        }
    }

    /// The connection of this worker, made if there is none.
    pub(super) async fn get(&self, runtime: runtime::Id) -> Result<Loan, RedisError> {
        let link = self.link(runtime);
        if let Some(loan) = link.lend() {
            return Ok(loan);
        }
        // The semaphore is never closed.
        let _attempt = link.attempt.acquire().await;
        if let Some(loan) = link.lend() {
            return Ok(loan);
        }
        let held = Numbered {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            connection: self.pool.connect().await?,
        };
        *link.held.lock() = Some(held.clone());
        Ok(held.lent_by(&link))
    }

    /// Drops every connection. A worker that asks afterwards makes a new one.
    pub(super) fn close(&self) {
        for link in self.all.lock().drain().map(|(_, link)| link) {
            link.held.lock().take();
        }
    }

    fn link(&self, runtime: runtime::Id) -> Arc<Link> {
        let latest = LATEST.with_borrow(|latest| match latest {
            Some((id, latest_runtime, link)) if *id == self.id && *latest_runtime == runtime => {
                link.upgrade()
            }
            _ => None,
        });
        latest.unwrap_or_else(|| {
            let place = (runtime, std::thread::current().id());
            let link = Arc::clone(self.all.lock().entry(place).or_default());
            LATEST.set(Some((self.id, runtime, Arc::downgrade(&link))));
            link
        })
    }
}

impl Link {
    fn lend(self: &Arc<Self>) -> Option<Loan> {
        let held = self.held.lock().clone()?;
        Some(held.lent_by(self))
    }
}

impl Default for Link {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            attempt: Semaphore::new(1),
        }
    }
}

impl Numbered {
    fn lent_by(self, link: &Arc<Link>) -> Loan {
        Loan {
            connection: self.connection,
            number: self.number,
            link: Arc::clone(link),
        }
    }
}

impl Loan {
    /// Drops the connection from its link, unless that has a newer one.
    pub(super) fn discard(self) {
        let mut link = self.link.held.lock();
        if link.as_ref().is_some_and(|held| held.number == self.number) {
            link.take();
        }
    }
}

impl std::fmt::Debug for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Numbered").field(&self.number).finish()
    }
}
