//! The requests of a call that was sealed: they wait for their parts of its reply. The batch queue
//! makes them, and the drain loop delivers to them.

use actix_throttle_core::check::{Outcome, Outcomes};
use smallvec::SmallVec;
use tokio::sync::oneshot;
use tracing::Span;

use super::{
    batch_call::BatchCall,
    reply::{self, ReplyLayout},
};
use crate::engine::{observe::record_batch_size, store::interface::StoreError};

pub(super) type BatchReply = Result<Outcomes, StoreError>;

/// A request that waits for its part of the reply.
#[derive(Debug)]
pub(super) struct WaitingRequest {
    pub(super) shapes: SmallVec<[ReplyLayout; 1]>,
    pub(super) reply: oneshot::Sender<BatchReply>,
    /// The request's span of the wait.
    pub(super) span: Span,
}

/// A call of a sealed batch, with its requests.
pub(super) type SealedCall = (BatchCall, InFlightBatch);

/// The requests of one call of a sealed batch, in the order of their checks in the call.
#[derive(Debug)]
pub(super) struct InFlightBatch(Vec<WaitingRequest>);

impl InFlightBatch {
    /// The requests that still wait, and for each check whether its request is one of them.
    pub(super) fn of(mut requests: Vec<WaitingRequest>) -> (SmallVec<[bool; 32]>, Self) {
        let mut stays: SmallVec<[bool; 32]> = SmallVec::new();
        requests.retain(|request| {
            let is_there = !request.reply.is_closed();
            stays.extend(request.shapes.iter().map(|_| is_there));
            is_there
        });
        (stays, Self(requests))
    }

    /// The number of requests.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of checks in the call.
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
        self.0.iter().any(|request| !request.reply.is_closed())
    }

    /// Sends each request its part of the script's reply, or a copy of the call's error.
    ///
    /// # Errors
    ///
    /// The error that the requests were sent.
    pub(super) fn deliver(
        self,
        call: &BatchCall,
        reply: Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        let read = match (&reply, call) {
            (Err(error), _) => Err(error.clone()),
            (Ok(reply), BatchCall::Plain(call)) => match call.outcomes(reply) {
                Ok(outcomes) => {
                    self.send(outcomes);
                    return Ok(());
                }
                Err(error) => Err(error),
            },
            (Ok(reply), BatchCall::General(_)) => {
                let shapes = self.0.iter().flat_map(|request| &request.shapes).copied();
                match reply::outcomes(reply, shapes) {
                    Ok(outcomes) => {
                        self.send(outcomes.into_iter());
                        return Ok(());
                    }
                    Err(error) => Err(error),
                }
            }
        };
        if let Err(error) = &read {
            self.fail(error);
        }
        read
    }

    /// Sends each request its outcomes. A send fails only if the request has left, and then the
    /// outcome is of no use.
    fn send(self, mut outcomes: impl Iterator<Item = Outcome>) {
        for WaitingRequest { shapes, reply, .. } in self.0 {
            let own = outcomes.by_ref().take(shapes.len()).collect();
            let _ = reply.send(Ok(own));
        }
    }

    pub(super) fn fail(self, error: &StoreError) {
        for WaitingRequest { reply, .. } in self.0 {
            let _ = reply.send(Err(error.clone()));
        }
    }
}
