//! Rules + request → decision + answer: the one way in for all callers.

use std::{future::Future, pin::Pin};

use actix_web::{HttpRequest, HttpResponse};

use super::{
    context::RuleContext,
    decisions::{Nesting, count_once, remember, show},
    error::RequestError,
    evaluate::{Evaluation, judge},
    fast_path::SingleRule,
    in_flight::InFlight,
    matching::{Few, MatchedRule, RuleMatcher},
    rule::Rule,
};
use crate::{
    decision::Decision,
    error::RateLimitError,
    limiter::RateLimiter,
    log_throttle::LogThrottle,
    response::{self, OnLimited},
};

/// What a request may do.
pub(super) enum Admission {
    /// Go on; and what is then to be settled with the status of its response.
    Proceed(InFlight),
    /// Take this answer, which has its headers.
    Respond(HttpResponse),
}

static MISTAKES: LogThrottle = LogThrottle::new(log::Level::Error);
static NO_SUCH_LIMIT: LogThrottle = LogThrottle::new(log::Level::Error);

impl RateLimiter {
    /// Decides rules for a request as the attribute does: skips, identities, groups, costs, all
    /// limits at once. `None` if no rule applies to it.
    ///
    /// What it charges stays charged: there is no response whose status a rule's
    /// [`refund_on`](Rule::refund_on) could look at.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unidentified`] with the answer that `on_unidentified` made, or
    /// [`RequestError::Undecided`] if a rule's limit is invalid or nobody has its name, or the
    /// store could not decide and the [`FailureMode`](crate::FailureMode) of a rule is `Closed`.
    pub async fn check_request(
        &self,
        request: &HttpRequest,
        rules: &[Rule],
    ) -> Result<Option<Decision>, RequestError> {
        decide(RuleMatcher::new(RuleContext::of(self), request), rules).await
    }
}

/// Decides without an answer: nothing is kept with the request, and nothing given back.
pub(super) async fn decide<'a>(
    mut census: RuleMatcher<'a>,
    rules: &'a [Rule],
) -> Result<Option<Decision>, RequestError> {
    let applied = census.applied(rules).await;
    let applied = applied.map_err(RequestError::unidentified)?;
    let judged = judge(&census, &applied).await;
    let judged = judged.map_err(RequestError::Undecided)?;
    Ok(judged.map(|judged| judged.decision))
}

/// Whether a request may go on to its handler.
pub(super) enum TryGuard<'a> {
    /// It was decided at once.
    Ready(Admission),
    /// Boxed: those who go on at once need not move about a future with room for this.
    Pending(Pin<Box<dyn Future<Output = Admission> + 'a>>),
}

/// Decides whether a request may go on to its handler. See [`InFlight`] for what is left to do then.
pub(super) fn guard<'a>(
    limiter: &'a RateLimiter,
    rules: &'a [Rule],
    request: &'a HttpRequest,
    layer: Nesting,
) -> TryGuard<'a> {
    let manner = RuleContext::of(limiter);
    let Some(plain) = SingleRule::of(manner, rules, request) else {
        return TryGuard::Pending(Box::pin(guard_in_full(manner, rules, request, layer)));
    };
    let Some(judged) = plain.judge_at_once() else {
        return TryGuard::Pending(Box::pin(guard_by_server(plain, request, layer)));
    };
    match conclude(manner, request, layer, judged.map(Some)) {
        Ok(passage) => TryGuard::Ready(passage),
        Err(denied) => TryGuard::Pending(Box::pin(denied.respond(manner, request, layer))),
    }
}

/// The same for what could not be decided at once.
async fn guard_by_server(
    plain: SingleRule<'_>,
    request: &HttpRequest,
    layer: Nesting,
) -> Admission {
    let judged = plain.judge_by_server().await;
    let manner = plain.manner();
    match conclude(manner, request, layer, judged.map(Some)) {
        Ok(passage) => passage,
        Err(denied) => denied.respond(manner, request, layer).await,
    }
}

/// The same, whatever the rules are.
async fn guard_in_full(
    manner: RuleContext<'_>,
    rules: &[Rule],
    request: &HttpRequest,
    layer: Nesting,
) -> Admission {
    let mut census = RuleMatcher::new(manner, request);
    let applied = match census.applied(rules).await {
        Ok(applied) => applied,
        Err(answer) => return shut(manner.limiter, request, answer),
    };
    pass(&census, &applied, layer).await
}

/// The same for rules that are known to apply.
pub(super) async fn pass(
    census: &RuleMatcher<'_>,
    applied: &[MatchedRule<'_>],
    layer: Nesting,
) -> Admission {
    let mut judged = judge(census, applied).await;
    let counters = match &mut judged {
        Ok(Some(judged)) => std::mem::take(&mut judged.counters),
        _ => Few::new(),
    };
    match conclude(census.manner, census.request, layer, judged) {
        Ok(passage) => {
            count_once(census.request, &counters);
            passage
        }
        Err(denied) => denied.respond(census.manner, census.request, layer).await,
    }
}

/// A denial that the application has an answer of its own for.
struct CustomDenial<'a> {
    decision: Decision,
    answer: &'a OnLimited,
}

/// What follows for the request.
fn conclude<'a>(
    manner: RuleContext<'a>,
    request: &HttpRequest,
    layer: Nesting,
    judged: Result<Option<Evaluation<'a>>, RateLimitError>,
) -> Result<Admission, CustomDenial<'a>> {
    let limiter = manner.limiter;
    let Evaluation {
        decision,
        own_answer,
        refunds,
        hold,
        counters: _,
    } = match judged {
        Ok(Some(judged)) => judged,
        Ok(None) => return Ok(Admission::Proceed(InFlight::NONE)),
        Err(RateLimitError::Unavailable { retry_after, .. }) => {
            return Ok(shut(limiter, request, response::unavailable(retry_after)));
        }
        Err(error @ RateLimitError::UnknownLimit { .. }) => {
            NO_SUCH_LIMIT.log(format_args!("{error}; the answer is 500"));
            let answer = HttpResponse::InternalServerError().finish();
            return Ok(shut(limiter, request, answer));
        }
        Err(error) => {
            // The last thing to take a service down must not be what protects it.
            MISTAKES.log(format_args!("a request goes on without its limit: {error}"));
            return Ok(Admission::Proceed(InFlight::NONE));
        }
    };
    if decision.is_allowed() {
        let told = remember(limiter, request, layer, decision);
        return Ok(Admission::Proceed(InFlight::new(told, refunds, hold)));
    }
    match own_answer.or(manner.on_limited()) {
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
        manner: RuleContext<'_>,
        request: &HttpRequest,
        layer: Nesting,
    ) -> Admission {
        let answer = self.answer.answer(request, &self.decision).await;
        deny(manner.limiter, request, layer, self.decision, answer)
    }
}

/// A denial's answer, with its headers.
fn deny(
    limiter: &RateLimiter,
    request: &HttpRequest,
    layer: Nesting,
    decision: Decision,
    mut answer: HttpResponse,
) -> Admission {
    response::retry_after(answer.headers_mut(), decision.retry_after());
    let told = remember(limiter, request, layer, decision);
    told.write(limiter.settings().headers, answer.headers_mut());
    Admission::Respond(answer)
}

/// An answer without a decision: its headers are those of other layers.
pub(super) fn shut(
    limiter: &RateLimiter,
    request: &HttpRequest,
    mut answer: HttpResponse,
) -> Admission {
    show(limiter, request, &mut answer);
    Admission::Respond(answer)
}
