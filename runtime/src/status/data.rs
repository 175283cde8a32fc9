//! Views as JSON: the data of an identity and of a change. Those of the whole limiter are in the
//! [`Snapshot`](super::Snapshot).

use std::time::Duration;

use actix_throttle_core::time::{Micros, to_micros};
use serde::Serialize;

use crate::engine::{LimitSnapshot, LimitUsage, LookUp, Offences, Standing, UsageState};

/// The standing of one identity.
#[derive(Debug, Serialize)]
pub(super) struct IdentityData<'a> {
    pub(super) identity: &'a str,
    pub(super) enforcement: &'static str,
    pub(super) limits: Vec<StandingData<'a>>,
    pub(super) limits_left_out: usize,
    pub(super) look_up: LookUpData<'a>,
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
    block: Option<BlockData>,
    offences: Option<OffencesData>,
}

/// A block in force.
#[derive(Debug, Serialize)]
struct BlockData {
    left_seconds: f64,
    /// The end of the block, in seconds since the Unix epoch.
    until: f64,
}

/// The offences that are remembered of limits whose blocks get longer.
#[derive(Debug, Serialize)]
struct OffencesData {
    count: u32,
    step: u32,
    steps: u32,
    next_block_seconds: f64,
    forgotten_after_seconds: f64,
}

/// The other usage that the store has of the identity.
#[derive(Debug, Serialize)]
pub(super) struct LookUpData<'a> {
    others: Vec<OtherData<'a>>,
    others_left_out: usize,
    looked_at: u64,
    is_complete: bool,
    error: Option<&'a str>,
}

/// The usage of a limit that this process has not decided.
#[derive(Debug, Serialize)]
struct OtherData<'a> {
    zone: &'a str,
    limit: String,
    used: Option<u32>,
    is_estimate: bool,
    reset_seconds: Option<f64>,
    block: Option<BlockData>,
    offences: Option<OffencesData>,
}

/// The effect of a change.
#[derive(Debug, Serialize)]
pub(super) struct ChangeData<'a> {
    pub(super) change: &'a str,
    pub(super) identity: &'a str,
    /// The policies whose counters were changed.
    pub(super) policies: &'a [&'static str],
}

/// The effect of a reset of a policy for every identity.
#[derive(Debug, Serialize)]
pub(super) struct PolicyResetData<'a> {
    pub(super) change: &'a str,
    pub(super) policy: &'a str,
    pub(super) deleted: u64,
    pub(super) looked_at: u64,
    pub(super) is_complete: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorData<'a> {
    pub(super) error: &'a str,
}

impl<'a> StandingData<'a> {
    pub(super) fn of(standing: &'a Standing, now: Micros) -> Self {
        Self {
            policy: standing.policy,
            limit: &standing.limit,
            remaining: standing.remaining,
            reset_seconds: standing.reset_after.as_secs_f64(),
            retry_after_seconds: standing.retry_after.as_ref().map(Duration::as_secs_f64),
            is_exceeded: standing.is_exceeded,
            is_blocked: standing.is_blocked,
            block: standing.block.map(|left| BlockData::of(left, now)),
            offences: standing.offences.as_ref().map(OffencesData::of),
        }
    }
}

impl BlockData {
    fn of(left: Duration, now: Micros) -> Self {
        let until = now.saturating_add(to_micros(left));
        Self {
            left_seconds: left.as_secs_f64(),
            until: Duration::from_micros(until).as_secs_f64(),
        }
    }
}

impl OffencesData {
    fn of(offences: &Offences) -> Self {
        Self {
            count: offences.count,
            step: offences.step(),
            steps: offences.steps,
            next_block_seconds: offences.next_block.as_secs_f64(),
            forgotten_after_seconds: offences.forgotten_after.as_secs_f64(),
        }
    }
}

impl<'a> LookUpData<'a> {
    pub(super) fn of(look_up: &'a LookUp, now: Micros) -> Self {
        let others = look_up.others.iter();
        Self {
            others: others.map(|other| OtherData::of(other, now)).collect(),
            others_left_out: look_up.left_out,
            looked_at: look_up.looked_at,
            is_complete: look_up.is_complete,
            error: look_up.error.as_deref(),
        }
    }
}

impl<'a> OtherData<'a> {
    fn of(usage: &'a LimitUsage, now: Micros) -> Self {
        let (mut used, mut is_estimate, mut reset, mut block) = (None, false, None, None);
        match usage.state() {
            UsageState::Used {
                used: cost,
                is_estimate: is_about,
                reset_after,
            } => (used, is_estimate, reset) = (Some(cost), is_about, reset_after),
            UsageState::Held { permits, longest } => {
                (used, reset) = (Some(permits), Some(longest));
            }
            UsageState::Blocked { left } => block = Some(BlockData::of(left, now)),
            UsageState::BlockEnded | UsageState::Unreadable => {}
        }
        Self {
            zone: usage.zone(),
            limit: usage.in_words(),
            used,
            is_estimate,
            reset_seconds: reset.map(|reset| reset.as_secs_f64()),
            block,
            offences: usage.offences().as_ref().map(OffencesData::of),
        }
    }
}
