//! A layer that caches denials, so that a flood of denied requests does not reach the store. The
//! leases call it; it sits outside the circuit breaker, and never admits a request itself.
//!
//! The store says for how long a denial is stable: until one of the check's limits has more left,
//! which happens at the latest when the denying limit does. Until then times count down, and only a
//! reset, a refund, the end of a block or a charge of a smaller cost or of another limit changes
//! anything else. The cache notices such changes at once if this process makes them, and otherwise
//! within the age up to which it keeps a denial.
//!
//! That age also bounds the error when responses cross: of two workers' responses, the one that
//! arrives later may be the older, and its wait may be one that a smaller cost has just lengthened.
//! Telling them apart would mean recording each admission, for a wait that is corrected when the
//! store is asked next.
//!
//! A denial that outlives its age is revalidated: shortly before, one request asks the store, while
//! all other requests are still denied from the cache (stale-while-revalidate, [RFC 5861]).
//! Otherwise all of them would ask when the entry expires: a thundering herd.
//!
//! A denial for want of a permit has no known duration; the store says 0, and it is not cached. A
//! denial by a rate limit is cached even if the check has a concurrency limit too, whose figures
//! are then as old as the entry.
//!
//! [RFC 5861]: https://www.rfc-editor.org/rfc/rfc5861

mod entry;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome, Outcomes},
    decision::Verdict,
    key::Key,
    time::{MAX_MICROS, Micros},
};
use parking_lot::Mutex;
use smallvec::SmallVec;

use self::entry::{Access, Cached, CachedDenial, CachedZone, LimitFingerprint, denial};
use super::{
    expiring_table::ExpiringTable,
    interface::{Miss, Store, StoreError},
    key_hash::KeyHasher,
};
use crate::engine::clock::Clock;

/// The largest number of identity–zone pairs that are cached, about 20 MB.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// The largest number of limits and costs that are cached for each pair.
const MAX_PER_ZONE: usize = 8;
/// Entries that each access examines, to drop the expired ones.
const SWEEP_PER_ACCESS: usize = 2;
/// The fraction of its age before its expiry at which a denial is revalidated.
const REVALIDATE_FRACTION: Micros = 8;

#[derive(Debug)]
pub(crate) struct DenialCache<S> {
    inner: S,
    clock: Clock,
    max_age: Micros,
    hasher: KeyHasher,
    shards: [Mutex<ExpiringTable<CachedZone>>; SHARDS],
    /// The number of cached zones in all shards. While it is 0, requests skip the lookup and its
    /// lock.
    count: AtomicUsize,
    /// Counts the events that may have ended denials. A denial that was asked for before such an
    /// event is not cached.
    generation: AtomicU64,
}

impl<S> DenialCache<S> {
    /// Creates a cache that keeps denials for at most `max_age` microseconds; 0 turns it off.
    pub(crate) fn new(inner: S, max_age: Micros, max_keys: usize, clock: Clock) -> Self {
        let capacity = max_keys.min(CAPACITY).div_ceil(SHARDS);
        Self {
            inner,
            clock,
            max_age,
            hasher: KeyHasher::new(),
            shards: std::array::from_fn(|_| Mutex::new(ExpiringTable::new(capacity))),
            count: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Finds a denial: all limits of the check are cached, and one of them denies it.
    fn find(&self, check: &Check<'_>, access: Access) -> Cached<Outcome> {
        if !check.mode.is_charge() || self.is_empty() {
            return Cached::Absent;
        }
        let now = self.clock.now();
        let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
        for charge in &check.charges {
            match self.lookup(charge, access, now) {
                Cached::Found(verdict) => verdicts.push(verdict),
                Cached::Due => return Cached::Due,
                Cached::Absent => return Cached::Absent,
            }
        }
        let denies = |(charge, verdict): (&Charge<'_>, &Verdict)| {
            !charge.limit.is_shadow() && verdict.wait != Wait::None
        };
        match check.charges.iter().zip(&verdicts).any(denies) {
            true => Cached::Found(denial(check, verdicts)),
            false => Cached::Absent,
        }
    }

    fn lookup(&self, charge: &Charge<'_>, access: Access, now: Micros) -> Cached<Verdict> {
        let key_hash = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[key_hash.shard(SHARDS)].lock();
        let mut expired = 0;
        zones.sweep(SWEEP_PER_ACCESS, now, |_| expired += 1);
        let asked = LimitFingerprint::of(charge);
        let cached = zones.find_mut(key_hash.fingerprint, now).and_then(|zone| {
            let mut cached = zone.value().iter_mut();
            cached.find(|cached| cached.limit == asked)
        });
        let found = cached.map_or(Cached::Absent, |cached| cached.read(access, now));
        drop(zones);
        self.count_removed(expired);
        found
    }

    /// Caches or drops entries by what the store has decided. `generation` was read before the
    /// store was asked.
    fn record(&self, check: &Check<'_>, outcome: &Outcome, generation: u64) {
        match check.mode {
            Mode::Charge | Mode::ChargeForReceipts | Mode::Lease if outcome.allowed => {
                // The charge makes other requests wait longer than their cached verdicts say.
                self.drop_zones(check.charges.iter().map(|charge| &charge.key));
            }
            Mode::Charge | Mode::ChargeForReceipts => {
                let now = self.clock.now();
                let age = outcome.stable_for.min(self.max_age);
                if age == 0 {
                    return;
                }
                let until = now.saturating_add(age);
                // A denial that ends within its age needs no revalidation: once it has ended, a
                // request may be admitted.
                let revalidate_at = match outcome.stable_for > age {
                    true => until - age / REVALIDATE_FRACTION,
                    false => MAX_MICROS,
                };
                for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
                    let cached = CachedDenial {
                        limit: LimitFingerprint::of(charge),
                        verdict: *verdict,
                        since: now,
                        until,
                        revalidate_at,
                    };
                    self.insert(charge, cached, generation);
                }
            }
            Mode::Refund(_) => {
                // Permits do not matter here, because a denial for want of a permit is never
                // cached.
                let rates = check
                    .charges
                    .iter()
                    .filter(|one| one.limit.rate().is_some());
                self.remove_zones(rates.map(|charge| &charge.key));
            }
            Mode::Peek | Mode::Renew | Mode::Lease => {}
        }
    }

    fn insert(&self, charge: &Charge<'_>, cached: CachedDenial, generation: u64) {
        let now = cached.since;
        // Increments before inserting: `is_empty` reads this counter without the lock, and must
        // never report an empty cache while an entry is being added.
        self.count.fetch_add(1, Ordering::SeqCst);
        let key_hash = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[key_hash.shard(SHARDS)].lock();
        // Reads the generation under the lock: an event that ends denials increments it first, and
        // then drops the entries under this lock.
        if self.generation.load(Ordering::SeqCst) != generation {
            self.count_removed(1);
            return;
        }
        let (mut removed, mut is_new) = (0, false);
        zones.sweep(SWEEP_PER_ACCESS, now, |_| removed += 1);
        let slot = zones.find_or_insert(
            key_hash.fingerprint,
            now,
            || {
                is_new = true;
                CachedZone::new()
            },
            |_| removed += 1,
        );
        let zone = slot.value();
        zone.retain(|other| other.limit != cached.limit && now < other.until);
        if zone.len() == MAX_PER_ZONE {
            zone.remove(0);
        }
        zone.push(cached);
        let expiry = zone.iter().map(|cached| cached.until).max();
        slot.set_expiry(expiry.unwrap_or(now));
        drop(zones);
        self.count_removed(removed + usize::from(!is_new));
    }

    /// Drops the entries of these keys, and keeps the cache from storing denials that are being
    /// decided right now.
    fn remove_zones<'a>(&self, keys: impl Iterator<Item = &'a Key<'a>>) {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return;
        }
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.drop_zones(keys);
    }

    fn drop_zones<'a>(&self, keys: impl Iterator<Item = &'a Key<'a>>) {
        if self.is_empty() {
            return;
        }
        for key in keys {
            let key_hash = self.hasher.zone_hash(key);
            let removed = self.shards[key_hash.shard(SHARDS)]
                .lock()
                .remove(key_hash.fingerprint);
            self.count_removed(usize::from(removed.is_some()));
        }
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    fn count_removed(&self, zones: usize) {
        if zones > 0 {
            self.count.fetch_sub(zones, Ordering::SeqCst);
        }
    }
}

impl<S: Store> Store for DenialCache<S> {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        let miss = Miss {
            has_no_denial: match self.find(check, Access::Peek) {
                Cached::Found(outcome) => return Ok(outcome),
                Cached::Due => false,
                Cached::Absent => true,
            },
            ..Miss::UNASKED
        };
        Err(miss)
    }

    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        if self.max_age == 0 {
            return self.inner.decide(checks, miss).await;
        }
        // The store decides several checks as a whole: a later one may depend on an earlier one.
        if let [check] = checks
            && !miss.has_no_denial
            && let Cached::Found(outcome) = self.find(check, Access::Revalidate)
        {
            return Ok(Outcomes::from_buf([outcome]));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let outcomes = self.inner.decide(checks, miss).await;
        match &outcomes {
            Ok(outcomes) => {
                for (check, outcome) in checks.iter().zip(outcomes) {
                    self.record(check, outcome, generation);
                }
            }
            // The store may have charged all the same, which the cache cannot know.
            Err(_) => {
                let charges = checks.iter().flat_map(|check| &check.charges);
                self.remove_zones(charges.map(|charge| &charge.key));
            }
        }
        outcomes
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        // Before the call, in case the caller drops the future; and after it, for denials cached in
        // the meantime.
        self.remove_zones(keys.iter());
        let done = self.inner.delete(keys).await;
        self.remove_zones(keys.iter());
        done
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        self.remove_zones(std::iter::once(key));
        let done = self.inner.block(key, length).await;
        self.remove_zones(std::iter::once(key));
        done
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
