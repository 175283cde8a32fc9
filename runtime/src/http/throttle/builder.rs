use std::{fmt, sync::Arc};

use actix_web::HttpRequest;

#[cfg(feature = "config")]
use super::rule_table::LiveRuleTable;
use super::{paths::Paths, rule_table::RuleTable, settings::ThrottleSettings};
use crate::{
    error::InitError,
    failure_mode::FailureMode,
    http::rule::Rule,
    identity::{Identifier, IntoIdentifier},
    limit::Limit,
    limiter::RateLimiter,
    response::{IntoOnLimited, IntoOnUnidentified},
};

/// The middleware: limits for a whole application, a scope or a resource.
///
/// It holds entries in order, each of [`Paths`] and [`Rule`]s for them. The first entry decides
/// that fits the request's path and method **and** has something for the identity's group; if an
/// entry fits, but has nothing for the group, the search goes on. Within an entry, rules of the
/// identity's group stand in place of those without a group, as with stacked attributes, and all
/// that apply are one atomic decision. A rule that its `skip_if` leaves out is as if it were not
/// there. What no entry decides is not limited.
///
/// A denied request never reaches the handlers, and its body stays unread. An identifier is asked
/// once a request, however many entries it fits.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use actix_throttle::{Identifier, Limit, RateLimiter, Rule, Throttle};
/// use actix_web::App;
///
/// let throttle = Throttle::new()
///     .identifier(Identifier::header("X-Api-Key"))
///     .paths(r"^/towns", [
///         Rule::new(Limit::per_minute(200)),
///         Rule::new(Limit::per_second(10).block(Duration::from_secs(60))),
///         Rule::new(Limit::per_minute(500)).group("pro"),
///         Rule::unlimited("admin"),
///     ])?
///     .paths(r"^/", [Rule::new(Limit::per_minute(60))])?;
///
/// // In the factory that `HttpServer::new` is given; clones share what was built.
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let app = App::new().wrap(throttle.clone()).app_data(limiter);
/// # let _ = app;
/// # Ok(()) }
/// ```
///
/// # Counters
///
/// Limits of an entry count under the entry's [name](Paths::name), apart from those of other
/// entries, unless they have a [zone](Limit::zone). Two middlewares of one application whose
/// entries are named alike count together: name them.
///
/// # Other middleware
///
/// Actix runs what was wrapped last first. What changes paths, `NormalizePath` say, is to run
/// before this, so it is wrapped after; so is what identifiers read from, such as sessions. An
/// error that comes out of inner middleware gets the headers too, for which it is wrapped in
/// another: whoever downcasts errors is to be wrapped before this.
///
/// Rate-limit headers that a handler, or a server behind a reverse proxy, has set itself are kept
/// where they are stricter: see [`HeaderStyle`](crate::HeaderStyle).
///
/// # Functions that are asked about a request
///
/// An identifier, `skip_if` and the like must not keep a clone of the `HttpRequest`, in a task that
/// they spawn for example: Actix's router panics on a request that is shared. Such a request is
/// answered 500, with a line in the log. Take what is needed out of the request, and keep that. (It
/// is found out by a panic that is caught, so a panic hook sees it; with `panic = "abort"` it is
/// not found out.)
#[derive(Clone, Default)]
#[must_use = "a middleware does nothing until it is wrapped options something"]
pub struct Throttle {
    pub(super) plan: Arc<ThrottleSettings>,
}

impl Throttle {
    /// One without entries, which limits nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose entries are those of a configuration, whichever are in force when a request comes.
    #[cfg(feature = "config")]
    pub(crate) fn live(rulebook: Arc<LiveRuleTable>) -> Self {
        Self::new().with(|plan| plan.live = Some(rulebook))
    }

    /// One limit for each client on all paths: whom the identifier names, by default an address.
    ///
    /// Its counters are named by the limit's zone or [name](Limit::name), else `global`.
    ///
    /// ```
    /// use actix_throttle::{Limit, Throttle};
    ///
    /// # fn main() -> Result<(), actix_throttle::InitError> {
    /// let throttle = Throttle::per_client(Limit::per_minute(100))?.exempt("/api/search");
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`paths`](Self::paths).
    pub fn per_client(limit: Limit) -> Result<Self, InitError> {
        Self::everywhere(limit, Rule::new(limit))
    }

    /// One limit for everyone together on all paths, as by the identifier `global`: one counter,
    /// whoever sends the requests. For a limit of each client's see
    /// [`per_client`](Self::per_client).
    ///
    /// ```
    /// use actix_throttle::{Limit, Throttle};
    ///
    /// # fn main() -> Result<(), actix_throttle::InitError> {
    /// // What the service as a whole can bear.
    /// let throttle = Throttle::global(Limit::per_second(500))?;
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`paths`](Self::paths).
    pub fn global(limit: Limit) -> Result<Self, InitError> {
        Self::everywhere(limit, Rule::new(limit).identifier(Identifier::global()))
    }

    fn everywhere(limit: Limit, rule: Rule) -> Result<Self, InitError> {
        let paths = match limit.policy_name() {
            Some(name) => Paths::all().name(name),
            None => Paths::all(),
        };
        Self::new().paths(paths, [rule])
    }

    /// Adds an entry after those that are there: [`Paths`], or a regex over paths, and its rules.
    ///
    /// # Errors
    ///
    /// If it is no regex; there is no rule; a limit is invalid, costs more than it can ever hold or
    /// would share its counter with another of the entry; a group is unlimited in vain; or the name
    /// is taken.
    pub fn paths<P>(
        self,
        paths: P,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Result<Self, InitError>
    where
        P: TryInto<Paths>,
        P::Error: Into<InitError>,
    {
        let paths = paths.try_into().map_err(Into::into)?;
        self.try_with(|own| own.add(paths, rules))
    }

    /// Adds an entry after those that are there whose requests are not limited.
    ///
    /// # Errors
    ///
    /// If it is no regex, or a shadow, which would do nothing.
    pub fn exempt_paths<P>(self, paths: P) -> Result<Self, InitError>
    where
        P: TryInto<Paths>,
        P::Error: Into<InitError>,
    {
        let paths = paths.try_into().map_err(Into::into)?;
        self.try_with(|own| own.add_exempt(paths))
    }

    /// Leaves the route alone that was registered by this pattern, with the prefixes of its scopes,
    /// whatever entries say: `/api/search`, `/user/{id}`. For handlers whose attribute is meant to
    /// replace what stands here.
    ///
    /// All methods of the pattern are exempt. A pattern that no route of the app has is reported by
    /// an error in the log at a worker's first request, the earliest moment at which Actix tells.
    pub fn exempt(self, pattern: impl Into<String>) -> Self {
        self.with_own(|own| own.exempt(pattern.into()))
    }

    /// Leaves alone the requests for which the function says so. Called again, either may.
    pub fn skip_if(self, skip: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Self {
        self.with(|plan| plan.skip_if.push(Arc::new(skip)))
    }

    /// Leaves CORS preflights alone: `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    pub fn skip_preflight(self) -> Self {
        self.with_own(|own| own.skip_preflight = true)
    }

    /// Who is counted, for rules that do not say themselves. Default: as the limiter says.
    pub fn identifier<M>(self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!("a `Throttle` counts everyone by their address: {diagnostic}");
        }
        self.with(|plan| plan.context.identifier = Some(identifier))
    }

    /// What becomes of a request whose identifier finds nobody: a function, sync or async, to an
    /// [`Unidentified`](crate::Unidentified) or straight to a response. Default: as the limiter
    /// says.
    ///
    /// ```
    /// use actix_throttle::Throttle;
    /// use actix_web::{HttpRequest, HttpResponse};
    ///
    /// let throttle = Throttle::new()
    ///     .on_unidentified(async |_: &HttpRequest| HttpResponse::Unauthorized().finish());
    /// # let _ = throttle;
    /// ```
    pub fn on_unidentified<M>(self, answer: impl IntoOnUnidentified<M>) -> Self {
        let answer = answer.into_on_unidentified();
        self.with(|plan| plan.context.on_unidentified = Some(answer))
    }

    /// What denied requests are answered with, by a function, sync or async, unless a rule says
    /// otherwise. Default: as the limiter says.
    pub fn on_limited<M>(self, answer: impl IntoOnLimited<M>) -> Self {
        let answer = answer.into_on_limited();
        self.with(|plan| plan.context.on_limited = Some(answer))
    }

    /// What becomes of a request that the store cannot decide, unless a rule says otherwise.
    /// Default: as the limiter says.
    pub fn failure_mode(self, mode: FailureMode) -> Self {
        self.with(|plan| plan.context.failure_mode = Some(mode))
    }

    /// The limiter that decides. Default: the nearest `app_data`, else the process-wide one.
    pub fn limiter(self, limiter: RateLimiter) -> Self {
        self.with(|plan| plan.limiter = Some(limiter))
    }

    /// Adds to the entries, unless they are a configuration's.
    fn try_with(
        mut self,
        change: impl FnOnce(&mut RuleTable) -> Result<(), InitError>,
    ) -> Result<Self, InitError> {
        let plan = Arc::make_mut(&mut self.plan);
        if plan.live.is_some() {
            return Err(InitError::settings(
                "the entries of this `Throttle` are those of a configuration; add to that, or wrap \
                 the app in a second `Throttle`",
            ));
        }
        change(Arc::make_mut(&mut plan.own))?;
        Ok(self)
    }

    fn with_own(self, change: impl FnOnce(&mut RuleTable)) -> Self {
        self.with(|plan| change(Arc::make_mut(&mut plan.own)))
    }

    fn with(mut self, change: impl FnOnce(&mut ThrottleSettings)) -> Self {
        change(Arc::make_mut(&mut self.plan));
        self
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("entries", &self.plan.own.matcher.entries())
            .finish_non_exhaustive()
    }
}
