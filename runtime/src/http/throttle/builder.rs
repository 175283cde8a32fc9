//! The public type of the middleware, with its builder methods. `service.rs` handles the requests.

use std::{fmt, sync::Arc};

use actix_throttle_core::{
    failure_mode::FailureMode,
    limit::{Limit, range},
};
use actix_web::HttpRequest;

#[cfg(feature = "config")]
use super::rule_table::LiveRuleTable;
use super::{paths::Paths, rule_table::RuleTable, settings::ThrottleSettings};
use crate::{
    engine::{error::InitError, log_throttle::TARGET},
    http::rule::Rule,
    identity::{Identifier, IntoIdentifier},
    limiter::RateLimiter,
    response::{IntoOnLimited, IntoOnUnidentified},
};

/// The middleware: limits for a whole application, a scope or a resource.
///
/// It has entries in order, each with [`Paths`] and the [`Rule`]s for them. The first entry that
/// matches the request's path and method **and** has a rule for the identity's group decides. If an
/// entry matches but has no rule for the group, the search goes on. Within an entry, the rules of
/// the identity's group replace those without a group, as with stacked attributes, and all rules
/// that apply are one atomic decision. A rule whose `skip_if` skips the request is left out. A
/// request that no entry decides is not limited.
///
/// A denied request never reaches the handlers, and its body stays unread. An identifier runs once
/// a request, however many entries match.
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
/// // In the factory that `HttpServer::new` is given; the clones share their entries.
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let app = App::new().wrap(throttle.clone()).app_data(limiter);
/// # let _ = app;
/// # Ok(()) }
/// ```
///
/// # Counters
///
/// The limits of an entry count under the entry's [name](Paths::name), apart from those of other
/// entries, unless they have a [zone](Limit::zone). Entries of the same name in two middlewares of
/// one application share their counters: give them different names.
///
/// # Other middleware
///
/// Actix runs the last-wrapped middleware first. Middleware that changes paths, such as
/// `NormalizePath`, must run before this one, so wrap it after; the same holds for what identifiers
/// read from, such as sessions. An error from inner middleware gets the headers too, and is wrapped
/// in another error for that: wrap middleware that downcasts errors before this one.
///
/// Rate-limit headers that a handler or an upstream service has set are kept where they are
/// stricter: see [`HeaderStyle`](crate::HeaderStyle).
///
/// # Functions that read the request
///
/// An identifier, `skip_if` and the like must not keep a clone of the `HttpRequest`, in a task that
/// they spawn for example: Actix's router panics on a request that is shared. The middleware
/// responds to such a request with 500, and logs an error. Take what is needed out of the request,
/// and keep that. (The middleware finds out by catching a panic, so a panic hook sees it; with
/// `panic = "abort"` it cannot find out.)
#[derive(Clone, Default)]
#[must_use = "a middleware does nothing until it is wrapped around something"]
pub struct Throttle {
    pub(super) settings: Arc<ThrottleSettings>,
}

impl Throttle {
    /// Creates a middleware without entries, which limits nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a middleware with the entries of a configuration, as they are when a request comes.
    #[cfg(feature = "config")]
    pub(crate) fn live(rule_table: Arc<LiveRuleTable>) -> Self {
        Self::new().with(|settings| settings.live = Some(rule_table))
    }

    /// Creates a middleware with one limit for each client on all paths. The identifier tells
    /// clients apart, by default by their address.
    ///
    /// The counters are named by the limit's zone or [name](Limit::name), else `global`.
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
    /// If the limit is invalid, or one request costs more than it can ever hold.
    pub fn per_client(limit: Limit) -> Result<Self, InitError> {
        Self::everywhere(limit, Rule::new(limit))
    }

    /// Creates a middleware with one limit that all clients share on all paths, as by the
    /// identifier `global`: there is one counter for all requests. For a limit for each client see
    /// [`per_client`](Self::per_client).
    ///
    /// ```
    /// use actix_throttle::{Limit, Throttle};
    ///
    /// # fn main() -> Result<(), actix_throttle::InitError> {
    /// // The load that the service as a whole can bear.
    /// let throttle = Throttle::global(Limit::per_second(500))?;
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or one request costs more than it can ever hold.
    pub fn global(limit: Limit) -> Result<Self, InitError> {
        Self::everywhere(limit, Rule::new(limit).identifier(Identifier::global()))
    }

    fn everywhere(limit: Limit, rule: Rule) -> Result<Self, InitError> {
        let paths = match limit.name_value() {
            // An invalid name is an error of the limit.
            Some(name) if range::is_name(name) => Paths::all().name(name),
            _ => Paths::all(),
        };
        Self::new().paths(paths, [rule])
    }

    /// Adds an entry after the existing ones: [`Paths`], or a regex over paths, and its rules.
    ///
    /// # Errors
    ///
    /// If the regex is invalid; there is no method or no rule; an identifier, a name or a limit is
    /// invalid; a limit costs more than it can ever hold, or would share its counter with another
    /// of the entry; an unlimited group has no effect; the name is taken; or the entries are those
    /// of a configuration.
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

    /// Adds an entry whose requests are not limited, after the existing ones.
    ///
    /// # Errors
    ///
    /// If the regex is invalid, the entry is a shadow, which would do nothing, or the entries are
    /// those of a configuration.
    pub fn exempt_paths<P>(self, paths: P) -> Result<Self, InitError>
    where
        P: TryInto<Paths>,
        P::Error: Into<InitError>,
    {
        let paths = paths.try_into().map_err(Into::into)?;
        self.try_with(|own| own.add_exempt(paths))
    }

    /// Exempts the route that was registered by this pattern, with the prefixes of its scopes,
    /// whatever the entries say: `/api/search`, `/user/{id}`. Use it for handlers whose attribute
    /// is meant to replace the middleware's rules.
    ///
    /// All methods of the pattern are exempt. If no route of the app has the pattern, an error is
    /// logged at a worker's first request, the earliest moment at which Actix shows its routes.
    pub fn exempt(self, pattern: impl Into<String>) -> Self {
        self.with_own(|own| own.exempt(pattern.into()))
    }

    /// Exempts the requests for which the function returns `true`. Called again, it adds a
    /// function, and any of them may exempt a request.
    pub fn skip_if(self, skip: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.skip_if.push(Arc::new(skip)))
    }

    /// Exempts CORS preflights: `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    pub fn skip_preflight(self) -> Self {
        self.with_own(|own| own.skip_preflight = true)
    }

    /// Sets the identifier, for rules without one of their own. Default: the limiter's.
    ///
    /// If it is invalid, the entries that are added after it are an error. Entries before it count
    /// every client by its address, and the log has an error.
    pub fn identifier<M>(self, identifier: impl IntoIdentifier<M>) -> Self {
        let identifier = identifier.into_identifier();
        if let Some(diagnostic) = identifier.validate() {
            log::error!(
                target: TARGET,
                "a `Throttle` counts every client by its address: {diagnostic}"
            );
        }
        self.with(|settings| settings.context.identifier = Some(identifier))
    }

    /// Sets what happens to a request whose identifier finds no identity: a function, sync or
    /// async, that returns an [`Unidentified`](crate::Unidentified) or a response. Default: the
    /// limiter's.
    ///
    /// ```
    /// use actix_throttle::Throttle;
    /// use actix_web::{HttpRequest, HttpResponse};
    ///
    /// let throttle = Throttle::new()
    ///     .on_unidentified(async |_: &HttpRequest| HttpResponse::Unauthorized().finish());
    /// # let _ = throttle;
    /// ```
    pub fn on_unidentified<M>(self, response: impl IntoOnUnidentified<M>) -> Self {
        let response = response.into_on_unidentified();
        self.with(|settings| settings.context.on_unidentified = Some(response))
    }

    /// Sets the response to denied requests, by a function, sync or async, for rules without one of
    /// their own. Default: the limiter's.
    pub fn on_limited<M>(self, response: impl IntoOnLimited<M>) -> Self {
        let response = response.into_on_limited();
        self.with(|settings| settings.context.on_limited = Some(response))
    }

    /// Sets what happens to a request that the store cannot decide, for rules without a failure
    /// mode of their own. Default: the limiter's.
    pub fn failure_mode(self, mode: FailureMode) -> Self {
        self.with(|settings| settings.context.failure_mode = Some(mode))
    }

    /// Sets the limiter. Default: the nearest `app_data`, else the process-wide limiter.
    pub fn limiter(self, limiter: RateLimiter) -> Self {
        self.with(|settings| settings.limiter = Some(limiter))
    }

    /// Changes the application's entries. `Err` if the entries are those of a configuration.
    fn try_with(
        mut self,
        change: impl FnOnce(&mut RuleTable) -> Result<(), InitError>,
    ) -> Result<Self, InitError> {
        let settings = Arc::make_mut(&mut self.settings);
        if settings.live.is_some() {
            return Err(InitError::settings(
                "the entries of this `Throttle` are those of a configuration; add to that, or wrap \
                 the app in a second `Throttle`",
            ));
        }
        let identifier = settings.context.identifier.as_ref();
        if let Some(diagnostic) = identifier.and_then(Identifier::validate) {
            let text = format!("the identifier of a `Throttle`: {diagnostic}");
            return Err(InitError::settings(text));
        }
        change(Arc::make_mut(&mut settings.own))?;
        Ok(self)
    }

    fn with_own(self, change: impl FnOnce(&mut RuleTable)) -> Self {
        self.with(|settings| change(Arc::make_mut(&mut settings.own)))
    }

    fn with(mut self, change: impl FnOnce(&mut ThrottleSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("entries", &self.settings.own.matcher.entries())
            .finish_non_exhaustive()
    }
}
