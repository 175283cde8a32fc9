//! The guard: takes rules and a request to a decision and, where there is one, a response.
//!
//! Handlers, the middleware, the WebSocket limiter and `check_request` all call it. It never calls
//! the handler.

use actix_throttle_core::{
    decision::Decision, enforcement::Enforcement, limit::range::SETTLE_WITHOUT_HANDLER,
    network::NetworkAccess,
};
use actix_web::HttpRequest;
use smallvec::SmallVec;

use super::{
    admission::{Admission, CustomDenial, admission, log_unenforced, respond_with},
    context::RuleContext,
    decisions::{Nesting, record_counters},
    error::RequestError,
    evaluate::evaluate,
    fast_path::SingleRule,
    handler_rules::RuleSet,
    in_flight::InFlight,
    matching::{MatchedRule, RuleMatcher},
    rule::Rule,
};
use crate::{
    engine::{Miss, log_lines::UNSETTLED},
    limiter::RateLimiter,
    response,
};

impl RateLimiter {
    /// Decides rules for a request as the attribute does: with `skip_if`, identities, groups and
    /// costs, all limits in one atomic decision. `None` if no rule applies to the request, or its
    /// network is [allowed](crate::Builder::allow).
    ///
    /// Charges stay: there is no response whose status a rule's [`refund_on`](Rule::refund_on)
    /// could match, and no handler that could [`settle`](Rule::settle) an estimate, which the log
    /// says. To settle a charge that you make yourself, [`acquire`](Self::acquire) it.
    ///
    /// # Errors
    ///
    /// [`RequestError::Forbidden`] if the client's network is denied;
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
    match matcher.context.limiter.access(matcher.request) {
        Some(NetworkAccess::Allow) => return Ok(None),
        Some(NetworkAccess::Deny) => return Err(RequestError::Forbidden),
        None if matcher.context.is_off() => return Ok(None),
        None => {}
    }
    let matched = matcher.matching(rules).await;
    let matched = matched.map_err(RequestError::unidentified)?;
    let evaluation = evaluate(&matcher, &matched).await;
    match evaluation {
        Ok(evaluation) => Ok(evaluation.map(|evaluation| {
            let refunds = evaluation.refunds.as_ref();
            if refunds.is_some_and(|plan| plan.pending().is_some()) {
                UNSETTLED.log(format_args!(
                    "the estimate of a charge stands: {SETTLE_WITHOUT_HANDLER}"
                ));
            }
            evaluation.decision
        })),
        Err(error) if matcher.context.is_shadow() => {
            log_unenforced(&error);
            Ok(None)
        }
        Err(error) => Err(RequestError::Undecided(error)),
    }
}

/// A request that [`try_admit`] could not decide without waiting. [`admit`](Self::admit) awaits it.
pub(super) enum Undecided<'a> {
    /// The single rule was not decided in the process: the store has to be asked.
    Remote(SingleRule<'a>, Miss),
    /// There are several rules, or one that needs more than the fast path has.
    Rules(RuleContext<'a>, &'a [Rule]),
    /// The single rule has denied the request, and the application builds the response.
    Denied(RuleContext<'a>, CustomDenial<'a>),
}

/// Decides whether a request may proceed to its handler, if that needs no waiting: the fast path.
///
/// # Errors
///
/// The rest, which is to be awaited. The caller boxes it, so that the futures of handlers stay
/// small.
pub(super) fn try_admit<'a>(
    limiter: &'a RateLimiter,
    rules: &'a RuleSet,
    request: &HttpRequest,
    nesting: Nesting,
) -> Result<Admission, Undecided<'a>> {
    if let Some(admission) = admit_by_network(limiter, request) {
        return Ok(admission);
    }
    let context = RuleContext::of(limiter);
    match context.enforcement {
        Enforcement::On => {}
        Enforcement::Shadow => return Err(Undecided::Rules(context, rules)),
        _ => {
            let style = limiter.settings().headers;
            return Ok(Admission::Proceed(InFlight::uncharged(style)));
        }
    }
    let Some(single) = SingleRule::of(context, rules, request) else {
        return Err(Undecided::Rules(context, rules));
    };
    let evaluation = match single.try_evaluate() {
        Ok(evaluation) => evaluation,
        Err(miss) => return Err(Undecided::Remote(single, miss)),
    };
    let admission = admission(context, request, nesting, Ok(Some(evaluation)));
    admission.map_err(|denial| Undecided::Denied(context, denial))
}

impl Undecided<'_> {
    /// Decides whether the request may proceed to its handler. See [`InFlight`] for what is left to
    /// do then.
    pub(super) async fn admit(self, request: &HttpRequest, nesting: Nesting) -> Admission {
        match self {
            Self::Remote(single, miss) => {
                let context = single.context();
                let evaluation = single.evaluate(miss).await;
                match admission(context, request, nesting, evaluation.map(Some)) {
                    Ok(admission) => admission,
                    Err(denial) => denial.respond(context, request, nesting).await,
                }
            }
            Self::Rules(context, rules) => {
                let mut matcher = RuleMatcher::new(context, request);
                match matcher.matching(rules).await {
                    Ok(matched) => admit_matched(&matcher, &matched, nesting).await,
                    Err(response) => respond_with(context.limiter, request, response),
                }
            }
            Self::Denied(context, denial) => denial.respond(context, request, nesting).await,
        }
    }
}

/// Decides by the networks that the limiter allows or denies. `None`: the rules decide.
fn admit_by_network(limiter: &RateLimiter, request: &HttpRequest) -> Option<Admission> {
    Some(match limiter.access(request)? {
        NetworkAccess::Allow => Admission::Proceed(InFlight::uncharged(limiter.settings().headers)),
        NetworkAccess::Deny => respond_with(limiter, request, response::forbidden()),
    })
}

/// Decides rules that are known to apply.
pub(super) async fn admit_matched(
    matcher: &RuleMatcher<'_>,
    matched: &[MatchedRule<'_>],
    nesting: Nesting,
) -> Admission {
    let mut evaluation = evaluate(matcher, matched).await;
    let counters = match &mut evaluation {
        Ok(Some(evaluation)) => std::mem::take(&mut evaluation.counters),
        _ => SmallVec::new(),
    };
    match admission(matcher.context, matcher.request, nesting, evaluation) {
        Ok(admission) => {
            record_counters(matcher.request, &counters);
            admission
        }
        Err(denied) => {
            denied
                .respond(matcher.context, matcher.request, nesting)
                .await
        }
    }
}
