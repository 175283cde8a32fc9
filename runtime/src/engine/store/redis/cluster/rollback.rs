//! The rollback of a check in a cluster: it refunds the parts that were charged when another part
//! denies or fails. `split.rs` records each charge here and then commits or refunds.

use std::sync::Arc;

use actix_throttle_core::{
    algorithm::Receipt,
    check::{Check, Mode, Outcome},
};
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::{runtime::Handle, time::Instant};

use crate::engine::store::interface::StoreError;
use crate::engine::store::redis::{
    cluster::part::SlotPart,
    executor::Executor,
    reply,
    script::{Call, CallContext},
};

/// The refunds of a check that is being charged. If it is dropped before `commit`, as when the
/// client leaves or a part fails, it sends them in the background, if there is a tokio runtime.
pub(crate) struct Rollback {
    executor: Arc<Executor>,
    /// The refunds, each with the index of its part.
    refunds: Mutex<Vec<(usize, Arc<SlotRefund>)>>,
}

/// The calls that refund the charges of one part. The script recognises a repeated call, so it is
/// harmless to send each of them twice.
struct SlotRefund {
    /// The refund of the whole part by one call; `None` for a single charge that is decided by key.
    whole: Option<Call>,
    /// Refunds of the part key by key, for a slot that is being migrated.
    each: Vec<Call>,
}

impl Rollback {
    pub(crate) fn new(executor: &Arc<Executor>) -> Self {
        Self {
            executor: Arc::clone(executor),
            refunds: Mutex::default(),
        }
    }

    pub(crate) fn add(
        &self,
        index: usize,
        part: &SlotPart<'_>,
        context: &CallContext<'_>,
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
            Some(Call::decide_single_key(context, &check))
        });
        let refund = SlotRefund {
            each: each.collect(),
            whole: (!part.is_alone).then(|| Call::decide(context, &[check])),
        };
        self.refunds.lock().push((index, Arc::new(refund)));
    }

    /// Keeps all charges.
    pub(crate) fn commit(self) {
        self.refunds.lock().clear();
    }

    /// Refunds all parts, and returns their outcomes afterwards, as far as those are known.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, it sends the missing refunds in the background.
    pub(crate) async fn refund(
        self,
        parts: &[SlotPart<'_>],
        deadline: Instant,
    ) -> Vec<(usize, Outcome)> {
        let refunds = self.refunds.lock().clone();
        let replies = refunds
            .iter()
            .map(|(_, refund)| refund.send(&self.executor, deadline));
        let replies = join_all(replies).await;
        let mut outcomes = Vec::with_capacity(refunds.len());
        for ((index, _), result) in refunds.iter().zip(replies) {
            let Ok(reply) = result else {
                // The refund is sent again when this is dropped.
                continue;
            };
            self.refunds.lock().retain(|(of, _)| of != index);
            let check = parts.get(*index).map(|part| Check {
                mode: Mode::Refund(&[]),
                charges: part.charges.iter().copied().collect(),
            });
            if let (Some(check), Some(reply)) = (check, reply)
                && let Ok(outcome) = reply::outcome(&reply, &check)
            {
                outcomes.push((*index, outcome));
            }
        }
        outcomes
    }
}

impl SlotRefund {
    /// Refunds the part. Returns the reply of the call that refunded all of it, if one call did.
    async fn send(
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
        // The part is one charge if there is no `whole`, and so the one reply is about all of it.
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
            runtime.spawn(async move { refund.send(&executor, executor.deadline()).await });
        }
    }
}
