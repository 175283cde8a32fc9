//! An embedded store that stands by, for limits of [`FailureMode::Local`]: it decides while the
//! store inside cannot, under the same limits.
//!
//! It is told of what this process admits in good times, so an outage is no fresh quota. And for as
//! long afterwards as what it has let in itself counts, nobody goes on whom it would deny: the
//! return of the store, which knows nothing of those, is no fresh quota either.

use std::{
    cmp,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    interface::{Charge, Check, Mode, Outcome, Outcomes, Store, StoreError},
    memory::{Full, MemoryStore},
};
use crate::{
    algorithm::Wait,
    clock::{Clock, MAX_MICROS, Micros},
    decision::Verdict,
    failure_mode::FailureMode,
    key::Key,
    limit::{Algorithm, LimitRef, Refill},
};

#[derive(Debug)]
pub(crate) struct LocalFallback<S> {
    inner: S,
    local: MemoryStore,
    clock: Clock,
    /// When it last decided by itself; 0: never.
    last_local_decision: AtomicU64,
}

impl<S> LocalFallback<S> {
    pub(crate) fn new(inner: S, local: MemoryStore, clock: Clock) -> Self {
        Self {
            inner,
            local,
            clock,
            last_local_decision: AtomicU64::new(0),
        }
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Whether it can decide a charge by itself.
    pub(crate) fn can_decide_locally(&self, charge: &Charge<'_>) -> bool {
        is_local(charge) && self.local.has_room(charge)
    }

    /// Decides in place of the store inside, which could not.
    pub(crate) fn decide_locally(&self, check: &Check<'_>) -> Result<Outcome, Full> {
        if check.mode.is_charge() && !check.charges.is_empty() {
            // Even if it lets nobody in: what it knows of, the store may have lost by then.
            self.last_local_decision
                .fetch_max(self.clock.now(), Ordering::Relaxed);
        }
        self.local.decide_one(check)
    }

    /// Whether what was let in during an outage may still count for this limit.
    fn may_hold_outage_admissions(&self, limit: &LimitRef<'_>) -> bool {
        match self.last_local_decision.load(Ordering::Relaxed) {
            0 => false,
            latest => self.clock.now().saturating_sub(latest) < retention(limit),
        }
    }

    /// Whether a check may meet admissions of an outage.
    fn needs_local_check(&self, check: &Check<'_>) -> bool {
        // What was taken from the store inside is given back to it, or kept there, whatever is
        // known here.
        let asks = !matches!(check.mode, Mode::Refund(_) | Mode::Renew);
        let mut local = check.charges.iter().filter(|charge| is_local(charge));
        asks && local.any(|charge| self.may_hold_outage_admissions(&charge.limit))
    }

    /// Tells the embedded store what the one inside has decided.
    fn mirror(&self, check: &Check<'_>, outcome: &mut Outcome) {
        if check.mode == Mode::Renew {
            self.local.mirror_renewal(check, outcome);
        }
        if !check.mode.is_charge() && !matches!(check.mode, Mode::Refund(_)) {
            return;
        }
        for (place, charge) in check.charges.iter().enumerate() {
            if !is_local(charge) {
                continue;
            }
            let Some(verdict) = outcome.verdicts.get_mut(place) else {
                continue;
            };
            if let Mode::Refund(_) = check.mode {
                // What it was told of it is given back apart, by its own receipt.
                if self.may_hold_outage_admissions(&charge.limit) {
                    *verdict = stricter(*verdict, self.local.peek(charge));
                }
                continue;
            }
            if verdict.blocked {
                if let Wait::For(wait) = verdict.wait {
                    // Without room for it, it is not known of here.
                    let _ = self.local.start_block(&charge.key.block(), wait);
                }
            } else if outcome.allowed && verdict.wait == Wait::None {
                let wanted = check.mode == Mode::ChargeForReceipts;
                let (known, receipt) = self.local.mirror(charge, wanted);
                if receipt.is_some() {
                    outcome.mirror_receipts.resize(check.charges.len(), None);
                    outcome.mirror_receipts[place] = receipt;
                }
                if self.may_hold_outage_admissions(&charge.limit) {
                    *verdict = stricter(*verdict, known);
                }
            }
        }
    }
}

impl<S: Store> LocalFallback<S> {
    /// Decides a check of which some limits may still hold admissions of an outage.
    async fn decide_with_local_check(&self, check: &Check<'_>) -> Result<Outcomes, StoreError> {
        let look = |charge: &Charge<'_>| {
            let settling = is_local(charge) && self.may_hold_outage_admissions(&charge.limit);
            settling.then(|| self.local.peek(charge))
        };
        let known: Vec<Option<Verdict>> = check.charges.iter().map(look).collect();
        let denies = |(charge, known): (&Charge<'_>, &Option<Verdict>)| {
            !charge.limit.is_shadow() && known.is_some_and(|known| known.wait != Wait::None)
        };
        let denied = check.charges.iter().zip(&known).any(denies);
        if !denied {
            return self.inner.decide(std::slice::from_ref(check)).await;
        }
        // Taken from nobody; the answer still shows how every limit stands.
        let peek = Check {
            mode: Mode::Peek,
            charges: check.charges.clone(),
        };
        let mut outcomes = self.inner.decide(&[peek]).await?;
        for outcome in &mut outcomes {
            outcome.allowed = false;
            for (verdict, known) in outcome.verdicts.iter_mut().zip(&known) {
                if let Some(known) = known {
                    *verdict = stricter(*verdict, *known);
                }
            }
        }
        Ok(outcomes)
    }
}

fn is_local(charge: &Charge<'_>) -> bool {
    charge.failure_mode == FailureMode::Local
}

fn stricter(one: Verdict, other: Verdict) -> Verdict {
    let wait = match (one.wait, other.wait) {
        (Wait::Never, _) | (_, Wait::Never) => Wait::Never,
        (Wait::For(one), Wait::For(other)) => Wait::For(one.max(other)),
        (Wait::For(wait), Wait::None) | (Wait::None, Wait::For(wait)) => Wait::For(wait),
        (Wait::None, Wait::None) => Wait::None,
    };
    Verdict {
        wait,
        blocked: one.blocked || other.blocked,
        remaining: one.remaining.min(other.remaining),
        reset: one.reset.max(other.reset),
        more: match one.remaining.cmp(&other.remaining) {
            cmp::Ordering::Less => one.more,
            cmp::Ordering::Equal => one.more.max(other.more),
            cmp::Ordering::Greater => other.more,
        },
    }
}

/// For how long an admission counts at most.
fn retention(limit: &LimitRef<'_>) -> Micros {
    let limit = match limit {
        LimitRef::Rate(limit) => limit,
        LimitRef::Concurrency(limit, _) => return limit.expiry_micros(),
    };
    let windows = match (limit.kind(), limit.refill_kind()) {
        // A bucket in steady use never fills up, and so never forgets. To ask for ever does no
        // harm: a bucket that has seen a part of the admissions denies nobody whom one that has
        // seen them all would not.
        (Algorithm::TokenBucket, Refill::Greedy) => return MAX_MICROS,
        (Algorithm::TokenBucket, Refill::Interval) => limit.quota().div_ceil(limit.times().max(1)),
        (Algorithm::SlidingWindowCounter, _) => 2,
        (Algorithm::SlidingWindow | Algorithm::FixedWindow | Algorithm::LeakyBucket, _) => 1,
    };
    let counted = limit.window_micros().saturating_mul(windows.into());
    counted.max(limit.block_micros()).min(MAX_MICROS)
}

impl<S: Store> Store for LocalFallback<S> {
    async fn decide(&self, checks: &[Check<'_>]) -> Result<Outcomes, StoreError> {
        for check in checks {
            self.local.mirror_release(check);
        }
        let mut outcomes = if checks.iter().any(|check| self.needs_local_check(check)) {
            let mut outcomes = Outcomes::new();
            for check in checks {
                // Boxed, as it is seldom: others need not move about a future with room for it.
                outcomes.extend(Box::pin(self.decide_with_local_check(check)).await?);
            }
            outcomes
        } else {
            self.inner.decide(checks).await?
        };
        for (check, outcome) in checks.iter().zip(&mut outcomes) {
            self.mirror(check, outcome);
        }
        Ok(outcomes)
    }

    fn try_decide(&self, check: &Check<'_>) -> Option<Outcome> {
        if self.needs_local_check(check) {
            return None;
        }
        let mut outcome = self.inner.try_decide(check)?;
        self.mirror(check, &mut outcome);
        Some(outcome)
    }

    async fn delete(&self, keys: &[Key<'_>]) -> Result<(), StoreError> {
        self.local.delete(keys).await?;
        self.inner.delete(keys).await
    }

    async fn block(&self, key: &Key<'_>, length: Micros) -> Result<(), StoreError> {
        let _ = self.local.start_block(key, length);
        self.inner.block(key, length).await
    }

    fn close(&self) {
        self.inner.close();
    }
}
