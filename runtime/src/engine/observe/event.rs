//! [`Event`]: everything that a limiter tells its observers.

use std::time::{Duration, SystemTime};

use actix_throttle_core::identity::Identity;

use super::decided::Decided;
use crate::engine::circuit_state::CircuitState;

/// Something that a limiter has done, or that has happened to it. See
/// [`Observer`](super::Observer).
///
/// A `policy` is the name of a limit, else its zone. More events, and more fields of these, may
/// come with any version.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A limit had a part in a decision.
    Decided(Decided<'a>),
    /// A charge was refunded, as far as it still counted.
    #[non_exhaustive]
    Refunded {
        /// The policy.
        policy: &'static str,
        /// The identity that was charged.
        identity: &'a Identity,
        /// The cost that the charge had taken.
        cost: u32,
    },
    /// A handler has settled the estimate that its request was charged.
    #[non_exhaustive]
    Settled {
        /// The policy.
        policy: &'static str,
        /// The identity that was charged.
        identity: &'a Identity,
        /// The cost that was charged at first.
        estimate: u32,
        /// The cost that counts from now on.
        actual: u32,
    },
    /// A call of Redis that carried checks has ended.
    #[non_exhaustive]
    StoreCalled {
        /// The outcome of the call.
        outcome: CallOutcome,
        /// The number of checks that went out together.
        batch_size: usize,
        /// The time from the moment at which the call left until its reply was there, or was given
        /// up.
        time: Duration,
    },
    /// The store was asked and could not decide a check, so the failure mode does.
    #[non_exhaustive]
    StoreFailed {
        /// The reason why it could not decide.
        reason: &'a str,
    },
    /// The size of the in-memory store of this process: that of a limiter without Redis, else that
    /// of the local fallback. This event comes from time to time while requests are decided.
    #[non_exhaustive]
    StoreSized {
        /// The number of keys, with expired ones that are not swept yet.
        keys: usize,
        /// The number of counters, and of blocks that were over, that were dropped to make room,
        /// since the limiter was built.
        evictions: u64,
    },
    /// The circuit breaker has changed its state.
    #[non_exhaustive]
    CircuitChanged {
        /// The new state.
        state: CircuitState,
    },
    /// A configuration was loaded, or an attempt to reload it has ended.
    #[non_exhaustive]
    Reloaded {
        /// The name of the file.
        source: &'a str,
        /// The result of the attempt.
        result: ReloadResult,
        /// The reason why the file was refused.
        error: Option<&'a str>,
        /// The differences, a line each.
        changes: &'a [String],
        /// A hash of the text in force: 48 bits, equal in all processes that have the same text.
        hash: u64,
        /// The time at which the text in force was loaded.
        since: SystemTime,
    },
    /// A limit of this policy may be decided from now on: the limiter has learned of it before its
    /// first request.
    #[non_exhaustive]
    PolicyKnown {
        /// The policy.
        policy: &'static str,
    },
    /// Quota was leased, to be served without the store.
    #[non_exhaustive]
    LeaseTaken {
        /// The policy.
        policy: &'static str,
        /// The cost that was leased.
        cost: u32,
    },
    /// The unused part of a lease has gone back to the store.
    #[non_exhaustive]
    LeaseReturned {
        /// The policy.
        policy: &'static str,
        /// The part of the lease that was not used.
        unused: u32,
        /// Whether the store has taken it back. If not, it counts as used, although no request has
        /// used it.
        is_refunded: bool,
    },
    /// A caller has joined the wait queue of a limit.
    #[non_exhaustive]
    WaitBegan {
        /// The policy.
        policy: &'static str,
    },
    /// A caller that had joined a wait queue waits no longer.
    #[non_exhaustive]
    WaitEnded {
        /// The policy.
        policy: &'static str,
        /// The reason why it waits no longer.
        end: WaitEnd,
        /// The time for which it has waited.
        time: Duration,
    },
    /// A permit of a concurrency limit was acquired.
    #[non_exhaustive]
    PermitHeld {
        /// The policy.
        policy: &'static str,
    },
    /// A permit that was acquired is held no longer.
    #[non_exhaustive]
    PermitReleased {
        /// The policy.
        policy: &'static str,
        /// The time for which it was held.
        time: Duration,
    },
    /// A counter was changed by hand, or a pause of outbound calls has started or got longer.
    #[non_exhaustive]
    Changed {
        /// The policy.
        policy: &'static str,
        /// The identity whose counter it is.
        identity: &'a Identity,
        /// The change that was made.
        change: Change,
    },
    /// The counters of a policy were reset by hand, for every identity.
    #[non_exhaustive]
    PolicyReset {
        /// The policy.
        policy: &'static str,
        /// The number of counters and blocks that were deleted.
        deleted: u64,
        /// Whether all keys were looked at. If not, counters may be left.
        is_complete: bool,
    },
}

/// The outcome of a call of Redis. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CallOutcome {
    /// Redis has decided.
    Decided,
    /// Redis has replied with an error, or the connection broke.
    Failed,
    /// There was no reply within the deadline.
    Late,
}

impl CallOutcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Decided, Self::Failed, Self::Late];

    /// Returns the word in metrics and traces: `decided`, `failed` or `late`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Failed => "failed",
            Self::Late => "late",
        }
    }
}

/// The result of reading a configuration. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReloadResult {
    /// The limiter was built with the configuration.
    Loaded,
    /// The configuration has replaced the one before.
    Changed,
    /// The configuration says what the one before said.
    Unchanged,
    /// The configuration is invalid, and the one before stays in force.
    Refused,
}

impl ReloadResult {
    /// All results of a reload; a limiter is built without one.
    pub const RELOADS: [Self; 3] = [Self::Changed, Self::Unchanged, Self::Refused];

    /// Returns the word in metrics: `loaded`, `changed`, `unchanged` or `refused`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// The reason why a caller waits no longer. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WaitEnd {
    /// The caller was admitted.
    Granted,
    /// There was no room in time.
    TimedOut,
    /// The caller has left.
    Canceled,
    /// The store could not decide, and the failure mode is `Closed`.
    Failed,
}

impl WaitEnd {
    /// All ends of a wait.
    pub const ALL: [Self; 4] = [Self::Granted, Self::TimedOut, Self::Canceled, Self::Failed];

    /// Returns the word in metrics: `granted`, `timed_out`, `canceled` or `failed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::TimedOut => "timed_out",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

/// A change of a counter by hand, or a pause of outbound calls, which is a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The counter and its block were deleted.
    Reset,
    /// The identity was blocked for this long.
    Block(Duration),
    /// The block was lifted.
    Unblock,
}
