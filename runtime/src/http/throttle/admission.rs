//! Admission to the inner service: decides the entries that match a request, through the guard.
//!
//! The middleware's service calls it. It never calls the inner service.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{matcher::Matches, rule_table::RuleTable, select::select, settings::ThrottleSettings};
use crate::{
    engine::{Engine, PermitHold},
    http::{
        context::RuleContext,
        decisions::{Nesting, RequestDecisions},
        guard::{Admission, admit_matched, respond_with},
        in_flight::InFlight,
        matching::RuleMatcher,
        respond::not_installed,
    },
    limiter::{LimiterRef, RateLimiter},
    response::HeaderStyle,
};

impl DetachedInFlight {
    /// Takes the permits, to hold them until the end of the response body.
    pub(super) fn take_hold(&mut self) -> Option<Box<PermitHold>> {
        self.in_flight.take_hold()
    }
}

/// Whether a request may proceed to the inner service.
pub(super) enum MiddlewareAdmission {
    /// The request proceeds. The service finishes this with the status of the response.
    Proceed(DetachedInFlight),
    /// The request gets this response.
    Respond(HttpResponse),
}

/// The refunds, permits and headers of an admitted request, kept without the request.
pub(super) struct DetachedInFlight {
    in_flight: InFlight,
    /// The engine for refunds; `None` if there can be none. Cloning it changes an atomic count
    /// that all workers share, which would be a contended cache line.
    engine: Option<Engine>,
    /// The decisions for the headers; `None` if no limit applied.
    decisions: Option<RequestDecisions>,
    style: HeaderStyle,
}

/// Decides the entries at these indices.
pub(super) async fn admit(
    settings: &ThrottleSettings,
    rule_table: &RuleTable,
    matching: &Matches,
    request: &HttpRequest,
) -> MiddlewareAdmission {
    let own = settings.limiter.as_ref().map(LimiterRef::Borrowed);
    let Some(limiter) = own.or_else(|| RateLimiter::nearest(request)) else {
        return MiddlewareAdmission::Respond(not_installed());
    };
    let entries = rule_table.matcher.entries();
    let entries = matching.iter().filter_map(|place| entries.get(*place));
    let mut matcher = RuleMatcher::new(RuleContext::with(&limiter, &settings.context), request);
    let admission = match select(entries, &mut matcher).await {
        Ok(matched) => admit_matched(&matcher, &matched, Nesting::Middleware).await,
        Err(response) => respond_with(&limiter, request, response),
    };
    match admission {
        Admission::Respond(response) => MiddlewareAdmission::Respond(response),
        Admission::Proceed(in_flight) => MiddlewareAdmission::Proceed(DetachedInFlight {
            engine: in_flight.has_refunds().then(|| limiter.engine().clone()),
            decisions: in_flight.decisions().cloned(),
            style: limiter.settings().headers,
            in_flight,
        }),
    }
}

impl DetachedInFlight {
    /// Carries out the refunds for this status, and returns the decisions that the headers show,
    /// with the header style. `None` if no limit applied.
    pub(super) async fn finish(
        mut self,
        status: StatusCode,
    ) -> Option<(RequestDecisions, HeaderStyle)> {
        if let Some(engine) = &self.engine {
            self.in_flight.complete(engine, self.style, status).await;
        }
        Some((self.decisions?, self.style))
    }
}
