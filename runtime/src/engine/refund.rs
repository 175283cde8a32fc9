//! Refunds: what decisions have charged, and its return to the store. Rules, permits and outbound
//! calls refund, each receipt once.

use actix_throttle_core::{
    algorithm::Receipt,
    check::{Check, Mode, Outcome, Receipts},
    decision::Decision,
};
use log::Level;
use tokio::runtime::Handle;

use super::{
    concurrency::OwnedCharge,
    handle::Engine,
    log_throttle::LogThrottle,
    store::interface::{Miss, StoreError},
};

/// The charges of a decision that can be refunded, once. It owns all it needs, so it may outlive
/// the request.
#[derive(Clone, Debug)]
pub(crate) struct Refund(Vec<ChargedItem>);

/// One charge of the decision, with its receipts.
#[derive(Clone, Debug)]
struct ChargedItem {
    /// Index of the charge in the decision's check.
    index: u32,
    charge: OwnedCharge,
    /// Receipt of the store.
    store: Option<Receipt>,
    /// Receipt of the in-memory store of the local fallback, which has decided the charge or
    /// mirrored it.
    local: Option<Receipt>,
}

/// Receipts of one decision. Each list is empty if there are none, else has one for each charge.
#[derive(Debug, Default)]
pub(crate) struct ChargeReceipts {
    pub(super) store: Receipts,
    pub(super) local: Receipts,
}

static FAILURES: LogThrottle = LogThrottle::new(Level::Warn);

impl Engine {
    /// Refunds what was charged, as far as it still counts, and returns how those limits stand
    /// then. `None` if the store could not do it, which is logged.
    ///
    /// # Cancel safety
    ///
    /// The part that needs no I/O is done before the first await. A task does the rest, even if the
    /// future is dropped.
    pub(crate) async fn refund(&self, refund: Refund) -> Option<Decision> {
        let miss = match self.try_refund(&refund) {
            Ok(done) => {
                self.notify_waiters(&refund);
                return Some(done);
            }
            Err(miss) => miss,
        };
        let engine = self.clone();
        let refund = async move {
            let done = engine.refund_remotely(&refund, miss).await;
            engine.notify_waiters(&refund);
            done.inspect_err(|error| {
                FAILURES.log(format_args!("a charge could not be refunded: {error}"));
            })
        };
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn(refund).await.ok()?.ok(),
            Err(_) => refund.await.ok(),
        }
    }

    /// Wakes the first waiter of each refunded counter in this process.
    fn notify_waiters(&self, refund: &Refund) {
        let now = self.clock().now();
        for one in &refund.0 {
            self.wait_queues().notify(&one.charge.key(), now);
        }
    }

    /// Refunds what in-memory stores have charged.
    ///
    /// # Errors
    ///
    /// A [`Miss`] if Redis has charged something, too, which
    /// [`refund_remotely`](Self::refund_remotely) refunds.
    pub(super) fn try_refund(&self, refund: &Refund) -> Result<Decision, Miss> {
        if let Some(done) = self.refund_locally(refund)
            && refund.0.iter().all(|one| one.store.is_none())
        {
            return Ok(done);
        }
        let receipts = refund.receipts(|one| one.store);
        let check = refund.check(&receipts);
        let outcome = self.try_decide(&check)?;
        Ok(refund.decision(&outcome, &check))
    }

    /// Refunds what the local fallback has charged. `None` if it has charged nothing.
    fn refund_locally(&self, refund: &Refund) -> Option<Decision> {
        let receipts = refund.receipts(|one| one.local);
        if receipts.iter().all(Option::is_none) {
            return None;
        }
        let check = refund.check(&receipts);
        // A refund needs no room, so a full store does it too.
        let outcome = self.store().decide_locally(&check).ok()?;
        Some(refund.decision(&outcome, &check).by_fallback())
    }

    pub(super) async fn refund_remotely(
        &self,
        refund: &Refund,
        miss: Miss,
    ) -> Result<Decision, StoreError> {
        let receipts = refund.receipts(|one| one.store);
        let check = refund.check(&receipts);
        let outcome = self.decide(&check, miss).await?;
        Ok(refund.decision(&outcome, &check))
    }
}

impl ChargeReceipts {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            store: outcome.receipts,
            local: outcome.mirror_receipts,
        }
    }
}

impl Refund {
    /// Returns what the charges of a check can be refunded for.
    pub(crate) fn of(check: &Check<'_>, receipts: &ChargeReceipts) -> Self {
        let receipt = |of: &Receipts, at: usize| of.get(at).copied().flatten();
        let charges = (0..).zip(&check.charges).enumerate();
        let charged = charges.map(|(at, (index, charge))| ChargedItem {
            index,
            charge: OwnedCharge::of(charge),
            store: receipt(&receipts.store, at),
            local: receipt(&receipts.local, at),
        });
        Self(charged.collect())
    }

    /// The refund of a decision that has charged nothing.
    #[cfg(feature = "test-util")]
    pub(super) fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Keeps only the charges that `wanted` selects by their index in the decision, and that took
    /// anything.
    pub(crate) fn retain(mut self, mut wanted: impl FnMut(usize) -> bool) -> Self {
        let charges = &mut self.0;
        charges.retain(|one| one.has_receipt() && wanted(one.index as usize));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each charge took anything at all.
    #[cfg(feature = "test-util")]
    pub(super) fn was_charged(&self) -> Vec<bool> {
        self.0.iter().map(ChargedItem::has_receipt).collect()
    }

    fn receipts(&self, of: impl Fn(&ChargedItem) -> Option<Receipt>) -> Receipts {
        self.0.iter().map(of).collect()
    }

    fn check<'a>(&'a self, receipts: &'a Receipts) -> Check<'a> {
        Check {
            mode: Mode::Refund(receipts),
            charges: self.0.iter().map(|one| one.charge.charge()).collect(),
        }
    }

    fn decision(&self, outcome: &Outcome, check: &Check<'_>) -> Decision {
        let indices = self.0.iter().map(|one| one.index);
        outcome.decision(indices.zip(&check.charges))
    }
}

impl ChargedItem {
    fn has_receipt(&self) -> bool {
        self.store.is_some() || self.local.is_some()
    }
}
