//! Looks at one identity: how it stands under the limits that this process knows, and what else the
//! store counts for it. The status page calls it; nothing is charged.

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    enforcement::Enforcement,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Concurrency, Limit, LimitRef, PermitId},
};

use super::{
    snapshot::LimitSnapshot,
    standing::{IdentitySnapshot, LookUp, Standing},
};
use crate::engine::{
    bulk::{BulkReset, PeekIdentity},
    error::RateLimitError,
    handle::Engine,
    observe::{Change, Event},
    store::interface::{Store, StoreError},
};

/// The most limits that one look at an identity asks the store for.
const MOST_STANDINGS: usize = 64;
/// The most entries of further limits that a look-up shows.
const MOST_OTHERS: usize = 64;
/// The bounds of a look-up. A person waits for it: so many keys take Redis a fraction of a second,
/// in steps.
const MOST_KEYS: u64 = 200_000;
const LONGEST_LOOK_UP: Duration = Duration::from_secs(3);
/// The longest time of a reset for every identity. Proxies give a request up after a minute or so.
const LONGEST_RESET: Duration = Duration::from_secs(20);

impl Engine {
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
            block: None,
            offences: None,
        })
    }

    /// Deletes the counter of a concurrency limit: the permits count no longer, though the work
    /// that they are for goes on.
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
        self.wait_queues().notify(&key, self.clock().now());
        self.observers().tell(|| Event::Changed {
            policy: limit.name_value().unwrap_or(limit.zone_name()),
            identity,
            change: Change::Reset,
        });
        Ok(())
    }

    /// Looks up in the store what is counted for an identity, by whichever process, within bounds.
    /// Blocks and their offences go to the standings.
    ///
    /// # Errors
    ///
    /// If the store could not be searched, and there are no standings to show without that.
    pub(crate) async fn look_up(
        &self,
        snapshot: &mut IdentitySnapshot,
    ) -> Result<LookUp, RateLimitError> {
        // Anybody who may look can ask for it again and again, and each time the store is searched.
        let Ok(_running) = self.recorder().look_ups.try_acquire() else {
            return Ok(LookUp {
                error: Some("another look-up is running; load this page again".to_owned()),
                ..LookUp::default()
            });
        };
        let usage = PeekIdentity::new(self.clone(), snapshot.identity.clone().into())
            .max_keys(MOST_KEYS)
            .max_time(LONGEST_LOOK_UP)
            .await;
        match usage {
            Ok(usage) => Ok(LookUp::of(&usage, &mut snapshot.standings, MOST_OTHERS)),
            // A Redis user that may decide may not be allowed to search.
            Err(error) if !snapshot.standings.is_empty() => Ok(LookUp {
                error: Some(error.to_string()),
                ..LookUp::default()
            }),
            Err(error) => Err(error),
        }
    }

    /// Returns the rates of a policy that have decided something in this process, with its name.
    /// `None` if no such policy has.
    pub(crate) fn rates_of_policy(&self, name: &str) -> Option<(&'static str, Vec<Limit>)> {
        let (name, limits) = self.recorder().limits_of_policy(name)?;
        let rates = limits.into_iter().filter_map(|limit| match limit {
            AnyLimit::Rate(limit) => Some(limit),
            AnyLimit::Concurrency(_) => None,
        });
        Some((name, rates.collect()))
    }

    /// Resets limits of a policy for every identity. The observers hear of it once.
    pub(crate) fn reset_policy(&self, policy: &'static str, limits: &[Limit]) -> BulkReset {
        let is_partial = self.recorder().has_dropped_limits(policy);
        BulkReset::of_policy(self.clone(), policy, limits, is_partial).max_time(LONGEST_RESET)
    }
}
