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

use actix_throttle_core::{key::Key, time::Micros};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::queue_key::QueueKey;
use crate::engine::{backoff::Backoff, clock::Clock};

/// The pauses between polls that are denied, before jitter.
const BACKOFF: Backoff = Backoff {
    first: 20_000,
    longest: 1_000_000,
};

/// The wait queues of one limiter.
#[derive(Debug, Default)]
pub(crate) struct WaitQueues {
    queues: Mutex<HashMap<QueueKey, WaitQueue>>,
    /// The number of waiters in all queues, which is read without the lock. `SeqCst`: a `notify`
    /// that reads 0 misses only a waiter that has yet to join, and a waiter polls once more after
    /// it has joined.
    waiting: AtomicUsize,
    arrivals: AtomicU64,
}

/// The rank of a waiter in its queue: by priority, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    /// The priority that the caller has set: lower is served first.
    priority: u32,
    arrival: u64,
}

#[derive(Debug)]
struct WaitQueue {
    waiters: BTreeMap<Priority, Arc<Notify>>,
    /// The time of the first waiter's next poll.
    ask_at: Micros,
    /// The number of denied polls in a row, by which the pauses grow.
    denied: u32,
    /// Whether the store promised room at `ask_at` and none before.
    is_certain: bool,
    /// The number of refunds in this process, by which a [`Turn`] notices one during its poll.
    refunds: u64,
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
        !self.is_empty() && self.queues.lock().contains_key(&QueueKey::of(key))
    }

    /// Returns the position that a waiter of this priority would have in the queue of `key`.
    pub(crate) fn ahead(&self, key: &Key<'_>, priority: Priority) -> QueuePosition {
        if self.is_empty() {
            return QueuePosition::default();
        }
        let queues = self.queues.lock();
        queues
            .get(&QueueKey::of(key))
            .map_or_else(QueuePosition::default, |queue| {
                // A newcomer stands last in most cases: fewer waiters are behind it than ahead.
                let behind = queue.waiters.range(priority..).count();
                let number = queue.waiters.len().saturating_sub(behind) as u64;
                QueuePosition {
                    number,
                    length: queue.waiters.len(),
                    certain_from: Some(queue.ask_at).filter(|_| queue.is_certain && number > 0),
                }
            })
    }

    /// Adds a waiter to the queue of `key`.
    pub(crate) fn enqueue(&self, key: &Key<'_>, priority: Priority, now: Micros) -> Ticket<'_> {
        let ticket = Ticket {
            queues: self,
            key: QueueKey::of(key),
            priority,
            waker: Arc::default(),
        };
        // The count is incremented before the insertion: `is_empty` must never report a queue with
        // a waiter as empty.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut queues = self.queues.lock();
        let queue = queues
            .entry(ticket.key.clone())
            .or_insert_with(|| WaitQueue {
                waiters: BTreeMap::new(),
                ask_at: now,
                denied: 0,
                is_certain: false,
                refunds: 0,
            });
        queue.waiters.insert(priority, Arc::clone(&ticket.waker));
        if queue.is_certain && queue.waiters.keys().next() == Some(&priority) {
            // A promise was for the waiter that is overtaken; the new first waiter may fit at once.
            queue.ask_at = now;
            queue.is_certain = false;
        }
        ticket
    }

    /// Wakes the first waiter of `key` after a refund or a release in this process.
    pub(crate) fn notify(&self, key: &Key<'_>, now: Micros) {
        if self.is_empty() {
            return;
        }
        if let Some(queue) = self.queues.lock().get_mut(&QueueKey::of(key)) {
            queue.refunds += 1;
            queue.ask_at = queue.ask_at.min(now);
            queue.is_certain = false;
            queue.denied = 0;
            queue.wake_first();
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }
}

/// The position in a queue before joining it: `number` waiters are ahead, of `length` in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueuePosition {
    pub(crate) number: u64,
    pub(crate) length: usize,
    /// The time before which no waiter behind the first has room, if the store promised one.
    pub(crate) certain_from: Option<Micros>,
}

/// A waiter's entry in a queue. Dropping it leaves the queue and wakes the next waiter.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    queues: &'a WaitQueues,
    key: QueueKey,
    priority: Priority,
    waker: Arc<Notify>,
}

/// The first waiter's turn to poll the store, until its ticket reports the result or is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    refunds: u64,
}

/// The time at which the next waiter polls, after one was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next waiter polls at once: the store may have room for it.
    Now,
    /// The next waiter polls after so many microseconds: the store has room for one more then, and
    /// not before.
    In(Micros),
    /// The next waiter polls after a pause, or at a refund: the last permit was taken.
    Later,
}

impl Ticket<'_> {
    /// Waits for the turn to poll.
    ///
    /// # Cancel safety
    ///
    /// A dropped future keeps the waiter's position.
    pub(crate) async fn turn(&self, clock: &Clock) -> Turn {
        loop {
            let mut woken = std::pin::pin!(self.waker.notified());
            // The notification is enabled before the queue is read, or one in between would be
            // lost.
            woken.as_mut().enable();
            let first = self.with_queue(|queue| {
                let is_first = queue.waiters.keys().next() == Some(&self.priority);
                is_first.then_some((queue.ask_at, queue.refunds))
            });
            match first.flatten() {
                Some((ask_at, refunds)) if ask_at <= clock.now() => return Turn { refunds },
                Some((ask_at, _)) => {
                    clock.timeout_at(Some(ask_at), woken).await;
                }
                None => woken.await,
            }
        }
    }

    /// Reports a denied poll. The next follows a refund in this process, or a pause of at most
    /// `bound`.
    pub(crate) fn denied(&self, turn: Turn, bound: Option<Micros>, now: Micros) {
        self.with_queue(|queue| {
            queue.is_certain = false;
            if queue.refunds != turn.refunds {
                // A refund arrived during the poll, and the reply may predate it.
                queue.ask_at = now;
                return;
            }
            queue.denied = queue.denied.saturating_add(1);
            let pause = upward(BACKOFF.after(queue.denied));
            let bound = bound.map(|bound| bound.saturating_add(fastrand::u64(..BACKOFF.first)));
            queue.ask_at = now.saturating_add(bound.map_or(pause, |bound| bound.min(pause)));
        });
    }

    /// Reports a denied poll: no room for `wait` microseconds, but for refunds in this process.
    pub(crate) fn must_wait(&self, wait: Micros, now: Micros) {
        self.with_queue(|queue| {
            // Only the first waiter's wait counts: the store tells a waiter behind it too short a
            // one.
            if queue.waiters.keys().next() == Some(&self.priority) {
                queue.ask_at = now.saturating_add(wait);
                queue.is_certain = true;
            }
        });
    }

    /// Leaves the queue after a grant, and says when the next waiter polls.
    pub(crate) fn served(self, next: Next, now: Micros) {
        self.with_queue(|queue| {
            // The waiter is removed here, not in `drop`: a first waiter that leaves unserved voids
            // the promise.
            queue.waiters.remove(&self.priority);
            queue.denied = 0;
            queue.is_certain = matches!(next, Next::In(_));
            queue.ask_at = now.saturating_add(match next {
                Next::Now => 0,
                Next::In(wait) => wait,
                Next::Later => upward(BACKOFF.first),
            });
        });
    }

    pub(crate) fn is_for(&self, key: &Key<'_>) -> bool {
        self.key == QueueKey::of(key)
    }

    fn with_queue<T>(&self, work: impl FnOnce(&mut WaitQueue) -> T) -> Option<T> {
        self.queues.queues.lock().get_mut(&self.key).map(work)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut queues = self.queues.queues.lock();
        if let Some(queue) = queues.get_mut(&self.key) {
            let was_first = queue.waiters.keys().next() == Some(&self.priority);
            queue.waiters.remove(&self.priority);
            if was_first && queue.is_certain {
                // The store's promise was for the first waiter's cost; the next may need less.
                queue.ask_at = 0;
                queue.is_certain = false;
            }
            queue.wake_first();
            if queue.waiters.is_empty() {
                queues.remove(&self.key);
            }
        }
        drop(queues);
        self.queues.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl WaitQueue {
    fn wake_first(&self) {
        if let Some(first) = self.waiters.values().next() {
            first.notify_one();
        }
    }
}

/// Adds jitter of up to a half, so that processes denied at the same time do not poll as one herd.
fn upward(pause: Micros) -> Micros {
    pause + fastrand::u64(..=pause / 2)
}
