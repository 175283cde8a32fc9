//! What a request that goes on may be given back, once the status of its response is known.

use actix_web::{HttpRequest, http::StatusCode};

use super::{
    shown::{Position, is_denied, restate},
    statuses::Statuses,
};
use crate::limiter::{Owed, RateLimiter};

/// A request that goes on, between its decision and its response.
///
/// Whoever calls [`guard`](super::guard::guard) lets the request go on and, as soon as the status
/// of its response is known, settles this, then has [`show`](super::shown::show) add the headers:
///
/// ```text
/// let mut response = match guard(limiter, rules, &request).await {
///     Passage::Shut(response) => response,
///     Passage::Open(pending) => {
///         let response = /* the handler, or the service inside */;
///         pending.settle(limiter, &request, response.status()).await;
///         response
///     }
/// };
/// show(limiter, &request, &mut response);
/// ```
///
/// Dropped unsettled, as when the client leaves, it gives nothing back. So nothing may be awaited
/// between the status and `settle`; from its first poll on, the client may leave.
#[must_use = "what was charged is given back by `settle`"]
pub(super) struct Pending {
    /// Boxed, as few have any: others need not move room for it about.
    refunds: Option<Box<Refunds>>,
    /// The decision that the headers tell of.
    position: Position,
}

/// What a decision has owed, and on which statuses each of its rules gives that back.
pub(super) struct Refunds {
    owed: Owed,
    /// By the place of the charge.
    statuses: Vec<Option<Statuses>>,
}

impl Refunds {
    pub(super) fn new(owed: Owed, statuses: Vec<Option<Statuses>>) -> Self {
        Self { owed, statuses }
    }

    /// What is to be given back at this status.
    fn at(self, status: StatusCode) -> Owed {
        let Self { owed, statuses } = self;
        owed.only(|place| {
            let statuses = statuses.get(place).and_then(Option::as_ref);
            statuses.is_some_and(|statuses| statuses.contains(status))
        })
    }
}

impl Pending {
    /// Nothing is given back, whatever the status.
    pub(super) const NONE: Self = Self {
        refunds: None,
        position: Position::FIRST,
    };

    pub(super) fn new(position: Position, refunds: Option<Box<Refunds>>) -> Self {
        Self { refunds, position }
    }

    /// Gives back what was charged by rules that want it at this status, and has the headers say
    /// so. It waits for a server as long as a decision does at most. What cannot be given back stays
    /// charged, with a line in the log.
    pub(super) async fn settle(
        self,
        limiter: &RateLimiter,
        request: &HttpRequest,
        status: StatusCode,
    ) {
        let Some(refunds) = self.refunds else { return };
        // Denied by a limit further in: that is nothing a handler has answered.
        if is_denied(request) {
            return;
        }
        let owed = refunds.at(status);
        if owed.is_empty() {
            return;
        }
        // Boxed for the same reason.
        if let Some(after) = Box::pin(limiter.refund(owed)).await {
            restate(limiter, request, self.position, &after);
        }
    }
}
