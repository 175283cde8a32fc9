//! The guard: takes rules and a request to a decision and, where there is one, a response.
//!
//! Handlers, the middleware, the WebSocket limiter and `check_request` all call it. It never calls
//! the handler.

use std::{future::Future, pin::Pin};

use actix_throttle_core::decision::Decision;
use actix_web::{HttpRequest, HttpResponse};

use super::{
    context::RuleContext,
    decisions::{Nesting, record, record_counters, write_headers},
    error::RequestError,
    evaluate::{Evaluation, evaluate},
    fast_path::SingleRule,
    in_flight::InFlight,
    matching::{Few, MatchedRule, RuleMatcher},
    rule::Rule,
};
use crate::{
    engine::{error::RateLimitError, log_throttle::LogThrottle},
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

static MISTAKES: LogThrottle = LogThrottle::new(log::Level::Error);
static NO_SUCH_LIMIT: LogThrottle = LogThrottle::new(log::Level::Error);

impl RateLimiter {
    /// Decides rules for a request as the attribute does: with `skip_if`, identities, groups and
    /// costs, all limits in one atomic decision. `None` if no rule applies to the request.
    ///
    /// Charges stay: there is no response whose status a rule's [`refund_on`](Rule::refund_on)
    /// could match.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unidentified`] with the response of `on_unidentified`, or
    /// [`RequestError::Undecided`] if a rule's limit is invalid, no configuration has its name, or
    /// the store could not decide and the [`FailureMode`](crate::FailureMode) of a rule is
    /// `Closed`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while the store decides, the request may have been charged.
    pub async fn check_request(
        &self,
        request: &HttpRequest,
        rules: &[Rule],
    ) -> Result<Option<Decision>, RequestError> {
        decide(RuleMatcher::new(RuleContext::of(self), request), rules).await
    }
}

/// Decides without a response: records nothing with the request, and refunds nothing.
pub(super) async fn decide<'a>(
    mut matcher: RuleMatcher<'a>,
    rules: &'a [Rule],
) -> Result<Option<Decision>, RequestError> {
    let matched = matcher.matching(rules).await;
    let matched = matched.map_err(RequestError::unidentified)?;
    let evaluation = evaluate(&matcher, &matched).await;
    let evaluation = evaluation.map_err(RequestError::Undecided)?;
    Ok(evaluation.map(|evaluation| evaluation.decision))
}

/// The result of [`guard`]: an admission, or the future of one.
pub(super) enum TryGuard<'a> {
    /// The request was decided without waiting.
    Ready(Admission),
    /// Boxed, so that requests that are decided without waiting have a small future.
    Pending(Pin<Box<dyn Future<Output = Admission> + 'a>>),
}

/// Decides whether a request may proceed to its handler. [`InFlight`] says what its caller does
/// then.
pub(super) fn guard<'a>(
    limiter: &'a RateLimiter,
    rules: &'a [Rule],
    request: &'a HttpRequest,
    layer: Nesting,
) -> TryGuard<'a> {
    let context = RuleContext::of(limiter);
    let Some(plain) = SingleRule::of(context, rules, request) else {
        return TryGuard::Pending(Box::pin(guard_any(context, rules, request, layer)));
    };
    let Some(evaluation) = plain.try_evaluate() else {
        return TryGuard::Pending(Box::pin(guard_remotely(plain, request, layer)));
    };
    match admission(context, request, layer, evaluation.map(Some)) {
        Ok(admission) => TryGuard::Ready(admission),
        Err(denied) => TryGuard::Pending(Box::pin(denied.respond(context, request, layer))),
    }
}

/// Decides a request of the fast path for which the store needs I/O.
async fn guard_remotely(plain: SingleRule<'_>, request: &HttpRequest, layer: Nesting) -> Admission {
    let evaluation = plain.evaluate_remotely().await;
    let context = plain.context();
    match admission(context, request, layer, evaluation.map(Some)) {
        Ok(admission) => admission,
        Err(denied) => denied.respond(context, request, layer).await,
    }
}

/// Decides a request that the fast path cannot.
async fn guard_any(
    context: RuleContext<'_>,
    rules: &[Rule],
    request: &HttpRequest,
    layer: Nesting,
) -> Admission {
    let mut matcher = RuleMatcher::new(context, request);
    let matched = match matcher.matching(rules).await {
        Ok(matched) => matched,
        Err(answer) => return respond_with(context.limiter, request, answer),
    };
    admit_matched(&matcher, &matched, layer).await
}

/// Decides rules that are known to apply.
pub(super) async fn admit_matched(
    matcher: &RuleMatcher<'_>,
    matched: &[MatchedRule<'_>],
    layer: Nesting,
) -> Admission {
    let mut evaluation = evaluate(matcher, matched).await;
    let counters = match &mut evaluation {
        Ok(Some(evaluation)) => std::mem::take(&mut evaluation.counters),
        _ => Few::new(),
    };
    match admission(matcher.context, matcher.request, layer, evaluation) {
        Ok(admission) => {
            record_counters(matcher.request, &counters);
            admission
        }
        Err(denied) => {
            denied
                .respond(matcher.context, matcher.request, layer)
                .await
        }
    }
}

/// A denial to which the application's `on_limited` responds.
struct CustomDenial<'a> {
    decision: Decision,
    answer: &'a OnLimited,
}

/// Turns an evaluation into an admission. `Err` if `on_limited` has to build the response.
fn admission<'a>(
    context: RuleContext<'a>,
    request: &HttpRequest,
    layer: Nesting,
    evaluation: Result<Option<Evaluation<'a>>, RateLimitError>,
) -> Result<Admission, CustomDenial<'a>> {
    let limiter = context.limiter;
    let Evaluation {
        decision,
        own_answer,
        refunds,
        hold,
        counters: _,
    } = match evaluation {
        Ok(Some(evaluation)) => evaluation,
        Ok(None) => return Ok(Admission::Proceed(InFlight::NONE)),
        Err(RateLimitError::Unavailable { retry_after, .. }) => {
            return Ok(respond_with(
                limiter,
                request,
                response::unavailable(retry_after),
            ));
        }
        Err(error @ RateLimitError::UnknownLimit { .. }) => {
            NO_SUCH_LIMIT.log(format_args!("{error}; the answer is 500"));
            let answer = HttpResponse::InternalServerError().finish();
            return Ok(respond_with(limiter, request, answer));
        }
        Err(error) => {
            // Fail open: an invalid limit is a bug in the application, and must not turn into an
            // outage of the service. The request continues unlimited; the error is logged.
            MISTAKES.log(format_args!("a request goes on without its limit: {error}"));
            return Ok(Admission::Proceed(InFlight::NONE));
        }
    };
    if decision.is_allowed() {
        let record = record(limiter, request, layer, decision);
        return Ok(Admission::Proceed(InFlight::new(record, refunds, hold)));
    }
    match own_answer.or(context.on_limited()) {
        Some(answer) => Err(CustomDenial { decision, answer }),
        None => {
            let answer = response::quota_exceeded(&decision);
            Ok(deny(limiter, request, layer, decision, answer))
        }
    }
}

impl CustomDenial<'_> {
    async fn respond(
        self,
        context: RuleContext<'_>,
        request: &HttpRequest,
        layer: Nesting,
    ) -> Admission {
        let answer = self.answer.answer(request, &self.decision).await;
        deny(context.limiter, request, layer, self.decision, answer)
    }
}

/// Completes the response to a denial with its headers.
fn deny(
    limiter: &RateLimiter,
    request: &HttpRequest,
    layer: Nesting,
    decision: Decision,
    mut answer: HttpResponse,
) -> Admission {
    response::retry_after(answer.headers_mut(), decision.retry_after());
    let record = record(limiter, request, layer, decision);
    record.write(limiter.settings().headers, answer.headers_mut());
    Admission::Respond(answer)
}

/// Responds without a decision. The headers are those of earlier decisions for the request.
pub(super) fn respond_with(
    limiter: &RateLimiter,
    request: &HttpRequest,
    mut answer: HttpResponse,
) -> Admission {
    write_headers(limiter, request, &mut answer);
    Admission::Respond(answer)
}
