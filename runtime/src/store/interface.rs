//! What a store does, whatever it is made of, and what layers around one can rely on.

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

/// Decides checks. `Err` means "could not decide"; a denial is a value.
pub(crate) trait Store: Send + Sync {
    /// Decides each check atomically, in the order given: later ones see what earlier ones took.
    ///
    /// The checks may come from several requests; the outcomes stand in the same order.
    fn decide(
        &self,
        checks: &[Check<'_>],
    ) -> impl Future<Output = Result<Outcomes, StoreError>> + Send;

    /// The same for one check, if nothing need be waited for.
    fn try_decide(&self, _check: &Check<'_>) -> Option<Outcome> {
        None
    }

    /// Drops what is kept under these keys.
    fn delete(&self, keys: &[Key<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Blocks the identity in the zone of this key for `length` from now on.
    fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lets go of connections. Whoever asks afterwards gets an `Err`, or new ones.
    fn close(&self);
}

/// One request's limits: all are charged, or none.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) mode: Mode<'a>,
    /// No two of one key.
    pub(crate) charges: Charges<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode<'a> {
    /// Charge if all limits have room.
    Charge,
    /// The same, and say in [`Outcome::receipts`] what was taken.
    ChargeForReceipts,
    /// Only look.
    Peek,
    /// Give back what these charges, as they were made, have taken: to each its receipt. A charge
    /// that took nothing has none, and is only looked at. Always allowed; blocks stay.
    ///
    /// Who gives back twice takes from others' charges, though never below zero.
    Refund(&'a [Option<Receipt>]),
    /// Keep each place, from now on. A charge whose place has expired takes one again if there is
    /// one; if not, its verdict has a wait. Each for itself, whatever becomes of the others; blocks
    /// count for nothing, as who renews runs already. Always allowed, and for places alone.
    Renew,
    /// Take as much of each charge's cost as a share of what remains allows, and say in
    /// [`Outcome::receipts`] how much that was. Always allowed.
    #[cfg_attr(
        not(any(test, feature = "redis")),
        expect(dead_code, reason = "an embedded store has nothing to lease from")
    )]
    Lease,
}

/// A lease takes at most this part of what remains, so that it shrinks with it, and others find
/// something to take as well.
const LEASE_SHARE: u32 = 4;

impl Mode<'_> {
    pub(crate) fn is_charge(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts)
    }

    /// Whether it can deny the check as a whole.
    pub(crate) fn can_deny(self) -> bool {
        matches!(self, Self::Charge | Self::ChargeForReceipts | Self::Peek)
    }
}

/// One for each charge if they were asked for, else none at all. `None` is a charge that took
/// nothing: denied, a shadow without room, a cost of 0.
pub(crate) type Receipts = Vec<Option<Receipt>>;

/// One stands in place, as most requests have it: more room would be moved about for all.
pub(crate) type Charges<'a> = SmallVec<[Charge<'a>; 1]>;

/// One limit, whom it is for, and what is to be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) limit: LimitRef<'a>,
    /// Of a place: 1.
    pub(crate) cost: u32,
    /// What becomes of it if the store cannot decide.
    pub(crate) failure_mode: FailureMode,
}

impl Charge<'_> {
    /// What a lease of its cost may take.
    pub(crate) fn may_lease(&self, verdict: &Verdict) -> u32 {
        // It opens no window: that is for a request to do.
        if self.limit.algorithm() == Some(Algorithm::FixedWindow) && verdict.reset == 0 {
            return 0;
        }
        self.cost.min(verdict.remaining / LEASE_SHARE)
    }

    /// Whether this denial blocks the identity: the first that room would end, of a limit that
    /// says so. A shadow's only counts where the request went on.
    pub(crate) fn starts_block(&self, verdict: &Verdict, allowed: bool) -> bool {
        self.limit.block_micros() > 0
            && !verdict.blocked
            && matches!(verdict.wait, Wait::For(_))
            && allowed == self.limit.is_shadow()
    }
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) allowed: bool,
    /// One for each charge, as it stands after the decision.
    pub(crate) verdicts: SmallVec<[Verdict; 1]>,
    /// Empty unless they were asked for.
    pub(crate) receipts: Receipts,
    /// Of what the embedded store that stands by was told of: receipts for that one. Empty if it
    /// was told of nothing.
    #[cfg(feature = "redis")]
    pub(crate) mirror_receipts: Receipts,
    /// For how long a denial stays what it is, but for times that count down, while nothing is
    /// charged. 0: not known.
    #[cfg(feature = "redis")]
    pub(crate) stable_for: Micros,
}

pub(crate) type Outcomes = SmallVec<[Outcome; 1]>;

/// Why a store could not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError {
    kind: ErrorKind,
    reason: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    /// The store has failed.
    Failure,
    /// The keys are on their way to another node of a cluster, and nothing was done.
    #[cfg(feature = "cluster")]
    Migrating,
    /// It was not asked: its circuit is open, for so long.
    #[cfg(feature = "redis")]
    CircuitOpen(Micros),
    /// It could not be asked, through no fault of its own.
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

    /// A store that answers less than it was asked.
    pub(crate) fn nothing() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed("the store has answered nothing"),
        }
    }

    /// The embedded store has no room for another key, and nothing that it could forget.
    pub(crate) fn full() -> Self {
        Self {
            kind: ErrorKind::Failure,
            reason: Cow::Borrowed(
                "the embedded store is full of permits that run and of blocks; raise `max_keys`",
            ),
        }
    }

    /// The keys of a call are on their way to another node of a cluster; nothing was done.
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

    /// The caller's mistake: the store may be fine.
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

    /// Whether the store has failed, and not only was not asked.
    pub(crate) fn is_failure(&self) -> bool {
        self.kind == ErrorKind::Failure
    }

    /// Whether it could not even be asked, through no fault of its own.
    pub(crate) fn is_misuse(&self) -> bool {
        match self.kind {
            #[cfg(feature = "redis")]
            ErrorKind::Misuse => true,
            _ => false,
        }
    }

    /// When it is worth asking again, if that is known.
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
