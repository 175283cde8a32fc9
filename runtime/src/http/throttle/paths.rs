//! Which requests an entry of the middleware is for.

use std::{convert::Infallible, fmt};

use actix_web::http::Method;
use regex::Regex;

use crate::error::InitError;

/// Which requests an entry of [`Throttle`](super::Throttle) is for: a regex over their paths, and
/// methods.
///
/// The regex ([`regex` crate](https://docs.rs/regex/latest/regex/#syntax)) is compiled here, once.
/// It may match anywhere unless `^` and `$` say where. It is asked about the whole path that routes
/// are found by: percent-decoded but for `%2F`, `%25` and `%2B`, without the query, with the prefixes
/// of scopes. So `/%74owns` is `/towns` for both, and nobody writes a path in another way to get past
/// a limit.
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
    /// `None`: all paths.
    regex: Option<Regex>,
    subject: Subject,
    /// Empty: all methods.
    methods: Vec<Method>,
    name: Option<String>,
    shadow: bool,
}

/// What a regex is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The path that actix routes by.
    Path,
    /// The pattern of the route that the path leads to.
    Pattern,
}

impl Paths {
    /// Requests whose path the regex matches. `Throttle::paths` takes a string for this too.
    ///
    /// # Errors
    ///
    /// If it is no regex, or a monstrous one.
    pub fn regex(regex: &str) -> Result<Self, InitError> {
        Self::over(Subject::Path, regex)
    }

    /// Requests to a route whose pattern, as it was registered, the regex matches: `/user/{id}`, with
    /// the prefixes of scopes. Requests that no route answers fit none.
    ///
    /// The braces of a pattern are written `\{id\}`. A resource of several patterns goes by its first.
    /// Guards are not asked: of several routes that could answer the path, the first counts.
    ///
    /// # Errors
    ///
    /// If it is no regex, or a monstrous one.
    pub fn pattern(regex: &str) -> Result<Self, InitError> {
        Self::over(Subject::Pattern, regex)
    }

    /// All requests.
    pub fn all() -> Self {
        Self {
            regex: None,
            subject: Subject::Path,
            methods: Vec::new(),
            name: None,
            shadow: false,
        }
    }

    fn over(subject: Subject, text: &str) -> Result<Self, InitError> {
        let regex = Regex::new(text)
            .map_err(|error| InitError::settings(format!("`{text}` is no regex: {error}")))?;
        Ok(Self {
            regex: Some(regex),
            subject,
            ..Self::all()
        })
    }

    /// Only requests with these methods. Default: all.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods.extend(methods);
        self
    }

    /// What the entry's limits are called in headers, problem documents and logs, and what sets their
    /// counters apart from those of other entries: printable ASCII. Default: the methods and the
    /// regex, as they are written.
    ///
    /// The second limit of an entry is called `name-2`, the third `name-3`, unless they have
    /// [names](crate::Limit::name) of their own.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Counts what the entry's rules would deny and logs it, but denies nothing.
    ///
    /// The entry then is not the one that decides: the search for that goes on after it, so a
    /// candidate can stand before what is in force. Its limits have counters of their own; what they
    /// would have denied is told by
    /// [`RateLimiter::shadow_denials`](crate::RateLimiter::shadow_denials).
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.shadow
    }

    pub(super) fn subject(&self) -> Subject {
        self.subject
    }

    pub(super) fn own_regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }

    pub(super) fn fits_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
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
    /// The methods and the regex: `GET,POST ^/towns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, method) in self.methods.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            f.write_str(method.as_str())?;
        }
        f.write_str(if self.methods.is_empty() { "" } else { " " })?;
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

/// So that `Throttle::paths` takes `Paths` and strings alike.
impl From<Infallible> for InitError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
