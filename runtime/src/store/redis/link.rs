//! One link a worker: a connection made on the worker's own runtime and reused by all its requests.
//!
//! A connection's driver task lives on the runtime that made it and dies with it, so links are kept
//! by runtime. What makes connections is a task of the link, its keeper: a request waits for it no
//! longer than its deadline, and one that gives up, or whose client leaves, does not undo what has
//! been done.

use std::{
    cell::RefCell,
    collections::HashMap,
    io, mem,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use redis::RedisError;
use tokio::{
    runtime::{self, Handle},
    sync::watch,
    task::AbortHandle,
    time::Instant,
};

use super::{
    keeper::keep,
    loan::{Held, Loan},
    queue::Queue,
    topology::RedisPool,
};

/// A failure that is older says little about now: the next request has another attempt made and
/// waits for it. The circuit's probe must not fail because of what was so when it was opened.
const STALE: Duration = Duration::from_millis(100);

/// All links of one store.
#[derive(Debug)]
pub(super) struct Links {
    /// Tells this store's links from another's in the memory of each thread.
    id: u64,
    pool: RedisPool,
    all: Mutex<HashMap<runtime::Id, Arc<Link>>>,
}

/// The connection of one worker, or what is in its place.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Sender<State>,
    pub(super) queue: Queue,
    /// Counts answers, of whichever node.
    #[cfg(feature = "cluster")]
    answers: AtomicU32,
    /// Ends with its runtime. None in the moment before it is started.
    keeper: OnceLock<AbortHandle>,
    /// How many attempts to connect there were since the last answer: what waits between them
    /// grows by. A connection alone is no success, a demoted master hands them out too.
    attempts: AtomicU32,
}

#[derive(Debug)]
pub(super) enum State {
    /// The keeper makes a connection; requests wait.
    Connecting,
    /// The last attempt failed, or its connection was of no use. The keeper will make another, and
    /// requests do not wait for it: they would hold on to a server that is gone.
    Failed {
        error: RedisError,
        since: Instant,
    },
    Ready(Held),
    /// For good.
    Closed,
}

/// From 1: 0 is no number.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

type Known = (u64, runtime::Id, Weak<Link>);

thread_local! {
    /// The links this thread has used, so that its requests need not look into the shared list.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

impl Links {
    pub(super) fn new(pool: RedisPool) -> Self {
        Self {
            id: next_number(),
            pool,
            all: Mutex::default(),
        }
    }

    pub(super) fn pool(&self) -> &RedisPool {
        &self.pool
    }

    /// The connection of this worker; if one is being made that requests wait for, waits for it.
    pub(super) async fn get(&self, runtime: &Handle) -> Result<Loan, RedisError> {
        let link = self.link(runtime);
        match link.lend() {
            Some(Err(_)) if link.hurry() => {}
            Some(lent) => return lent,
            None => {}
        }
        let mut states = link.state.subscribe();
        // Cannot end otherwise: the link holds the other end.
        let _ = states
            .wait_for(|state| !matches!(state, State::Connecting))
            .await;
        link.lend().unwrap_or_else(|| Err(aborted()))
    }

    /// Drops every connection, and ends what makes them. A worker that asks afterwards makes a new
    /// one.
    pub(super) fn close(&self) {
        let links = mem::take(&mut *self.all.lock());
        for link in links.into_values() {
            link.replace(|_| Some(State::Closed));
            link.dismiss_keeper();
        }
    }

    /// That of this worker.
    pub(super) fn link(&self, runtime: &Handle) -> Arc<Link> {
        KNOWN.with_borrow_mut(|known| {
            let id = runtime.id();
            let found = known
                .iter()
                .find(|(of, on, _)| *of == self.id && *on == id)
                .and_then(|(_, _, link)| link.upgrade())
                .filter(|link| link.is_kept());
            found.unwrap_or_else(|| {
                let link = self.link_of(runtime);
                known.retain(|(of, on, link)| {
                    link.strong_count() > 0 && (*of, *on) != (self.id, id)
                });
                known.push((self.id, id, Arc::downgrade(&link)));
                link
            })
        })
    }

    fn link_of(&self, runtime: &Handle) -> Arc<Link> {
        let mut all = self.all.lock();
        // Runtimes that have ended cannot say so themselves.
        all.retain(|_, link| link.is_kept());
        let link = all
            .entry(runtime.id())
            .or_insert_with(|| Link::start(runtime, self.pool.clone()));
        Arc::clone(link)
    }
}

impl Link {
    fn start(runtime: &Handle, pool: RedisPool) -> Arc<Self> {
        let link = Arc::new(Self {
            state: watch::Sender::new(State::Connecting),
            queue: Queue::default(),
            #[cfg(feature = "cluster")]
            answers: AtomicU32::new(0),
            keeper: OnceLock::new(),
            attempts: AtomicU32::new(0),
        });
        let keeper = keep(Arc::downgrade(&link), link.state.subscribe(), pool);
        // Only set here.
        let _ = link.keeper.set(runtime.spawn(keeper).abort_handle());
        link
    }

    /// Whether somebody makes its connections: its runtime runs.
    fn is_kept(&self) -> bool {
        self.keeper.get().is_none_or(|task| !task.is_finished())
    }

    fn dismiss_keeper(&self) {
        if let Some(task) = self.keeper.get() {
            task.abort();
        }
    }

    /// The connection, or why there is none; `None` while one is being made that requests wait for.
    fn lend(self: &Arc<Self>) -> Option<Result<Loan, RedisError>> {
        match &*self.state.borrow() {
            State::Ready(held) => Some(Ok(Loan::new(held, Arc::clone(self)))),
            State::Failed { error, .. } => Some(Err(error.clone())),
            State::Closed => Some(Err(aborted())),
            State::Connecting => None,
        }
    }

    /// Has the keeper make its next attempt now, unless the last one was only just. Whether requests
    /// wait for it.
    fn hurry(&self) -> bool {
        let mut waits = false;
        self.replace(|state| {
            let is_stale = matches!(state, State::Failed { since, .. } if since.elapsed() >= STALE);
            waits = is_stale || matches!(state, State::Connecting);
            is_stale.then_some(State::Connecting)
        });
        waits
    }

    /// Puts another state in place of this one, if it should be.
    pub(super) fn replace(&self, next: impl FnOnce(&State) -> Option<State>) {
        let mut former = None;
        self.state.send_if_modified(|state| {
            former = next(state).map(|next| mem::replace(state, next));
            former.is_some()
        });
        // What it held goes only now, while nobody waits to look.
        drop(former);
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was not answered in time, whatever connection there is. `key` says what it was
    /// about.
    pub(super) fn was_late(self: &Arc<Self>, key: impl FnOnce() -> Option<String>) {
        if let Some(Ok(loan)) = self.lend() {
            loan.was_late_about(key);
        }
    }

    /// Waits until the connection of this number is no longer the one that is lent.
    pub(super) async fn lost(&self, number: u64) {
        let mut states = self.state.subscribe();
        let is_lost = |state: &State| !matches!(state, State::Ready(held) if held.number == number);
        // Cannot end otherwise: the link holds the other end.
        let _ = states.wait_for(is_lost).await;
    }

    #[cfg(feature = "cluster")]
    pub(super) fn answers(&self) -> u32 {
        self.answers.load(Ordering::Relaxed)
    }

    #[cfg(feature = "cluster")]
    pub(super) fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// The connection is of use.
    pub(super) fn answered(&self) {
        // Read first: a write to what all requests of a worker share is seldom needed.
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

impl Drop for Link {
    fn drop(&mut self) {
        self.dismiss_keeper();
    }
}

/// A number that nothing else has.
pub(super) fn next_number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

fn aborted() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}

#[cfg(test)]
mod tests;
