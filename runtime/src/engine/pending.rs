//! [`PendingCharges`]: charges at an estimate, until they are settled or refunded. The request, its
//! handler and its response's body share them, and each may be the first to know.

use std::sync::Arc;

use actix_throttle_core::decision::Decision;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{charged::Charged, handle::Engine, settle::LateRefund};

/// The charges of one decision that may be settled, once. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct PendingCharges(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    estimate: u32,
    /// The end of the range of the charges' indices in the decision's check.
    charges: usize,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
enum Stage {
    /// The estimate counts.
    Charged(Charged),
    /// A settlement is under way.
    Settling {
        /// The indices of the charges whose refund was asked for meanwhile. The settlement's task
        /// refunds them once the settlement has ended.
        refunded: Vec<usize>,
        /// The receiver of whether they were refunded, for the first caller that waits for it.
        told: Option<oneshot::Receiver<bool>>,
    },
    /// The charges are settled. The decision has how the limits stood then, until a refund takes
    /// it. `None`: the store could not do it, or the decision was taken.
    Settled(Charged, Option<Decision>),
}

impl PendingCharges {
    pub(crate) fn new(engine: Engine, charged: Charged) -> Self {
        Self(Arc::new(Inner {
            engine,
            estimate: charged.cost(),
            charges: charged.indices_end(),
            stage: Mutex::new(Stage::Charged(charged)),
        }))
    }

    /// Returns the cost that was charged.
    pub(crate) fn estimate(&self) -> u32 {
        self.0.estimate
    }

    /// Settles the charges at `actual`. Returns `false` if they were settled before, or if the
    /// store could not be told, which is logged.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the settlement is carried out even if the future is dropped.
    pub(crate) async fn settle(&self, actual: u32) -> bool {
        let (tell, told) = oneshot::channel();
        let charged = {
            let mut stage = self.0.stage.lock();
            let settling = Stage::Settling {
                refunded: Vec::new(),
                told: Some(told),
            };
            match std::mem::replace(&mut *stage, settling) {
                Stage::Charged(charged) => charged,
                other => {
                    *stage = other;
                    return false;
                }
            }
        };
        if charged.is_empty() {
            // Nothing was charged, or all of it is refunded already.
            self.end(charged, None, tell);
            return self.0.charges == 0;
        }
        let pending = self.clone();
        let ended =
            move |charged, done: Option<&Decision>| pending.end(charged, done.cloned(), tell);
        self.0.engine.settle(charged, actual, ended).await.is_some()
    }

    /// Records that a settlement has ended. Returns what was refunded meanwhile.
    fn end(
        &self,
        charged: Charged,
        done: Option<Decision>,
        told: oneshot::Sender<bool>,
    ) -> Option<LateRefund> {
        let mut stage = self.0.stage.lock();
        let wanted = match &*stage {
            Stage::Settling { refunded, .. } => refunded.clone(),
            Stage::Charged(_) | Stage::Settled(..) => Vec::new(),
        };
        let (charged, kept) = charged.split(|index| wanted.contains(&index));
        *stage = Stage::Settled(kept, done);
        if charged.is_empty() {
            // Nothing is left to refund. Mostly no refund has asked.
            let _ = told.send(true);
            return None;
        }
        Some(LateRefund { charged, told })
    }

    /// Takes the charges that `wanted` selects by their index in the decision, to be refunded; if
    /// they were settled, at what they were settled. They cannot be settled any more. A settlement
    /// that is under way refunds them itself.
    ///
    /// Returns as well how the limits stood after a settlement, once.
    pub(crate) fn take(
        &self,
        wanted: impl Fn(usize) -> bool,
    ) -> (Option<Charged>, Option<Decision>) {
        self.take_from(&mut self.0.stage.lock(), wanted)
    }

    /// Takes all charges, as [`take`](Self::take) does. Returns as well what receives, if a
    /// settlement is under way, whether it has refunded them: nothing is sent if it is dropped,
    /// which only the end of its runtime does.
    pub(super) fn take_all(&self) -> (Option<Charged>, Option<oneshot::Receiver<bool>>) {
        let mut stage = self.0.stage.lock();
        let (charged, _) = self.take_from(&mut stage, |_| true);
        let told = match &mut *stage {
            Stage::Settling { told, .. } => told.take(),
            Stage::Charged(_) | Stage::Settled(..) => None,
        };
        (charged, told)
    }

    fn take_from(
        &self,
        stage: &mut Stage,
        wanted: impl Fn(usize) -> bool,
    ) -> (Option<Charged>, Option<Decision>) {
        let nothing = Stage::Settling {
            refunded: Vec::new(),
            told: None,
        };
        let (stage_after, refunded, settled) = match std::mem::replace(stage, nothing) {
            Stage::Charged(charged) => {
                let (refunded, kept) = charged.split(wanted);
                (Stage::Charged(kept), Some(refunded), None)
            }
            Stage::Settling { mut refunded, told } => {
                refunded.extend((0..self.0.charges).filter(|index| wanted(*index)));
                (Stage::Settling { refunded, told }, None, None)
            }
            Stage::Settled(charged, done) => {
                let (refunded, kept) = charged.split(wanted);
                (Stage::Settled(kept, None), Some(refunded), done)
            }
        };
        *stage = stage_after;
        (refunded.filter(|refunded| !refunded.is_empty()), settled)
    }
}
