//! The standing of one identity, for the people who look at it.

use std::time::Duration;

use actix_throttle_core::identity::Identity;

use super::snapshot::LimitSnapshot;

/// The standing of one identity under one limit.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: LimitSnapshot,
    pub(crate) policy: &'static str,
    pub(crate) remaining: u32,
    pub(crate) reset_after: Duration,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) is_blocked: bool,
    pub(crate) is_exceeded: bool,
}

/// The standing of one identity under the limits that count such identities.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySnapshot {
    pub(crate) identity: Identity,
    pub(crate) standings: Vec<Standing>,
    /// The number of further limits.
    pub(crate) left_out: usize,
}
