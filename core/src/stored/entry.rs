//! One entry of a store with what it says at one moment: a counter, the permits of a concurrency
//! limit, or a block.

use super::{offences::StoredOffences, usage::StoredUsage};
use crate::{
    algorithm::{IDLE, PermitTable, State},
    decide::Block,
    key::KeyKind,
    limit::Counting,
    time::Micros,
};

/// One entry of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The key in Redis.
    pub key: String,
    /// The identity as keys have it.
    pub identity: String,
    /// The zone as keys have it.
    pub zone: String,
    pub kind: KeyKind,
    pub state: EntryState,
    /// The time until the entry expires, in microseconds; `None` if it never does.
    pub expires: Option<Micros>,
}

/// The state that an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    Used(StoredUsage),
    /// The number of permits that are held, and the time until the last of them expires.
    Held {
        permits: u32,
        longest: Micros,
    },
    /// A block in force, with the time that is left of it.
    Blocked {
        left: Micros,
        offences: Option<StoredOffences>,
    },
    /// A block that is over, and is kept for its offences.
    BlockEnded(StoredOffences),
    /// The value is none of this library's, or of a version that this one does not know.
    Unreadable,
}

impl StoredEntry {
    #[must_use]
    pub fn is_block(&self) -> bool {
        matches!(self.kind, KeyKind::Block { .. })
    }

    #[must_use]
    pub fn is_permits(&self) -> bool {
        matches!(self.kind, KeyKind::PermitTable { .. })
    }

    /// Returns how much is used, or how many permits are held. A block uses nothing.
    #[must_use]
    pub fn used(&self) -> u32 {
        match self.state {
            EntryState::Used(usage) => usage.used,
            EntryState::Held { permits, .. } => permits,
            EntryState::Blocked { .. } | EntryState::BlockEnded(_) | EntryState::Unreadable => 0,
        }
    }
}

impl EntryState {
    /// Returns what a counter of the in-memory store says, which expires after `expires`.
    #[must_use]
    pub fn of_counter(kind: KeyKind, state: &State, now: Micros, expires: Micros) -> Self {
        let Some(Counter {
            counting,
            window,
            kept,
        }) = Counter::of(kind)
        else {
            return Self::Unreadable;
        };
        // A state is kept for so long after its reset: see `Usage::new`. `usage` knows for how long
        // a bucket with a history is kept.
        let left = Some(expires.saturating_sub(IDLE + 1 + kept));
        let state = state.numbers(window, now);
        Self::Used(state.usage(counting, window, now, left))
    }

    /// Returns what a table of permits says.
    #[must_use]
    pub fn of_permits(table: &PermitTable, now: Micros) -> Self {
        Self::Held {
            permits: table.held(now),
            longest: table.reset(now),
        }
    }

    /// Returns what a block says; `None` if it is over and remembers no offences.
    #[must_use]
    pub fn of_block(block: &Block, now: Micros) -> Option<Self> {
        let offences = StoredOffences::of(block, now);
        match block.left(now) {
            Some(left) => Some(Self::Blocked { left, offences }),
            None => offences.map(Self::BlockEnded),
        }
    }
}

/// How the counters of a kind of key count.
pub(super) struct Counter {
    pub(super) counting: Counting,
    /// The window; 0 of the calendar.
    pub(super) window: Micros,
    /// The time for which a state is kept after its reset, because the period of another time zone
    /// may end later.
    pub(super) kept: Micros,
}

impl Counter {
    /// Returns `None` if keys of this kind are no counters.
    pub(super) fn of(kind: KeyKind) -> Option<Self> {
        let (counting, window, kept) = match kind {
            KeyKind::Counter {
                algorithm,
                refill,
                window,
                ..
            } => (Counting::of(algorithm, refill), window, 0),
            KeyKind::Calendar { period, .. } => (Counting::Calendar, 0, period.zone_spread()),
            KeyKind::PermitTable { .. } | KeyKind::Block { .. } => return None,
        };
        Some(Self {
            counting,
            window,
            kept,
        })
    }
}
