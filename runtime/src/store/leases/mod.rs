//! A layer that takes parts of a quota at once, for limits that allow it, and serves hot identities
//! out of those without asking the store.
//!
//! What is leased is charged at the store already, so no other process can have it too. It is held
//! for a tenth of the window at most, and then given back. So all processes together admit within
//! any window at most the limit and what was on lease at its beginning. A fixed window's leases end
//! with it: there it is the limit exactly.
//!
//! An identity is leased for once it comes often: two requests within a lease's lifetime. The first
//! lease is small and each that is used up is followed by one twice as large, up to the limit's
//! `lease`; the store grants a share of what remains at most, so leases shrink with the quota.

mod account;
mod background;
mod pool;
mod table;
#[cfg(all(test, feature = "test-util"))]
mod tests;

use std::{slice, sync::Arc};

use smallvec::SmallVec;

pub(crate) use self::pool::LeasePool;
use super::interface::{
    Charge, Charges, Check, Mode, Outcome, Outcomes, Receipts, Store, StoreError,
};
use crate::{
    algorithm::Receipt,
    clock::{Clock, Micros},
    decision::Verdict,
    key::Key,
    limit::Limit,
};
use account::LocalCharge;

#[derive(Debug)]
pub(crate) struct Leases<S> {
    desk: Arc<LeasePool<S>>,
}

impl<S> Leases<S> {
    pub(crate) fn new(inner: S, max_keys: usize, clock: Clock) -> Self {
        Self {
            desk: Arc::new(LeasePool::new(inner, max_keys, clock)),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        self.desk.inner()
    }
}

impl<S: Store + 'static> Leases<S> {
    /// Gives everything back that is on lease here, and leases nothing more.
    pub(crate) async fn retire(&self) {
        self.desk.return_leases().await;
    }

    /// Serves a check here if that can be done with all of it.
    fn serve_whole(&self, check: &Check<'_>) -> Option<Outcome> {
        if !check.mode.is_charge() || !check.charges.iter().all(is_leased) {
            return None;
        }
        let mut held = LeasedCharge::new(&self.desk);
        let verdicts = check.charges.iter().map(|charge| held.take(charge));
        let verdicts = verdicts.collect::<Option<_>>()?;
        Some(Outcome {
            allowed: true,
            verdicts,
            receipts: held.commit(check.mode),
            mirror_receipts: Receipts::new(),
            stable_for: 0,
        })
    }

    /// Serves here what can be, and has the store decide the rest. All of it is charged or nothing.
    async fn decide_leased(&self, check: &Check<'_>) -> Result<Outcome, StoreError> {
        let serves = check.mode.is_charge();
        let mut held = LeasedCharge::new(&self.desk);
        let mut rest = Charges::new();
        let mut own: SmallVec<[Option<Verdict>; 1]> = SmallVec::new();
        for charge in &check.charges {
            let verdict = match (is_leased(charge), serves) {
                (true, true) => held.take(charge),
                (true, false) => self.desk.peek(charge),
                (false, _) => None,
            };
            if verdict.is_none() {
                rest.push(*charge);
            }
            own.push(verdict);
        }
        if rest.is_empty() {
            let receipts = held.commit(check.mode);
            return Ok(Outcome {
                allowed: true,
                verdicts: own.into_iter().flatten().collect(),
                receipts,
                mirror_receipts: Receipts::new(),
                stable_for: 0,
            });
        }
        let part = Check {
            mode: check.mode,
            charges: rest,
        };
        let sent = self.desk.now();
        // Whatever ends this early, what was taken here is put back.
        let outcomes = self.desk.inner().decide(slice::from_ref(&part)).await?;
        let outcome = outcomes.into_iter().next();
        let outcome = outcome.ok_or_else(|| StoreError::new("the store has answered nothing"))?;
        let allowed = outcome.allowed;
        let mut learned = part
            .charges
            .iter()
            .zip(outcome.verdicts)
            .map(|(charge, verdict)| match is_leased(charge) && serves {
                true => self.desk.learn(charge, &verdict, allowed, sent),
                false => verdict,
            });
        let learned: SmallVec<[Verdict; 1]> = learned.by_ref().collect();
        let mut learned = learned.into_iter();
        let merged = own
            .iter()
            .zip(&check.charges)
            .filter_map(|(own, charge)| match own {
                Some(verdict) if allowed || !serves => Some(*verdict),
                // Put back below.
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
                let mut served = held.commit(check.mode).into_iter();
                let of = |own: &Option<Verdict>| match own {
                    Some(_) => served.next().flatten(),
                    None => asked.next().flatten(),
                };
                own.iter().map(of).collect()
            }
            Mode::ChargeForReceipts => vec![None; check.charges.len()],
            _ => {
                if allowed {
                    held.commit(check.mode);
                }
                Receipts::new()
            }
        };
        Ok(Outcome {
            allowed,
            verdicts,
            receipts,
            mirror_receipts: Receipts::new(),
            // What is on lease changes.
            stable_for: 0,
        })
    }

    /// What was served here was charged at the store, which has it back.
    async fn refund_leased(
        &self,
        check: &Check<'_>,
        receipts: &[Option<Receipt>],
    ) -> Result<Outcomes, StoreError> {
        let sent = self.desk.now();
        let mut outcomes = self.desk.inner().decide(slice::from_ref(check)).await?;
        let verdicts = outcomes.iter_mut().flat_map(|one| &mut one.verdicts);
        for ((charge, receipt), verdict) in check.charges.iter().zip(receipts).zip(verdicts) {
            if is_leased(charge) {
                let taken = receipt.map_or(0, |receipt| receipt.taken);
                *verdict = self.desk.refunded(charge, taken, verdict, sent);
            }
        }
        Ok(outcomes)
    }

    /// Whoever is blocked is served nothing more here.
    fn end_blocked(&self, check: &Check<'_>, outcome: &Outcome) {
        if !check.mode.is_charge() {
            return;
        }
        for (charge, verdict) in check.charges.iter().zip(&outcome.verdicts) {
            if verdict.blocked && !charge.limit.is_shadow() {
                self.desk.end_zone(&charge.key);
            }
        }
    }
}

fn is_leased(charge: &Charge<'_>) -> bool {
    let lease = charge.limit.rate().map_or(0, Limit::lease_size);
    charge.cost > 0 && lease > 0
}

/// What a request was served here while others have not answered it. Dropped, it is put back.
struct LeasedCharge<'a, S: Store + 'static> {
    desk: &'a Arc<LeasePool<S>>,
    served: SmallVec<[(table::AccountKey, LocalCharge); 1]>,
}

impl<'a, S: Store + 'static> LeasedCharge<'a, S> {
    fn new(desk: &'a Arc<LeasePool<S>>) -> Self {
        Self {
            desk,
            served: SmallVec::new(),
        }
    }

    fn take(&mut self, charge: &Charge<'_>) -> Option<Verdict> {
        let (at, served) = self.desk.take(charge)?;
        self.served.push((at, served));
        Some(served.verdict)
    }

    /// The receipts of what was served, if they are asked for.
    fn commit(&mut self, mode: Mode<'_>) -> Receipts {
        let served = std::mem::take(&mut self.served);
        match mode {
            Mode::ChargeForReceipts => {
                let receipts = served.into_iter();
                receipts.map(|(_, served)| Some(served.receipt)).collect()
            }
            _ => Receipts::new(),
        }
    }
}

impl<S: Store + 'static> Drop for LeasedCharge<'_, S> {
    fn drop(&mut self) {
        for (at, served) in self.served.drain(..) {
            self.desk.put_back(at, &served);
        }
    }
}

impl<S: Store + 'static> Store for Leases<S> {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        match checks {
            [check] if may_be_served(check) => {
                // Boxed here and wherever a way is seldom gone, so that the others need not move
                // about a future with room for it.
                let outcome = Box::pin(self.decide_leased(check)).await?;
                self.end_blocked(check, &outcome);
                Ok(Outcomes::from_buf([outcome]))
            }
            [
                check @ Check {
                    mode: Mode::Refund(receipts),
                    ..
                },
            ] => Box::pin(self.refund_leased(check, receipts)).await,
            _ => {
                let outcomes = self.desk.inner().decide(checks).await?;
                for (check, outcome) in checks.iter().zip(&outcomes) {
                    self.end_blocked(check, outcome);
                }
                Ok(outcomes)
            }
        }
    }

    fn try_decide(&self, check: &Check<'_>) -> Option<Outcome> {
        let served = may_be_served(check).then(|| self.serve_whole(check));
        let served = served.flatten();
        served.or_else(|| self.desk.inner().try_decide(check))
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.desk.drop_accounts(keys);
        let done = self.desk.inner().delete(keys).await;
        self.desk.drop_accounts(keys);
        done
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        let done = self.desk.inner().block(key, length).await;
        self.desk.end_zone(key);
        done
    }

    fn close(&self) {
        self.desk.inner().close();
    }
}

fn may_be_served(check: &Check<'_>) -> bool {
    let is_asked = check.mode.is_charge() || check.mode == Mode::Peek;
    is_asked && check.charges.iter().any(is_leased)
}
