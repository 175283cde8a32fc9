//! The denial cache as a layer around a store: it denies what is cached, and caches what the store
//! has denied.

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome, Outcomes},
    decide::Precedence,
    decision::Verdict,
    identity::IdentityQuery,
    key::{Key, KeySelection},
    stored::StoredEntry,
    time::{MAX_MICROS, Micros},
};
use smallvec::SmallVec;

use super::{
    entry::{Cached, CachedDenial, LimitFingerprint, ReadPurpose, denial},
    table::DenialTable,
};
use crate::engine::{
    clock::Clock,
    store::interface::{Miss, ScanBounds, Scanned, Store, StoreError},
};

/// The fraction of its age before its expiry at which a denial is revalidated.
const REVALIDATE_FRACTION: Micros = 8;

#[derive(Debug)]
pub(crate) struct DenialCache<S> {
    inner: S,
    clock: Clock,
    max_age: Micros,
    pub(super) table: DenialTable,
}

impl<S> DenialCache<S> {
    /// Creates a cache that keeps denials for at most `max_age` microseconds; 0 turns it off.
    pub(crate) fn new(inner: S, max_age: Micros, max_keys: usize, clock: Clock) -> Self {
        Self {
            inner,
            clock,
            max_age,
            table: DenialTable::new(max_keys),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Finds a denial: all limits of the check are cached, and one of them denies it.
    fn find(&self, check: &Check<'_>, purpose: ReadPurpose) -> Cached<Outcome> {
        if !check.mode.is_charge() || self.table.is_empty() {
            return Cached::Absent;
        }
        let now = self.clock.now();
        let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
        for charge in &check.charges {
            match self.table.lookup(charge, purpose, now) {
                Cached::Found(verdict) => verdicts.push(verdict),
                Cached::Due => return Cached::Due,
                Cached::Absent => return Cached::Absent,
            }
        }
        let denies = |(charge, verdict): (&Charge<'_>, &Verdict)| {
            !charge.limit.is_shadow() && verdict.wait != Wait::None
        };
        if check.charges.iter().zip(&verdicts).any(denies) {
            Cached::Found(denial(check, verdicts))
        } else {
            Cached::Absent
        }
    }

    /// Caches or drops entries by what the store has decided. `generation` was read before the
    /// store was asked.
    fn record(&self, check: &Check<'_>, outcome: &Outcome, generation: u64) {
        match check.mode {
            Mode::Charge | Mode::ChargeForReceipts | Mode::Lease | Mode::Force
                if outcome.allowed =>
            {
                // The charge makes other requests wait longer than their cached verdicts say.
                self.table
                    .drop_zones(check.charges.iter().map(|charge| &charge.key));
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
                let revalidate_at = if outcome.stable_for > age {
                    until - age / REVALIDATE_FRACTION
                } else {
                    MAX_MICROS
                };
                for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
                    let cached = CachedDenial {
                        limit: LimitFingerprint::of(charge),
                        verdict: *verdict,
                        since: now,
                        until,
                        revalidate_at,
                    };
                    self.table.insert(charge, cached, generation);
                }
            }
            // The usage is now less than the cached verdicts say, or more.
            Mode::Refund(_) | Mode::Settle(_) => {
                // Permits do not matter here, because a denial for want of a permit is never
                // cached.
                let rates = check
                    .charges
                    .iter()
                    .filter(|one| one.limit.rate().is_some());
                self.table.remove_zones(rates.map(|charge| &charge.key));
            }
            Mode::Peek | Mode::Renew | Mode::Lease | Mode::Force => {}
        }
    }
}

impl<S: Store> Store for DenialCache<S> {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        let miss = Miss {
            has_no_denial: match self.find(check, ReadPurpose::Peek) {
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
            && let Cached::Found(outcome) = self.find(check, ReadPurpose::Revalidate)
        {
            return Ok(Outcomes::from_buf([outcome]));
        }
        let generation = self.table.generation();
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
                self.table.remove_zones(charges.map(|charge| &charge.key));
            }
        }
        outcomes
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        // The entries are dropped before the call, in case the caller drops the future, and after
        // it, for denials cached in the meantime.
        self.table.remove_zones(keys.iter());
        let done = self.inner.delete(keys).await;
        self.table.remove_zones(keys.iter());
        done
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        // All entries are dropped before and after the call, as in `delete`, because the zone of a
        // denial is not stored.
        self.table.clear();
        let done = self.inner.delete_selected(selection, bounds).await;
        self.table.clear();
        done
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        self.inner.read_identity(who, bounds).await
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        self.table.remove_zones(std::iter::once(key));
        let done = self.inner.block(key, length, precedence).await;
        self.table.remove_zones(std::iter::once(key));
        done
    }

    fn close(&self) {
        self.inner.close();
    }
}
