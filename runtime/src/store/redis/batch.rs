//! What waits for the next call of the script.
//!
//! An idle lane waits for nobody. While a call is under way, checks gather, and all that have when
//! it is done go out as the next one: the busier the server, the more decisions a call.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
#[cfg(feature = "cluster")]
use redis::cluster_routing::Slot;
use smallvec::SmallVec;
use tokio::sync::oneshot;

#[cfg(feature = "cluster")]
use super::call_builder::SingleKey;
use super::{
    call_builder::CallBuilder,
    reply::{self, ReplyLayout},
    script::{Call, CallContext},
};
#[cfg(feature = "cluster")]
use crate::store::expiring_table::Fingerprint;
use crate::store::interface::{Check, Outcomes, StoreError};

/// So many checks go out without waiting for the call before them: more make calls no cheaper, and
/// the server is to answer others in between.
const FULL: usize = 32;
/// The same in keys.
const FULL_OF_KEYS: usize = 256;

/// Checks that one call can decide together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    #[default]
    All,
    /// In a cluster, the keys of one slot.
    #[cfg(feature = "cluster")]
    Slot(Slot),
    /// One key of a slot that is being moved.
    #[cfg(feature = "cluster")]
    Key(SingleKey, Fingerprint),
}

pub(super) type BatchReply = Result<Outcomes, StoreError>;

/// The lanes in which a call is under way, each with what gathers behind it: full batches, and one
/// that is not. Slots are few and prints hashed by a secret, so nobody can make this slow.
#[derive(Debug, Default)]
pub(super) struct BatchQueue(Mutex<HashMap<Lane, VecDeque<Batch>, FixedState>>);

/// What is to be done once checks are in the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dispatch {
    /// Nothing: they go with the next call.
    Queued,
    /// Send what there is, until there is nothing more.
    DrainLoop,
    /// Send one batch.
    SendOne,
}

impl BatchQueue {
    pub(super) fn add(
        &self,
        lane: Lane,
        checks: &[Check<'_>],
        terms: &CallContext<'_>,
    ) -> (oneshot::Receiver<BatchReply>, Dispatch) {
        let mut lanes = self.0.lock();
        let (batches, is_idle) = match lanes.get_mut(&lane) {
            Some(batches) => (batches, false),
            None => (lanes.entry(lane).or_default(), true),
        };
        if batches.back().is_none_or(Batch::is_full) {
            batches.push_back(Batch::new(lane, terms));
        }
        let mut task = match is_idle {
            true => Dispatch::DrainLoop,
            false => Dispatch::Queued,
        };
        let batch = batches.len() - 1;
        let batch = &mut batches[batch];
        let answer = batch.add(checks, terms);
        if !is_idle && batch.is_full() {
            task = Dispatch::SendOne;
        }
        (answer, task)
    }

    /// What has gathered first, if anything has still.
    pub(super) fn take(&self, lane: Lane) -> Option<Batch> {
        let mut lanes = self.0.lock();
        lanes.get_mut(&lane).and_then(VecDeque::pop_front)
    }

    /// What has gathered first; if nothing has, the lane is idle from now on.
    pub(super) fn next(&self, lane: Lane) -> Option<Batch> {
        let mut lanes = self.0.lock();
        let batch = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if batch.is_none() {
            lanes.remove(&lane);
        }
        batch
    }
}

/// Checks of many requests that go out as one call.
#[derive(Debug)]
pub(super) struct Batch {
    draft: CallBuilder,
    requests: Vec<WaitingRequest>,
}

/// Who waits for a part of the answer.
#[derive(Debug)]
struct WaitingRequest {
    shapes: SmallVec<[ReplyLayout; 1]>,
    answer: oneshot::Sender<BatchReply>,
}

/// A batch that is under way.
#[derive(Debug)]
pub(super) struct InFlightBatch(Vec<WaitingRequest>);

impl Batch {
    fn new(lane: Lane, terms: &CallContext<'_>) -> Self {
        let draft = match lane {
            #[cfg(feature = "cluster")]
            Lane::Key(only, _) => CallBuilder::of_one_key(terms.naming, only),
            _ => CallBuilder::new(terms.naming),
        };
        Self {
            draft,
            requests: Vec::new(),
        }
    }

    fn add(
        &mut self,
        checks: &[Check<'_>],
        terms: &CallContext<'_>,
    ) -> oneshot::Receiver<BatchReply> {
        let (answer, receiver) = oneshot::channel();
        let shapes = checks.iter().map(|check| self.draft.add(check, terms));
        let shapes = shapes.collect();
        self.requests.push(WaitingRequest { shapes, answer });
        receiver
    }

    fn is_full(&self) -> bool {
        self.draft.len() >= FULL || self.draft.keys() >= FULL_OF_KEYS
    }

    /// The call, and those who wait for its answer. Whoever has left meanwhile is not charged;
    /// `None` if all have.
    pub(super) fn seal(self, terms: &CallContext<'_>) -> Option<(Call, InFlightBatch)> {
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
        let call = draft.build(terms, |place| stays.get(place) == Some(&true))?;
        Some((call, InFlightBatch(requests)))
    }
}

impl InFlightBatch {
    /// Whether any of the requests still waits.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.iter().any(|request| !request.answer.is_closed())
    }

    /// Gives each request its part of the script's reply, or the error of the one call to all.
    pub(super) fn deliver(self, reply: Result<Vec<u8>, StoreError>) {
        let shapes = self.0.iter().flat_map(|request| &request.shapes).copied();
        let outcomes = reply.and_then(|reply| reply::outcomes(&reply, shapes));
        // Whoever has left since does not want to know.
        match outcomes {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for WaitingRequest { shapes, answer } in self.0 {
                    let own = outcomes.by_ref().take(shapes.len()).collect();
                    let _ = answer.send(Ok(own));
                }
            }
            Err(error) => {
                for WaitingRequest { answer, .. } in self.0 {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
