//! The standing of one identity, for the people who look at it.

use std::time::Duration;

use actix_throttle_core::identity::Identity;

use super::snapshot::LimitSnapshot;
use crate::engine::bulk::{IdentityUsage, LimitUsage, Offences, UsageState};

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
    /// The time that is left of the block, as a look-up says.
    pub(crate) block: Option<Duration>,
    /// The offences that a block remembers, as a look-up says.
    pub(crate) offences: Option<Offences>,
}

/// The standing of one identity under the limits that count such identities.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySnapshot {
    pub(crate) identity: Identity,
    pub(crate) standings: Vec<Standing>,
    /// The number of further limits.
    pub(crate) left_out: usize,
}

/// A look-up of one identity in the store, beside its standings.
#[derive(Clone, Debug, Default)]
pub(crate) struct LookUp {
    /// The usage of limits that have no standing.
    pub(crate) others: Vec<LimitUsage>,
    /// The number of further ones.
    pub(crate) left_out: usize,
    /// The approximate number of keys that were looked at.
    pub(crate) looked_at: u64,
    /// Whether all keys were looked at.
    pub(crate) is_complete: bool,
    /// The reason why the store could not be searched.
    pub(crate) error: Option<String>,
}

impl LookUp {
    /// Splits what a store has said into what belongs to the standings, and the rest, of which it
    /// keeps `most`.
    pub(super) fn of(usage: &IdentityUsage, standings: &mut [Standing], most: usize) -> Self {
        let mut others = Vec::new();
        for entry in usage.limits() {
            let mut is_known = false;
            for standing in standings.iter_mut() {
                if entry.is_of_any(&standing.limit.limit) {
                    is_known = true;
                    standing.take(entry);
                }
            }
            if !is_known {
                others.push(entry.clone());
            }
        }
        let left_out = others.len().saturating_sub(most);
        others.truncate(most);
        Self {
            others,
            left_out,
            looked_at: usage.looked_at(),
            is_complete: usage.is_complete(),
            error: None,
        }
    }
}

impl Standing {
    /// Takes what a block says.
    fn take(&mut self, entry: &LimitUsage) {
        match entry.state() {
            UsageState::Blocked { left } => self.block = Some(left),
            UsageState::BlockEnded => {}
            _ => return,
        }
        self.offences = entry.offences();
    }
}
