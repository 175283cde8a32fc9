//! References to and copies of a limit of either kind: a rate or a concurrency limit. The limiter
//! and the stores work with these; the public types are [`Limit`] and [`Concurrency`].

use std::time::Duration;

use super::{Algorithm, Concurrency, Limit, LimitError};

/// The identifier of a permit: a random number below 2^52. The process that asks for the permit
/// chooses it.
///
/// The script keeps numbers as doubles, which are exact below 2^53. The number is random, so that
/// processes need not agree on it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermitId(pub u64);

impl PermitId {
    #[doc(hidden)]
    #[inline]
    pub fn new() -> Self {
        Self(fastrand::u64(..1 << 52))
    }
}

/// The limit of one charge; a concurrency limit comes with the permit to acquire.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRef<'a> {
    Rate(&'a Limit),
    Concurrency(&'a Concurrency, PermitId),
}

/// A copy of a limit, for what outlives the charge.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyLimit {
    Rate(Limit),
    Concurrency(Concurrency),
}

impl<'a> From<&'a Limit> for LimitRef<'a> {
    #[inline]
    fn from(limit: &'a Limit) -> Self {
        Self::Rate(limit)
    }
}

impl LimitRef<'_> {
    #[doc(hidden)]
    #[inline]
    pub fn validate(&self) -> Result<(), LimitError> {
        match self {
            Self::Rate(limit) => limit.validate(),
            Self::Concurrency(limit, _) => limit.validate(),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn to_any(&self) -> AnyLimit {
        match *self {
            Self::Rate(limit) => AnyLimit::Rate(*limit),
            Self::Concurrency(limit, _) => AnyLimit::Concurrency(*limit),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn is_shadow(&self) -> bool {
        match self {
            Self::Rate(limit) => limit.is_shadow(),
            Self::Concurrency(limit, _) => limit.is_shadow(),
        }
    }

    /// Returns the largest cost that can be admitted at once.
    #[doc(hidden)]
    #[inline]
    pub fn quota(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.quota(),
            Self::Concurrency(limit, _) => limit.max(),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn times(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.times(),
            Self::Concurrency(limit, _) => limit.max(),
        }
    }

    /// Returns how long an identity that exceeds the limit is blocked at first, in microseconds; 0
    /// means not at all.
    #[doc(hidden)]
    #[inline]
    pub fn block_micros(&self) -> u64 {
        self.rate().map_or(0, Limit::block_micros)
    }

    /// See [`Limit::steps`].
    #[doc(hidden)]
    #[inline]
    pub fn steps(&self) -> &'static [Duration] {
        self.rate().map_or(&[], Limit::steps)
    }

    /// Returns the rate; `None` for a concurrency limit.
    #[doc(hidden)]
    #[inline]
    pub fn rate(&self) -> Option<&Limit> {
        match self {
            Self::Rate(limit) => Some(limit),
            Self::Concurrency(..) => None,
        }
    }

    /// Returns the algorithm of a rate; `None` for a concurrency limit.
    #[doc(hidden)]
    #[inline]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.rate().map(Limit::algorithm_value)
    }

    /// Returns the name in headers and logs.
    #[doc(hidden)]
    #[inline]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rate(limit) => limit.name_value().unwrap_or(limit.zone_name()),
            Self::Concurrency(limit, _) => limit.name_value().unwrap_or(limit.zone_name()),
        }
    }
}

impl AnyLimit {
    #[doc(hidden)]
    #[inline]
    pub fn as_ref_with(&self, permit_id: PermitId) -> LimitRef<'_> {
        match self {
            Self::Rate(limit) => LimitRef::Rate(limit),
            Self::Concurrency(limit) => LimitRef::Concurrency(limit, permit_id),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rate(limit) => limit.name_value().unwrap_or(limit.zone_name()),
            Self::Concurrency(limit) => limit.name_value().unwrap_or(limit.zone_name()),
        }
    }

    /// Returns the name that the limit was given, if it was.
    #[doc(hidden)]
    #[inline]
    pub fn own_name(&self) -> Option<&'static str> {
        match self {
            Self::Rate(limit) => limit.name_value(),
            Self::Concurrency(limit) => limit.name_value(),
        }
    }

    /// Removes the marks of one charge: that it has waited for its turn, and that it may be settled
    /// later. It works in place, because every decision does it, and a limit is large to move.
    #[doc(hidden)]
    #[inline]
    pub fn remove_marks(&mut self) {
        if let Self::Rate(limit) = self {
            limit.remove_marks();
        }
    }

    /// Returns the limit as it was configured: without the marks of one charge, and the flag of one
    /// under `Enforcement::Shadow`.
    #[doc(hidden)]
    pub fn as_written(mut self) -> Self {
        self.remove_marks();
        match &mut self {
            Self::Rate(limit) => limit.unenforced = false,
            Self::Concurrency(limit) => limit.unenforced = false,
        }
        self
    }

    /// Fills in the name and zone, unless the limit has its own.
    #[doc(hidden)]
    #[inline]
    pub fn with_default_name(self, name: &'static str, zone: &'static str) -> Self {
        match self {
            Self::Rate(limit) => Self::Rate(limit.with_default_name(zone, name)),
            Self::Concurrency(limit) => Self::Concurrency(limit.with_default_name(name, zone)),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn quota(&self) -> u32 {
        match self {
            Self::Rate(limit) => limit.quota(),
            Self::Concurrency(limit) => limit.max(),
        }
    }

    #[doc(hidden)]
    #[inline]
    pub fn is_shadow(&self) -> bool {
        match self {
            Self::Rate(limit) => limit.is_shadow(),
            Self::Concurrency(limit) => limit.is_shadow(),
        }
    }
}
