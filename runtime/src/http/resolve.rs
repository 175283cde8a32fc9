//! Rules that apply to a request → what each asks for, as it is in force now.

use std::{borrow::Cow, time::Duration};

use smallvec::SmallVec;

use super::{
    matching::{Few, MatchedRule, RuleMatcher},
    named_limit::NamedLimitsView,
    rule::{EffectiveLimit, Resolved, Rule},
};
use crate::{
    error::RateLimitError,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Concurrency, LimitRef, PermitId},
    limiter,
    status_set::StatusSet,
    store::interface::Charge,
};

/// What a rule that applies asks for.
pub(super) struct ResolvedRule<'a, 'i> {
    pub(super) rule: &'a Rule,
    /// Whose counter it is.
    pub(super) identity: &'i Identity,
    pub(super) limit: RequestedLimit<'a>,
    pub(super) cost: u32,
    pub(super) failure_mode: FailureMode,
    /// The statuses at which it is given back.
    pub(super) refund_on: Option<Cow<'a, StatusSet>>,
    /// How long it may be waited for; `None`: not at all.
    pub(super) max_wait: Option<Duration>,
}

/// What is to be charged.
pub(super) enum RequestedLimit<'a> {
    Rate(EffectiveLimit<'a>),
    Concurrency(Box<(Concurrency, PermitId)>),
}

impl ResolvedRule<'_, '_> {
    /// The charge of it.
    pub(super) fn charge(&self) -> Charge<'_> {
        let (key, limit) = match &self.limit {
            RequestedLimit::Rate(limit) => {
                (Key::counter(self.identity, limit), LimitRef::Rate(limit))
            }
            RequestedLimit::Concurrency(place) => {
                let (limit, permit_id) = &**place;
                let charged = LimitRef::Concurrency(limit, *permit_id);
                (Key::permits(self.identity, limit), charged)
            }
        };
        Charge {
            key,
            limit,
            cost: self.cost,
            failure_mode: self.failure_mode,
        }
    }

    /// Whether it can be decided without waiting, and holds nothing afterwards.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.limit, RequestedLimit::Rate(_)) && self.max_wait.is_none()
    }
}

/// What is said of a limit beside its numbers: by the rule, else by the configuration.
struct OptionsInForce<'a> {
    failure_mode: Option<FailureMode>,
    refund_on: Option<Cow<'a, StatusSet>>,
    max_wait: Option<Duration>,
}

/// Asks the async functions of these rules, each rule's at its place. Empty if none has any, which is
/// for the caller to find out: then there is nothing to wait for.
pub(super) async fn call_async_functions(
    matcher: &RuleMatcher<'_>,
    matched: &[MatchedRule<'_>],
) -> Vec<Resolved> {
    let mut resolved = Vec::with_capacity(matched.len());
    for one in matched {
        let identity = matcher.identity(one);
        resolved.push(one.rule.call_async(matcher.request, identity).await);
    }
    resolved
}

/// What these rules ask for. Unlimited ones ask for nothing.
///
/// `resolved` is what [`call_async_functions`] has found, empty if no rule has an async function.
///
/// # Errors
///
/// If one names a limit that nobody has.
pub(super) fn resolve<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    matched: &[MatchedRule<'a>],
    resolved: &[Resolved],
) -> Result<Few<ResolvedRule<'a, 'i>>, RateLimitError> {
    let mut asked: Few<ResolvedRule<'a, 'i>> = SmallVec::new();
    // Looked up once a request, so that its limits are of one state.
    let mut named_limits: Option<NamedLimitsView<'_>> = None;
    for (place, one) in matched.iter().enumerate() {
        let rule = one.rule;
        let resolved = resolved.get(place);
        let options = OptionsInForce::of(rule);
        if let Some(places) = rule.concurrency_limit() {
            asked.push(self::resolve_concurrency(matcher, one, places, options));
            continue;
        }
        let Some(named) = rule.named_limit() else {
            if let Some(written) = rule.static_limit() {
                let written = EffectiveLimit::Static(written);
                if let Some(rate) = resolve_rate(matcher, one, written, resolved, options) {
                    asked.push(rate);
                }
            }
            continue;
        };
        let named_limits = named_limits.get_or_insert_with(|| match matcher.is_of_message() {
            true => NamedLimitsView::now(matcher.context.limiter),
            false => NamedLimitsView::of(matcher.context.limiter, matcher.request),
        });
        let found = named_limits.find(named, rule.static_limit().is_none());
        let Some(found) = found else {
            let Some(written) = rule.static_limit() else {
                return Err(RateLimitError::UnknownLimit {
                    name: named.name.to_string(),
                });
            };
            let written = EffectiveLimit::Static(written);
            if let Some(rate) = resolve_rate(matcher, one, written, resolved, options) {
                asked.push(rate);
            }
            continue;
        };
        let options = options.or(&found.options);
        match named.fill(found.limit) {
            AnyLimit::Rate(limit) => {
                if let Some(rate) = resolve_rate(matcher, one, limit.into(), resolved, options) {
                    asked.push(rate);
                }
            }
            AnyLimit::Concurrency(places) => {
                asked.push(self::resolve_concurrency(
                    matcher,
                    one,
                    rule.concurrency_for(places),
                    options,
                ));
            }
        }
    }
    Ok(asked)
}

/// `None` if the rule's `dynamic` function says that the request is not limited.
fn resolve_rate<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    written: EffectiveLimit<'a>,
    resolved: Option<&Resolved>,
    options: OptionsInForce<'a>,
) -> Option<ResolvedRule<'a, 'i>> {
    let (request, identity) = (matcher.request, matcher.identity(one));
    let (limit, cost) = one.rule.limit_for(written, request, identity, resolved)?;
    Some(resolved_rule(
        matcher,
        one,
        RequestedLimit::Rate(limit),
        cost,
        options,
    ))
}

/// It has no cost, and nothing of it is given back by a status.
fn resolve_concurrency<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    places: Concurrency,
    options: OptionsInForce<'a>,
) -> ResolvedRule<'a, 'i> {
    let options = OptionsInForce {
        refund_on: None,
        ..options
    };
    resolved_rule(
        matcher,
        one,
        RequestedLimit::Concurrency(Box::new((places, PermitId::new()))),
        1,
        options,
    )
}

fn resolved_rule<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    what: RequestedLimit<'a>,
    cost: u32,
    options: OptionsInForce<'a>,
) -> ResolvedRule<'a, 'i> {
    let OptionsInForce {
        failure_mode,
        refund_on,
        max_wait,
    } = options;
    ResolvedRule {
        rule: one.rule,
        identity: matcher.counter_identity(one),
        limit: what,
        cost,
        failure_mode: failure_mode.unwrap_or(matcher.context.failure_mode()),
        refund_on,
        max_wait,
    }
}

impl<'a> OptionsInForce<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self {
            failure_mode: rule.own_failure_mode(),
            refund_on: rule.refund_statuses().map(Cow::Borrowed),
            max_wait: rule.max_wait_value(),
        }
    }

    /// The same, and what it leaves open as the configuration says.
    fn or(self, found: &limiter::LimitOptions) -> Self {
        let refund_on = || found.refund_on.clone().map(Cow::Owned);
        Self {
            failure_mode: self.failure_mode.or(found.failure_mode),
            refund_on: self.refund_on.or_else(refund_on),
            max_wait: self.max_wait.or(found.max_wait),
        }
    }
}
