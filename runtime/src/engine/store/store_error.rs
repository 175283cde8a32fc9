//! [`StoreError`]: why a store could not decide. Every layer of the stack returns it, and the
//! failure mode decides in its place.

use std::{borrow::Cow, fmt, time::Duration};

#[cfg(feature = "redis")]
use actix_throttle_core::time::Micros;

use crate::engine::error::RateLimitError;

/// The reason why a store could not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError {
    kind: ErrorKind,
    reason: Cow<'static, str>,
    /// The number of keys that had been deleted before.
    deleted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    /// The store was asked and failed.
    Failure,
    /// The store was asked and did not reply in time.
    #[cfg(feature = "redis")]
    Late,
    /// The store sent a reply that belongs to no such call.
    #[cfg(feature = "redis")]
    Malformed,
    /// The keys are migrating to another cluster node; nothing was charged.
    #[cfg(feature = "cluster")]
    Migrating,
    /// The circuit is open for this many more microseconds; the store was not asked.
    #[cfg(feature = "redis")]
    CircuitOpen(Micros),
    /// The store could not be asked, through no fault of its own.
    #[cfg(feature = "redis")]
    Misuse,
}

impl StoreError {
    #[cfg(feature = "redis")]
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: reason.into(),
            deleted: 0,
        }
    }

    /// The error of a store that did not reply within the deadline.
    #[cfg(feature = "redis")]
    pub(crate) fn late(deadline: Duration) -> Self {
        Self {
            kind: ErrorKind::Late,
            reason: Cow::Owned(format!("no reply within {deadline:?}")),
            deleted: 0,
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn is_late(&self) -> bool {
        self.kind == ErrorKind::Late
    }

    /// The error of a reply that belongs to no such call: something between this process and the
    /// store has lost, doubled or cut a reply.
    #[cfg(feature = "redis")]
    pub(crate) fn malformed() -> Self {
        Self {
            kind: ErrorKind::Malformed,
            ..Self::new(
                "the script's reply is malformed; if this repeats, look for a proxy in front of \
                 Redis that loses or doubles replies",
            )
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn is_malformed(&self) -> bool {
        self.kind == ErrorKind::Malformed
    }

    /// The error of a store that returned fewer outcomes than it was given checks.
    pub(crate) fn nothing() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed(
                "the store returned no outcome; if this repeats, report it to actix-throttle",
            ),
            deleted: 0,
        }
    }

    /// The error of a limiter without a store, which asks it nothing while it is off.
    pub(crate) fn absent() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed("this limiter was built without a store"),
            deleted: 0,
        }
    }

    /// The error of an in-memory store without room for another key and without an entry to evict.
    pub(crate) fn full() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed(
                "the in-memory store is full of permits in use and of blocks; raise `max_keys`",
            ),
            deleted: 0,
        }
    }

    /// The error of a call whose keys are migrating to another cluster node; nothing was charged.
    #[cfg(feature = "cluster")]
    pub(crate) fn migrating() -> Self {
        Self {
            kind: ErrorKind::Migrating,
            ..Self::new(
                "the keys are being moved to another node, and nothing was charged; try again",
            )
        }
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn is_migrating(&self) -> bool {
        self.kind == ErrorKind::Migrating
    }

    /// The error of an invalid call; the store may be fine.
    #[cfg(feature = "redis")]
    pub(crate) fn misuse(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: ErrorKind::Misuse,
            reason: reason.into(),
            deleted: 0,
        }
    }

    /// Adds to the reason how many keys had been deleted before.
    #[cfg(feature = "redis")]
    pub(crate) fn after_deleting(mut self, deleted: u64) -> Self {
        self.reason = format!("{}; {deleted} keys were deleted before", self.reason).into();
        self.deleted = deleted;
        self
    }

    /// Returns how many keys had been deleted before the error.
    pub(crate) fn deleted(&self) -> u64 {
        self.deleted
    }

    #[cfg(feature = "redis")]
    pub(crate) fn circuit_open(wait: Micros) -> Self {
        Self {
            kind: ErrorKind::CircuitOpen(wait),
            reason: Cow::Borrowed("the circuit is open"),
            deleted: 0,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns whether the store itself failed, rather than was not asked.
    pub(crate) fn is_failure(&self) -> bool {
        match self.kind {
            ErrorKind::Failure => true,
            #[cfg(feature = "redis")]
            ErrorKind::Late | ErrorKind::Malformed => true,
            #[allow(unreachable_patterns, reason = "without Redis there is no other kind")]
            _ => false,
        }
    }

    /// Returns whether the store could not be asked, through no fault of its own.
    pub(crate) fn is_misuse(&self) -> bool {
        match self.kind {
            #[cfg(feature = "redis")]
            ErrorKind::Misuse => true,
            _ => false,
        }
    }

    /// Returns the time after which a retry is worthwhile, if it is known.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            #[cfg(feature = "redis")]
            ErrorKind::CircuitOpen(wait) => Some(Duration::from_micros(wait)),
            _ => None,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for RateLimitError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable {
            retry_after: error.retry_after(),
            reason: error.reason.into_owned(),
        }
    }
}
