//! Rules + request → decision + answer: the one way in for all callers.

use std::{future::Future, pin::Pin};

use actix_web::{HttpRequest, HttpResponse};

use super::{
    applied::{Applied, Census, Few},
    at_sight::Plain,
    error::RequestError,
    judge::{Judged, judge},
    manner::Manner,
    pending::Pending,
    rule::Rule,
    shown::{Layer, count_once, remember, show},
};
use crate::{
    answer::{self, OnLimited},
    decision::Decision,
    error::RateLimitError,
    limiter::RateLimiter,
    log_throttle::LogThrottle,
};

/// What a request may do.
pub(super) enum Passage {
    /// Go on; and what is then to be settled with the status of its response.
    Open(Pending),
    /// Take this answer, which has its headers.
    Shut(HttpResponse),
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
        decide(Census::new(Manner::of(self), request), rules).await
    }
}

/// Decides without an answer: nothing is kept with the request, and nothing given back.
pub(super) async fn decide<'a>(
    mut census: Census<'a>,
    rules: &'a [Rule],
) -> Result<Option<Decision>, RequestError> {
    let applied = census.applied(rules).await;
    let applied = applied.map_err(RequestError::unidentified)?;
    let judged = judge(&census, &applied).await;
    let judged = judged.map_err(RequestError::Undecided)?;
    Ok(judged.map(|judged| judged.decision))
}

/// Whether a request may go on to its handler.
pub(super) enum Guarded<'a> {
    /// It was decided at once.
    Now(Passage),
    /// Boxed: those who go on at once need not move about a future with room for this.
    Later(Pin<Box<dyn Future<Output = Passage> + 'a>>),
}

/// Decides whether a request may go on to its handler. See [`Pending`] for what is left to do then.
pub(super) fn guard<'a>(
    limiter: &'a RateLimiter,
    rules: &'a [Rule],
    request: &'a HttpRequest,
    layer: Layer,
) -> Guarded<'a> {
    let manner = Manner::of(limiter);
    let Some(plain) = Plain::of(manner, rules, request) else {
        return Guarded::Later(Box::pin(guard_in_full(manner, rules, request, layer)));
    };
    let Some(judged) = plain.judge_at_once() else {
        return Guarded::Later(Box::pin(guard_by_server(plain, request, layer)));
    };
    match conclude(manner, request, layer, judged.map(Some)) {
        Ok(passage) => Guarded::Now(passage),
        Err(denied) => Guarded::Later(Box::pin(denied.answered(manner, request, layer))),
    }
}

/// The same for what could not be decided at once.
async fn guard_by_server(plain: Plain<'_>, request: &HttpRequest, layer: Layer) -> Passage {
    let judged = plain.judge_by_server().await;
    let manner = plain.manner();
    match conclude(manner, request, layer, judged.map(Some)) {
        Ok(passage) => passage,
        Err(denied) => denied.answered(manner, request, layer).await,
    }
}

/// The same, whatever the rules are.
async fn guard_in_full(
    manner: Manner<'_>,
    rules: &[Rule],
    request: &HttpRequest,
    layer: Layer,
) -> Passage {
    let mut census = Census::new(manner, request);
    let applied = match census.applied(rules).await {
        Ok(applied) => applied,
        Err(answer) => return shut(manner.limiter, request, answer),
    };
    pass(&census, &applied, layer).await
}

/// The same for rules that are known to apply.
pub(super) async fn pass(census: &Census<'_>, applied: &[Applied<'_>], layer: Layer) -> Passage {
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
        Err(denied) => denied.answered(census.manner, census.request, layer).await,
    }
}

/// A denial that the application has an answer of its own for.
struct Denied<'a> {
    decision: Decision,
    answer: &'a OnLimited,
}

/// What follows for the request.
fn conclude<'a>(
    manner: Manner<'a>,
    request: &HttpRequest,
    layer: Layer,
    judged: Result<Option<Judged<'a>>, RateLimitError>,
) -> Result<Passage, Denied<'a>> {
    let limiter = manner.limiter;
    let Judged {
        decision,
        own_answer,
        refunds,
        hold,
        counters: _,
    } = match judged {
        Ok(Some(judged)) => judged,
        Ok(None) => return Ok(Passage::Open(Pending::NONE)),
        Err(RateLimitError::Unavailable { retry_after, .. }) => {
            return Ok(shut(limiter, request, answer::unavailable(retry_after)));
        }
        Err(error @ RateLimitError::UnknownLimit { .. }) => {
            NO_SUCH_LIMIT.log(format_args!("{error}; the answer is 500"));
            let answer = HttpResponse::InternalServerError().finish();
            return Ok(shut(limiter, request, answer));
        }
        Err(error) => {
            // The last thing to take a service down must not be what protects it.
            MISTAKES.log(format_args!("a request goes on without its limit: {error}"));
            return Ok(Passage::Open(Pending::NONE));
        }
    };
    if decision.is_allowed() {
        let told = remember(limiter, request, layer, decision);
        return Ok(Passage::Open(Pending::new(told, refunds, hold)));
    }
    match own_answer.or(manner.on_limited()) {
        Some(answer) => Err(Denied { decision, answer }),
        None => {
            let answer = answer::quota_exceeded(&decision);
            Ok(deny(limiter, request, layer, decision, answer))
        }
    }
}

impl Denied<'_> {
    async fn answered(self, manner: Manner<'_>, request: &HttpRequest, layer: Layer) -> Passage {
        let answer = self.answer.answer(request, &self.decision).await;
        deny(manner.limiter, request, layer, self.decision, answer)
    }
}

/// A denial's answer, with its headers.
fn deny(
    limiter: &RateLimiter,
    request: &HttpRequest,
    layer: Layer,
    decision: Decision,
    mut answer: HttpResponse,
) -> Passage {
    answer::retry_after(answer.headers_mut(), decision.retry_after());
    let told = remember(limiter, request, layer, decision);
    told.write(limiter.settings().headers, answer.headers_mut());
    Passage::Shut(answer)
}

/// An answer without a decision: its headers are those of other layers.
pub(super) fn shut(
    limiter: &RateLimiter,
    request: &HttpRequest,
    mut answer: HttpResponse,
) -> Passage {
    show(limiter, request, &mut answer);
    Passage::Shut(answer)
}
