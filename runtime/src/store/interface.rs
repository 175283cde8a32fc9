//! The contract between a limiter and its store: [`Store`], the checks it decides and the outcomes
//! it returns. The limiter calls it, and each layer of the [`Stack`](super::Stack) implements it
//! around another one. Nothing here depends on what a store is made of.

use std::{borrow::Cow, fmt, future::Future, time::Duration};

use smallvec::SmallVec;

use crate::{
    algorithm::{Receipt, Wait},
    clock::Micros,
    decision::Verdict,
    error::RateLimitError,
    failure_mode::FailureMode,
    key::Key,
    limit::{Algorithm, LimitRef},
};

/// A store decides checks. `Err` means that it could not decide; a denial is an [`Outcome`].
///
/// # Cancel safety
///
/// A caller may drop the future of any method. What it had sent to Redis may take effect all the
/// same.
pub(crate) trait Store: Send + Sync {
    /// Decides each check atomically, in the given order: a later check sees what earlier ones
    /// charged. The checks may come from several requests. The outcomes have the order of the
    /// checks.
    fn decide(
        &self,
        checks: &[Check<'_>],
    ) -> impl Future<Output = Result<Outcomes, StoreError>> + Send;

    /// Decides one check without waiting; `None` if that needs [`decide`](Self::decide).
    fn try_decide(&self, _check: &Check<'_>) -> Option<Outcome> {
        None
    }

    /// Deletes the state under these keys.
    fn delete(&self, keys: &[Key<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Blocks the key's identity in the key's zone for `length` microseconds from now on.
    fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Closes the store's connections. A later call gets an `Err` or opens new connections.
    fn close(&self);
}

/// The limits of one request, which are charged together or not at all.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) mode: Mode<'a>,
    /// No two charges have the same key.
    pub(crate) charges: Charges<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode<'a> {
    /// Charges all limits if all of them have room.
    Charge,
    /// Charges like [`Charge`](Self::Charge), and returns what was taken in [`Outcome::receipts`].
    ChargeForReceipts,
    /// Returns how the limits stand, and changes nothing.
    Peek,
    /// Refunds these charges, given as they were made, each by its receipt. A charge without a
    /// receipt took nothing and is only peeked at. A refund is always allowed and leaves blocks as
    /// they are.
    ///
    /// A receipt must be refunded at most once: a second refund takes from the usage of other
    /// charges, though never below zero.
    Refund(&'a [Option<Receipt>]),
    /// Renews each permit, so that its expiry counts from now. A permit that has expired is
    /// acquired again if there is one; if not, its verdict has a wait. Each permit is renewed by
    /// itself, whatever happens to the others, and blocks do not matter: the holder is running
    /// already. Always allowed, and for concurrency limits alone.
    Renew,
    /// Takes as much of each charge's cost as [`Charge::may_lease`] says, and returns how much that
    /// was in [`Outcome::receipts`]. Always allowed.
    #[cfg_attr(
        not(any(test, feature = "redis")),
        expect(dead_code, reason = "an embedded store has nothing to lease from")
    )]
    Lease,
}

/// A lease takes at most this fraction of the remaining quota. Leases thus shrink with the quota,
/// and other processes find something to lease as well.
const LEASE_SHARE: u32 = 4;

impl Mode<'_> {
    pub(crate) fn is_charge(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts)
    }

    /// Returns whether this mode can deny the check as a whole.
    pub(crate) fn can_deny(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts | Self::Peek)
    }
}

/// One receipt for each charge if receipts were asked for, else empty. `None` stands for a charge
/// that took nothing: a denied one, a shadow limit without room, or a cost of 0.
pub(crate) type Receipts = Vec<Option<Receipt>>;

/// Inline capacity for one charge, because most requests have one. A larger inline capacity would
/// make every check larger to move.
pub(crate) type Charges<'a> = SmallVec<[Charge<'a>; 1]>;

/// One limit for one identity, and the cost to charge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) limit: LimitRef<'a>,
    /// The cost; 1 for a permit.
    pub(crate) cost: u32,
    /// The mode that decides this charge if the store cannot.
    pub(crate) failure_mode: FailureMode,
}

impl Charge<'_> {
    /// Returns how much a lease of this charge may take.
    pub(crate) fn may_lease(&self, verdict: &Verdict) -> u32 {
        // A lease never opens a fixed window: only the charge of a request does.
        if self.limit.algorithm() == Some(Algorithm::FixedWindow) && verdict.reset == 0 {
            return 0;
        }
        self.cost.min(verdict.remaining / LEASE_SHARE)
    }

    /// Returns whether this denial starts a block: the limit has one, the identity is not blocked
    /// yet, and a wait would help. A shadow limit's denial starts a block only if the request was
    /// admitted.
    pub(crate) fn starts_block(&self, verdict: &Verdict, allowed: bool) -> bool {
        self.limit.block_micros() > 0
            && !verdict.blocked
            && matches!(verdict.wait, Wait::For(_))
            && allowed == self.limit.is_shadow()
    }
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) allowed: bool,
    /// One verdict for each charge, as its limit stands after the decision.
    pub(crate) verdicts: SmallVec<[Verdict; 1]>,
    /// Empty unless receipts were asked for.
    pub(crate) receipts: Receipts,
    /// Receipts of the local fallback for what was mirrored to it; empty if nothing was.
    #[cfg(feature = "redis")]
    pub(crate) mirror_receipts: Receipts,
    /// How long a denial stays valid while nothing is charged, apart from times that count down, in
    /// microseconds. 0 means unknown. The denial cache keeps a denial for that long at most.
    #[cfg(feature = "redis")]
    pub(crate) stable_for: Micros,
}

pub(crate) type Outcomes = SmallVec<[Outcome; 1]>;

/// The reason why a store could not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError {
    kind: ErrorKind,
    reason: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    /// The store was asked and failed.
    Failure,
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
        }
    }

    /// The error of a store that returned fewer outcomes than it was given checks.
    pub(crate) fn nothing() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed("the store has answered nothing"),
        }
    }

    /// The error of an in-memory store without room for another key and without an entry to evict.
    pub(crate) fn full() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed(
                "the embedded store is full of permits that run and of blocks; raise `max_keys`",
            ),
        }
    }

    /// The error of a call whose keys are migrating to another cluster node; nothing was charged.
    #[cfg(feature = "cluster")]
    pub(crate) fn migrating() -> Self {
        Self {
            kind: ErrorKind::Migrating,
            ..Self::new("the keys are being moved to another node")
        }
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn is_migrating(&self) -> bool {
        self.kind == ErrorKind::Migrating
    }

    /// The error of a caller's mistake; the store may be fine.
    #[cfg(feature = "redis")]
    pub(crate) fn misuse(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: ErrorKind::Misuse,
            reason: reason.into(),
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn circuit_open(wait: Micros) -> Self {
        Self {
            kind: ErrorKind::CircuitOpen(wait),
            reason: Cow::Borrowed("the circuit is open"),
        }
    }

    /// Returns whether the store itself failed, rather than was not asked.
    pub(crate) fn is_failure(&self) -> bool {
        self.kind == ErrorKind::Failure
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
