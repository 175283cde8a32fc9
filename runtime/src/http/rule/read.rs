//! The options of a rule, as matching, resolution and the middleware read them.

use actix_throttle_core::{
    failure_mode::FailureMode,
    identity::Identity,
    limit::{AnyLimit, Concurrency, Limit, LimitOptions, LimitRef},
};
use actix_web::HttpRequest;

use super::{DynamicLimit, EffectiveLimit, Rule, RuleLimit};
use crate::{
    engine::log_lines::INVALID_DYNAMIC,
    http::named_limit::NamedLimitRef,
    identity::Identifier,
    response::OnLimited,
    user_fn::{UserFn, UserFnWith},
};

/// The results of a rule's async functions for a request. They are called before anything is
/// charged.
#[derive(Default)]
pub(in crate::http) struct Resolved {
    dynamic: Option<DynamicLimit>,
    cost: Option<u32>,
}

impl Rule {
    /// Replaces the limit that is written in the rule, if there is one. `change` gets it as a
    /// shadow if the rule is a shadow.
    pub(in crate::http) fn map_limit(self, change: impl FnOnce(Limit) -> Limit) -> Self {
        let shadow = self.shadow;
        let whole = |limit: Limit| if shadow { limit.shadow() } else { limit };
        let change = |limit| change(whole(limit));
        let limit = match self.limit {
            RuleLimit::Rate(limit) => RuleLimit::Rate(change(limit)),
            RuleLimit::Named(named, or) => RuleLimit::Named(named, or.map(change)),
            other @ (RuleLimit::Nothing | RuleLimit::Concurrency(_)) => other,
        };
        Self { limit, ..self }
    }

    /// Replaces the concurrency limit of the rule, if it has one.
    pub(in crate::http) fn map_concurrency(
        self,
        change: impl FnOnce(Concurrency) -> Concurrency,
    ) -> Self {
        match self.concurrency_limit() {
            Some(concurrency) => Self {
                limit: RuleLimit::Concurrency(change(concurrency)),
                ..self
            },
            None => self,
        }
    }

    /// The concurrency limit of the rule, if it has one.
    pub(in crate::http) fn concurrency_limit(&self) -> Option<Concurrency> {
        match self.limit {
            RuleLimit::Concurrency(written) => Some(self.concurrency_for(written)),
            RuleLimit::Nothing | RuleLimit::Rate(_) | RuleLimit::Named(..) => None,
        }
    }

    /// The concurrency limit that the rule applies in place of `written`: a shadow if the rule is.
    pub(in crate::http) fn concurrency_for(&self, written: Concurrency) -> Concurrency {
        if self.shadow {
            written.shadow()
        } else {
            written
        }
    }

    /// The options of the limit that the rule sets itself.
    pub(in crate::http) fn limit_options(&self) -> &LimitOptions {
        &self.options
    }

    /// The reference to a limit that a configuration names.
    pub(in crate::http) fn named_limit(&self) -> Option<&NamedLimitRef> {
        match &self.limit {
            RuleLimit::Named(named, _) => Some(named),
            RuleLimit::Nothing | RuleLimit::Rate(_) | RuleLimit::Concurrency(_) => None,
        }
    }

    /// The name under which observers hear of the rule where its limit is not resolved; `None` if
    /// its group is unlimited.
    pub(in crate::http) fn policy(&self) -> Option<&'static str> {
        match &self.limit {
            RuleLimit::Nothing => None,
            RuleLimit::Rate(limit) => Some(LimitRef::Rate(limit).name()),
            RuleLimit::Concurrency(limit) => Some(AnyLimit::Concurrency(*limit).name()),
            RuleLimit::Named(named, _) => Some(named.default_name()),
        }
    }

    /// Whether the rule leaves its group unlimited.
    pub(in crate::http) fn is_unlimited(&self) -> bool {
        matches!(self.limit, RuleLimit::Nothing)
    }

    /// The limit that is written in the rule, also as a fallback; `None` if the rule only has a
    /// name.
    pub(in crate::http) fn static_limit(&self) -> Option<&Limit> {
        match &self.limit {
            RuleLimit::Rate(limit) => Some(limit),
            RuleLimit::Named(_, or) => or.as_ref(),
            RuleLimit::Nothing | RuleLimit::Concurrency(_) => None,
        }
    }

    /// Whether the fast path can decide this rule: its limit applies as written to every request,
    /// and nothing is refunded or waited for.
    ///
    /// All fields are named, so a new one does not compile until it is decided whether it matters.
    pub(in crate::http) fn is_plain(&self) -> bool {
        let Self {
            limit: RuleLimit::Rate(_),
            identifier: _,
            group: None,
            cost: None,
            skip_if: None,
            dynamic: None,
            on_limited: _,
            options:
                LimitOptions {
                    failure_mode: _,
                    refund_on: None,
                    settle: None,
                    max_wait: None,
                    slow_down,
                },
            shadow: false,
        } = self
        else {
            return false;
        };
        slow_down.is_empty()
    }

    pub(in crate::http) async fn skips(&self, request: &HttpRequest) -> bool {
        match &self.skip_if {
            Some(skip) => skip.call(request).await,
            None => false,
        }
    }

    pub(in crate::http) fn own_identifier(&self) -> Option<&Identifier> {
        self.identifier.as_ref()
    }

    pub(in crate::http) fn group_name(&self) -> Option<&str> {
        self.group.as_deref()
    }

    pub(in crate::http) fn own_failure_mode(&self) -> Option<FailureMode> {
        self.options.failure_mode
    }

    pub(in crate::http) fn custom_response(&self) -> Option<&OnLimited> {
        self.on_limited.as_ref()
    }

    /// Whether the cost is an estimate.
    pub(in crate::http) fn settles(&self) -> bool {
        self.options.settle.unwrap_or(false)
    }

    /// Whether the limit or the cost needs an async function: see [`call_async`](Self::call_async).
    pub(in crate::http) fn has_async(&self) -> bool {
        matches!(self.dynamic, Some(UserFnWith::Async(_)))
            || matches!(self.cost, Some(UserFn::Async(_)))
    }

    /// Calls the async functions, so that [`limit_for`](Self::limit_for) need not wait. An
    /// unlimited request has no cost, so the cost function is not called for it.
    pub(in crate::http) async fn call_async(
        &self,
        request: &HttpRequest,
        identity: &Identity,
    ) -> Resolved {
        let mut resolved = Resolved::default();
        if let Some(dynamic @ UserFnWith::Async(_)) = &self.dynamic {
            let limit = dynamic.call(request, identity).await;
            resolved.dynamic = Some(limit);
            if matches!(limit, DynamicLimit::Unlimited) {
                return resolved;
            }
        }
        if let Some(cost @ UserFn::Async(_)) = &self.cost {
            resolved.cost = Some(cost.call(request).await);
        }
        resolved
    }

    /// The limit for this request in place of `written`, and the request's cost. `None` if the
    /// request is unlimited.
    pub(in crate::http) fn limit_for<'a>(
        &self,
        written: EffectiveLimit<'a>,
        request: &HttpRequest,
        identity: &Identity,
        resolved: Option<&Resolved>,
    ) -> Option<(EffectiveLimit<'a>, u32)> {
        let chosen = match &self.dynamic {
            None => DynamicLimit::Written,
            Some(UserFnWith::Sync(dynamic)) => dynamic(request, identity),
            Some(UserFnWith::Async(_)) => resolved.and_then(|it| it.dynamic).unwrap_or_default(),
        };
        let limit = match chosen {
            DynamicLimit::Written => written,
            DynamicLimit::Limit(limit) => match valid(limit, &written) {
                Some(limit) => limit.into(),
                None => written,
            },
            DynamicLimit::Unlimited => return None,
        };
        let limit = if self.shadow {
            limit.shadow().into()
        } else {
            limit
        };
        let cost = match &self.cost {
            Some(UserFn::Sync(cost)) => cost(request),
            Some(UserFn::Async(_)) => {
                let cost = resolved.and_then(|it| it.cost);
                cost.unwrap_or(limit.cost_value())
            }
            None => limit.cost_value(),
        };
        Some((limit, cost))
    }
}

/// Completes the choice of a `dynamic` function from the written limit. `None` if the result is
/// invalid, with an error in the log.
fn valid(chosen: Limit, written: &Limit) -> Option<Limit> {
    let limit = chosen.fill_from(written);
    match limit.validate() {
        Ok(()) => Some(limit),
        Err(error) => {
            INVALID_DYNAMIC.log(format_args!(
                "the `dynamic` function of the limit \"{}\" gave an invalid limit ({error}); \
                 the written one applies",
                written.name_value().unwrap_or(written.zone_name())
            ));
            None
        }
    }
}
