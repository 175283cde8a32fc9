//! Views as JSON: the data of an identity and of a change. Those of the whole limiter are in the
//! [`Snapshot`](super::Snapshot).

use std::time::Duration;

use actix_throttle_core::enforcement::Enforcement;
use serde::Serialize;

use crate::engine::{IdentitySnapshot, LimitSnapshot, Standing};

/// The standing of one identity.
#[derive(Debug, Serialize)]
pub(super) struct IdentityData<'a> {
    pub(super) identity: &'a str,
    pub(super) enforcement: &'static str,
    pub(super) limits: Vec<StandingData<'a>>,
    pub(super) limits_left_out: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct StandingData<'a> {
    policy: &'a str,
    limit: &'a LimitSnapshot,
    remaining: u32,
    reset_seconds: f64,
    retry_after_seconds: Option<f64>,
    is_exceeded: bool,
    is_blocked: bool,
}

/// The effect of a change.
#[derive(Debug, Serialize)]
pub(super) struct ChangeData<'a> {
    pub(super) change: &'a str,
    pub(super) identity: &'a str,
    /// The policies whose counters were changed.
    pub(super) policies: &'a [&'static str],
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorData<'a> {
    pub(super) error: &'a str,
}

impl<'a> IdentityData<'a> {
    pub(super) fn of(
        identity: &'a str,
        enforcement: Enforcement,
        snapshot: &'a IdentitySnapshot,
    ) -> Self {
        Self {
            identity,
            enforcement: enforcement.as_str(),
            limits: snapshot.standings.iter().map(StandingData::of).collect(),
            limits_left_out: snapshot.left_out,
        }
    }
}

impl<'a> StandingData<'a> {
    fn of(standing: &'a Standing) -> Self {
        Self {
            policy: standing.policy,
            limit: &standing.limit,
            remaining: standing.remaining,
            reset_seconds: standing.reset_after.as_secs_f64(),
            retry_after_seconds: standing.retry_after.as_ref().map(Duration::as_secs_f64),
            is_exceeded: standing.is_exceeded,
            is_blocked: standing.is_blocked,
        }
    }
}
