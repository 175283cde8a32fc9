//! A waiter's [`Ticket`]: it waits for its turn to poll, and reports what became of it.

use std::sync::{Arc, atomic::Ordering};

use actix_throttle_core::{key::Key, time::Micros};
use tokio::sync::Notify;

use super::{super::queue_key::QueueKey, BACKOFF, Priority, WaitQueue, WaitQueues, upward};
use crate::engine::clock::Clock;

/// A waiter's entry in a queue. Dropping it leaves the queue and wakes the next waiter.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    pub(super) queues: &'a WaitQueues,
    pub(super) key: QueueKey,
    pub(super) priority: Priority,
    pub(super) waker: Arc<Notify>,
}

/// A waiter's turn to poll the store, until its ticket reports the result or is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(super) refunds: u64,
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
                let is_first = queue.is_first(self.priority);
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
            queue.promised = None;
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

    /// Reports a denied poll that was sent at `sent`: no room for `wait` microseconds, but for
    /// refunds.
    pub(crate) fn must_wait(&self, turn: Turn, wait: Micros, sent: Micros, now: Micros) {
        self.with_queue(|queue| {
            // Only the first waiter's wait counts: the store tells a waiter behind it too short a
            // one.
            if !queue.is_first(self.priority) {
                return;
            }
            if queue.refunds != turn.refunds {
                queue.poll_at_once(now);
                return;
            }
            // The wait has begun at the store, between the two. A poll in between may rather be
            // early than put the turn off: late replies would add up.
            let began = if queue.promised.is_some() { sent } else { now };
            queue.promise(began.saturating_add(wait), now);
        });
    }

    /// Leaves the queue after a grant, and says when the next waiter polls.
    pub(crate) fn served(self, turn: Turn, next: Next, now: Micros) {
        self.with_queue(|queue| {
            // The waiter is removed here, not in `drop`: a first waiter that leaves unserved voids
            // the promise.
            queue.waiters.remove(&self.priority);
            queue.denied = 0;
            queue.poll_at_once(now);
            match next {
                // A refund arrived during the poll, and the reply may predate it.
                _ if queue.refunds != turn.refunds => {}
                Next::Now => {}
                Next::In(wait) => queue.promise(now.saturating_add(wait), now),
                Next::Later => queue.ask_at = now.saturating_add(upward(BACKOFF.first)),
            }
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
            let was_first = queue.is_first(self.priority);
            queue.waiters.remove(&self.priority);
            if was_first && queue.promised.is_some() {
                // The store's promise was for the first waiter's cost; the next may need less.
                queue.poll_at_once(0);
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
