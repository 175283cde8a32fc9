//! Requests in flight: the refunds, permits and headers of an admitted request, until its response
//! is complete.
//!
//! The guard creates them; handlers and the middleware complete them. They decide nothing, and hold
//! no clone of the request: Actix's router panics on a request that is shared.

use actix_throttle_core::{decision::Decision, status_set::StatusSet};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderMap},
};

use super::decisions::{DecisionRecord, RequestDecisions, write_headers};
use crate::{
    engine::{Charged, Engine, PendingCharges, PermitHold},
    response::HeaderStyle,
};

/// An admitted request, between its decision and its response.
///
/// The caller of [`try_admit`](super::guard::try_admit) lets the request proceed, completes this as
/// soon as the status of the response is known, and then has it write the headers:
///
/// ```text
/// let response = match /* the admission from `try_admit` */ {
///     Admission::Respond(response) => response,
///     Admission::Proceed(mut in_flight) => {
///         let mut response = /* the handler, or the inner service */;
///         in_flight.complete(response.status()).await;
///         in_flight.write_headers(&request, response.headers_mut());
///         response
///     }
/// };
/// ```
///
/// # Cancel safety
///
/// If it is dropped before `complete` is polled, as when the client leaves, it refunds nothing. So
/// the caller awaits nothing between the status and `complete`.
#[must_use = "charges are refunded by `complete`"]
pub(super) struct InFlight {
    style: HeaderStyle,
    /// The refunds. They are boxed to keep the struct small, because few requests have any.
    refunds: Option<Box<RefundPlan>>,
    /// The permits that are held until the end of the response body.
    hold: Option<Box<PermitHold>>,
    /// The decision that the headers show; `None` if no limit applied.
    record: Option<DecisionRecord>,
}

/// The charges of a decision that may change, and the statuses at which each of them is refunded.
pub(super) struct RefundPlan {
    engine: Engine,
    charged: Charged,
    /// The charges at an estimate, which the handler may settle.
    pending: Option<PendingCharges>,
    /// The statuses, by the index of the charge.
    statuses: Vec<Option<StatusSet>>,
}

impl RefundPlan {
    pub(super) fn new(
        engine: Engine,
        charged: Charged,
        pending: Option<PendingCharges>,
        statuses: Vec<Option<StatusSet>>,
    ) -> Self {
        Self {
            engine,
            charged,
            pending,
            statuses,
        }
    }

    /// The charges at an estimate.
    pub(super) fn pending(&self) -> Option<&PendingCharges> {
        self.pending.as_ref()
    }
}

impl RefundPlan {
    /// Refunds all charges, of a request that is denied after all. Returns how their limits stand
    /// then; `None` if the store could not do it, which is logged.
    pub(super) async fn refund_all(self) -> Option<Decision> {
        let (estimates, _) = self
            .pending
            .map_or((None, None), |pending| pending.take(|_| true));
        let refunded = self.charged.retain(|_| true).join(estimates);
        if refunded.is_empty() {
            None
        } else {
            self.engine.refund(refunded).await
        }
    }
}

impl InFlight {
    /// A request without charges, which has no refund at any status.
    pub(super) fn uncharged(style: HeaderStyle) -> Self {
        Self {
            style,
            refunds: None,
            hold: None,
            record: None,
        }
    }

    pub(super) fn new(
        style: HeaderStyle,
        record: DecisionRecord,
        refunds: Option<Box<RefundPlan>>,
        hold: Option<Box<PermitHold>>,
    ) -> Self {
        Self {
            style,
            refunds,
            hold,
            record: Some(record),
        }
    }

    /// Takes the permits, to hold them until the end of the response body. Permits that are not
    /// taken are released when this value is dropped.
    pub(super) fn take_hold(&mut self) -> Option<Box<PermitHold>> {
        self.hold.take()
    }

    /// Refunds the charges that are refunded at this status, and updates the headers' decision,
    /// also to what was settled before the response.
    ///
    /// The store takes no longer for it than for a decision. A charge that cannot be refunded
    /// stays, and the log says so.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the refund is carried out even if this future is dropped.
    pub(super) async fn complete(&mut self, status: StatusCode) {
        let (Some(plan), Some(record)) = (self.refunds.take(), &mut self.record) else {
            return;
        };
        // A limit further in has denied the request, so the status is not the handler's.
        if record.is_denied() {
            return;
        }
        let RefundPlan {
            engine,
            charged,
            pending,
            statuses,
        } = *plan;
        let is_refunded = |index: usize| {
            let statuses = statuses.get(index).and_then(Option::as_ref);
            statuses.is_some_and(|statuses| statuses.contains(status))
        };
        let (estimates, settled) = match pending {
            Some(pending) => pending.take(is_refunded),
            None => (None, None),
        };
        if let Some(settled) = settled {
            record.refresh(&engine, self.style, &settled);
        }
        let refunded = charged.retain(is_refunded).join(estimates);
        if refunded.is_empty() {
            return;
        }
        // The future is boxed to keep this one small, because few requests have refunds.
        if let Some(after) = Box::pin(engine.refund(refunded)).await {
            record.refresh(&engine, self.style, &after);
        }
    }

    /// Writes the headers of every limit that was decided for the request.
    pub(super) fn write_headers(&self, request: &HttpRequest, headers: &mut HeaderMap) {
        match &self.record {
            Some(record) => record.write(self.style, headers),
            None => write_headers(self.style, request, headers),
        }
    }

    /// The decisions that are kept with the request, and the style of their headers, for a caller
    /// that has passed the request on. `None` if none are kept there.
    pub(super) fn into_decisions(self) -> Option<(RequestDecisions, HeaderStyle)> {
        match self.record {
            Some(DecisionRecord::Shared { decisions, .. }) => Some((decisions, self.style)),
            _ => None,
        }
    }
}
