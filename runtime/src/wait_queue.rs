//! Who waits in this process for the same counter, in order.
//!
//! Only the first of a line asks the store; the others sleep. The first asks when something was
//! given back in this process, and else after pauses that grow while nothing comes of it: what other
//! processes give back nobody tells. A command of the server that blocks until there is something,
//! as `BLPOP` does on a list, would hold a connection for each who waits, would lose what it was given
//! when its process dies at that moment, and would know nothing of the other limits of the check.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    clock::{Clock, Micros},
    identity::Identity,
    key::{Key, KeyKind},
};

/// The first pause of a line, and the longest it grows to.
const FIRST: Micros = 20_000;
const LONGEST: Micros = 1_000_000;

/// All lines of one limiter.
#[derive(Debug, Default)]
pub(crate) struct WaitQueues {
    lines: Mutex<HashMap<QueueKey, WaitQueue>>,
    /// How many wait in all: without any, nobody need look.
    waiting: AtomicUsize,
    arrivals: AtomicU64,
}

/// What a line waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct QueueKey {
    identity: Identity,
    zone: Box<str>,
    slot: KeyKind,
}

/// When somebody came, and how urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    /// Lower goes first.
    priority: u32,
    arrival: u64,
}

#[derive(Debug)]
struct WaitQueue {
    waiting: BTreeMap<Priority, Arc<Notify>>,
    /// When the first is to ask.
    ask_at: Micros,
    pause: Micros,
    /// Whether the store has said so.
    is_certain: bool,
    /// Counts what was given back in this process.
    freed: u64,
}

impl WaitQueues {
    /// The rank of whoever comes now.
    pub(crate) fn register(&self, priority: u32) -> Priority {
        Priority {
            priority,
            arrival: self.arrivals.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether somebody waits, so that others must too.
    pub(crate) fn is_waited_for(&self, key: &Key<'_>) -> bool {
        !self.is_empty() && self.lines.lock().contains_key(&QueueKey::of(key))
    }

    /// Who stands before somebody of that rank.
    pub(crate) fn ahead(&self, key: &Key<'_>, rank: Priority) -> QueuePosition {
        if self.is_empty() {
            return QueuePosition::default();
        }
        let lines = self.lines.lock();
        lines
            .get(&QueueKey::of(key))
            .map_or_else(QueuePosition::default, |line| {
                // Whoever comes now stands last in most cases: those behind are fewer.
                let behind = line.waiting.range(rank..).count();
                let number = line.waiting.len().saturating_sub(behind) as u64;
                QueuePosition {
                    number,
                    length: line.waiting.len(),
                    // Whoever goes first may have room at once.
                    certain_from: Some(line.ask_at).filter(|_| line.is_certain && number > 0),
                }
            })
    }

    /// Lines up for what `key` counts.
    pub(crate) fn enqueue(&self, key: &Key<'_>, rank: Priority, now: Micros) -> Ticket<'_> {
        let ticket = Ticket {
            lines: self,
            spot: QueueKey::of(key),
            rank,
            call: Arc::default(),
        };
        // Before it is there: whoever finds none waiting will not look.
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
            // As when the first leaves: for whom it goes before, there may be room at once.
            line.ask_at = now;
            line.is_certain = false;
        }
        ticket
    }

    /// Something was given back in this process.
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

/// How a line looks to whoever may join it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueuePosition {
    pub(crate) number: u64,
    /// How many wait in all.
    pub(crate) length: usize,
    /// Before that there is room for nobody, whoever comes first.
    pub(crate) certain_from: Option<Micros>,
}

/// A place in a line. Dropped, it is left, and the next is called.
#[derive(Debug)]
pub(crate) struct Ticket<'a> {
    lines: &'a WaitQueues,
    spot: QueueKey,
    rank: Priority,
    call: Arc<Notify>,
}

/// The turn to ask the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    freed: u64,
}

/// When the next in line is to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The store may have room for it.
    Now,
    /// It has room for one more after so long, and not before.
    In(Micros),
    /// That was the last place: after a pause, or when one comes free.
    Later,
}

impl Ticket<'_> {
    /// Waits for the turn to ask. The turn lasts until this ticket says what came of it, or goes.
    pub(crate) async fn turn(&self, clock: &Clock) -> Turn {
        loop {
            let mut called = std::pin::pin!(self.call.notified());
            // Before the look at the line, or a call in between would go unnoticed.
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

    /// It was asked in vain. The next time is when something was given back here, else after a
    /// pause: no longer than `bound`, when something comes free by itself.
    pub(crate) fn denied(&self, turn: Turn, bound: Option<Micros>, now: Micros) {
        self.with_queue(|line| {
            line.is_certain = false;
            if line.freed != turn.freed {
                // Meanwhile, and the answer may not know of it.
                line.ask_at = now;
                return;
            }
            let pause = upward(line.pause);
            let bound = bound.map(|bound| bound.saturating_add(fastrand::u64(..FIRST)));
            line.ask_at = now.saturating_add(bound.map_or(pause, |bound| bound.min(pause)));
            line.pause = (line.pause * 2).min(LONGEST);
        });
    }

    /// It was asked in vain, and will be for `wait` from now on, whatever is given back.
    pub(crate) fn must_wait(&self, wait: Micros, now: Micros) {
        self.with_queue(|line| {
            // Who joins in the middle has been told less than the first.
            if line.waiting.keys().next() == Some(&self.rank) {
                line.ask_at = now.saturating_add(wait);
                line.is_certain = true;
            }
        });
    }

    /// It got what it waited for, and leaves.
    pub(crate) fn served(self, next: Next, now: Micros) {
        self.with_queue(|line| {
            // Here, as whoever goes without a word takes what was promised to it along.
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
                // What the store has promised was for what the first asked for: others may want less.
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
            // Groups say which limits apply, not who it is.
            identity: key.identity.without_group(),
            zone: key.zone.into(),
            slot: key.kind,
        }
    }
}

/// Up to half as long again: processes that were told the same time come one after the other.
fn upward(pause: Micros) -> Micros {
    pause + fastrand::u64(..=pause / 2)
}
