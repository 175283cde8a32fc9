//! The requests that an entry of the middleware is for.

use std::{convert::Infallible, fmt, net::IpAddr, sync::Arc};

use actix_throttle_core::{
    limit::range,
    network::{NetworkError, NetworkSet},
    rule_check::NO_METHODS,
};
use actix_web::http::Method;
use regex::Regex;

use crate::engine::error::InitError;

/// The requests that an entry of [`Throttle`](super::Throttle) is for, by a regex over their paths,
/// by their methods and by the networks of their clients; with the entry's name, and whether it is
/// a shadow.
///
/// The regex ([`regex` crate](https://docs.rs/regex/latest/regex/#syntax)) is compiled here, once.
/// It may match anywhere in the path unless `^` and `$` anchor it. It is matched against the whole
/// path by which Actix finds routes: percent-decoded except for `%2F`, `%25` and `%2B`, without the
/// query, with the prefixes of scopes. So `/%74owns` is `/towns` for both, and no other spelling of
/// a path evades a limit.
///
/// ```
/// use actix_throttle::Paths;
/// use actix_web::http::Method;
///
/// # fn main() -> Result<(), actix_throttle::InitError> {
/// let towns = Paths::regex(r"^/towns")?;
/// let changes = Paths::regex(r"^/towns")?.methods([Method::POST, Method::PUT]).name("changes");
/// let users = Paths::pattern(r"^/user/\{id\}$")?;
/// # let _ = (towns, changes, users);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Paths {
    /// The regex; `None` for all paths.
    regex: Option<Regex>,
    subject: RegexSubject,
    /// The methods; `None` for all methods.
    methods: Option<Vec<Method>>,
    /// The networks of the clients; `None` for all clients. They are shared, because the clones of
    /// a middleware may have thousands.
    networks: Option<Arc<NetworkSet>>,
    name: Option<String>,
    shadow: bool,
}

/// The text that a regex is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegexSubject {
    /// The path by which Actix finds routes.
    Path,
    /// The pattern of the route that the path leads to.
    Pattern,
}

impl Paths {
    /// Matches requests by their path. `Throttle::paths` takes a string for this, too.
    ///
    /// # Errors
    ///
    /// If the regex is invalid, or too large when compiled.
    pub fn regex(regex: &str) -> Result<Self, InitError> {
        Self::over(RegexSubject::Path, regex)
    }

    /// Matches requests by the pattern of their route, as it was registered: `/user/{id}`, with the
    /// prefixes of scopes. A request for which there is no route does not match.
    ///
    /// In the regex, the braces of a pattern are written `\{id\}`. A resource with several patterns
    /// is matched by its first. Guards are not evaluated: of several routes for the path, the first
    /// counts.
    ///
    /// # Errors
    ///
    /// If the regex is invalid, or too large when compiled.
    pub fn pattern(regex: &str) -> Result<Self, InitError> {
        Self::over(RegexSubject::Pattern, regex)
    }

    /// Matches all requests.
    pub fn all() -> Self {
        Self {
            regex: None,
            subject: RegexSubject::Path,
            methods: None,
            networks: None,
            name: None,
            shadow: false,
        }
    }

    fn over(subject: RegexSubject, text: &str) -> Result<Self, InitError> {
        let regex = Regex::new(text)
            .map_err(|error| InitError::settings(format!("`{text}` is not a regex: {error}")))?;
        Ok(Self {
            regex: Some(regex),
            subject,
            ..Self::all()
        })
    }

    /// Restricts the entry to requests with these methods. Called again, it adds more. If there is
    /// none at all, `Throttle::paths` returns an error. Default: all.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods.get_or_insert_default().extend(methods);
        self
    }

    /// Restricts the entry to clients in these networks (`10.0.0.0/8`) or with these addresses.
    /// Called again, it adds more. Default: all clients.
    ///
    /// A client's address is the one that the limiter's `ip` finds:
    /// [`RateLimiter::client_address`](crate::RateLimiter::client_address). A client without one,
    /// on a Unix socket, is in no network. There may be thousands of networks.
    ///
    /// ```
    /// use actix_throttle::{Limit, Paths, Rule, Throttle};
    ///
    /// # fn main() -> Result<(), actix_throttle::InitError> {
    /// let throttle = Throttle::new()
    ///     .paths(Paths::all().networks(["10.0.0.0/8"])?, [Rule::new(Limit::per_minute(1_000))])?
    ///     .paths(Paths::all(), [Rule::new(Limit::per_minute(60))])?;
    /// # let _ = throttle;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If an entry is neither a network nor an address, or there is none.
    pub fn networks<I>(mut self, networks: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let invalid = |error: NetworkError| InitError::settings(error.to_string());
        let set = Arc::make_mut(self.networks.get_or_insert_default());
        for network in networks {
            set.add(network.as_ref()).map_err(invalid)?;
        }
        set.check_not_empty().map_err(invalid)?;
        Ok(self)
    }

    /// Sets the entry's name: printable ASCII. Headers, problem documents and logs call the entry's
    /// limits by it, and it keeps their counters apart from those of other entries. Default: the
    /// methods and the regex, as written.
    ///
    /// The second limit of an entry is called `name-2`, the third `name-3`, unless they have
    /// [names](crate::Limit::name) of their own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes the entry a shadow: it counts and logs what its rules would deny, but denies nothing.
    ///
    /// A shadow does not decide a request: the search for the entry that does goes on after it, so
    /// that a candidate can stand before the entry in force. Its limits have counters of their own;
    /// [`RateLimiter::shadow_denials`](crate::RateLimiter::shadow_denials) tells what they would
    /// have denied.
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.shadow
    }

    pub(super) fn subject(&self) -> RegexSubject {
        self.subject
    }

    pub(super) fn own_regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    pub(super) fn matches_method(&self, method: &Method) -> bool {
        let methods = self.methods.as_ref();
        methods.is_none_or(|methods| methods.contains(method))
    }

    /// Checks that some request has one of the methods.
    pub(super) fn check_methods(&self) -> Result<(), InitError> {
        if self.methods.as_ref().is_some_and(Vec::is_empty) {
            return Err(InitError::settings(NO_METHODS));
        }
        Ok(())
    }

    /// Restricts the entry to clients in these networks.
    #[cfg(feature = "config")]
    pub(crate) fn with_networks(mut self, networks: NetworkSet) -> Self {
        self.networks = Some(Arc::new(networks));
        self
    }

    /// Returns whether the entry is for some clients alone.
    pub(super) fn has_networks(&self) -> bool {
        self.networks.is_some()
    }

    /// Whether the entry is for the client with this address.
    pub(super) fn matches_client(&self, address: Option<IpAddr>) -> bool {
        let is_in = |set: &Arc<NetworkSet>| address.is_some_and(|address| set.contains(address));
        self.networks.as_ref().is_none_or(is_in)
    }

    /// Checks that the name can stand in a header.
    pub(super) fn check_name(&self) -> Result<(), InitError> {
        match self.own_name() {
            Some(name) if !range::is_name(name) => Err(InitError::settings(format!(
                "the name `{name}` of an entry of a `Throttle`: {}",
                range::NAME_RULE
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn own_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The name, else the methods and the regex.
    pub(super) fn label(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Paths {
    /// Writes the methods and the regex: `GET,POST ^/towns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.methods.as_deref().unwrap_or_default();
        for (index, method) in methods.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            f.write_str(method.as_str())?;
        }
        f.write_str(if methods.is_empty() { "" } else { " " })?;
        match self.regex.as_ref().map(Regex::as_str) {
            Some("") | None => f.write_str("global"),
            Some(regex) => f.write_str(regex),
        }
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paths")
            .field("name", &self.label())
            .field("subject", &self.subject)
            .field("shadow", &self.shadow)
            .finish_non_exhaustive()
    }
}

impl TryFrom<&str> for Paths {
    type Error = InitError;

    fn try_from(regex: &str) -> Result<Self, InitError> {
        Self::regex(regex)
    }
}

impl TryFrom<String> for Paths {
    type Error = InitError;

    fn try_from(regex: String) -> Result<Self, InitError> {
        Self::regex(&regex)
    }
}

/// Lets `Throttle::paths` take `Paths` and strings alike.
impl From<Infallible> for InitError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
