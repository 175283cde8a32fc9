//! The batch queue collects checks for the next call of the script.
//!
//! A check in an idle lane goes out at once. While a call is in flight, further checks gather, and
//! all of them go out together when it is done: the busier Redis is, the more decisions a call
//! makes. The executor fills and drains the queue; the queue itself sends nothing.

use std::{
    collections::{HashMap, VecDeque},
    mem,
};

use actix_throttle_core::check::{Check, Outcome, Outcomes};
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
    plain::{builder::PlainBuilder, call::PlainCall},
    reply::{self, ReplyLayout},
    script::CallContext,
};
#[cfg(feature = "cluster")]
use crate::engine::store::expiring_table::Fingerprint;
use crate::engine::{observe::record_batch_size, store::interface::StoreError};

/// The number of checks that make a batch full. A full batch does not wait for the call in flight:
/// more checks make a call no cheaper, and Redis must serve other clients in between.
const FULL: usize = 32;
/// The number of keys that make a batch full, whatever the number of its checks.
const FULL_OF_KEYS: usize = 256;

/// A queue of checks that one call can decide together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    #[default]
    All,
    /// Checks of one cluster slot: a script call must not name keys of several slots.
    #[cfg(feature = "cluster")]
    Slot(Slot),
    /// Checks about one key of a cluster slot that is being migrated.
    #[cfg(feature = "cluster")]
    Key(SingleKey, Fingerprint),
}

pub(super) type BatchReply = Result<Outcomes, StoreError>;

/// The lanes with a call in flight, each with the batches that wait behind it: full batches, and
/// one that is not full. Clients cannot flood the map with colliding hashes: slots are few, and
/// fingerprints are hashed with a secret.
///
/// # Invariant
///
/// A lane is in the map exactly while a drain loop runs for it.
#[derive(Debug, Default)]
pub(super) struct BatchQueue(Mutex<HashMap<Lane, VecDeque<Batch>, FixedState>>);

/// The caller's task after it has added checks to the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dispatch {
    /// Nothing: the checks go out with the next call.
    Queued,
    /// Start the drain loop of the lane, which was idle.
    DrainLoop,
    /// Send one batch, which is full.
    SendOne,
}

impl BatchQueue {
    /// Adds checks to the last batch of a lane. Returns the receiver of their outcomes, and what
    /// the caller must do.
    pub(super) fn add(
        &self,
        lane: Lane,
        checks: &[Check<'_>],
        context: &CallContext<'_>,
        span: Span,
    ) -> (oneshot::Receiver<BatchReply>, Dispatch) {
        let mut lanes = self.0.lock();
        let (batches, is_idle) = match lanes.get_mut(&lane) {
            Some(batches) => (batches, false),
            None => (lanes.entry(lane).or_default(), true),
        };
        if batches.back().is_none_or(Batch::is_full) {
            batches.push_back(Batch::new(lane, context));
        }
        let mut task = match is_idle {
            true => Dispatch::DrainLoop,
            false => Dispatch::Queued,
        };
        let batch = batches.len() - 1;
        let batch = &mut batches[batch];
        let answer = batch.add(checks, context, span);
        if !is_idle && batch.is_full() {
            task = Dispatch::SendOne;
        }
        (answer, task)
    }

    /// Takes the oldest batch of a lane, if there is one.
    pub(super) fn take(&self, lane: Lane) -> Option<Batch> {
        let mut lanes = self.0.lock();
        lanes.get_mut(&lane).and_then(VecDeque::pop_front)
    }

    /// Takes the oldest batch of a lane; if there is none, the lane becomes idle.
    pub(super) fn next(&self, lane: Lane) -> Option<Batch> {
        let mut lanes = self.0.lock();
        let batch = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if batch.is_none() {
            lanes.remove(&lane);
        }
        batch
    }
}

/// A batch: checks of many requests that go out as one call.
#[derive(Debug)]
pub(super) struct Batch {
    draft: BatchBuilder,
    requests: Vec<WaitingRequest>,
}

/// The call of a batch, under construction.
#[derive(Debug)]
enum BatchBuilder {
    /// All checks are plain.
    Plain(PlainBuilder),
    General(CallBuilder),
}

/// A request that waits for its part of the reply.
#[derive(Debug)]
struct WaitingRequest {
    shapes: SmallVec<[ReplyLayout; 1]>,
    answer: oneshot::Sender<BatchReply>,
    /// The request's span of the wait.
    span: Span,
}

/// The requests of a batch that was sealed, in the order of their checks in the call.
#[derive(Debug)]
pub(super) struct InFlightBatch(Vec<WaitingRequest>);

impl Batch {
    fn new(lane: Lane, context: &CallContext<'_>) -> Self {
        let draft = match lane {
            Lane::All => BatchBuilder::Plain(PlainBuilder::new(context.naming)),
            #[cfg(feature = "cluster")]
            Lane::Key(only, _) => {
                BatchBuilder::General(CallBuilder::of_one_key(context.naming, only))
            }
            #[cfg(feature = "cluster")]
            Lane::Slot(_) => BatchBuilder::General(CallBuilder::new(context.naming)),
        };
        Self {
            draft,
            requests: Vec::new(),
        }
    }

    fn add(
        &mut self,
        checks: &[Check<'_>],
        context: &CallContext<'_>,
        span: Span,
    ) -> oneshot::Receiver<BatchReply> {
        let (answer, receiver) = oneshot::channel();
        let shapes = checks.iter().map(|check| self.draft.add(check, context));
        let shapes = shapes.collect();
        self.requests.push(WaitingRequest {
            shapes,
            answer,
            span,
        });
        receiver
    }

    fn is_full(&self) -> bool {
        let (checks, keys) = match &self.draft {
            BatchBuilder::Plain(plain) => (plain.len(), plain.keys()),
            BatchBuilder::General(general) => (general.len(), general.keys()),
        };
        checks >= FULL || keys >= FULL_OF_KEYS
    }

    /// Seals the batch: builds its call, without the checks of requests that have left, which are
    /// not charged. `None` if all requests have left.
    pub(super) fn seal(self, context: &CallContext<'_>) -> Option<(BatchCall, InFlightBatch)> {
        let Self {
            draft,
            mut requests,
        } = self;
        let mut stays: SmallVec<[bool; FULL]> = SmallVec::new();
        requests.retain(|request| {
            let is_there = !request.answer.is_closed();
            stays.extend(request.shapes.iter().map(|_| is_there));
            is_there
        });
        let keep = |index| stays.get(index) == Some(&true);
        let call = match draft {
            BatchBuilder::Plain(plain) => {
                BatchCall::Plain(Box::new(PlainCall::new(plain, context, keep)?))
            }
            BatchBuilder::General(general) => BatchCall::General(general.build(context, keep)?),
        };
        Some((call, InFlightBatch(requests)))
    }
}

impl BatchBuilder {
    fn add(&mut self, check: &Check<'_>, context: &CallContext<'_>) -> ReplyLayout {
        match self {
            Self::Plain(plain) => {
                if plain.add(check, context) {
                    return ReplyLayout::of(check);
                }
                let plain = mem::replace(plain, PlainBuilder::new(context.naming));
                let mut general = CallBuilder::of_plain(plain);
                let layout = general.add(check, context);
                *self = Self::General(general);
                layout
            }
            Self::General(general) => general.add(check, context),
        }
    }
}

impl InFlightBatch {
    /// The number of checks in the batch.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|request| request.shapes.len()).sum()
    }

    /// Tells the traces of the requests how many checks go out together.
    pub(super) fn trace_size(&self) {
        let size = self.size();
        for request in &self.0 {
            record_batch_size(&request.span, size);
        }
    }

    /// Whether any request of the batch still waits.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.iter().any(|request| !request.answer.is_closed())
    }

    /// Sends each request its part of the script's reply, or a copy of the call's error.
    pub(super) fn deliver(self, call: &BatchCall, reply: Result<Vec<u8>, StoreError>) {
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => return self.fail(&error),
        };
        match call {
            BatchCall::Plain(call) => match call.outcomes(&reply) {
                Ok(outcomes) => self.send(outcomes),
                Err(error) => self.fail(&error),
            },
            BatchCall::General(_) => {
                let shapes = self.0.iter().flat_map(|request| &request.shapes).copied();
                match reply::outcomes(&reply, shapes) {
                    Ok(outcomes) => self.send(outcomes.into_iter()),
                    Err(error) => self.fail(&error),
                }
            }
        }
    }

    /// Sends each request its outcomes. A send fails only if the request has left, and then the
    /// outcome is of no use.
    fn send(self, mut outcomes: impl Iterator<Item = Outcome>) {
        for WaitingRequest { shapes, answer, .. } in self.0 {
            let own = outcomes.by_ref().take(shapes.len()).collect();
            let _ = answer.send(Ok(own));
        }
    }

    pub(super) fn fail(self, error: &StoreError) {
        for WaitingRequest { answer, .. } in self.0 {
            let _ = answer.send(Err(error.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
