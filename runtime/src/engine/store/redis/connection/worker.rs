//! One Redis connection per worker, shared by all requests of the worker.
//!
//! A connection's driver task lives on the runtime that made it and dies with it, so connections
//! are kept per runtime. The reconnect task makes the connection and maintains it. So a request
//! waits no longer than its deadline, and a client that leaves does not undo an attempt to connect.
//! The executor calls this module, which sends nothing itself.

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use redis::RedisError;
use tokio::{
    runtime::{self, Handle},
    task::AbortHandle,
};

use crate::engine::store::redis::{
    batch::BatchQueue,
    connection::{
        guard::ConnectionGuard,
        reconnect::{Upkeep, reconnect_loop},
        state::{ConnectionState, Connectivity, aborted, next_id},
    },
};

/// The worker connections of one store, by runtime.
#[derive(Debug)]
pub(crate) struct WorkerConnections {
    /// The number that tells this store's connections from another store's in the cache of each
    /// thread.
    id: u64,
    upkeep: Arc<Upkeep>,
    all: Mutex<HashMap<runtime::Id, Arc<WorkerConnection>>>,
}

/// The connection of one worker, with the queue of checks to be sent on it.
#[derive(Debug)]
pub(crate) struct WorkerConnection {
    state: Arc<ConnectionState>,
    pub(crate) queue: BatchQueue,
    /// The number of calls in flight that later calls may overtake. `Relaxed`: it guards no other
    /// memory.
    overlaps: AtomicU32,
    /// The reconnect task, which ends with its runtime. The cell is empty only until the task is
    /// started.
    reconnect_task: OnceLock<AbortHandle>,
}

/// The most calls that may be overtaken at a time: enough for a round trip as long as the deadline,
/// and few enough for a Redis that stalls.
const MOST_OVERLAPS: u32 = 8;

/// A call that later calls may overtake. Dropping this counts it as done.
pub(crate) struct Overlap<'a>(&'a AtomicU32);

impl Drop for Overlap<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

type CachedConnection = (u64, runtime::Id, Weak<WorkerConnection>);

thread_local! {
    /// A cache of the connections that this thread has used, so that its requests need not lock the
    /// shared map.
    static CACHE: RefCell<Vec<CachedConnection>> = const { RefCell::new(Vec::new()) };
}

impl WorkerConnections {
    pub(crate) fn new(upkeep: Arc<Upkeep>) -> Self {
        Self {
            id: next_id(),
            upkeep,
            all: Mutex::default(),
        }
    }

    pub(crate) fn upkeep(&self) -> &Upkeep {
        &self.upkeep
    }

    /// Drops all connections, and aborts their reconnect tasks. A worker that sends again
    /// afterwards makes a new connection.
    pub(crate) fn close(&self) {
        let all = mem::take(&mut *self.all.lock());
        for connection in all.into_values() {
            connection.state.replace(|_| Some(Connectivity::Closed));
            connection.abort_reconnect_task();
        }
    }

    /// The connection of the worker that runs on `runtime`; starts one if there is none.
    pub(crate) fn of(&self, runtime: &Handle) -> Arc<WorkerConnection> {
        CACHE.with_borrow_mut(|known| {
            let id = runtime.id();
            let found = known
                .iter()
                .find(|(of, on, _)| *of == self.id && *on == id)
                .and_then(|(_, _, connection)| connection.upgrade())
                .filter(|connection| connection.is_kept());
            found.unwrap_or_else(|| {
                let connection = self.find_or_start(runtime);
                known.retain(|(of, on, connection)| {
                    connection.strong_count() > 0 && (*of, *on) != (self.id, id)
                });
                known.push((self.id, id, Arc::downgrade(&connection)));
                connection
            })
        })
    }

    fn find_or_start(&self, runtime: &Handle) -> Arc<WorkerConnection> {
        let mut all = self.all.lock();
        // A runtime does not announce its end, so connections of ended ones are removed here.
        all.retain(|_, connection| connection.is_kept());
        let connection = all
            .entry(runtime.id())
            .or_insert_with(|| WorkerConnection::start(runtime, Arc::clone(&self.upkeep)));
        Arc::clone(connection)
    }
}

impl WorkerConnection {
    fn start(runtime: &Handle, upkeep: Arc<Upkeep>) -> Arc<Self> {
        let state = Arc::new(ConnectionState::new());
        let task = reconnect_loop(Arc::downgrade(&state), state.subscribe(), upkeep);
        let connection = Self {
            state,
            queue: BatchQueue::default(),
            overlaps: AtomicU32::new(0),
            reconnect_task: OnceLock::new(),
        };
        // `set` cannot fail, because only this function calls it.
        let _ = connection
            .reconnect_task
            .set(runtime.spawn(task).abort_handle());
        Arc::new(connection)
    }

    /// Whether the reconnect task runs, which it does while its runtime does.
    fn is_kept(&self) -> bool {
        self.reconnect_task
            .get()
            .is_none_or(|task| !task.is_finished())
    }

    fn abort_reconnect_task(&self) {
        if let Some(task) = self.reconnect_task.get() {
            task.abort();
        }
    }

    /// Lets later calls overtake one call, unless [`MOST_OVERLAPS`] calls are being overtaken
    /// already.
    pub(crate) fn overlap(&self) -> Option<Overlap<'_>> {
        let more = |overlaps| (overlaps < MOST_OVERLAPS).then_some(overlaps + 1);
        let counted = self
            .overlaps
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.is_ok().then(|| Overlap(&self.overlaps))
    }

    /// Checks out the connection, to send on it. Waits while a connection is being made or is
    /// stalled.
    ///
    /// # Errors
    ///
    /// The reason why there is no connection, if no attempt is under way that is worth waiting for.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it waits, it takes nothing; the reconnect task may have been
    /// woken for an attempt.
    pub(crate) async fn checkout(&self) -> Result<ConnectionGuard, RedisError> {
        match self.try_checkout() {
            Some(Err(_)) if self.state.reconnect_now() => {}
            Some(outcome) => return outcome,
            None => {}
        }
        let mut states = self.state.subscribe();
        // `wait_for` cannot fail, because `self` holds the sender.
        let _ = states
            .wait_for(|state| match state {
                Connectivity::Connecting => false,
                Connectivity::Ready(established) => !established.health.is_stalled(),
                Connectivity::Failed { .. } | Connectivity::Closed => true,
            })
            .await;
        self.try_checkout().unwrap_or_else(|| Err(aborted()))
    }

    fn try_checkout(&self) -> Option<Result<ConnectionGuard, RedisError>> {
        match &*self.state.borrow() {
            Connectivity::Ready(established) if established.health.is_stalled() => None,
            Connectivity::Ready(established) => Some(Ok(ConnectionGuard::new(
                established,
                Arc::clone(&self.state),
            ))),
            Connectivity::Failed { error, .. } => Some(Err(error.clone())),
            Connectivity::Closed => Some(Err(aborted())),
            Connectivity::Connecting => None,
        }
    }
}

impl Drop for WorkerConnection {
    fn drop(&mut self) {
        self.abort_reconnect_task();
    }
}

#[cfg(test)]
mod tests;
