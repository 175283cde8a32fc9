//! From entries that a request fits to whether it may go on.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{matcher::Matches, rule_table::RuleTable, select::select, settings::ThrottleSettings};
use crate::{
    http::{
        context::RuleContext,
        decisions::{Nesting, RequestDecisions},
        guard::{Admission, admit_matched, respond_with},
        in_flight::InFlight,
        matching::RuleMatcher,
        respond::not_installed,
    },
    limiter::{LimiterRef, PermitHold, RateLimiter},
    response::HeaderStyle,
};

impl DetachedInFlight {
    /// What is to be held until the response's body has ended.
    pub(super) fn take_hold(&mut self) -> Option<Box<PermitHold>> {
        self.pending.take_hold()
    }
}

/// What a request may do.
pub(super) enum MiddlewareAdmission {
    /// Go on; this is what its response is owed.
    Proceed(DetachedInFlight),
    /// Take this answer.
    Respond(HttpResponse),
}

/// What the response of an admitted request is owed, kept without the request.
pub(super) struct DetachedInFlight {
    pending: InFlight,
    /// Who gives back, if there may be something. Else it is not kept: workers that count up and
    /// down how often one limiter is held wait for each other.
    limiter: Option<RateLimiter>,
    /// What was decided, unless that was nothing.
    decisions: Option<RequestDecisions>,
    style: HeaderStyle,
}

/// Asks the entries at these places.
pub(super) async fn admit(
    plan: &ThrottleSettings,
    rulebook: &RuleTable,
    fitting: &Matches,
    request: &HttpRequest,
) -> MiddlewareAdmission {
    let own = plan.limiter.as_ref().map(LimiterRef::Borrowed);
    let Some(limiter) = own.or_else(|| RateLimiter::nearest(request)) else {
        return MiddlewareAdmission::Respond(not_installed());
    };
    let entries = rulebook.matcher.entries();
    let entries = fitting.iter().filter_map(|place| entries.get(*place));
    let mut matcher = RuleMatcher::new(RuleContext::with(&limiter, &plan.context), request);
    let admission = match select(entries, &mut matcher).await {
        Ok(matched) => admit_matched(&matcher, &matched, Nesting::Middleware).await,
        Err(answer) => respond_with(&limiter, request, answer),
    };
    match admission {
        Admission::Respond(answer) => MiddlewareAdmission::Respond(answer),
        Admission::Proceed(pending) => MiddlewareAdmission::Proceed(DetachedInFlight {
            limiter: pending.has_refunds().then(|| limiter.clone()),
            decisions: pending.decisions().cloned(),
            style: limiter.settings().headers,
            pending,
        }),
    }
}

impl DetachedInFlight {
    /// Gives back what is to be given back at this status, and says what headers tell of.
    pub(super) async fn finish(
        mut self,
        status: StatusCode,
    ) -> Option<(RequestDecisions, HeaderStyle)> {
        if let Some(limiter) = &self.limiter {
            self.pending.complete(limiter, status).await;
        }
        Some((self.decisions?, self.style))
    }
}
