//! The leases as a layer around a store: a check is served out of leases where they cover it, and
//! the store decides the rest.

use std::{slice, sync::Arc};

use actix_throttle_core::{
    check::{Charge, Charges, Check, Mode, Outcome, Outcomes, Receipts},
    decide::Precedence,
    decision::{DecisionSource, Verdict},
    identity::IdentityQuery,
    key::{Key, KeySelection},
    limit::Limit,
    stored::StoredEntry,
    time::Micros,
};
use smallvec::SmallVec;

use super::{pool::LeasePool, uncommitted_charges::UncommittedCharges};
use crate::engine::{
    clock::Clock,
    observe::Observers,
    store::interface::{Miss, ScanBounds, Scanned, Store, StoreError},
};

#[derive(Debug)]
pub(crate) struct Leases<S> {
    pool: Arc<LeasePool<S>>,
}

impl<S> Leases<S> {
    pub(crate) fn new(inner: S, max_keys: usize, clock: Clock, observers: Observers) -> Self {
        Self {
            pool: Arc::new(LeasePool::new(inner, max_keys, clock, observers)),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        self.pool.inner()
    }
}

impl<S: Store + 'static> Leases<S> {
    /// Returns all leases of this process to the store, and leases nothing more.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, leases that are not returned yet count as used.
    pub(crate) async fn return_leases(&self) {
        self.pool.return_leases().await;
    }

    /// Serves a check out of leases if all of its charges can be served.
    fn serve_whole(&self, check: &Check<'_>) -> Option<Outcome> {
        if !check.mode.is_charge() || !check.charges.iter().all(is_leased) {
            return None;
        }
        let mut uncommitted = UncommittedCharges::new(&self.pool);
        let verdicts = check.charges.iter().map(|charge| uncommitted.take(charge));
        let verdicts = verdicts.collect::<Option<_>>()?;
        Some(Outcome {
            allowed: true,
            verdicts,
            receipts: uncommitted.commit(check.mode),
            mirror_receipts: Receipts::new(),
            stable_for: 0,
            source: DecisionSource::Lease,
        })
    }

    /// Serves the charges that leases cover, and lets the store decide the rest. The check is
    /// charged as a whole or not at all. `miss` says what was looked up before.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, `uncommitted` puts back what leases served. The store may
    /// still charge the rest.
    async fn decide_leased(&self, check: &Check<'_>, miss: Miss) -> Result<Outcome, StoreError> {
        let serves = check.mode.is_charge();
        let mut uncommitted = UncommittedCharges::new(&self.pool);
        let mut rest = Charges::new();
        let mut own: SmallVec<[Option<Verdict>; 1]> = SmallVec::new();
        for charge in &check.charges {
            let verdict = match (is_leased(charge) && !miss.has_no_lease, serves) {
                (true, true) => uncommitted.take(charge),
                (true, false) => self.pool.peek(charge),
                (false, _) => None,
            };
            if verdict.is_none() {
                rest.push(*charge);
            }
            own.push(verdict);
        }
        if rest.is_empty() {
            let receipts = uncommitted.commit(check.mode);
            return Ok(Outcome {
                allowed: true,
                verdicts: own.into_iter().flatten().collect(),
                receipts,
                mirror_receipts: Receipts::new(),
                stable_for: 0,
                source: DecisionSource::Lease,
            });
        }
        let part = Check {
            mode: check.mode,
            charges: rest,
        };
        let sent = self.pool.now();
        // The denial cache was asked for the whole check, and not for this part of it.
        let miss = if part.charges.len() == check.charges.len() {
            miss
        } else {
            Miss::UNASKED
        };
        // Dropping `uncommitted` puts the leased charges back on an error or a cancellation from
        // here on.
        let inner = self.pool.inner();
        let outcomes = inner.decide(slice::from_ref(&part), miss).await?;
        let outcome = outcomes.into_iter().next();
        let outcome = outcome.ok_or_else(StoreError::nothing)?;
        let allowed = outcome.allowed;
        let mut learned = part
            .charges
            .iter()
            .zip(outcome.verdicts)
            .map(|(charge, verdict)| {
                if is_leased(charge) && serves {
                    self.pool.learn(charge, &verdict, allowed, sent)
                } else {
                    verdict
                }
            });
        let learned: SmallVec<[Verdict; 1]> = learned.by_ref().collect();
        let mut learned = learned.into_iter();
        let merged = own
            .iter()
            .zip(&check.charges)
            .filter_map(|(own, charge)| match own {
                Some(verdict) if allowed || !serves => Some(*verdict),
                // The drop of `uncommitted` puts this charge back.
                Some(verdict) => Some(Verdict {
                    remaining: verdict.remaining.saturating_add(charge.cost),
                    ..*verdict
                }),
                None => learned.next(),
            });
        let verdicts = merged.collect();
        let receipts = match check.mode {
            Mode::ChargeForReceipts if allowed => {
                let mut asked = outcome.receipts.into_iter();
                let mut served = uncommitted.commit(check.mode).into_iter();
                let of = |own: &Option<Verdict>| match own {
                    Some(_) => served.next().flatten(),
                    None => asked.next().flatten(),
                };
                own.iter().map(of).collect()
            }
            Mode::ChargeForReceipts => vec![None; check.charges.len()],
            _ => {
                if allowed {
                    uncommitted.commit(check.mode);
                }
                Receipts::new()
            }
        };
        Ok(Outcome {
            allowed,
            verdicts,
            receipts,
            mirror_receipts: Receipts::new(),
            // The leases change, so the denial cache must not keep this.
            stable_for: 0,
            source: DecisionSource::Store,
        })
    }

    /// Refunds or settles charges at the store, also those that were served out of leases: a lease
    /// is charged there.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the store may have settled them. The pool does not learn of
    /// it, and shows what remained before until the store replies again.
    async fn settle_leased(&self, check: &Check<'_>) -> Result<Outcomes, StoreError> {
        let sent = self.pool.now();
        let mut outcomes = self.pool.ask_inner(check).await?;
        let verdicts = outcomes.iter_mut().flat_map(|one| &mut one.verdicts);
        for ((index, charge), verdict) in check.charges.iter().enumerate().zip(verdicts) {
            if is_leased(charge) {
                let settlement = check.mode.settlement(index);
                let given = settlement.map_or(0, |one| one.from.saturating_sub(one.to));
                *verdict = self.pool.refunded(charge, given, verdict, sent);
            }
        }
        Ok(outcomes)
    }

    /// Ends the leases of an identity that this outcome has blocked: they must not admit it.
    fn end_blocked(&self, check: &Check<'_>, outcome: &Outcome) {
        if !check.mode.is_charge() {
            return;
        }
        for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
            if verdict.blocked && !charge.key.kind.is_shadow() {
                self.pool.end_zone(&charge.key);
            }
        }
    }
}

impl<S: Store + 'static> Store for Leases<S> {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        if !may_be_served(check) {
            return self.pool.inner().try_decide(check);
        }
        if let Some(outcome) = self.serve_whole(check) {
            return Ok(outcome);
        }
        let missed = self.pool.inner().try_decide(check);
        missed.map_err(|miss| Miss {
            // Leases may still cover some of several charges.
            has_no_lease: check.mode.is_charge() && check.charges.len() == 1,
            ..miss
        })
    }

    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        match checks {
            [check] if may_be_served(check) => {
                // Rare paths are boxed, so that the future of the common path stays small to move.
                let outcome = Box::pin(self.decide_leased(check, miss)).await?;
                self.end_blocked(check, &outcome);
                Ok(Outcomes::from_buf([outcome]))
            }
            [check] if check.mode.is_settlement() => Box::pin(self.settle_leased(check)).await,
            _ => {
                let outcomes = self.pool.inner().decide(checks, miss).await?;
                for (check, outcome) in checks.iter().zip(&outcomes) {
                    self.end_blocked(check, outcome);
                }
                Ok(outcomes)
            }
        }
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.pool.drop_accounts(keys);
        let done = self.pool.inner().delete(keys).await;
        self.pool.drop_accounts(keys);
        done
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        self.pool.drop_selected(selection);
        let done = self.pool.inner().delete_selected(selection, bounds).await;
        self.pool.drop_selected(selection);
        done
    }

    async fn read_identity(
        &self,
        who: &IdentityQuery,
        bounds: ScanBounds,
    ) -> Result<(Vec<StoredEntry>, Scanned), StoreError> {
        self.pool.inner().read_identity(who, bounds).await
    }

    async fn block(
        &self,
        key: &Key<'_>,
        length: Micros,
        precedence: Precedence,
    ) -> Result<bool, StoreError> {
        let done = self.pool.inner().block(key, length, precedence).await;
        self.pool.end_zone(key);
        done
    }

    fn close(&self) {
        self.pool.inner().close();
    }
}

fn may_be_served(check: &Check<'_>) -> bool {
    let is_asked = check.mode.is_charge() || check.mode == Mode::Peek;
    is_asked && check.charges.iter().any(is_leased)
}

fn is_leased(charge: &Charge<'_>) -> bool {
    let lease = charge.limit.rate().map_or(0, Limit::lease_size);
    charge.cost > 0 && lease > 0
}
