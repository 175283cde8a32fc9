//! What a charge is measured by: a rate, or how many run at once.

use super::{Algorithm, Concurrency, Limit, LimitError};

/// Who holds a place: a random number below 2^52, which the holder chooses.
///
/// Below 2^53, so that the script can tell it from all others; random, so that processes need not
/// agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PermitId(pub(crate) u64);

impl PermitId {
    pub(crate) fn new() -> Self {
        Self(fastrand::u64(..1 << 52))
    }
}

/// A limit of either sort, as a charge has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitRef<'a> {
    Rate(&'a Limit),
    Concurrency(&'a Concurrency, PermitId),
}

/// The same, as what outlives the charge keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnyLimit {
    Rate(Limit),
    Concurrency(Concurrency),
}

impl<'a> From<&'a Limit> for LimitRef<'a> {
    fn from(limit: &'a Limit) -> Self {
        Self::Rate(limit)
    }
}

impl LimitRef<'_> {
    pub(crate) fn validate(&self) -> Result<(), LimitError> {
        match self {
            Self::Rate(limit) => limit.validate(),
            Self::Concurrency(limit, _) => limit.validate(),
        }
    }

    pub(crate) fn to_any(&self) -> AnyLimit {
        match *self {
            Self::Rate(limit) => AnyLimit::Rate(*limit),
            Self::Concurrency(limit, _) => AnyLimit::Concurrency(*limit),
        }
    }

    pub(crate) fn is_shadow(&self) -> bool {
        match self {
            Self::Rate(limit) => limit.is_shadow(),
            Self::Concurrency(limit, _) => limit.is_shadow(),
        }
    }

    /// The most that fits at once.
    pub(crate) fn quota(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.quota(),
            Self::Concurrency(limit, _) => limit.max(),
        }
    }

    pub(crate) fn times(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.times(),
            Self::Concurrency(limit, _) => limit.max(),
        }
    }

    /// For how long whoever exceeds it is blocked; 0: not at all.
    pub(crate) fn block_micros(&self) -> u64 {
        match self {
            Self::Rate(limit) => limit.block_micros(),
            Self::Concurrency(..) => 0,
        }
    }

    /// The rate, if it is one.
    pub(crate) fn rate(&self) -> Option<&Limit> {
        match self {
            Self::Rate(limit) => Some(limit),
            Self::Concurrency(..) => None,
        }
    }

    /// How the rate is counted, if it is one.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.rate().map(Limit::kind)
    }

    /// The name that headers and logs know it by.
    pub(crate) fn name(&self) -> &'static str {
        self.to_any().name()
    }
}

impl AnyLimit {
    pub(crate) fn as_ref_with(&self, permit_id: PermitId) -> LimitRef<'_> {
        match self {
            Self::Rate(limit) => LimitRef::Rate(limit),
            Self::Concurrency(limit) => LimitRef::Concurrency(limit, permit_id),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Rate(limit) => limit.policy_name().unwrap_or(limit.zone_name()),
            Self::Concurrency(limit) => limit.policy_name().unwrap_or(limit.zone_name()),
        }
    }

    /// The same as it was written, apart from any charge of it.
    pub(crate) fn out_of_turn(self) -> Self {
        match self {
            Self::Rate(limit) => Self::Rate(limit.out_of_turn()),
            Self::Concurrency(_) => self,
        }
    }

    /// The same under this name and in this zone, unless it has its own.
    pub(crate) fn with_default_name(self, name: &'static str, zone: &'static str) -> Self {
        match self {
            Self::Rate(limit) => Self::Rate(limit.with_default_name(zone, name)),
            Self::Concurrency(limit) => Self::Concurrency(limit.with_default_name(name, zone)),
        }
    }

    pub(crate) fn quota(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.quota(),
            Self::Concurrency(limit) => limit.max(),
        }
    }

    pub(crate) fn is_shadow(&self) -> bool {
        match self {
            Self::Rate(limit) => limit.is_shadow(),
            Self::Concurrency(limit) => limit.is_shadow(),
        }
    }
}
