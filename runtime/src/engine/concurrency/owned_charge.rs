//! A charge that owns its limit and identity, so that waits, holds and refunds can outlive a
//! request. It never asks the store itself.

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Concurrency, Limit, LimitRef, PermitId},
    time::Micros,
};

/// One charge of a limit, apart from the request that it is for.
#[derive(Clone, Debug)]
pub(crate) struct OwnedCharge {
    limit: AnyLimit,
    identity: Identity,
    cost: u32,
    failure_mode: FailureMode,
    /// The id of the permit; 0 for a rate.
    pub(super) permit_id: PermitId,
    /// The longest time for which the charge may be waited for.
    pub(crate) max_wait: MaxWait,
    /// Whether its cost of 0 is no estimate: it only waits for the end of a block.
    is_free: bool,
}

/// The longest time that a caller waits, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxWait {
    None,
    AtMost(Micros),
    Unbounded,
}

impl MaxWait {
    /// Returns the end of a wait that began at `arrived_at`; `None`: never.
    pub(crate) fn ends_at(self, arrived_at: Micros) -> Option<Micros> {
        match self {
            Self::None => Some(arrived_at),
            Self::AtMost(wait) => Some(arrived_at.saturating_add(wait)),
            Self::Unbounded => None,
        }
    }
}

impl OwnedCharge {
    pub(crate) fn rate(
        limit: Limit,
        identity: Identity,
        cost: u32,
        failure_mode: FailureMode,
    ) -> Self {
        Self {
            limit: AnyLimit::Rate(limit),
            identity,
            cost,
            failure_mode,
            permit_id: PermitId(0),
            max_wait: MaxWait::None,
            is_free: false,
        }
    }

    /// Returns a charge of nothing, which waits for the end of a block and cannot be settled.
    pub(crate) fn unblocked(limit: Limit, identity: Identity, failure_mode: FailureMode) -> Self {
        Self {
            is_free: true,
            ..Self::rate(limit, identity, 0, failure_mode)
        }
    }

    pub(crate) fn concurrency(
        limit: Concurrency,
        identity: Identity,
        failure_mode: FailureMode,
    ) -> Self {
        Self {
            limit: AnyLimit::Concurrency(limit),
            identity,
            cost: 1,
            failure_mode,
            permit_id: PermitId::new(),
            max_wait: MaxWait::None,
            is_free: false,
        }
    }

    /// Copies a charge of a check.
    pub(crate) fn of(charge: &Charge<'_>) -> Self {
        Self {
            limit: charge.limit.to_any(),
            identity: charge.key.identity.clone(),
            cost: charge.cost,
            failure_mode: charge.failure_mode,
            permit_id: match charge.limit {
                LimitRef::Rate(_) => PermitId(0),
                LimitRef::Concurrency(_, permit_id) => permit_id,
            },
            max_wait: MaxWait::None,
            is_free: false,
        }
    }

    /// Returns the limit's name, else its zone.
    pub(crate) fn policy(&self) -> &'static str {
        self.limit.name()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn key(&self) -> Key<'_> {
        match &self.limit {
            AnyLimit::Rate(limit) => Key::counter(&self.identity, limit),
            AnyLimit::Concurrency(limit) => Key::permits(&self.identity, limit),
        }
    }

    pub(crate) fn charge(&self) -> Charge<'_> {
        Charge {
            key: self.key(),
            limit: self.limit.as_ref_with(self.permit_id),
            cost: self.cost,
            failure_mode: self.failure_mode,
        }
    }

    /// Returns the charge with a time for which it may be waited for.
    pub(crate) fn with_max_wait(mut self, max_wait: MaxWait) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Copies the charge with the id of a new permit.
    pub(crate) fn with_new_permit_id(&self) -> Self {
        Self {
            permit_id: PermitId::new(),
            ..self.clone()
        }
    }

    /// Returns a charge that has waited for its turn: a bucket counts it from when it was due.
    pub(crate) fn in_turn(self) -> Self {
        let limit = match self.limit {
            AnyLimit::Rate(limit) => AnyLimit::Rate(limit.in_turn()),
            limit @ AnyLimit::Concurrency(_) => limit,
        };
        Self { limit, ..self }
    }

    /// Copies the charge for `Enforcement::Shadow`, with the id of a new permit.
    pub(crate) fn unenforced(&self) -> Self {
        let limit = match self.limit {
            AnyLimit::Rate(limit) => AnyLimit::Rate(limit.unenforced()),
            AnyLimit::Concurrency(limit) => AnyLimit::Concurrency(limit.unenforced()),
        };
        Self {
            limit,
            ..self.with_new_permit_id()
        }
    }

    /// Returns a lower bound, in microseconds, for the time until a waiter with `ahead` waiters
    /// before it can be admitted, counted from when the first of them is. A wait that would be too
    /// long is rejected at once by it.
    pub(crate) fn time_for(&self, ahead: u64) -> Micros {
        match &self.limit {
            AnyLimit::Rate(limit) => limit.time_for(ahead),
            AnyLimit::Concurrency(_) => 0,
        }
    }

    /// Returns the time, in microseconds, that timers add to `time_for`. Buckets count a turn from
    /// when it was due; windows count an admission from when it was made, so delays add up from
    /// window to window.
    pub(crate) fn timer_slack(&self, ahead: u64) -> Micros {
        match &self.limit {
            AnyLimit::Rate(limit) => limit.timer_slack(ahead),
            AnyLimit::Concurrency(_) => 0,
        }
    }

    /// Whether its cost can change afterwards, by a refund or a settlement.
    pub(super) fn can_be_settled(&self) -> bool {
        !self.is_free && !self.is_concurrency()
    }

    /// Whether it is a permit of a concurrency limit, not a rate.
    pub(crate) fn is_concurrency(&self) -> bool {
        self.expiry().is_some()
    }

    /// Returns how long a permit lasts without renewal, in microseconds; `None` for a rate.
    pub(super) fn expiry(&self) -> Option<Micros> {
        match &self.limit {
            AnyLimit::Rate(_) => None,
            AnyLimit::Concurrency(limit) => Some(limit.expiry_micros()),
        }
    }
}

/// Returns a check of all these charges.
pub(in crate::engine) fn check<'a>(mode: Mode<'a>, wanted: &'a [OwnedCharge]) -> Check<'a> {
    Check {
        mode,
        charges: wanted.iter().map(OwnedCharge::charge).collect(),
    }
}
