//! Rules: limits bound to requests, with their builder methods. Attributes and applications create
//! them; matching and resolution read them. A rule never decides anything itself.

mod dynamic;
mod effective_limit;
mod function;
mod on_request;
mod options;
mod read;
mod slow_down;

use std::{borrow::Cow, fmt, time::Duration};

use actix_throttle_core::{
    failure_mode::FailureMode,
    identity::Identity,
    limit::{Concurrency, Limit, LimitOptions},
    status_set::StatusSet,
};

pub use self::dynamic::DynamicLimit;
pub(super) use self::{
    effective_limit::EffectiveLimit,
    read::Resolved,
    slow_down::{reject_options, valid_settle, valid_slow_down},
};
use super::named_limit::NamedLimitRef;
use crate::{
    engine::log_throttle::TARGET,
    identity::{Identifier, IntoIdentifier},
    response::{IntoOnLimited, OnLimited},
    user_fn::{UserFn, UserFnWith},
};

/// A [`Limit`] bound to requests: with the identifier it counts by, the group it is for, and the
/// cost of a request.
///
/// One attribute on a handler is one rule. To decide rules without an attribute, call
/// [`RateLimiter::check_request`](crate::RateLimiter::check_request).
///
/// ```
/// use actix_throttle::{Identifier, Limit, Rule};
///
/// let rules = [
///     Rule::new(Limit::per_minute(60).name("api")).identifier(Identifier::header("X-Api-Key")),
///     Rule::new(Limit::per_minute(600).name("api-pro")).group("pro"),
///     Rule::unlimited("admin"),
/// ];
/// # let _ = rules;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Rule {
    limit: RuleLimit,
    identifier: Option<Identifier>,
    group: Option<Cow<'static, str>>,
    cost: Option<UserFn<u32>>,
    skip_if: Option<UserFn<bool>>,
    dynamic: Option<UserFnWith<Identity, DynamicLimit>>,
    on_limited: Option<OnLimited>,
    options: LimitOptions,
    shadow: bool,
}

/// The limit of a rule.
#[derive(Clone, Debug)]
enum RuleLimit {
    /// No limit: the rule's group is unlimited.
    Nothing,
    Rate(Limit),
    Concurrency(Concurrency),
    /// The limit that a configuration has by this name, and the fallback for one that lacks it.
    Named(NamedLimitRef, Option<Limit>),
}

impl Rule {
    /// Creates a rule for all requests, counted by the limiter's identifier.
    pub fn new(limit: Limit) -> Self {
        Self::of(RuleLimit::Rate(limit))
    }

    /// Creates a rule that admits at most so many requests at once, counted by the limiter's
    /// identifier. A request counts until the body of its response has been sent or is dropped.
    ///
    /// The rule has no cost, and [`refund_on`](Self::refund_on) does not apply to it. Where there
    /// is no response for which to hold the permit, as in
    /// [`check_request`](crate::RateLimiter::check_request), the permit is released at once.
    ///
    /// ```
    /// use actix_throttle::{Concurrency, Identifier, Rule};
    ///
    /// let rule = Rule::concurrency(Concurrency::new(2).name("exports"))
    ///     .identifier(Identifier::global());
    /// # let _ = rule;
    /// ```
    pub fn concurrency(limit: Concurrency) -> Self {
        Self::of(RuleLimit::Concurrency(limit))
    }

    /// Creates a rule that leaves identities of this group unlimited.
    pub fn unlimited(group: impl Into<Cow<'static, str>>) -> Self {
        Self::of(RuleLimit::Nothing).group(group)
    }

    /// Creates a rule with the limit that the limiter's configuration has by this name (feature
    /// `config`: `Builder::config`). Each request uses the limit as it is at that moment, with the
    /// configuration's `failure_mode`, `refund_on` and `max_wait` where the rule sets none.
    ///
    /// The name may stand for a concurrency limit. Then the rule acts like
    /// [`concurrency`](Self::concurrency), and its `cost`, `refund_on` and `dynamic` have no
    /// effect.
    ///
    /// Rules of one name count in one counter, and on handlers in one per handler, unless the
    /// configuration gives the limit a `zone`.
    ///
    /// For a name that the configuration lacks, the limit of [`fallback`](Self::fallback) applies.
    /// Without a fallback the response is 500, with an error in the log: at the first request, the
    /// earliest moment at which rule and limiter meet. A name used without a fallback is required
    /// from then on: a reload that would remove it is rejected.
    ///
    /// ```
    /// use actix_throttle::{Limit, Rule};
    ///
    /// let rule = Rule::named("search").fallback(Limit::per_minute(60).name("search"));
    /// # let _ = rule;
    /// ```
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self::of(RuleLimit::Named(NamedLimitRef::new(name.into()), None))
    }

    /// Sets the limit that applies if there is no configuration, or it lacks the rule's
    /// [name](Self::named). Its name and zone also apply to the configuration's limit, where that
    /// leaves them open. A rule without a name has its limit already, and ignores this.
    pub fn fallback(mut self, limit: Limit) -> Self {
        if let RuleLimit::Named(named, _) = self.limit {
            self.limit = RuleLimit::Named(named.or(&limit), Some(limit));
        }
        self
    }

    /// Sets the name and zone of a named or concurrency limit, where they are open. Macro output
    /// calls it.
    #[doc(hidden)]
    pub fn defaults(mut self, name: &'static str, zone: &'static str) -> Self {
        self.limit = match self.limit {
            RuleLimit::Named(named, or) => RuleLimit::Named(named.called(name, zone), or),
            RuleLimit::Concurrency(concurrency) => {
                RuleLimit::Concurrency(concurrency.with_default_name(name, zone))
            }
            other @ (RuleLimit::Nothing | RuleLimit::Rate(_)) => other,
        };
        self
    }

    fn of(limit: RuleLimit) -> Self {
        Self {
            limit,
            identifier: None,
            group: None,
            cost: None,
            skip_if: None,
            dynamic: None,
            on_limited: None,
            options: LimitOptions::default(),
            shadow: false,
        }
    }

    /// Sets the identifier that the rule counts by. Default: the middleware's, else the limiter's.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!(
                target: TARGET,
                "a rule counts every client by its address: {diagnostic}"
            );
        }
        self.identifier = Some(identifier);
        self
    }

    /// Restricts the rule to identities of this group, for which it replaces the rules without a
    /// group.
    pub fn group(mut self, group: impl Into<Cow<'static, str>>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Sets the response to requests that this rule denies. Default: the middleware's, else the
    /// limiter's.
    pub fn on_limited<M>(mut self, response: impl IntoOnLimited<M>) -> Self {
        self.on_limited = Some(response.into_on_limited());
        self
    }

    /// Sets what happens to a request that the store cannot decide. Default: the middleware's, else
    /// the limiter's.
    pub fn failure_mode(mut self, mode: FailureMode) -> Self {
        self.options.failure_mode = Some(mode);
        self
    }

    /// Sets the response statuses at which this rule's charge is refunded, so that the request does
    /// not count. The refund goes to the window that was charged, as soon as the status is known,
    /// and the response's headers show it. A rule that counts only failures refunds on `2xx, 3xx`.
    ///
    /// Until then the request counts like any other. It stays counted if its client leaves before,
    /// if another limit further in denies it, or if Redis cannot be told of the refund. A shadow
    /// limit refunds, too; a block stays.
    ///
    /// ```
    /// use actix_throttle::{Limit, Rule};
    ///
    /// const LOGIN: Limit = Limit::per_minute(5).name("login");
    ///
    /// // Five wrong passwords a minute, and as many right ones as you like.
    /// let rule = Rule::new(LOGIN).refund_on("2xx, 3xx".parse()?);
    /// # let _ = rule;
    /// # Ok::<(), actix_throttle::StatusSetError>(())
    /// ```
    pub fn refund_on(mut self, statuses: StatusSet) -> Self {
        self.options.refund_on = Some(statuses);
        self
    }

    /// Makes the cost an estimate, which the handler corrects by
    /// [`PendingCharge::settle`](crate::PendingCharge::settle) once it knows better.
    ///
    /// Only the cost of a rate can be an estimate, and not of one with a
    /// [`lease`](crate::Limit::lease): a [`Throttle`](crate::Throttle), the attribute and the
    /// configuration file refuse that. Where the limit is only known when a request comes, the
    /// estimate stands, and the log has an error. So it is where no handler follows: in
    /// [`check_request`](crate::RateLimiter::check_request) and in a `WebSocketLimiter`.
    ///
    /// ```
    /// use actix_throttle::{Limit, Rule};
    ///
    /// const TOKENS: Limit = Limit::per_minute(10_000).name("tokens");
    ///
    /// let rule = Rule::new(TOKENS.cost(500)).settle();
    /// # let _ = rule;
    /// ```
    pub fn settle(mut self) -> Self {
        self.options.settle = Some(true);
        self
    }

    /// Sets how long a request may wait for capacity instead of being denied. Requests go on in the
    /// order in which they came to this process.
    ///
    /// A request that cannot have its turn in time is denied at once; so is one that finds
    /// [`Builder::max_waiting`](crate::Builder::max_waiting) requests in the wait queue. If several
    /// rules lack capacity, the shortest `max_wait` of them holds; a rule without one denies at
    /// once.
    ///
    /// A client that leaves gives up its position in the wait queue. (With actix-web's defaults the
    /// HTTP server learns of that only when it responds; `HttpServer::h1_allow_half_closed(false)`
    /// lets it notice at once.)
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.options.max_wait = Some(max_wait);
        self
    }

    /// Makes the rule a shadow: it counts and reports, but never denies. See [`Limit::shadow`].
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("limit", &self.limit)
            .field("identifier", &self.identifier)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
