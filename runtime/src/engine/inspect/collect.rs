//! Takes snapshots of a limiter. The status page and the application call it; nothing is charged.

use std::sync::atomic::Ordering;

use actix_throttle_core::identity::Identity;

use super::{
    history::Growth,
    policy_record::PolicyRecord,
    sketch::{HeavyHitter, Kept},
    snapshot::{
        CountSnapshot, DeniedIdentity, LimitSnapshot, PolicySnapshot, Snapshot, StoreSnapshot,
    },
};
use crate::engine::{handle::Engine, store::Stack};

/// The number of identities that a snapshot has of each policy.
const MOST_DENIED: usize = 10;

impl Engine {
    /// Returns what the limiter has done, and how it stands.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let recorder = self.recorder();
        let size = self.store().size();
        let log = recorder.log.lock();
        let store = StoreSnapshot {
            kind: match self.store() {
                Stack::Memory(_) => "memory",
                Stack::Absent => "none",
                #[cfg(feature = "redis")]
                Stack::Redis(_) => "redis",
            },
            keys: size.keys,
            evictions: size.evictions,
            circuit: self.circuit(),
            circuit_changes: log.circuit.iter().cloned().collect(),
            failures: log.failures,
            latest_failure: log.latest_failure.clone(),
        };
        let changes = log.changes.iter().cloned().collect();
        let configuration = log.configuration();
        drop(log);
        let second = recorder.second();
        let policies = recorder.policies().into_iter();
        Snapshot {
            taken_at: second,
            since: recorder.since,
            enforcement: self.enforcement(),
            store,
            policies: policies
                .map(|(name, record)| policy(name, &record, second))
                .collect(),
            decisions_left_out: recorder.left_out(),
            configuration,
            changes,
        }
    }

    /// Returns the text of the configuration file in force, if the limiter has one.
    pub(crate) fn configuration_text(&self) -> Option<String> {
        #[cfg(feature = "config")]
        return self.settings().named_limits.as_ref()?.audience().text();
        #[cfg(not(feature = "config"))]
        None
    }

    /// Finds the identity that keys write as this text, among those that are denied most.
    pub(crate) fn find_identity(&self, text: &str) -> Option<Identity> {
        self.recorder().find(text)
    }
}

fn policy(name: &'static str, record: &PolicyRecord, second: u64) -> PolicySnapshot {
    let [admitted, denied, shadow_denied, undecided] = record.history.growth(second).map(count);
    let gauges = &record.gauges;
    let most = record.denied_most(second).into_iter().take(MOST_DENIED);
    PolicySnapshot {
        name,
        limits: record.limits().into_iter().map(LimitSnapshot::of).collect(),
        admitted,
        denied,
        shadow_denied,
        undecided,
        waiting: gauges.waiting.load(Ordering::Relaxed),
        permits: gauges.permits.load(Ordering::Relaxed),
        leased: gauges.leased.load(Ordering::Relaxed),
        lease_returned: gauges.lease_returned.load(Ordering::Relaxed),
        denied_most: most.map(denied_identity).collect(),
    }
}

fn count(growth: Growth) -> CountSnapshot {
    #[allow(clippy::cast_precision_loss, reason = "a rate is an estimate")]
    let per_second = growth.ten_seconds as f64 / 10.0;
    CountSnapshot {
        total: growth.total,
        per_second,
        hour: growth.minutes.iter().sum(),
        minutes: growth.minutes.to_vec(),
    }
}

fn denied_identity(one: HeavyHitter) -> DeniedIdentity {
    let is_known = matches!(one.identity, Kept::Whole(_));
    DeniedIdentity {
        identity: match one.identity {
            Kept::Whole(identity) => identity.to_string(),
            Kept::Text(text) => text.into(),
        },
        denied: one.count,
        excess: one.excess,
        latest: one.latest / 1_000_000,
        is_known,
    }
}
