//! The list of how each limit of a request stands. Decisions add to it, and
//! [`RateLimits`](super::RateLimits) reads it.

use std::cell::{Cell, OnceCell};

use actix_throttle_core::decision::{LimitStatus, stricter};

use super::same_policy::is_same_policy;

/// The length of the first chunk. Most requests have fewer limits.
const FIRST: usize = 4;
/// The number of chunks, each twice as long as the one before it: 4,092 statuses in all.
const CHUNKS: usize = 10;
/// How many statuses of one policy are listed before the list gets choosy. A client can make a
/// handler decide one limit many times, and the list holds what was borrowed of it.
const SHOWN: usize = 32;

/// The standings of the limits of a request, in the order of their decisions. It only grows, so
/// what a handler has borrowed of it stays.
///
/// # Invariant
///
/// The chunks are filled in their order, and each from its start.
#[derive(Debug, Default)]
pub(super) struct StatusList {
    chunks: [OnceCell<Box<[OnceCell<LimitStatus>]>>; CHUNKS],
    len: Cell<usize>,
}

impl StatusList {
    pub(super) fn new<'a>(limits: impl Iterator<Item = &'a LimitStatus>) -> Self {
        let list = Self::default();
        limits.for_each(|status| list.push(status));
        list
    }

    /// Adds the limits of one more decision.
    ///
    /// Of one policy that was decided many times, only those are added that tell something new: the
    /// first denial, and half of what remained.
    pub(super) fn append(&self, limits: &[LimitStatus]) {
        limits.iter().for_each(|status| self.push(status));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &LimitStatus> {
        let chunks = self.chunks.iter().map_while(OnceCell::get);
        chunks.flat_map(|chunk| chunk.iter().map_while(OnceCell::get))
    }

    fn push(&self, status: &LimitStatus) {
        if self.len.get() >= SHOWN && !self.says_more(status) {
            return;
        }
        let mut index = self.len.get();
        let mut size = FIRST;
        for chunk in &self.chunks {
            if index < size {
                let cells = chunk.get_or_init(|| vec![OnceCell::new(); size].into());
                if cells
                    .get(index)
                    .is_some_and(|cell| cell.set(status.clone()).is_ok())
                {
                    self.len.set(self.len.get() + 1);
                }
                return;
            }
            index -= size;
            size *= 2;
        }
    }

    /// Whether a status says more than those of its policy that are listed.
    fn says_more(&self, status: &LimitStatus) -> bool {
        let same = || self.iter().filter(|other| is_same_policy(other, status));
        if same().count() < SHOWN {
            return true;
        }
        let Some(strictest) = same().reduce(stricter) else {
            return true;
        };
        match (strictest.is_exceeded(), status.is_exceeded()) {
            (false, true) => true,
            (true, _) => false,
            (false, false) => {
                status.remaining() <= strictest.remaining() / 2
                    && status.remaining() < strictest.remaining()
            }
        }
    }
}
