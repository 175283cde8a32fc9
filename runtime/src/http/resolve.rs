//! Resolution: what each rule that applies will charge to this request, after `dynamic`, `cost` and
//! the configuration have been consulted.
//!
//! `evaluate` calls it once a request. It never asks the store.

use std::{borrow::Cow, time::Duration};

use actix_throttle_core::{
    check::Charge,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Concurrency, LimitOptions, LimitRef, PermitId, ValidSlowDown},
    status_set::StatusSet,
};
use smallvec::SmallVec;

use super::{
    matching::{MatchedRule, RuleMatcher},
    named_limit::NamedLimitsView,
    pending_charge,
    requested_limit::RequestedLimit,
    rule::{EffectiveLimit, Resolved, Rule, reject_options, valid_settle, valid_slow_down},
};
use crate::engine::error::RateLimitError;

/// A rule that applies, resolved to the limit, cost and options for this request.
pub(super) struct ResolvedRule<'a, 'i> {
    pub(super) rule: &'a Rule,
    /// The identity whose counter is charged.
    pub(super) identity: &'i Identity,
    pub(super) limit: RequestedLimit<'a>,
    pub(super) cost: u32,
    pub(super) failure_mode: FailureMode,
    /// The response statuses at which the charge is refunded.
    pub(super) refund_on: Option<Cow<'a, StatusSet>>,
    /// Whether the cost is an estimate.
    pub(super) settles: bool,
    /// The longest wait for capacity; `None`: the request never waits.
    pub(super) max_wait: Option<Duration>,
    /// The slow-down by which an admitted request is delayed.
    pub(super) slow_down: Option<ValidSlowDown>,
}

impl ResolvedRule<'_, '_> {
    /// The charge that the store is asked for.
    pub(super) fn charge(&self) -> Charge<'_> {
        let (key, limit) = match &self.limit {
            RequestedLimit::Rate(limit) => {
                (Key::counter(self.identity, limit), LimitRef::Rate(limit))
            }
            RequestedLimit::Concurrency(permit) => {
                let (limit, permit_id) = &**permit;
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

    /// Whether the charge may be changed after its decision.
    pub(super) fn needs_receipts(&self) -> bool {
        self.refund_on.is_some() || self.settles || self.slow_down.is_some()
    }

    /// Whether the rule needs neither the wait queue nor a permit, so that one check decides it.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.limit, RequestedLimit::Rate(_)) && self.max_wait.is_none()
    }
}

/// Calls the rules' async functions. The results have the indices of their rules.
///
/// The caller makes sure that a rule has an async function: without one there is nothing to wait
/// for, and [`resolve`] takes an empty slice.
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

/// Resolves rules to what each of them charges. Unlimited rules charge nothing and are left out.
///
/// `resolved` has the results of [`call_async_functions`]; it is empty if no rule has an async
/// function.
///
/// # Errors
///
/// [`RateLimitError::UnknownLimit`] if a rule names a limit that the configuration does not have,
/// and has no fallback.
pub(super) fn resolve<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    matched: &[MatchedRule<'a>],
    resolved: &[Resolved],
) -> Result<SmallVec<[ResolvedRule<'a, 'i>; 1]>, RateLimitError> {
    let mut resolved_rules: SmallVec<[ResolvedRule<'a, 'i>; 1]> = SmallVec::new();
    // The named limits are loaded once a request, so that all of them come from one snapshot.
    let mut named_limits: Option<NamedLimitsView<'_>> = None;
    for (index, one) in matched.iter().enumerate() {
        let rule = one.rule;
        let resolved = resolved.get(index);
        let options = Cow::Borrowed(rule.limit_options());
        if let Some(concurrency) = rule.concurrency_limit() {
            resolved_rules.push(resolve_concurrency(matcher, one, concurrency, options));
            continue;
        }
        let Some(named) = rule.named_limit() else {
            if let Some(written) = rule.static_limit() {
                let written = EffectiveLimit::Static(written);
                if let Some(rate) = resolve_rate(matcher, one, written, resolved, options) {
                    resolved_rules.push(rate);
                }
            }
            continue;
        };
        let named_limits = named_limits.get_or_insert_with(|| {
            if matcher.is_of_message() {
                NamedLimitsView::now(matcher.context.limiter)
            } else {
                NamedLimitsView::of(matcher.context.limiter, matcher.request)
            }
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
                resolved_rules.push(rate);
            }
            continue;
        };
        let options = Cow::Owned(options.or(&found.options));
        match named.fill(found.limit) {
            AnyLimit::Rate(limit) => {
                if let Some(rate) = resolve_rate(matcher, one, limit.into(), resolved, options) {
                    resolved_rules.push(rate);
                }
            }
            AnyLimit::Concurrency(concurrency) => {
                let concurrency = rule.concurrency_for(concurrency);
                resolved_rules.push(resolve_concurrency(matcher, one, concurrency, options));
            }
        }
    }
    Ok(resolved_rules)
}

/// Resolves a rate limit. `None` if the rule's `dynamic` function leaves the request unlimited.
fn resolve_rate<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    written: EffectiveLimit<'a>,
    resolved: Option<&Resolved>,
    options: Cow<'a, LimitOptions>,
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

/// Resolves a concurrency limit. It charges one permit, and `refund_on` and `settle` do not apply
/// to it: the permit is released at the end of the response body, whatever the status.
fn resolve_concurrency<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    concurrency: Concurrency,
    options: Cow<'a, LimitOptions>,
) -> ResolvedRule<'a, 'i> {
    let settle = options.settle.unwrap_or(false);
    reject_options(options.slow_down, settle);
    if settle {
        pending_charge::refuse(matcher.request);
    }
    resolved_rule(
        matcher,
        one,
        RequestedLimit::Concurrency(Box::new((concurrency, PermitId::new()))),
        1,
        options,
    )
}

fn resolved_rule<'a, 'i>(
    matcher: &'i RuleMatcher<'_>,
    one: &MatchedRule<'a>,
    what: RequestedLimit<'a>,
    cost: u32,
    options: Cow<'a, LimitOptions>,
) -> ResolvedRule<'a, 'i> {
    let (failure_mode, max_wait) = (options.failure_mode, options.max_wait);
    let (refund_on, settles, slow_down) = match &what {
        RequestedLimit::Rate(limit) => {
            let settle = options.settle.unwrap_or(false);
            let settles = valid_settle(settle, limit);
            if settle && !settles {
                pending_charge::refuse(matcher.request);
            }
            let slow_down = if matcher.context.is_shadow() {
                None
            } else {
                valid_slow_down(one.rule, options.slow_down, limit)
            };
            (refund_statuses(options), settles, slow_down)
        }
        RequestedLimit::Concurrency(_) => (None, false, None),
    };
    let what = if matcher.context.is_shadow() {
        what.unenforced()
    } else {
        what
    };
    let what = if settles { what.for_settlement() } else { what };
    ResolvedRule {
        rule: one.rule,
        identity: matcher.counter_identity(one),
        limit: what,
        cost,
        failure_mode: failure_mode.unwrap_or(matcher.context.failure_mode()),
        refund_on,
        settles,
        max_wait,
        slow_down,
    }
}

/// Returns the response statuses at which a charge is refunded.
fn refund_statuses(options: Cow<'_, LimitOptions>) -> Option<Cow<'_, StatusSet>> {
    match options {
        Cow::Borrowed(options) => options.refund_on.as_ref().map(Cow::Borrowed),
        Cow::Owned(options) => options.refund_on.map(Cow::Owned),
    }
}
