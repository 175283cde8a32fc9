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
    clock::{Clock, FOREVER, Micros},
    decision::Verdict,
    key::Key,
};

/// So many identities in a zone are remembered at most, about 20 MB.
const CAPACITY: usize = 1 << 16;
const SHARDS: usize = 16;
/// So many limits, and costs under them, for each.
const MOST: usize = 8;
/// How many entries each look drops if they have expired.
const SWEEP: usize = 2;
/// This part of its age before a denial is forgotten, one request asks for it again.
const EARLY: Micros = 8;

#[derive(Debug)]
pub(crate) struct DenialCache<S> {
    inner: S,
    clock: Clock,
    max_age: Micros,
    hasher: KeyHasher,
    shards: [Mutex<ExpiringTable<CachedZone>>; SHARDS],
    /// How many zones there are in all; without any, nobody need look.
    known: AtomicUsize,
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
            known: AtomicUsize::new(0),
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
            .map(|charge| self.look(charge, looker, now));
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
            noted: Receipts::new(),
            // From here, nobody keeps it.
            steady: 0,
        })
    }

    fn look(&self, charge: &Charge<'_>, looker: Access, now: Micros) -> Option<Verdict> {
        let place = self.hasher.zone(&charge.key);
        let mut zones = self.shards[place.shard(SHARDS)].lock();
        let mut expired = 0;
        zones.sweep(SWEEP, now, |_| expired += 1);
        let asked = LimitFingerprint::of(charge);
        let known = zones.find_mut(place.print, now).and_then(|zone| {
            let mut known = zone.value().iter_mut();
            known.find(|known| known.asked == asked)
        });
        let verdict = known.and_then(|known| known.told_to(looker, now));
        drop(zones);
        self.forgot(expired);
        verdict
    }

    /// Learns from what the store has decided. `generation` is from before it was asked.
    fn learn(&self, check: &Check<'_>, outcome: &Outcome, generation: u64) {
        match check.mode {
            Mode::Charge | Mode::ChargeForReceipts | Mode::Lease if outcome.allowed => {
                // What was taken makes others wait longer than they were told.
                self.drop_zones(check.charges.iter().map(|charge| &charge.key));
            }
            Mode::Charge | Mode::ChargeForReceipts => {
                let now = self.clock.now();
                let age = outcome.steady.min(self.max_age);
                if age == 0 {
                    return;
                }
                let until = now.saturating_add(age);
                // Whoever asks when it ends by itself may be admitted.
                let again = match outcome.steady > age {
                    true => until - age / EARLY,
                    false => FOREVER,
                };
                for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
                    let known = CachedDenial {
                        asked: LimitFingerprint::of(charge),
                        verdict: *verdict,
                        since: now,
                        until,
                        again,
                    };
                    self.keep(charge, known, generation);
                }
            }
            Mode::Refund(_) => {
                // Nobody is denied here for want of a place.
                let rates = check
                    .charges
                    .iter()
                    .filter(|one| one.limit.rate().is_some());
                self.end(rates.map(|charge| &charge.key));
            }
            Mode::Peek | Mode::Renew | Mode::Lease => {}
        }
    }

    fn keep(&self, charge: &Charge<'_>, known: CachedDenial, generation: u64) {
        let now = known.since;
        // Before it is there: whoever finds none known will not look.
        self.known.fetch_add(1, Ordering::SeqCst);
        let place = self.hasher.zone(&charge.key);
        let mut zones = self.shards[place.shard(SHARDS)].lock();
        // Read under the lock: whoever ends denials counts first, then drops them.
        if self.generation.load(Ordering::SeqCst) != generation {
            self.forgot(1);
            return;
        }
        let (mut gone, mut is_new) = (0, false);
        zones.sweep(SWEEP, now, |_| gone += 1);
        let slot = zones.find_or_insert(
            place.print,
            now,
            || {
                is_new = true;
                CachedZone::new()
            },
            |_| gone += 1,
        );
        let zone = slot.value();
        zone.retain(|other| other.asked != known.asked && now < other.until);
        if zone.len() == MOST {
            zone.remove(0);
        }
        zone.push(known);
        let expiry = zone.iter().map(|known| known.until).max();
        slot.set_expiry(expiry.unwrap_or(now));
        drop(zones);
        self.forgot(gone + usize::from(!is_new));
    }

    /// Forgets what is known, and what is being asked right now.
    fn end<'a>(&self, keys: impl Iterator<Item = &'a Key<'a>>) {
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
            let place = self.hasher.zone(key);
            let gone = self.shards[place.shard(SHARDS)].lock().remove(place.print);
            self.forgot(usize::from(gone.is_some()));
        }
    }

    fn is_empty(&self) -> bool {
        self.known.load(Ordering::SeqCst) == 0
    }

    fn forgot(&self, zones: usize) {
        if zones > 0 {
            self.known.fetch_sub(zones, Ordering::SeqCst);
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
                    self.learn(check, outcome, generation);
                }
            }
            // It may have been done all the same.
            Err(_) => {
                let charges = checks.iter().flat_map(|check| &check.charges);
                self.end(charges.map(|charge| &charge.key));
            }
        }
        outcomes
    }

    fn decide_at_once(&self, check: &Check<'_>) -> Option<Outcome> {
        self.find(check, Access::Peek)
    }

    async fn forget(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        // Before, if the caller leaves; and after, for what was denied meanwhile.
        self.end(keys.iter());
        let done = self.inner.forget(keys).await;
        self.end(keys.iter());
        done
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        self.end(std::iter::once(key));
        let done = self.inner.block(key, length).await;
        self.end(std::iter::once(key));
        done
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests;
