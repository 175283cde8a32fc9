//! What a check has taken in some slots of a cluster while others have not answered.

use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use redis::cluster_routing::Slot;
use tokio::{runtime::Handle, time::Instant};

use super::{
    executor::Executor,
    reply,
    script::{Call, Terms},
    slots::Part,
};
use crate::{
    algorithm::Receipt,
    store::interface::{Check, Mode, Outcome},
};

/// Dropped before it is settled, as
/// when the client leaves or a slot fails, it gives everything back in the background.
pub(super) struct Taken {
    executor: Arc<Executor>,
    /// The calls that give it back. Each carries its own once-key, so sending it again does no harm.
    calls: Mutex<Vec<(Slot, Arc<Call>)>>,
}

impl Taken {
    pub(super) fn new(executor: &Arc<Executor>) -> Self {
        Self {
            executor: Arc::clone(executor),
            calls: Mutex::default(),
        }
    }

    pub(super) fn add(&self, part: &Part<'_>, terms: &Terms<'_>, receipts: &[Option<Receipt>]) {
        let check = Check {
            mode: Mode::Refund(receipts),
            charges: part.charges.iter().copied().collect(),
        };
        let call = Call::decide(terms, &[check]);
        self.calls.lock().push((part.slot, Arc::new(call)));
    }

    pub(super) fn keep(self) {
        self.calls.lock().clear();
    }

    /// How things stand in the slots that have been given back to.
    pub(super) async fn give_back(
        self,
        parts: &[Part<'_>],
        deadline: Instant,
    ) -> Vec<(Slot, Outcome)> {
        let calls = self.calls.lock().clone();
        let answers = calls
            .iter()
            .map(|(_, call)| self.executor.run(call, deadline));
        let answers = join_all(answers).await;
        let mut outcomes = Vec::with_capacity(calls.len());
        for ((slot, _), answer) in calls.iter().zip(answers) {
            let Ok(answer) = answer else {
                // Once more, when this is dropped.
                continue;
            };
            self.calls.lock().retain(|(of, _)| of != slot);
            let part = parts.iter().find(|part| part.slot == *slot);
            let checks = part.map(|part| Check {
                mode: Mode::Refund(&[]),
                charges: part.charges.iter().copied().collect(),
            });
            if let Some(Ok(outcome)) = checks.map(|check| reply::outcome(&answer, &check)) {
                outcomes.push((*slot, outcome));
            }
        }
        outcomes
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        for (_, call) in self.calls.get_mut().drain(..) {
            let executor = Arc::clone(&self.executor);
            runtime.spawn(async move { executor.run(&call, executor.deadline()).await });
        }
    }
}
