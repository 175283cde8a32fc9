//! The admission: what becomes of a request whose rules were evaluated. The guard calls it; it asks
//! no store.

use actix_throttle_core::{decision::Decision, time::Micros};
use actix_web::{HttpRequest, HttpResponse};

use super::{
    context::RuleContext,
    decisions::{Nesting, record, write_headers},
    evaluation::Evaluation,
    in_flight::InFlight,
    pending_charge,
};
use crate::{
    engine::{
        error::RateLimitError,
        log_lines::{INVALID_LIMITS, UNENFORCED, UNKNOWN_LIMITS},
    },
    limiter::RateLimiter,
    response::{self, OnLimited},
};

/// Whether a request may proceed.
pub(super) enum Admission {
    /// The request proceeds. Its caller completes this with the status of the response.
    Proceed(InFlight),
    /// The request gets this response, which has its headers.
    Respond(HttpResponse),
}

/// A denial to which the application's `on_limited` responds.
pub(super) struct CustomDenial<'a> {
    decision: Decision,
    response: &'a OnLimited,
    held: Micros,
}

/// Turns an evaluation into an admission. `Err` if `on_limited` has to build the response.
pub(super) fn admission<'a>(
    context: RuleContext<'a>,
    request: &HttpRequest,
    nesting: Nesting,
    evaluation: Result<Option<Evaluation<'a>>, RateLimitError>,
) -> Result<Admission, CustomDenial<'a>> {
    let limiter = context.limiter;
    let style = limiter.settings().headers;
    let Evaluation {
        decision,
        custom_response,
        refunds,
        hold,
        counters: _,
        is_told: _,
        held,
    } = match evaluation {
        Ok(Some(evaluation)) => evaluation,
        Ok(None) => return Ok(Admission::Proceed(InFlight::uncharged(style))),
        Err(error) if context.is_shadow() => {
            log_unenforced(&error);
            return Ok(Admission::Proceed(InFlight::uncharged(style)));
        }
        Err(RateLimitError::Unavailable { retry_after, .. }) => {
            return Ok(respond_with(
                limiter,
                request,
                response::unavailable(retry_after),
            ));
        }
        Err(error @ RateLimitError::UnknownLimit { .. }) => {
            UNKNOWN_LIMITS.log(format_args!("{error}; the response is 500"));
            let response = HttpResponse::InternalServerError().finish();
            return Ok(respond_with(limiter, request, response));
        }
        Err(error) => {
            // Fail open: an invalid limit is a bug in the application, and must not turn into an
            // outage of the service. The request continues unlimited; the error is logged.
            INVALID_LIMITS.log(format_args!(
                "a request continues without its limit: {error}"
            ));
            return Ok(Admission::Proceed(InFlight::uncharged(style)));
        }
    };
    if decision.is_allowed() {
        if let Some(pending) = refunds.as_ref().and_then(|plan| plan.pending()) {
            pending_charge::offer(request, pending);
        }
        let record = record(limiter, request, nesting, decision, held);
        let in_flight = InFlight::new(style, record, refunds, hold);
        return Ok(Admission::Proceed(in_flight));
    }
    match custom_response.or(context.on_limited()) {
        Some(response) => Err(CustomDenial {
            decision,
            response,
            held,
        }),
        None => {
            let response = response::quota_exceeded(&decision);
            Ok(deny(limiter, request, nesting, decision, held, response))
        }
    }
}

impl CustomDenial<'_> {
    pub(super) async fn respond(
        self,
        context: RuleContext<'_>,
        request: &HttpRequest,
        nesting: Nesting,
    ) -> Admission {
        let response = self.response.respond(request, &self.decision).await;
        let Self { decision, held, .. } = self;
        deny(context.limiter, request, nesting, decision, held, response)
    }
}

/// Completes the response to a denial with its headers.
fn deny(
    limiter: &RateLimiter,
    request: &HttpRequest,
    nesting: Nesting,
    decision: Decision,
    held: Micros,
    mut response: HttpResponse,
) -> Admission {
    response::retry_after(response.headers_mut(), decision.retry_after());
    let record = record(limiter, request, nesting, decision, held);
    record.write(limiter.settings().headers, response.headers_mut());
    Admission::Respond(response)
}

/// Responds without a decision. The headers are those of earlier decisions for the request.
pub(super) fn respond_with(
    limiter: &RateLimiter,
    request: &HttpRequest,
    mut response: HttpResponse,
) -> Admission {
    write_headers(limiter.settings().headers, request, response.headers_mut());
    Admission::Respond(response)
}

/// Reports an error that no request is to notice, as limits are not enforced.
pub(super) fn log_unenforced(error: &RateLimitError) {
    UNENFORCED.log(format_args!(
        "a request continues, as limits are not enforced: {error}"
    ));
}
