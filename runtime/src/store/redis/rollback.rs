//! Charges of a check in some parts of a cluster, while others have not answered.

use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::{runtime::Handle, time::Instant};

use super::{
    executor::Executor,
    reply,
    script::{Call, CallContext},
    split::SlotPart,
};
use crate::{
    algorithm::Receipt,
    store::interface::{Check, Mode, Outcome, StoreError},
};

/// Dropped before it is settled, as when the client leaves or a part fails, it gives everything
/// back in the background.
pub(super) struct Rollback {
    executor: Arc<Executor>,
    /// By the place of the part.
    refunds: Mutex<Vec<(usize, Arc<SlotRefund>)>>,
}

/// The calls that give back the charges of one part. The script knows each of the calls again, so
/// sending it twice does no harm.
struct SlotRefund {
    /// All of it at once, if the part is no single charge.
    whole: Option<Call>,
    /// Key by key, for a slot whose keys are being moved.
    each: Vec<Call>,
}

impl Rollback {
    pub(super) fn new(executor: &Arc<Executor>) -> Self {
        Self {
            executor: Arc::clone(executor),
            refunds: Mutex::default(),
        }
    }

    pub(super) fn add(
        &self,
        place: usize,
        part: &SlotPart<'_>,
        terms: &CallContext<'_>,
        receipts: &[Option<Receipt>],
    ) {
        let check = Check {
            mode: Mode::Refund(receipts),
            charges: part.charges.iter().copied().collect(),
        };
        let each = part.charges.iter().zip(receipts);
        let each = each.filter_map(|(charge, receipt)| {
            receipt.as_ref()?;
            let check = Check {
                mode: Mode::Refund(std::slice::from_ref(receipt)),
                charges: [*charge].into_iter().collect(),
            };
            Some(Call::decide_alone(terms, &check))
        });
        let refund = SlotRefund {
            each: each.collect(),
            whole: (!part.is_alone).then(|| Call::decide(terms, &[check])),
        };
        self.refunds.lock().push((place, Arc::new(refund)));
    }

    pub(super) fn commit(self) {
        self.refunds.lock().clear();
    }

    /// How things stand in the parts that have been given back to, as far as that is known.
    pub(super) async fn refund(
        self,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Vec<(usize, Outcome)> {
        let refunds = self.refunds.lock().clone();
        let given = refunds
            .iter()
            .map(|(_, refund)| refund.give_back(&self.executor, deadline));
        let given = join_all(given).await;
        let mut outcomes = Vec::with_capacity(refunds.len());
        for ((place, _), given) in refunds.iter().zip(given) {
            let Ok(reply) = given else {
                // Once more, when this is dropped.
                continue;
            };
            self.refunds.lock().retain(|(of, _)| of != place);
            let check = parts.get(*place).map(|part| Check {
                mode: Mode::Refund(&[]),
                charges: part.charges.iter().copied().collect(),
            });
            if let (Some(check), Some(reply)) = (check, reply)
                && let Ok(outcome) = reply::outcome(&reply, &check)
            {
                outcomes.push((*place, outcome));
            }
        }
        outcomes
    }
}

impl SlotRefund {
    /// The reply of the one call that gave all of it back, if one did.
    async fn give_back(
        &self,
        executor: &Executor,
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(whole) = &self.whole {
            let reply = executor.run(whole, deadline).await?;
            if reply != reply::MIGRATING {
                return Ok(Some(reply));
            }
        }
        let each = self.each.iter().map(|call| executor.run(call, deadline));
        let mut replies = join_all(each)
            .await
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        // One that stands for a part of one charge.
        let is_whole = self.whole.is_none();
        Ok(replies.pop().filter(|_| is_whole))
    }
}

impl Drop for Rollback {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        for (_, refund) in self.refunds.get_mut().drain(..) {
            let executor = Arc::clone(&self.executor);
            runtime.spawn(async move { refund.give_back(&executor, executor.deadline()).await });
        }
    }
}
