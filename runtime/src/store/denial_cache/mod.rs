//! A layer that remembers denials, so that a flood of them does not reach the store.
//!
//! The store says for how long a denial stays what it is: until more remains of one of its limits,
//! the one that denies at the latest. For so long times count down, and nothing else changes but by a
//! reset, a refund, the end of a block or another limit. Those of this process are noticed at once;
//! those of others within the age that a denial is believed up to.
//!
//! So is what crosses on the way: of two workers' answers, the later may be the older, and then it
//! tells a wait that a smaller cost has just made longer. To tell such answers apart, each admission
//! would have to be noted, for a wait that is right when it is asked for again.
//!
//! A denial that outlasts its age is asked for again by one request a little before, while the others
//! go on to be denied: else all of them would ask at the moment when it is forgotten.
//!
//! A denial for want of a place stays for no time that is known, so the store says 0, and it is not
//! remembered. What a rate denies is, as places would be shown beside it.

mod entry;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;

use self::entry::{Access, CachedDenial, CachedZone, LimitFingerprint};
use super::{
    expiring_table::ExpiringTable,
    interface::{Charge, Check, Mode, Outcome, Outcomes, Receipts, Store, StoreError},
    key_hash::KeyHasher,
};
use crate::{
    algorithm::Wait,
    clock::{Clock, MAX_MICROS, Micros},
    decision::Verdict,
    key::Key,
};

/// So many identities in a zone are remembered at most, about 20 MB.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// So many limits, and costs under them, for each.
const MAX_PER_ZONE: usize = 8;
/// How many entries each look drops if they have expired.
const SWEEP_PER_ACCESS: usize = 2;
/// This part of its age before a denial is forgotten, one request asks for it again.
const REVALIDATE_FRACTION: Micros = 8;

#[derive(Debug)]
pub(crate) struct DenialCache<S> {
    inner: S,
    clock: Clock,
    max_age: Micros,
    hasher: KeyHasher,
    shards: [Mutex<ExpiringTable<CachedZone>>; SHARDS],
    /// How many zones there are in all; without any, nobody need look.
    count: AtomicUsize,
    /// Counts what may have ended denials. One that was asked for before that is not kept.
    generation: AtomicU64,
}

impl<S> DenialCache<S> {
    /// Denials are believed for `max_age`, and not at all if that is 0.
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

    /// The answer, if all limits of the check are known and one of them denies it.
    fn find(&self, check: &Check<'_>, looker: Access) -> Option<Outcome> {
        if !check.mode.is_charge() || self.is_empty() {
            return None;
        }
        let now = self.clock.now();
        let verdicts = check
            .charges
            .iter()
            .map(|charge| self.lookup(charge, looker, now));
        let verdicts: SmallVec<[Verdict; 1]> = verdicts.collect::<Option<_>>()?;
        let denies = |(charge, verdict): (&Charge<'_>, &Verdict)| {
            !charge.limit.is_shadow() && verdict.wait != Wait::None
        };
        let denied = check.charges.iter().zip(&verdicts).any(denies);
        denied.then(|| Outcome {
            allowed: false,
            verdicts,
            receipts: match check.mode {
                Mode::ChargeForReceipts => vec![None; check.charges.len()],
                _ => Receipts::new(),
            },
            mirror_receipts: Receipts::new(),
            // From here, nobody keeps it.
            stable_for: 0,
        })
    }

    fn lookup(&self, charge: &Charge<'_>, looker: Access, now: Micros) -> Option<Verdict> {
        let place = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[place.shard(SHARDS)].lock();
        let mut expired = 0;
        zones.sweep(SWEEP_PER_ACCESS, now, |_| expired += 1);
        let asked = LimitFingerprint::of(charge);
        let known = zones.find_mut(place.fingerprint, now).and_then(|zone| {
            let mut known = zone.value().iter_mut();
            known.find(|known| known.limit == asked)
        });
        let verdict = known.and_then(|known| known.answer(looker, now));
        drop(zones);
        self.count_removed(expired);
        verdict
    }

    /// Learns from what the store has decided. `generation` is from before it was asked.
    fn record(&self, check: &Check<'_>, outcome: &Outcome, generation: u64) {
        match check.mode {
            Mode::Charge | Mode::ChargeForReceipts | Mode::Lease if outcome.allowed => {
                // What was taken makes others wait longer than they were told.
                self.drop_zones(check.charges.iter().map(|charge| &charge.key));
            }
            Mode::Charge | Mode::ChargeForReceipts => {
                let now = self.clock.now();
                let age = outcome.stable_for.min(self.max_age);
                if age == 0 {
                    return;
                }
                let until = now.saturating_add(age);
                // Whoever asks when it ends by itself may be admitted.
                let again = match outcome.stable_for > age {
                    true => until - age / REVALIDATE_FRACTION,
                    false => MAX_MICROS,
                };
                for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
                    let known = CachedDenial {
                        limit: LimitFingerprint::of(charge),
                        verdict: *verdict,
                        since: now,
                        until,
                        revalidate_at: again,
                    };
                    self.insert(charge, known, generation);
                }
            }
            Mode::Refund(_) => {
                // Nobody is denied here for want of a place.
                let rates = check
                    .charges
                    .iter()
                    .filter(|one| one.limit.rate().is_some());
                self.remove_zones(rates.map(|charge| &charge.key));
            }
            Mode::Peek | Mode::Renew | Mode::Lease => {}
        }
    }

    fn insert(&self, charge: &Charge<'_>, known: CachedDenial, generation: u64) {
        let now = known.since;
        // Before it is there: whoever finds none known will not look.
        self.count.fetch_add(1, Ordering::SeqCst);
        let place = self.hasher.zone_hash(&charge.key);
        let mut zones = self.shards[place.shard(SHARDS)].lock();
        // Read under the lock: whoever ends denials counts first, then drops them.
        if self.generation.load(Ordering::SeqCst) != generation {
            self.count_removed(1);
            return;
        }
        let (mut gone, mut is_new) = (0, false);
        zones.sweep(SWEEP_PER_ACCESS, now, |_| gone += 1);
        let slot = zones.find_or_insert(
            place.fingerprint,
            now,
            || {
                is_new = true;
                CachedZone::new()
            },
            |_| gone += 1,
        );
        let zone = slot.value();
        zone.retain(|other| other.limit != known.limit && now < other.until);
        if zone.len() == MAX_PER_ZONE {
            zone.remove(0);
        }
        zone.push(known);
        let expiry = zone.iter().map(|known| known.until).max();
        slot.set_expiry(expiry.unwrap_or(now));
        drop(zones);
        self.count_removed(gone + usize::from(!is_new));
    }

    /// Forgets what is known, and what is being asked right now.
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
            let place = self.hasher.zone_hash(key);
            let gone = self.shards[place.shard(SHARDS)]
                .lock()
                .remove(place.fingerprint);
            self.count_removed(usize::from(gone.is_some()));
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
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        if self.max_age == 0 {
            return self.inner.decide(checks).await;
        }
        // Of several checks, later ones may depend on earlier ones.
        if let [check] = checks
            && let Some(outcome) = self.find(check, Access::Revalidate)
        {
            return Ok(Outcomes::from_buf([outcome]));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let outcomes = self.inner.decide(checks).await;
        match &outcomes {
            Ok(outcomes) => {
                for (check, outcome) in checks.iter().zip(outcomes) {
                    self.record(check, outcome, generation);
                }
            }
            // It may have been done all the same.
            Err(_) => {
                let charges = checks.iter().flat_map(|check| &check.charges);
                self.remove_zones(charges.map(|charge| &charge.key));
            }
        }
        outcomes
    }

    fn try_decide(&self, check: &Check<'_>) -> Option<Outcome> {
        self.find(check, Access::Peek)
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        // Before, if the caller leaves; and after, for what was denied meanwhile.
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
