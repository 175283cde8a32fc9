//! [`Recorder`]: the observer that remembers what the status page and [`Snapshot`] show. Its memory
//! is bounded: so many policies, and for each a fixed size.
//!
//! [`Snapshot`]: super::Snapshot

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_throttle_core::{
    identity::{Identity, IdentityKind},
    limit::AnyLimit,
    time::Micros,
};
use arc_swap::ArcSwap;
use foldhash::{fast, quality};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{
    log::{EventLog, Reload},
    policy_record::PolicyRecord,
    sketch::Kept,
};
use crate::engine::{
    clock::Clock,
    observe::{Event, Observer},
};

/// The most policies that are recorded. A service has as many as it has limits with a name.
const MOST_POLICIES: usize = 256;
/// The seconds without a decision after which a policy makes room for another one.
const IDLE: u64 = 60 * 60;

/// The records by the names of their policies.
type PolicyRecords = HashMap<&'static str, Arc<PolicyRecord>, fast::RandomState>;

/// The observer that remembers what a limiter does, for a snapshot.
#[derive(Debug)]
pub(crate) struct Recorder {
    clock: Clock,
    pub(super) since: u64,
    /// The policies. The table is replaced as a whole when a policy is new, so that a decision
    /// reads it without a lock.
    policies: ArcSwap<PolicyRecords>,
    adding: Mutex<()>,
    /// The number of decisions of policies for which there was no room. It is relaxed, because it
    /// is only a count.
    left_out: AtomicU64,
    hasher: quality::RandomState,
    pub(super) log: Mutex<EventLog>,
    /// The permit of the one look-up in the store that may run at a time.
    pub(super) look_ups: Semaphore,
}

impl Recorder {
    pub(crate) fn new(clock: Clock) -> Self {
        let since = clock.now() / 1_000_000;
        Self {
            clock,
            since,
            policies: ArcSwap::default(),
            adding: Mutex::new(()),
            left_out: AtomicU64::new(0),
            hasher: quality::RandomState::default(),
            log: Mutex::default(),
            look_ups: Semaphore::new(1),
        }
    }

    pub(super) fn second(&self) -> u64 {
        self.clock.now() / 1_000_000
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Returns the policies, by their names.
    pub(super) fn policies(&self) -> Vec<(&'static str, Arc<PolicyRecord>)> {
        let policies = self.policies.load();
        let all = policies
            .iter()
            .map(|(name, record)| (*name, Arc::clone(record)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// Returns the limits that count identities of this kind, each with its policy's name.
    pub(super) fn limits_of(&self, kind: IdentityKind) -> Vec<AnyLimit> {
        let policies = self.policies().into_iter();
        let counting = policies.filter(|(_, record)| record.counts(kind));
        counting.flat_map(|(_, record)| record.limits()).collect()
    }

    /// Returns the limits of a policy, with its name.
    pub(super) fn limits_of_policy(&self, name: &str) -> Option<(&'static str, Vec<AnyLimit>)> {
        let policies = self.policies.load();
        let (name, record) = policies.get_key_value(name)?;
        Some((name, record.limits()))
    }

    /// Returns whether a policy has had more limits than are recorded.
    pub(super) fn has_dropped_limits(&self, name: &str) -> bool {
        let policies = self.policies.load();
        policies
            .get(name)
            .is_some_and(|record| record.has_dropped())
    }

    /// Finds the identity that keys write as this text, among those that are denied most.
    pub(crate) fn find(&self, text: &str) -> Option<Identity> {
        let second = self.second();
        let policies = self.policies().into_iter();
        let mut denied = policies.flat_map(|(_, record)| record.denied_most(second));
        denied.find_map(|one| match one.identity {
            Kept::Whole(identity) if identity.to_string() == text => Some(identity),
            _ => None,
        })
    }

    fn with_policy(&self, name: &'static str, with: impl FnOnce(&PolicyRecord, Micros)) {
        let now = self.clock.now();
        let policies = self.policies.load();
        if let Some(record) = policies.get(name) {
            return with(record, now);
        }
        drop(policies);
        match self.add(name, now / 1_000_000) {
            Some(record) => with(&record, now),
            None => {
                self.left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Adds a policy. `None` if there is no room for it.
    #[cold]
    fn add(&self, name: &'static str, second: u64) -> Option<Arc<PolicyRecord>> {
        let _adding = self.adding.lock();
        let current = self.policies.load();
        if let Some(record) = current.get(name) {
            return Some(Arc::clone(record));
        }
        let mut policies = PolicyRecords::clone(&current);
        if policies.len() >= MOST_POLICIES {
            policies.retain(|_, record| record.history.latest() + IDLE > second);
        }
        if policies.len() >= MOST_POLICIES {
            return None;
        }
        let record = Arc::new(PolicyRecord::new(second, &self.hasher));
        policies.insert(name, Arc::clone(&record));
        self.policies.store(Arc::new(policies));
        Some(record)
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        match *event {
            Event::Decided(ref decided) => {
                self.with_policy(decided.policy(), |record, now| record.decided(decided, now));
            }
            Event::StoreFailed { reason, .. } => self.log.lock().failed(self.second(), reason),
            Event::CircuitChanged { state, .. } => {
                self.log.lock().circuit_changed(self.second(), state);
            }
            Event::Reloaded {
                source,
                result,
                error,
                changes,
                hash,
                since,
                ..
            } => {
                let reload = Reload {
                    source,
                    result,
                    error,
                    changes,
                    hash,
                    since,
                };
                self.log.lock().reloaded(self.second(), &reload);
            }
            Event::LeaseTaken { policy, cost, .. } => self.with_policy(policy, |record, _| {
                record
                    .gauges
                    .leased
                    .fetch_add(u64::from(cost), Ordering::Relaxed);
            }),
            Event::LeaseReturned { policy, unused, .. } => self.with_policy(policy, |record, _| {
                record
                    .gauges
                    .lease_returned
                    .fetch_add(u64::from(unused), Ordering::Relaxed);
            }),
            Event::WaitBegan { policy, .. } => self.with_policy(policy, |record, _| {
                record.gauges.waiting.fetch_add(1, Ordering::Relaxed);
            }),
            Event::WaitEnded { policy, .. } => self.with_policy(policy, |record, _| {
                decrease(&record.gauges.waiting);
            }),
            Event::PermitHeld { policy, .. } => self.with_policy(policy, |record, _| {
                record.gauges.permits.fetch_add(1, Ordering::Relaxed);
            }),
            Event::PermitReleased { policy, .. } => self.with_policy(policy, |record, _| {
                decrease(&record.gauges.permits);
            }),
            Event::Changed {
                policy,
                identity,
                change,
                ..
            } => {
                let at = self.second();
                self.log.lock().changed(at, policy, identity, change);
            }
            Event::PolicyReset {
                policy, deleted, ..
            } => self.log.lock().policy_reset(self.second(), policy, deleted),
            // The policy is there from the start, with counts of 0.
            Event::PolicyKnown { policy, .. } => self.with_policy(policy, |_, _| {}),
            Event::Refunded { .. }
            | Event::Settled { .. }
            | Event::StoreCalled { .. }
            | Event::StoreSized { .. } => {}
        }
    }
}

/// Decreases a gauge that may have lost its increase with an idle policy.
fn decrease(gauge: &AtomicU64) {
    let one_less = |value: u64| value.checked_sub(1);
    let _ = gauge.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
}
