//! A layer with an in-memory store as the local fallback of Redis, for limits of
//! [`FailureMode::Local`]: it decides by the same limits while the store inside cannot. The
//! [`Stack`](super::Stack) calls it.
//!
//! The store inside is mirrored: what this process admits through it is charged to the local
//! fallback too, so an outage is no fresh quota. After an outage, for as long as its admissions
//! still count, a request is denied if the local fallback denies it: the store inside has not seen
//! those admissions, so its return is no fresh quota either.

mod debts;
mod local_check;
mod reservation;
mod stricter;

use std::sync::atomic::{AtomicU64, Ordering};

use actix_throttle_core::{
    algorithm::Wait,
    check::{Charge, Charges, Check, Mode, Outcome, Outcomes},
    decide::Precedence,
    failure_mode::FailureMode,
    identity::IdentityQuery,
    key::{Key, KeySelection},
    limit::LimitRef,
    stored::StoredEntry,
    time::Micros,
};

use self::{debts::Debts, reservation::Reservation, stricter::stricter};
use super::{
    interface::{Miss, ScanBounds, Scanned, Store, StoreError},
    memory::{Full, MemoryStore, StoreSize},
};
use crate::engine::clock::Clock;

#[derive(Debug)]
pub(crate) struct LocalFallback<S> {
    inner: S,
    local: MemoryStore,
    clock: Clock,
    /// The time at which the local fallback last decided, in microseconds; 0 if it never has. It is
    /// relaxed, because no other memory depends on it.
    last_local_decision: AtomicU64,
    debts: Debts,
}

impl<S> LocalFallback<S> {
    pub(crate) fn new(inner: S, local: MemoryStore, clock: Clock) -> Self {
        Self {
            inner,
            local,
            clock,
            last_local_decision: AtomicU64::new(0),
            debts: Debts::new(),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Returns how full the local fallback is.
    pub(crate) fn local_size(&self) -> StoreSize {
        self.local.size()
    }

    /// Returns whether the local fallback can decide this charge.
    pub(crate) fn can_decide_locally(&self, charge: &Charge<'_>) -> bool {
        is_local(charge) && self.local.has_room(charge)
    }

    /// Decides in place of the store inside, which could not.
    pub(crate) fn decide_locally(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        if check.mode.is_charge() && !check.charges.is_empty() {
            // A denial counts, too: the store may lose the usage that the local fallback has.
            self.last_local_decision
                .fetch_max(self.clock.now(), Ordering::Relaxed);
        }
        self.local.decide_one(check)
    }

    /// Remembers what these charges owe here after a settlement that the store inside was not told
    /// of, as far as it lasts longer than an admission counts.
    pub(crate) fn remember_debts<'a>(&self, charges: impl Iterator<Item = Charge<'a>>) {
        let now = self.clock.now();
        let latest = self.last_local_decision.load(Ordering::Relaxed);
        for charge in charges.filter(is_local) {
            let end = now.saturating_add(self.local.peek(&charge).reset);
            if end > latest.saturating_add(retention(&charge.limit)) {
                self.debts.record(&charge.key, end, now);
            }
        }
    }

    /// Returns whether admissions of an outage may still count for this charge.
    fn may_hold_outage_admissions(&self, charge: &Charge<'_>) -> bool {
        match self.last_local_decision.load(Ordering::Relaxed) {
            0 => false,
            latest => {
                let now = self.clock.now();
                now.saturating_sub(latest) < retention(&charge.limit)
                    || self.debts.may_hold(&charge.key, now)
            }
        }
    }

    /// Returns whether the local fallback must be consulted because of an earlier outage.
    fn needs_local_check(&self, check: &Check<'_>) -> bool {
        // A refund, settlement or renewal concerns what the store inside has charged, whatever the
        // local fallback says.
        let asks = !check.mode.is_settlement() && !matches!(check.mode, Mode::Renew | Mode::Force);
        let mut local = check.charges.iter().filter(|charge| is_local(charge));
        asks && local.any(|charge| self.may_hold_outage_admissions(charge))
    }

    /// Mirrors to the local fallback what the store inside has decided, apart from what was
    /// reserved there before.
    fn mirror(&self, check: &Check<'_>, outcome: &mut Outcome, mut reserved: Reservation<'_, '_>) {
        if check.mode == Mode::Renew {
            self.local.mirror_renewal(check, outcome);
        }
        let is_forced = check.mode == Mode::Force;
        if !check.mode.is_charge() && !check.mode.is_settlement() && !is_forced {
            return;
        }
        for (index, charge) in check.charges.iter().enumerate() {
            if !is_local(charge) {
                continue;
            }
            let Some(verdict) = outcome.verdicts.get_mut(index) else {
                continue;
            };
            if check.mode.is_settlement() {
                // The mirrored charge is refunded separately, by its own receipt.
                if self.may_hold_outage_admissions(charge) {
                    *verdict = stricter(*verdict, self.local.peek(charge));
                }
                continue;
            }
            if is_forced {
                let forced = Check {
                    mode: Mode::Force,
                    charges: Charges::from_buf([*charge]),
                };
                // The charge stays unknown here if there is no room.
                if let Ok(forced) = self.local.decide_one(&forced) {
                    outcome.mirror_receipts.resize(check.charges.len(), None);
                    outcome.mirror_receipts[index] = forced.receipts.into_iter().next().flatten();
                }
                continue;
            }
            if verdict.blocked {
                if let Wait::For(wait) = verdict.wait {
                    // The block stays unknown here if there is no room.
                    let _ = self.local.mirror_block(charge, wait);
                }
            } else if outcome.allowed && verdict.wait == Wait::None {
                let wanted = check.mode == Mode::ChargeForReceipts;
                let reserved = reserved.take(index);
                let (known, receipt) =
                    reserved.unwrap_or_else(|| self.local.mirror(charge, wanted));
                if wanted && receipt.is_some() {
                    outcome.mirror_receipts.resize(check.charges.len(), None);
                    outcome.mirror_receipts[index] = receipt;
                }
                if self.may_hold_outage_admissions(charge) {
                    *verdict = stricter(*verdict, known);
                }
            }
        }
    }
}

fn is_local(charge: &Charge<'_>) -> bool {
    charge.failure_mode == FailureMode::Local
}

/// Returns the longest time that an admission counts, in microseconds.
fn retention(limit: &LimitRef<'_>) -> Micros {
    match limit {
        LimitRef::Rate(limit) => limit.retention(),
        LimitRef::Concurrency(limit, _) => limit.expiry_micros(),
    }
}

impl<S: Store> Store for LocalFallback<S> {
    fn try_decide(&self, check: &Check<'_>) -> Result<Outcome, Miss> {
        if self.needs_local_check(check) {
            return Err(Miss::UNASKED);
        }
        let mut outcome = self.inner.try_decide(check)?;
        self.mirror(check, &mut outcome, Reservation::new(&self.local, check));
        Ok(outcome)
    }

    async fn decide(&self, checks: &[Check<'_>], miss: Miss) -> Result<Outcomes, StoreError> {
        for check in checks {
            self.local.mirror_release(check);
        }
        if checks.iter().any(|check| self.needs_local_check(check)) {
            let mut outcomes = Outcomes::new();
            for check in checks {
                // The future is boxed, because this path is rare: inline, it would make every
                // future of `decide` larger.
                outcomes.push(Box::pin(self.decide_with_local_check(check)).await?);
            }
            return Ok(outcomes);
        }
        let mut outcomes = self.inner.decide(checks, miss).await?;
        for (check, outcome) in checks.iter().zip(&mut outcomes) {
            self.mirror(check, outcome, Reservation::new(&self.local, check));
        }
        Ok(outcomes)
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.local.delete(keys).await?;
        self.inner.delete(keys).await
    }

    async fn delete_selected(
        &self,
        selection: &KeySelection,
        bounds: ScanBounds,
    ) -> Result<Scanned, StoreError> {
        self.local.delete_selected(selection, bounds).await?;
        self.inner.delete_selected(selection, bounds).await
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
        let _ = self.local.start_block(key, length, precedence);
        self.inner.block(key, length, precedence).await
    }

    fn close(&self) {
        self.inner.close();
    }
}

#[cfg(test)]
mod tests;
