//! The wait queues of one process: the callers that wait for the same counter, in order.
//!
//! Only the first waiter of a queue polls the store: at the time for which the store has promised
//! room, and after a refund or a reset in this process. Without a promise, it polls after pauses
//! that grow while it is denied. It also polls about once a second, because no store tells what
//! other processes refund, reset or unblock.
//!
//! Redis's blocking commands, such as `BLPOP`, would hold a connection for each waiter, would lose
//! a permit if the process dies at that moment, and would not know the other limits of the check.

mod ticket;

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

pub(crate) use self::ticket::{Next, Ticket, Turn};
use super::queue_key::QueueKey;
use crate::engine::backoff::Backoff;

/// The pauses between polls that are denied, before jitter.
const BACKOFF: Backoff = Backoff {
    first: 20_000,
    longest: 1_000_000,
};

/// The wait queues of one limiter.
#[derive(Debug, Default)]
pub(crate) struct WaitQueues {
    queues: Mutex<HashMap<QueueKey, WaitQueue>>,
    /// The number of waiters in all queues, which is read without the lock. `SeqCst`, as
    /// [`refunds`](Self::refunds).
    waiting: AtomicUsize,
    /// The number of refunds in this process, of any counter. `SeqCst`: a refund is counted before
    /// `waiting` is read, and a waiter adds itself to `waiting` before it reads this. So either the
    /// refund finds the waiter, or the waiter finds the refund.
    refunds: AtomicU64,
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
    /// The time for which the store has promised room, and before which it has none.
    promised: Option<Micros>,
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
                    certain_from: queue.promised.filter(|_| number > 0),
                }
            })
    }

    /// Returns the number of refunds in this process, of any counter.
    pub(crate) fn refunds(&self) -> u64 {
        self.refunds.load(Ordering::SeqCst)
    }

    /// Adds a waiter to the queue of `key`. It may report the denial that it had, which was asked
    /// for after `refunds` [refunds](Self::refunds), by the turn that it gets, unless something was
    /// refunded since: then it has no turn, and polls once more.
    pub(crate) fn enqueue(
        &self,
        key: &Key<'_>,
        priority: Priority,
        refunds: u64,
        now: Micros,
    ) -> (Ticket<'_>, Option<Turn>) {
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
                promised: None,
                refunds: 0,
            });
        queue.waiters.insert(priority, Arc::clone(&ticket.waker));
        if queue.is_first(priority) && queue.promised.is_some() {
            // A promise was for the waiter that is overtaken; the new first waiter may fit at once.
            queue.poll_at_once(now);
        }
        let turn = Turn {
            refunds: queue.refunds,
        };
        let is_current = self.refunds() == refunds;
        drop(queues);
        (ticket, is_current.then_some(turn))
    }

    /// Wakes the first waiter of `key` after a refund or a release in this process.
    pub(crate) fn notify(&self, key: &Key<'_>, now: Micros) {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        if self.is_empty() {
            return;
        }
        if let Some(queue) = self.queues.lock().get_mut(&QueueKey::of(key)) {
            queue.notify(now);
        }
    }

    /// Wakes the first waiter of each counter of an identity in a zone, after a reset or the end of
    /// a block by hand.
    pub(crate) fn notify_zone(&self, key: &Key<'_>, now: Micros) {
        let identity = key.identity.without_group();
        self.notify_all(|queue| queue.is_in(&identity, key.zone), now);
    }

    /// Wakes the first waiter of every queue, after a reset in bulk.
    pub(crate) fn notify_every(&self, now: Micros) {
        self.notify_all(|_| true, now);
    }

    fn notify_all(&self, is_meant: impl Fn(&QueueKey) -> bool, now: Micros) {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        if self.is_empty() {
            return;
        }
        let mut queues = self.queues.lock();
        for (_, queue) in queues.iter_mut().filter(|(key, _)| is_meant(key)) {
            queue.notify(now);
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

impl WaitQueue {
    fn is_first(&self, priority: Priority) -> bool {
        self.waiters.keys().next() == Some(&priority)
    }

    /// Records that the store has room at `until` and not before, unless another process refunds:
    /// the first waiter polls for that in between.
    fn promise(&mut self, until: Micros, now: Micros) {
        let in_between = now.saturating_add(upward(BACKOFF.longest));
        self.promised = Some(until);
        self.ask_at = until.min(in_between);
    }

    /// Forgets the promise: the first waiter polls at `now`.
    fn poll_at_once(&mut self, now: Micros) {
        self.promised = None;
        self.ask_at = now;
    }

    /// Records a refund, and wakes the first waiter.
    fn notify(&mut self, now: Micros) {
        self.refunds += 1;
        self.denied = 0;
        self.poll_at_once(self.ask_at.min(now));
        self.wake_first();
    }

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

#[cfg(test)]
mod tests;
