//! Settlements: the costs of charges are changed after their decision, to what is known since, or
//! to nothing, which is a refund.

use std::{task::Poll, time::Duration};

use actix_throttle_core::{
    check::{Charge, Check, Mode, Outcome},
    decision::Decision,
};
use futures_util::future::{self, FutureExt};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    charged::{Charged, ChargedItem, Counted, DecidedBy},
    handle::Engine,
    log_lines::SETTLEMENT_FAILURES,
    observe::Event,
    store::interface::{Miss, StoreError},
};

/// Charges that were to be refunded while their settlement was under way.
pub(super) struct LateRefund {
    pub(super) charged: Charged,
    /// Tells the caller of the refund whether it was done.
    pub(super) told: oneshot::Sender<bool>,
}

impl Engine {
    /// Refunds what was charged, as far as it still counts, and returns how those limits stand
    /// then. `None` if the store could not do it, which is logged.
    ///
    /// # Cancel safety
    ///
    /// The part that needs no I/O is done before the first await. A task does the rest, even if the
    /// future is dropped.
    pub(crate) async fn refund(&self, charged: Charged) -> Option<Decision> {
        self.settle(charged, 0, |_, _| None).await
    }

    /// Changes the cost of each charge to `to`, as far as it still counts. Returns how their limits
    /// stand then. `None` if the store could not do it, which is logged.
    ///
    /// `ended` gets the charges as they count then, and may return some of them: those are
    /// refunded, and their [`LateRefund::told`] hears whether they were.
    ///
    /// # Cancel safety
    ///
    /// The part that needs no I/O is done before the first await. A task does the rest, even if the
    /// future is dropped.
    pub(super) async fn settle(
        &self,
        mut charged: Charged,
        to: u32,
        ended: impl FnOnce(Charged, Option<&Decision>) -> Option<LateRefund> + Send + 'static,
    ) -> Option<Decision> {
        let decided = self.try_settle(&mut charged, to);
        let engine = self.clone();
        let settle = async move {
            let settled = match decided {
                Ok(done) => Ok(done),
                Err(miss) => engine.settle_remotely(&mut charged, to, miss).await,
            };
            engine.settlement_ended(&charged, to, settled.as_ref());
            let settled = settled.ok();
            if let Some(LateRefund { mut charged, told }) = ended(charged, settled.as_ref()) {
                let done = match engine.try_settle(&mut charged, 0) {
                    Ok(done) => Ok(done),
                    Err(miss) => engine.settle_remotely(&mut charged, 0, miss).await,
                };
                engine.settlement_ended(&charged, 0, done.as_ref());
                // The refund's caller may have left.
                let _ = told.send(done.is_ok());
            }
            settled
        };
        // The first poll completes a settlement without I/O.
        let mut settle = Box::pin(settle);
        let first = future::poll_fn(|context| Poll::Ready(settle.poll_unpin(context))).await;
        if let Poll::Ready(settled) = first {
            return settled;
        }
        match Handle::try_current() {
            // The task does not panic, and is aborted only with its runtime.
            Ok(runtime) => runtime.spawn(settle).await.ok()?,
            Err(_) => settle.await,
        }
    }

    /// Every refund and every settlement ends here: `charged` counts as `to` now, unless `done` is
    /// an error. Wakes the first waiter of each counter in this process.
    fn settlement_ended(&self, charged: &Charged, to: u32, done: Result<&Decision, &StoreError>) {
        let now = self.clock().now();
        for one in charged.items() {
            self.wait_queues().notify(&one.charge.key(), now);
            if done.is_ok() {
                self.tell_settled(one, to);
            }
        }
        if let Err(error) = done {
            match to {
                0 => {
                    SETTLEMENT_FAILURES.log(format_args!("a charge could not be refunded: {error}"))
                }
                to => SETTLEMENT_FAILURES.log(format_args!(
                    "a charge could not be settled at {to}: {error}"
                )),
            }
        }
    }

    /// Tells the observers that a charge counts as `to` now; 0 is a refund.
    fn tell_settled(&self, one: &ChargedItem, to: u32) {
        self.observers().tell(|| match to {
            0 => Event::Refunded {
                policy: one.charge.policy(),
                identity: one.charge.identity(),
                cost: one.before,
            },
            actual => Event::Settled {
                policy: one.charge.policy(),
                identity: one.charge.identity(),
                estimate: one.before,
                actual,
            },
        });
    }

    /// Settles what in-memory stores have charged.
    ///
    /// # Errors
    ///
    /// A [`Miss`] if Redis has charged something, too, which
    /// [`settle_remotely`](Self::settle_remotely) settles.
    pub(super) fn try_settle(&self, charged: &mut Charged, to: u32) -> Result<Decision, Miss> {
        charged.start_settlement();
        let done = self.settle_locally(charged, to);
        let is_remote = |by| by == Some(DecidedBy::Store);
        let mut items = charged.items().iter();
        if let Some(done) = done
            && items.all(|one| one.store.is_none() && !is_remote(one.free))
        {
            return Ok(done);
        }
        let settlements = charged.settlements(DecidedBy::Store, to);
        let check = charged.check(Mode::Settle(&settlements));
        let outcome = self.try_decide(&check)?;
        let mut decision = charged.decision(&outcome, &check);
        drop(check);
        charged.count_as(DecidedBy::Store, to);
        if let Some(force) = charged.forced(DecidedBy::Store, to) {
            let outcome = self.try_decide(&force.check())?;
            force.record(charged, &outcome, &mut decision);
        }
        Ok(decision)
    }

    /// Settles what Redis has charged, after [`try_settle`](Self::try_settle).
    ///
    /// # Errors
    ///
    /// If Redis could not be told, or did not say so in time. Some of the charges, or all of them,
    /// may be settled all the same: `charged` then counts what is certain.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, Redis may have settled some of the charges, or all of them.
    /// A call of its own charges those of cost 0 last, so they may stay uncharged.
    /// [`settle`](Self::settle) runs this in a task, which only the end of its runtime drops.
    pub(super) async fn settle_remotely(
        &self,
        charged: &mut Charged,
        to: u32,
        miss: Miss,
    ) -> Result<Decision, StoreError> {
        let settlements = charged.settlements(DecidedBy::Store, to);
        let check = charged.check(Mode::Settle(&settlements));
        let decided = self.decide(&check, miss).await;
        let decided = decided.map(|outcome| charged.decision(&outcome, &check));
        drop(check);
        let mut decision = match decided {
            Ok(decision) => decision,
            Err(error) => {
                charged.may_count_as(DecidedBy::Store, to);
                let here = charged.items().iter().filter(|one| one.local.is_some());
                let here = here.map(|one| one.charge.charge());
                self.store().remember_debts(here);
                return Err(error);
            }
        };
        charged.count_as(DecidedBy::Store, to);
        if let Some(force) = charged.forced(DecidedBy::Store, to) {
            let outcome = self.decide(&force.check(), Miss::UNASKED).await?;
            force.record(charged, &outcome, &mut decision);
        }
        Ok(decision)
    }

    /// Settles what the local fallback has charged. `None` if it has charged nothing.
    fn settle_locally(&self, charged: &mut Charged, to: u32) -> Option<Decision> {
        let settlements = charged.settlements(DecidedBy::LocalFallback, to);
        let force = charged.forced(DecidedBy::LocalFallback, to);
        if settlements.iter().all(Option::is_none) && force.is_none() {
            return None;
        }
        let check = charged.check(Mode::Settle(&settlements));
        // A full store does what needs no room.
        let outcome = self.store().decide_locally(&check).ok()?;
        let mut decision = charged.decision(&outcome, &check).by_fallback();
        drop(check);
        charged.count_as(DecidedBy::LocalFallback, to);
        if let Some(force) = force
            && let Ok(outcome) = self.store().decide_locally(&force.check())
        {
            force.record(charged, &outcome, &mut decision);
        }
        let alone = charged.items().iter().filter(|one| one.store.is_none());
        let alone = alone.filter(|one| one.local.is_some());
        self.store()
            .remember_debts(alone.map(|one| one.charge.charge()));
        Some(decision)
    }
}

/// Charges of cost 0, which took nothing when they were decided and are charged when they are
/// settled.
struct Forced {
    charged: Charged,
    by: DecidedBy,
    to: u32,
}

impl Charged {
    /// Returns the charges of cost 0 that `by` has admitted, to be charged at `to`.
    fn forced(&self, by: DecidedBy, to: u32) -> Option<Forced> {
        let charged = self.free_by(by);
        let is_forced = to > 0 && !charged.is_empty();
        is_forced.then_some(Forced { charged, by, to })
    }
}

impl Forced {
    fn check(&self) -> Check<'_> {
        let Check { charges, .. } = self.charged.check(Mode::Force);
        let cost = self.to;
        let charges = charges.into_iter().map(|charge| Charge { cost, ..charge });
        Check {
            mode: Mode::Force,
            charges: charges.collect(),
        }
    }

    /// Keeps the receipts of what was charged, and how the limits stand since.
    fn record(&self, charged: &mut Charged, outcome: &Outcome, decision: &mut Decision) {
        let check = self.check();
        let after = self.charged.decision(outcome, &check);
        decision.refresh(&after, Duration::ZERO);
        for (at, forced) in self.charged.items().iter().enumerate() {
            let mut items = charged.items_mut().iter_mut();
            let Some(one) = items.find(|one| one.index() == forced.index()) else {
                continue;
            };
            let receipt = |receipts: &[_]| receipts.get(at).copied().flatten().map(Counted::of);
            match self.by {
                DecidedBy::Store => {
                    one.store = receipt(&outcome.receipts);
                    one.local = receipt(&outcome.mirror_receipts);
                }
                DecidedBy::LocalFallback => one.local = receipt(&outcome.receipts),
            }
        }
    }
}
