//! Rules + request → decision + answer: the one way in for all callers.

use actix_web::{HttpRequest, HttpResponse};

use super::{
    applied::{Applied, Census},
    error::RequestError,
    judge::{Judged, judge},
    manner::Manner,
    pending::Pending,
    rule::Rule,
    shown::{Layer, remember, show},
};
use crate::{
    answer, decision::Decision, error::RateLimitError, limiter::RateLimiter,
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
    /// [`RequestError::Undecided`] if a rule's limit is invalid or nobody has its name, or the store could not decide and
    /// the [`FailureMode`](crate::FailureMode) of a rule is `Closed`.
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
    let applied = applied.map_err(RequestError::Unidentified)?;
    let judged = judge(&census, &applied).await;
    let judged = judged.map_err(RequestError::Undecided)?;
    Ok(judged.map(|judged| judged.decision))
}

/// Decides whether a request may go on to its handler. See [`Pending`] for what is left to do then.
pub(super) async fn guard(
    limiter: &RateLimiter,
    rules: &[Rule],
    request: &HttpRequest,
    layer: Layer,
) -> Passage {
    let mut census = Census::new(Manner::of(limiter), request);
    let applied = match census.applied(rules).await {
        Ok(applied) => applied,
        Err(answer) => return shut(limiter, request, answer),
    };
    pass(&census, &applied, layer).await
}

/// The same for rules that are known to apply.
pub(super) async fn pass(census: &Census<'_>, applied: &[Applied<'_>], layer: Layer) -> Passage {
    let (limiter, request) = (census.manner.limiter, census.request);
    let Judged {
        decision,
        own_answer,
        refunds,
        hold,
    } = match judge(census, applied).await {
        Ok(Some(judged)) => judged,
        Ok(None) => return Passage::Open(Pending::NONE),
        Err(RateLimitError::Unavailable { retry_after, .. }) => {
            return shut(limiter, request, answer::unavailable(retry_after));
        }
        Err(error @ RateLimitError::UnknownLimit { .. }) => {
            NO_SUCH_LIMIT.log(format_args!("{error}; the answer is 500"));
            let answer = HttpResponse::InternalServerError().finish();
            return shut(limiter, request, answer);
        }
        Err(error) => {
            // The last thing to take a service down must not be what protects it.
            MISTAKES.log(format_args!("a request goes on without its limit: {error}"));
            return Passage::Open(Pending::NONE);
        }
    };
    if decision.is_allowed() {
        let told = remember(limiter, request, layer, decision);
        return Passage::Open(Pending::new(told, refunds, hold));
    }
    let mut response = match own_answer.or(census.manner.on_limited()) {
        Some(answer) => answer.answer(request, &decision).await,
        None => answer::quota_exceeded(&decision),
    };
    answer::retry_after(response.headers_mut(), decision.retry_after());
    let told = remember(limiter, request, layer, decision);
    told.write(limiter.settings().headers, response.headers_mut());
    Passage::Shut(response)
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
