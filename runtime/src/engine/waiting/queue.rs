//! The wait queues of one process: the callers that wait for the same counter, in order.
//!
//! Only the first waiter of a queue polls the store: after a refund in this process, else after
//! pauses that grow while it is denied, as no store tells what other processes refund. Redis's
//! blocking commands, such as `BLPOP`, would hold a connection for each waiter, would lose a permit
//! if the process dies at that moment, and would not know the other limits of the check.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use actix_throttle_core::{
    identity::Identity,
    key::{Key, KeyKind},
    time::Micros,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::clock::Clock;

/// First pause of a queue, in microseconds, and the longest that it doubles to.
const FIRST: Micros = 20_000;
const LONGEST: Micros = 1_000_000;

/// The wait queues of one limiter.
#[derive(Debug, Default)]
pub(crate) struct WaitQueues {
    lines: Mutex<HashMap<QueueKey, WaitQueue>>,
    /// Number of waiters in all queues, read without the lock. `SeqCst`: a `notify` that reads 0
    /// misses only a waiter that has yet to join, and a waiter polls once more after it has joined.
    waiting: AtomicUsize,
    arrivals: AtomicU64,
}

/// Key of a wait queue: the counter that its waiters need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct QueueKey {
    identity: Identity,
    zone: Box<str>,
    slot: KeyKind,
}

/// Rank of a waiter in its queue: by priority, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    /// Lower is served first.
    priority: u32,
    arrival: u64,
}

#[derive(Debug)]
struct WaitQueue {
    waiting: BTreeMap<Priority, Arc<Notify>>,
    /// Time of the first waiter's next poll.
    ask_at: Micros,
    pause: Micros,
    /// Whether the store promised room at `ask_at` and none before.
    is_certain: bool,
    /// Number of refunds in this process, by which a [`Turn`] notices one during its poll.
    freed: u64,
}

impl WaitQueues {
    /// Ranks a waiter that arrives now.
    pub(crate) fn register(&self, priority: u32) -> Priority {
        Priority {
            priority,
            arrival: self.arrivals.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether a waiter is queued for `key`, so that a newcomer must queue behind it.
    pub(crate) fn is_waited_for(&self, key: &Key<'_>) -> bool {
        !self.is_empty() && self.lines.lock().contains_key(&QueueKey::of(key))
    }

    /// Position that a waiter of this rank would have in the queue of `key`.
    pub(crate) fn ahead(&self, key: &Key<'_>, rank: Priority) -> QueuePosition {
        if self.is_empty() {
            return QueuePosition::default();
        }
        let lines = self.lines.lock();
        lines
            .get(&QueueKey::of(key))
            .map_or_else(QueuePosition::default, |line| {
                // A newcomer stands last in most cases: fewer waiters are behind it than ahead.
                let behind = line.waiting.range(rank..).count();
                let number = line.waiting.len().saturating_sub(behind) as u64;
                QueuePosition {
                    number,
                    length: line.waiting.len(),
                    certain_from: Some(line.ask_at).filter(|_| line.is_certain && number > 0),
                }
            })
    }

    /// Adds a waiter to the queue of `key`.
    pub(crate) fn enqueue(&self, key: &Key<'_>, rank: Priority, now: Micros) -> Ticket<'_> {
        let ticket = Ticket {
            lines: self,
            spot: QueueKey::of(key),
            rank,
            call: Arc::default(),
        };
        // Increment before inserting: `is_empty` must never report a queue with a waiter as empty.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut lines = self.lines.lock();
        let line = lines
            .entry(ticket.spot.clone())
            .or_insert_with(|| WaitQueue {
                waiting: BTreeMap::new(),
                ask_at: now,
                pause: FIRST,
                is_certain: false,
                freed: 0,
            });
        line.waiting.insert(rank, Arc::clone(&ticket.call));
        if line.is_certain && line.waiting.keys().next() == Some(&rank) {
            // A promise was for the waiter that is overtaken; the new first waiter may fit at once.
            line.ask_at = now;
            line.is_certain = false;
        }
        ticket
    }

    /// Wakes the first waiter of `key` after a refund or a release in this process.
    pub(crate) fn notify(&self, key: &Key<'_>, now: Micros) {
        if self.is_empty() {
            return;
        }
        if let Some(line) = self.lines.lock().get_mut(&QueueKey::of(key)) {
            line.freed += 1;
            line.ask_at = line.ask_at.min(now);
            line.is_certain = false;
            line.pause = FIRST;
            line.wake_first();
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }
}

/// Position in a queue before joining it: `number` waiters are ahead, of `length` in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueuePosition {
    pub(crate) number: u64,
    pub(crate) length: usize,
    /// Time before which no waiter behind the first has room, if the store promised one.
    pub(crate) certain_from: Option<Micros>,
}

/// A waiter's entry in a queue. Dropping it leaves the queue and wakes the next waiter.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    lines: &'a WaitQueues,
    spot: QueueKey,
    rank: Priority,
    call: Arc<Notify>,
}

/// The first waiter's turn to poll the store, until its ticket reports the result or is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    freed: u64,
}

/// When the next waiter polls, after one was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At once: the store may have room for it.
    Now,
    /// After so many microseconds: the store has room for one more then, and not before.
    In(Micros),
    /// After a pause, or at a refund: the last permit was taken.
    Later,
}

impl Ticket<'_> {
    /// Waits for the turn to poll. Cancel safe: a dropped future keeps the waiter's position.
    pub(crate) async fn turn(&self, clock: &Clock) -> Turn {
        loop {
            let mut called = std::pin::pin!(self.call.notified());
            // Enable before reading the queue, or a notification in between would be lost.
            called.as_mut().enable();
            let first = self.with_queue(|line| {
                let is_first = line.waiting.keys().next() == Some(&self.rank);
                is_first.then_some((line.ask_at, line.freed))
            });
            match first.flatten() {
                Some((ask_at, freed)) if ask_at <= clock.now() => return Turn { freed },
                Some((ask_at, _)) => {
                    clock.timeout_at(Some(ask_at), called).await;
                }
                None => called.await,
            }
        }
    }

    /// Reports a denied poll. The next follows a refund in this process, or a pause of at most
    /// `bound`.
    pub(crate) fn denied(&self, turn: Turn, bound: Option<Micros>, now: Micros) {
        self.with_queue(|line| {
            line.is_certain = false;
            if line.freed != turn.freed {
                // A refund arrived during the poll, and the reply may predate it.
                line.ask_at = now;
                return;
            }
            let pause = upward(line.pause);
            let bound = bound.map(|bound| bound.saturating_add(fastrand::u64(..FIRST)));
            line.ask_at = now.saturating_add(bound.map_or(pause, |bound| bound.min(pause)));
            line.pause = (line.pause * 2).min(LONGEST);
        });
    }

    /// Reports a denied poll: no room for `wait` microseconds, but for refunds in this process.
    pub(crate) fn must_wait(&self, wait: Micros, now: Micros) {
        self.with_queue(|line| {
            // Only the first waiter: the store tells a waiter behind it too short a wait.
            if line.waiting.keys().next() == Some(&self.rank) {
                line.ask_at = now.saturating_add(wait);
                line.is_certain = true;
            }
        });
    }

    /// Leaves the queue after a grant, and says when the next waiter polls.
    pub(crate) fn served(self, next: Next, now: Micros) {
        self.with_queue(|line| {
            // Remove here, not in `drop`: a first waiter that leaves unserved voids the promise.
            line.waiting.remove(&self.rank);
            line.pause = FIRST;
            line.is_certain = matches!(next, Next::In(_));
            line.ask_at = now.saturating_add(match next {
                Next::Now => 0,
                Next::In(wait) => wait,
                Next::Later => upward(FIRST),
            });
        });
    }

    pub(crate) fn is_for(&self, key: &Key<'_>) -> bool {
        self.spot == QueueKey::of(key)
    }

    fn with_queue<T>(&self, work: impl FnOnce(&mut WaitQueue) -> T) -> Option<T> {
        self.lines.lines.lock().get_mut(&self.spot).map(work)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut lines = self.lines.lines.lock();
        if let Some(line) = lines.get_mut(&self.spot) {
            let was_first = line.waiting.keys().next() == Some(&self.rank);
            line.waiting.remove(&self.rank);
            if was_first && line.is_certain {
                // The store's promise was for the first waiter's cost; the next may need less.
                line.ask_at = 0;
                line.is_certain = false;
            }
            line.wake_first();
            if line.waiting.is_empty() {
                lines.remove(&self.spot);
            }
        }
        drop(lines);
        self.lines.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl WaitQueue {
    fn wake_first(&self) {
        if let Some(first) = self.waiting.values().next() {
            first.notify_one();
        }
    }
}

impl QueueKey {
    fn of(key: &Key<'_>) -> Self {
        Self {
            // A group selects limits; it does not tell counters apart.
            identity: key.identity.without_group(),
            zone: key.zone.into(),
            slot: key.kind,
        }
    }
}

/// Adds jitter of up to a half, so that processes denied at the same time do not poll as one herd.
fn upward(pause: Micros) -> Micros {
    pause + fastrand::u64(..=pause / 2)
}
