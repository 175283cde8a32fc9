//! [`PolicyRecord`]: what the recorder knows of one policy: its counts, its limits, and the
//! identities that it denies most. Its memory is bounded, whatever the requests are.

use std::{
    mem,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use actix_throttle_core::{
    identity::IdentityKind,
    limit::{AnyLimit, Concurrency, Limit},
    time::Micros,
};
use foldhash::quality::RandomState;
use parking_lot::Mutex;

use super::{
    history::{Count, History},
    sketch::{HeavyHitter, HeavyHitters},
};
use crate::engine::observe::{Decided, DecisionResult};

/// The most limits that are recorded of one policy: `dynamic` may have one for each plan.
const MOST_LIMITS: usize = 32;
/// The time for which a sketch counts before the next one does, in seconds. Two are kept.
const SKETCH_SECONDS: u64 = 30 * 60;

/// The record of one policy. Its atomics are relaxed: each is read by itself, and guards no other
/// data.
#[derive(Debug)]
pub(super) struct PolicyRecord {
    pub(super) history: History,
    limits: Mutex<Vec<AnyLimit>>,
    /// Whether further limits had to make room.
    has_dropped: AtomicBool,
    /// The fingerprint of the limit of the latest decision, so that a known limit takes no lock.
    latest_limit: AtomicU64,
    /// The kinds of identities that the policy counts, a bit each.
    kinds: AtomicU32,
    denied: Mutex<DeniedSketches>,
    pub(super) gauges: Gauges,
}

/// The numbers of this process that events change.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) waiting: AtomicU64,
    pub(super) permits: AtomicU64,
    pub(super) leased: AtomicU64,
    pub(super) lease_returned: AtomicU64,
}

/// Two sketches of the identities that are denied: of this half-hour, and of the one before.
#[derive(Debug)]
struct DeniedSketches {
    since: u64,
    current: HeavyHitters,
    former: HeavyHitters,
    hasher: RandomState,
}

impl PolicyRecord {
    pub(super) fn new(second: u64, hasher: &RandomState) -> Self {
        let sketch = || HeavyHitters::new(hasher.clone());
        Self {
            history: History::new(second),
            limits: Mutex::default(),
            has_dropped: AtomicBool::new(false),
            latest_limit: AtomicU64::new(0),
            kinds: AtomicU32::new(0),
            denied: Mutex::new(DeniedSketches {
                since: second,
                current: sketch(),
                former: sketch(),
                hasher: hasher.clone(),
            }),
            gauges: Gauges::default(),
        }
    }

    /// Counts a decision.
    pub(super) fn decided(&self, decided: &Decided<'_>, now: Micros) {
        let second = now / 1_000_000;
        let count = match decided.result() {
            DecisionResult::Allowed => Count::Admitted,
            DecisionResult::ShadowDenied => Count::ShadowDenied,
            DecisionResult::UndecidedOpen | DecisionResult::UndecidedClosed => Count::Undecided,
            DecisionResult::Denied | DecisionResult::Blocked | DecisionResult::TimedOut => {
                Count::Denied
            }
            // Nothing was decided: the caller has left, or has no identity.
            DecisionResult::Canceled | DecisionResult::Unidentified => return,
        };
        self.history.count(count, second);
        self.learn(decided);
        if let (Count::Denied | Count::ShadowDenied, Some(identity)) = (count, decided.identity()) {
            let mut denied = self.denied.lock();
            denied.rotate(second);
            denied.current.count(identity, now);
        }
    }

    /// Returns the limits that have had this name.
    pub(super) fn limits(&self) -> Vec<AnyLimit> {
        self.limits.lock().clone()
    }

    /// Returns whether the policy has had more limits than are recorded.
    pub(super) fn has_dropped(&self) -> bool {
        self.has_dropped.load(Ordering::Relaxed)
    }

    /// Whether the policy has counted identities of this kind.
    pub(super) fn counts(&self, kind: IdentityKind) -> bool {
        self.kinds.load(Ordering::Relaxed) & bit(kind) != 0
    }

    /// Returns the identities that the policy has denied most in the last half-hour to hour, the
    /// most first.
    pub(super) fn denied_most(&self, second: u64) -> Vec<HeavyHitter> {
        let mut denied = self.denied.lock();
        denied.rotate(second);
        let mut both = HeavyHitters::new(denied.hasher.clone());
        both.merge(&denied.current);
        both.merge(&denied.former);
        drop(denied);
        both.most()
    }

    /// Learns the limit and the kind of identity, if they are new. A limit is learned as it was
    /// written: whether it is enforced is a setting of the limiter.
    fn learn(&self, decided: &Decided<'_>) {
        if let Some(identity) = decided.identity() {
            let bit = bit(identity.kind());
            if self.kinds.load(Ordering::Relaxed) & bit == 0 {
                self.kinds.fetch_or(bit, Ordering::Relaxed);
            }
        }
        let fingerprint = match (decided.limit(), decided.concurrency()) {
            (Some(limit), _) => of_rate(limit),
            (None, Some(limit)) => of_concurrency(limit),
            (None, None) => return,
        };
        // Most calls end after this load: workers would contend for a store to it.
        if self.latest_limit.load(Ordering::Relaxed) == fingerprint {
            return;
        }
        self.latest_limit.store(fingerprint, Ordering::Relaxed);
        let limit = match (decided.limit(), decided.concurrency()) {
            (Some(limit), _) => AnyLimit::Rate(*limit),
            (None, Some(limit)) => AnyLimit::Concurrency(*limit),
            (None, None) => return,
        };
        let limit = limit.as_written();
        let mut limits = self.limits.lock();
        let known = limits.iter().position(|one| *one == limit);
        match known {
            // The latest limit stands last, also if a reload has brought it back.
            Some(at) => limits[at..].rotate_left(1),
            None => {
                if limits.len() == MOST_LIMITS {
                    // The oldest limit makes room, because a reload may have replaced it.
                    limits.remove(0);
                    self.has_dropped.store(true, Ordering::Relaxed);
                }
                limits.push(limit);
            }
        }
    }
}

impl DeniedSketches {
    fn rotate(&mut self, second: u64) {
        let passed = second.saturating_sub(self.since);
        if passed < SKETCH_SECONDS {
            return;
        }
        self.since = second;
        let ended = mem::replace(&mut self.current, HeavyHitters::new(self.hasher.clone()));
        self.former = if passed < 2 * SKETCH_SECONDS {
            ended
        } else {
            HeavyHitters::new(self.hasher.clone())
        };
    }
}

/// Returns a hash that tells most limits of one name apart; most names have one limit.
fn of_rate(limit: &Limit) -> u64 {
    let numbers = u64::from(limit.times()) << 32 | u64::from(limit.quota());
    let zone = limit.zone_name();
    mix(&[
        numbers,
        limit.window_micros() << 1 | u64::from(limit.has_shadow_counter()),
        zone.as_ptr() as u64,
        zone.len() as u64,
    ])
}

fn of_concurrency(limit: &Concurrency) -> u64 {
    let zone = limit.zone_name();
    mix(&[
        u64::from(limit.max()) << 1 | u64::from(limit.has_shadow_counter()),
        limit.expiry_micros(),
        zone.as_ptr() as u64,
        zone.len() as u64,
    ])
}

/// Multiplies by the odd number of Fibonacci hashing. The result is never 0, which stands for no
/// limit.
fn mix(parts: &[u64]) -> u64 {
    let mixed = parts.iter().fold(0, |mixed: u64, part| {
        (mixed.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed | 1
}

fn bit(kind: IdentityKind) -> u32 {
    let kinds = [
        IdentityKind::Global,
        IdentityKind::Client,
        IdentityKind::User,
        IdentityKind::Header,
        IdentityKind::Cookie,
        IdentityKind::Path,
        IdentityKind::Query,
        IdentityKind::Session,
        IdentityKind::Token,
        IdentityKind::Combination,
    ];
    let position = kinds.iter().position(|one| *one == kind);
    1 << position.unwrap_or(kinds.len())
}
