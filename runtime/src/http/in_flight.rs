//! What a request that goes on may be given back, once the status of its response is known.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::decisions::{DecisionRecord, RequestDecisions, write_headers};
use crate::{
    limiter::{PermitHold, RateLimiter, Refund},
    status_set::StatusSet,
};

/// A request that goes on, between its decision and its response.
///
/// Whoever calls [`guard`](super::guard::guard) lets the request go on and, as soon as the status
/// of its response is known, settles this, then has it add the headers:
///
/// ```text
/// let response = match /* what `guard` says, at once or later */ {
///     Passage::Shut(response) => response,
///     Passage::Open(mut pending) => {
///         let mut response = /* the handler, or the service inside */;
///         pending.settle(limiter, response.status()).await;
///         pending.show(limiter, &request, &mut response);
///         response
///     }
/// };
/// ```
///
/// Dropped unsettled, as when the client leaves, it gives nothing back. So nothing may be awaited
/// between the status and `settle`; from its first poll on, the client may leave.
#[must_use = "what was charged is given back by `settle`"]
pub(super) struct InFlight {
    /// Boxed, as few have any: others need not move room for it about.
    refunds: Option<Box<RefundPlan>>,
    /// The places that are held until the response's body has ended.
    hold: Option<Box<PermitHold>>,
    /// The decision that the headers tell of; `None` if no limit applied.
    record: Option<DecisionRecord>,
}

/// What a decision has owed, and on which statuses each of its rules gives that back.
pub(super) struct RefundPlan {
    refund: Refund,
    /// By the place of the charge.
    statuses: Vec<Option<StatusSet>>,
}

impl RefundPlan {
    pub(super) fn new(refund: Refund, statuses: Vec<Option<StatusSet>>) -> Self {
        Self { refund, statuses }
    }

    /// What is to be given back at this status.
    fn for_status(self, status: StatusCode) -> Refund {
        let Self { refund, statuses } = self;
        refund.retain(|place| {
            let statuses = statuses.get(place).and_then(Option::as_ref);
            statuses.is_some_and(|statuses| statuses.contains(status))
        })
    }
}

impl InFlight {
    /// Nothing was charged, and nothing is given back, whatever the status.
    pub(super) const NONE: Self = Self {
        refunds: None,
        hold: None,
        record: None,
    };

    pub(super) fn new(
        record: DecisionRecord,
        refunds: Option<Box<RefundPlan>>,
        hold: Option<Box<PermitHold>>,
    ) -> Self {
        Self {
            refunds,
            hold,
            record: Some(record),
        }
    }

    /// What is to be held until the response's body has ended. Dropped with this otherwise, and so
    /// given back.
    pub(super) fn take_hold(&mut self) -> Option<Box<PermitHold>> {
        self.hold.take()
    }

    /// Whether it depends on the status that something is given back.
    pub(super) fn has_refunds(&self) -> bool {
        self.refunds.is_some()
    }

    /// What is kept with the request, for whom that is out of hand. `None` if nothing is.
    pub(super) fn decisions(&self) -> Option<&RequestDecisions> {
        match &self.record {
            Some(DecisionRecord::Shared { decisions, .. }) => Some(decisions),
            _ => None,
        }
    }

    /// Gives back what was charged by rules that want it at this status, and has the headers say
    /// so. It waits for a server as long as a decision does at most. What cannot be given back stays
    /// charged, with a line in the log.
    pub(super) async fn complete(&mut self, limiter: &RateLimiter, status: StatusCode) {
        let (Some(refunds), Some(record)) = (self.refunds.take(), &mut self.record) else {
            return;
        };
        // Denied by a limit further in: that is nothing a handler has answered.
        if record.is_denied() {
            return;
        }
        let refund = refunds.for_status(status);
        if refund.is_empty() {
            return;
        }
        // Boxed for the same reason.
        if let Some(after) = Box::pin(limiter.refund(refund)).await {
            record.refresh(limiter, &after);
        }
    }

    /// Adds the headers of every limit that was decided for the request.
    pub(super) fn write_headers(
        &self,
        limiter: &RateLimiter,
        request: &HttpRequest,
        response: &mut HttpResponse,
    ) {
        match &self.record {
            Some(record) => record.write(limiter.settings().headers, response.headers_mut()),
            None => write_headers(limiter, request, response),
        }
    }
}
