mod dynamic;
mod effective_limit;
mod function;
mod on_request;
mod read;

use std::{borrow::Cow, fmt, time::Duration};

pub use self::dynamic::DynamicLimit;
use self::function::{IdentityFn, RequestFn};
pub(super) use self::{effective_limit::EffectiveLimit, read::Resolved};
use super::named_limit::NamedLimitRef;
use crate::{
    failure_mode::FailureMode,
    identity::{Identifier, IntoIdentifier},
    limit::{Concurrency, Limit},
    response::{IntoOnLimited, OnLimited},
    status_set::StatusSet,
};

/// A [`Limit`] bound to requests: whom it counts, for whom it stands, what a request costs.
///
/// One attribute on a handler is one rule. By hand, rules are decided with
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
    terms: RuleLimit,
    identifier: Option<Identifier>,
    group: Option<Cow<'static, str>>,
    cost: Option<RequestFn<u32>>,
    skip_if: Option<RequestFn<bool>>,
    dynamic: Option<IdentityFn>,
    on_limited: Option<OnLimited>,
    failure_mode: Option<FailureMode>,
    refund_on: Option<StatusSet>,
    max_wait: Option<Duration>,
    shadow: bool,
}

/// What a rule holds requests to.
#[derive(Clone, Debug)]
enum RuleLimit {
    /// Its group is not limited.
    Nothing,
    Rate(Limit),
    Places(Concurrency),
    /// Whatever a configuration has by this name, and the limit that stands in if it has nothing.
    NamedLimitRef(NamedLimitRef, Option<Limit>),
}

impl Rule {
    /// The limit for everyone, by the limiter's identifier.
    pub fn new(limit: Limit) -> Self {
        Self::of(RuleLimit::Rate(limit))
    }

    /// At most so many requests at once, by the limiter's identifier. A request runs until its
    /// response's body has been sent, or is dropped.
    ///
    /// It has no cost, and nothing of it is given back by a status. Where there is no response to hold it
    /// for, as in [`check_request`](crate::RateLimiter::check_request), the place is given back at once.
    ///
    /// ```
    /// use actix_throttle::{Concurrency, Identifier, Rule};
    ///
    /// let rule = Rule::concurrency(Concurrency::new(2).name("exports")).identifier(Identifier::global());
    /// # let _ = rule;
    /// ```
    pub fn concurrency(limit: Concurrency) -> Self {
        Self::of(RuleLimit::Places(limit))
    }

    /// Identities of this group are not limited.
    pub fn unlimited(group: impl Into<Cow<'static, str>>) -> Self {
        Self::of(RuleLimit::Nothing).group(group)
    }

    /// The limit that the limiter's configuration has by this name (feature `config`:
    /// `Builder::config`), as it is at each request, with its `failure_mode`, `refund_on` and `max_wait`
    /// where the rule does not say.
    ///
    /// That may be a limit on what runs at once. Then the rule is as one of
    /// [`concurrency`](Self::concurrency), and `cost`, `refund_on` and `dynamic` of it have no meaning.
    ///
    /// Rules of one name count in one counter, on handlers in one a handler, unless the configuration
    /// gives the limit a `zone`.
    ///
    /// For a name that it does not have [`or`](Self::or)'s limit stands in. Without one the answer is
    /// 500, with an error in the log: at the first request, the earliest moment at which rule and
    /// limiter meet. Names that were used so stay: a reload that would lose one is refused.
    ///
    /// ```
    /// use actix_throttle::{Limit, Rule};
    ///
    /// let rule = Rule::named("search").fallback(Limit::per_minute(60).name("search"));
    /// # let _ = rule;
    /// ```
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self::of(RuleLimit::NamedLimitRef(
            NamedLimitRef::new(name.into()),
            None,
        ))
    }

    /// The limit if the configuration has none of the rule's [name](Self::named), or there is no
    /// configuration. Its name and zone hold for the configuration's too, where that leaves them
    /// open. Rules without a name have their limit already.
    pub fn fallback(mut self, limit: Limit) -> Self {
        if let RuleLimit::NamedLimitRef(named, _) = self.terms {
            self.terms = RuleLimit::NamedLimitRef(named.or(&limit), Some(limit));
        }
        self
    }

    /// What a named limit is called and where it counts if the configuration does not say. For
    /// macro output.
    #[doc(hidden)]
    pub fn defaults(mut self, name: &'static str, zone: &'static str) -> Self {
        self.terms = match self.terms {
            RuleLimit::NamedLimitRef(named, or) => {
                RuleLimit::NamedLimitRef(named.called(name, zone), or)
            }
            RuleLimit::Places(places) => RuleLimit::Places(places.with_default_name(name, zone)),
            other @ (RuleLimit::Nothing | RuleLimit::Rate(_)) => other,
        };
        self
    }

    fn of(terms: RuleLimit) -> Self {
        Self {
            terms,
            identifier: None,
            group: None,
            cost: None,
            skip_if: None,
            dynamic: None,
            on_limited: None,
            failure_mode: None,
            refund_on: None,
            max_wait: None,
            shadow: false,
        }
    }

    /// Who is counted. Default: as the limiter says.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!("a rule counts everyone by their address: {diagnostic}");
        }
        self.identifier = Some(identifier);
        self
    }

    /// Applies to identities of this group only, in place of the rules without a group.
    pub fn group(mut self, group: impl Into<Cow<'static, str>>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// What a request that this rule denies is answered with. Default: as the limiter says.
    pub fn on_limited<M>(mut self, answer: impl IntoOnLimited<M>) -> Self {
        self.on_limited = Some(answer.into_on_limited());
        self
    }

    /// What becomes of a request that the store cannot decide. Default: as the limiter says.
    pub fn failure_mode(mut self, mode: FailureMode) -> Self {
        self.failure_mode = Some(mode);
        self
    }

    /// Requests that are answered with one of these statuses are not counted: what this rule has
    /// charged for them is given back as soon as the status is known, to the window it came from, and
    /// the answer's headers show it. A rule that counts failures alone gives back on `2xx, 3xx`.
    ///
    /// Until then the request counts like any other, and if its client leaves before, it stays
    /// counted. So does one that another limit, further in, has denied, and one that the server could
    /// not be told of. A limit that is a shadow gives back, too; a block stays.
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
        self.refund_on = Some(statuses);
        self
    }

    /// Requests for which there is no room are held for so long at most instead of being denied, in
    /// the order in which they came to this process, and then go on.
    ///
    /// One that cannot have its turn in time is denied at once; so is one that finds
    /// [`Builder::max_waiting`](crate::Builder::max_waiting) others waiting. If several rules are in
    /// the way, it waits no longer than the least of them allows: a rule without this denies at once.
    /// A client that leaves is out of the line. (With actix-web's defaults the server learns of that
    /// only when it answers; `HttpServer::h1_allow_half_closed(false)` lets it notice at once.)
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Counts and reports, but denies nobody; see [`Limit::shadow`].
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("terms", &self.terms)
            .field("identifier", &self.identifier)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
