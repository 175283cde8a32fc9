//! What a store does, whatever it is made of, and what layers around one can rely on.

use std::{fmt, future::Future};

use smallvec::SmallVec;

use crate::{
    algorithm::Wait, clock::Micros, decision::Verdict, error::RateLimitError, key::Key,
    limit::Limit,
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

    /// Drops what is kept under these keys.
    fn forget(&self, keys: &[Key<'_>]) -> impl Future<Output = Result<(), StoreError>> + Send;

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
    pub(crate) mode: Mode,
    /// No two of one key.
    pub(crate) charges: Charges<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Charge if all limits have room.
    Charge,
    /// Only look.
    Peek,
}

/// One stands in place, as most requests have it: more room would be moved about for all.
pub(crate) type Charges<'a> = SmallVec<[Charge<'a>; 1]>;

/// One limit, whom it is for, and what is to be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) limit: &'a Limit,
    pub(crate) cost: u32,
}

impl Charge<'_> {
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
}

pub(crate) type Outcomes = SmallVec<[Outcome; 1]>;

/// Why a store could not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError(String);

impl StoreError {
    #[cfg(feature = "redis")]
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for RateLimitError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.0)
    }
}
