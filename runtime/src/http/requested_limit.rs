//! The limit that a request charges: a rate, or a concurrency limit with the permit it asks for.

use actix_throttle_core::limit::{Concurrency, PermitId};

use super::rule::EffectiveLimit;

/// The limit to be charged.
pub(super) enum RequestedLimit<'a> {
    Rate(EffectiveLimit<'a>),
    Concurrency(Box<(Concurrency, PermitId)>),
}

impl RequestedLimit<'_> {
    /// Marks the limit as one that only counts and reports.
    pub(super) fn unenforced(self) -> Self {
        match self {
            Self::Rate(limit) => Self::Rate(limit.unenforced().into()),
            Self::Concurrency(mut permit) => {
                permit.0 = permit.0.unenforced();
                Self::Concurrency(permit)
            }
        }
    }

    /// Marks the limit as one whose charge is settled later.
    pub(super) fn for_settlement(self) -> Self {
        match self {
            Self::Rate(limit) => Self::Rate(limit.for_settlement().into()),
            Self::Concurrency(_) => self,
        }
    }
}
