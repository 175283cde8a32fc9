//! The key of a lease account: whose quota is leased, and of which limit.

use actix_throttle_core::{
    check::Charge,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{Limit, LimitRef},
    time::Micros,
};

/// The longest lifetime of a lease, in microseconds.
const LONGEST: Micros = 1_000_000;

/// The identity and limit of a counter, for the tasks that lease and refund without a request.
#[derive(Debug)]
pub(super) struct LeaseKey {
    pub(super) identity: Identity,
    pub(super) limit: Limit,
}

impl LeaseKey {
    pub(super) fn charge(&self, cost: u32) -> Charge<'_> {
        Charge {
            key: Key::counter(&self.identity, &self.limit),
            limit: (&self.limit).into(),
            cost,
            // No request waits for this charge, so its failure mode does not matter.
            failure_mode: FailureMode::Open,
        }
    }

    /// Returns the limit's name, else its zone.
    pub(super) fn policy(&self) -> &'static str {
        LimitRef::Rate(&self.limit).name()
    }

    /// Returns the lifetime of a lease in microseconds: a tenth of the window, at most a second.
    pub(super) fn lifetime(&self) -> Micros {
        (self.limit.window_micros() / 10).min(LONGEST)
    }
}
