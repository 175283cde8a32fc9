//! The batch queue collects checks for the next call of the script.
//!
//! A check goes out at once if no call of its batch key is in flight. While one is, further checks
//! gather, and all of them go out together when it is done: the busier Redis is, the more decisions
//! a call makes. The executor fills and drains the queue; the queue itself sends nothing.

use std::collections::{HashMap, VecDeque};

use actix_throttle_core::check::Check;
use foldhash::fast::FixedState;
use parking_lot::Mutex;
#[cfg(feature = "cluster")]
use redis::cluster_routing::Slot;
use smallvec::SmallVec;
use tokio::sync::oneshot;
use tracing::Span;

#[cfg(feature = "cluster")]
use super::call_builder::SingleKey;
use super::{
    batch_call::BatchCall,
    call_builder::CallBuilder,
    in_flight::{BatchReply, InFlightBatch, SealedCall, WaitingRequest},
    plain::{builder::PlainBuilder, call::PlainCall},
    reply::ReplyLayout,
    script::CallContext,
};
#[cfg(feature = "cluster")]
use crate::engine::store::fingerprint::Fingerprint;

/// The number of checks that make a batch full. A full batch does not wait for the call in flight:
/// more checks make a call no cheaper, and Redis must serve other clients in between.
const FULL: usize = 32;
/// The fewest plain checks that are worth a call of their own beside one of the general script: a
/// call costs Redis about as much as three checks do in a call that goes out anyway.
const LEAST_PLAIN: usize = 3;
/// The number of keys that make a batch full, whatever the number of its checks.
const FULL_OF_KEYS: usize = 256;

/// Which checks one call can decide together: those of one batch key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum BatchKey {
    #[default]
    All,
    /// Checks of one cluster slot: a script call must not name keys of several slots.
    #[cfg(feature = "cluster")]
    Slot(Slot),
    /// Checks about one key of a cluster slot that is being migrated.
    #[cfg(feature = "cluster")]
    Key(SingleKey, Fingerprint),
}

/// The batch keys with a call in flight, each with the batches that wait behind it: full batches,
/// and one that is not full. Clients cannot flood the map with colliding hashes: slots are few, and
/// fingerprints are hashed with a secret.
///
/// # Invariant
///
/// A batch key is in the map exactly while a drain loop runs for it.
#[derive(Debug, Default)]
pub(super) struct BatchQueue(Mutex<HashMap<BatchKey, VecDeque<Batch>, FixedState>>);

/// The caller's task after it has added checks to the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dispatch {
    /// Nothing: the checks go out with the next call.
    Queued,
    /// Start the drain loop of the batch key, which was idle.
    DrainLoop,
    /// Send one batch, which is full.
    SendOne,
}

impl BatchQueue {
    /// Adds checks to the last batch of a batch key. Returns the receiver of their outcomes, and
    /// what the caller must do.
    pub(super) fn add(
        &self,
        batch_key: BatchKey,
        checks: &[Check<'_>],
        context: &CallContext<'_>,
        span: Span,
    ) -> (oneshot::Receiver<BatchReply>, Dispatch) {
        let mut batches_by_key = self.0.lock();
        let (batches, is_idle) = match batches_by_key.get_mut(&batch_key) {
            Some(batches) => (batches, false),
            None => (batches_by_key.entry(batch_key).or_default(), true),
        };
        if batches.back().is_none_or(Batch::is_full) {
            batches.push_back(Batch::new(batch_key, context));
        }
        let mut task = if is_idle {
            Dispatch::DrainLoop
        } else {
            Dispatch::Queued
        };
        let batch = batches.len() - 1;
        let batch = &mut batches[batch];
        let reply = batch.add(checks, context, span);
        if !is_idle && batch.is_full() {
            task = Dispatch::SendOne;
        }
        (reply, task)
    }

    /// Takes the oldest batch of a batch key, if there is one.
    pub(super) fn take(&self, batch_key: BatchKey) -> Option<Batch> {
        let mut batches_by_key = self.0.lock();
        batches_by_key
            .get_mut(&batch_key)
            .and_then(VecDeque::pop_front)
    }

    /// Takes the oldest batch of a batch key; if there is none, the key becomes idle.
    pub(super) fn next(&self, batch_key: BatchKey) -> Option<Batch> {
        let mut batches_by_key = self.0.lock();
        let batch = batches_by_key
            .get_mut(&batch_key)
            .and_then(VecDeque::pop_front);
        if batch.is_none() {
            batches_by_key.remove(&batch_key);
        }
        batch
    }
}

/// A batch: checks of many requests that go out together. The plain ones are a call of their own,
/// unless they are too few, or others are about one of their identities in its zone: then the order
/// of all matters.
#[derive(Debug)]
pub(super) struct Batch {
    /// The plain checks; `None` if they go to the general script with the others.
    plain: Option<PlainBuilder>,
    plain_requests: Vec<WaitingRequest>,
    general: CallBuilder,
    general_requests: Vec<WaitingRequest>,
}

impl Batch {
    fn new(batch_key: BatchKey, context: &CallContext<'_>) -> Self {
        let (plain, general) = match batch_key {
            #[cfg(feature = "cluster")]
            BatchKey::Key(only, _) => (None, CallBuilder::of_one_key(context.naming, only)),
            _ => (
                Some(PlainBuilder::new(context.naming)),
                CallBuilder::new(context.naming),
            ),
        };
        Self {
            plain,
            plain_requests: Vec::new(),
            general,
            general_requests: Vec::new(),
        }
    }

    fn add(
        &mut self,
        checks: &[Check<'_>],
        context: &CallContext<'_>,
        span: Span,
    ) -> oneshot::Receiver<BatchReply> {
        let (reply, receiver) = oneshot::channel();
        if let [check] = checks
            && self.add_plain(check, context)
        {
            let shapes = SmallVec::from_buf([ReplyLayout::of(check)]);
            self.plain_requests.push(WaitingRequest {
                shapes,
                reply,
                span,
            });
            return receiver;
        }
        let plain = self.plain.as_ref();
        let shares_zone = plain.is_some_and(|plain| {
            plain.len() > 0 && checks.iter().any(|check| plain.concerns(check, context))
        });
        if shares_zone {
            self.merge();
        }
        let general = &mut self.general;
        let shapes = checks.iter().map(|check| general.add(check, context));
        let shapes = shapes.collect();
        self.general_requests.push(WaitingRequest {
            shapes,
            reply,
            span,
        });
        receiver
    }

    /// Adds a check to the plain ones, if it can be one of them.
    fn add_plain(&mut self, check: &Check<'_>, context: &CallContext<'_>) -> bool {
        let Some(plain) = &mut self.plain else {
            return false;
        };
        let is_apart = self.general.len() == 0 || !self.general.concerns(check, context);
        is_apart && plain.add(check, context)
    }

    /// Moves the plain checks to the general script, behind the others, with which they share no
    /// key.
    fn merge(&mut self) {
        if let Some(plain) = self.plain.take() {
            self.general.add_plain(&plain);
            self.general_requests.append(&mut self.plain_requests);
        }
    }

    fn is_full(&self) -> bool {
        let plain = self.plain.as_ref();
        let (checks, keys) = plain.map_or((0, 0), |plain| (plain.len(), plain.keys()));
        checks + self.general.len() >= FULL || keys + self.general.keys() >= FULL_OF_KEYS
    }

    /// Seals the batch: builds its calls, without the checks of requests that have left, which are
    /// not charged. `None` in place of a call whose requests have all left.
    pub(super) fn seal(mut self, context: &CallContext<'_>) -> [Option<SealedCall>; 2] {
        let are_few = |plain: &PlainBuilder| plain.len() < LEAST_PLAIN;
        if self.general.len() > 0 && self.plain.as_ref().is_some_and(are_few) {
            self.merge();
        }
        let Self {
            plain,
            plain_requests,
            general,
            general_requests,
        } = self;
        let plain = plain.and_then(|plain| {
            let (kept, sent) = InFlightBatch::of(plain_requests);
            let keep = |index| kept.get(index) == Some(&true);
            let call = PlainCall::new(plain, context, keep)?;
            Some((BatchCall::Plain(Box::new(call)), sent))
        });
        let general = (general.len() > 0).then(|| {
            let (kept, sent) = InFlightBatch::of(general_requests);
            let keep = |index| kept.get(index) == Some(&true);
            let call = Box::new(general.build(context, keep)?);
            Some((BatchCall::General(call), sent))
        });
        [plain, general.flatten()]
    }
}

#[cfg(test)]
mod tests;
