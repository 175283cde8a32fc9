//! Takes snapshots: of a limiter, and of one identity. The status page and the application call it;
//! nothing is charged.

use std::sync::atomic::Ordering;

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    enforcement::Enforcement,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Concurrency, LimitRef, PermitId},
};

use super::{
    history::Growth,
    policy_record::PolicyRecord,
    sketch::{HeavyHitter, Kept},
    snapshot::{
        CountSnapshot, DeniedIdentity, LimitSnapshot, PolicySnapshot, Snapshot, StoreSnapshot,
    },
    standing::{IdentitySnapshot, Standing},
};
use crate::engine::{
    error::RateLimitError,
    handle::Engine,
    observe::{Change, Event},
    store::{
        Stack,
        interface::{Store, StoreError},
    },
};

/// The number of identities that a snapshot has of each policy.
const MOST_DENIED: usize = 10;
/// The most limits that one look at an identity asks the store for.
const MOST_STANDINGS: usize = 64;

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

    /// Returns how an identity stands under the limits that count such identities, as far as they
    /// have decided anything in this process. Under `Enforcement::Off` there are none, as the store
    /// is not asked.
    ///
    /// # Errors
    ///
    /// If the store could not say, whatever the failure mode.
    pub(crate) async fn standings(
        &self,
        identity: Identity,
    ) -> Result<IdentitySnapshot, RateLimitError> {
        let mut limits = match self.enforcement() {
            Enforcement::Off => Vec::new(),
            _ => self.recorder().limits_of(identity.kind()),
        };
        let left_out = limits.len().saturating_sub(MOST_STANDINGS);
        limits.truncate(MOST_STANDINGS);
        let mut standings = Vec::with_capacity(limits.len());
        for limit in limits {
            standings.push(self.standing(&identity, limit).await?);
        }
        Ok(IdentitySnapshot {
            identity,
            standings,
            left_out,
        })
    }

    /// Looks at one limit. It has a check of its own, because two limits of a check must not share
    /// a counter.
    async fn standing(
        &self,
        identity: &Identity,
        limit: AnyLimit,
    ) -> Result<Standing, RateLimitError> {
        let limit_ref = limit.as_ref_with(PermitId::new());
        let charge = Charge {
            key: match limit_ref {
                LimitRef::Rate(limit) => Key::counter(identity, limit),
                LimitRef::Concurrency(limit, _) => Key::permits(identity, limit),
            },
            limit: limit_ref,
            cost: 1,
            failure_mode: FailureMode::Closed,
        };
        let check = Check {
            mode: Mode::Peek,
            charges: std::iter::once(charge).collect(),
        };
        let outcome = self.outcome(&check).await?;
        let decision = outcome.decision((0..).zip(&check.charges));
        let status = decision.limits().first().ok_or_else(StoreError::nothing)?;
        Ok(Standing {
            policy: limit.name(),
            limit: LimitSnapshot::of(limit),
            remaining: status.remaining(),
            reset_after: status.reset_after(),
            retry_after: status.retry_after(),
            is_blocked: status.is_blocked(),
            is_exceeded: status.is_exceeded(),
        })
    }

    /// Deletes the counter of a concurrency limit: the permits count no longer, though their
    /// holders go on until they are done.
    pub(crate) async fn reset_permits(
        &self,
        limit: &Concurrency,
        identity: &Identity,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        if self.enforcement() == Enforcement::Off {
            return Ok(());
        }
        let key = Key::permits(identity, limit);
        self.store().delete(&[key]).await?;
        self.observers().tell(|| Event::Changed {
            policy: limit.policy_name().unwrap_or(limit.zone_name()),
            identity,
            change: Change::Reset,
        });
        Ok(())
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
