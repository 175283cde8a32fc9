//! Constructors for identities by source, for use outside of a request, and the accessors of an
//! identity. The application calls both: to reset or block a counter, and to log.

use std::net::IpAddr;

use super::{Identity, IdentitySource, IdentityValue, RequestPart};

/// The source of an [`Identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityKind {
    /// One identity that all requests share.
    Global,
    /// The client's address.
    Client,
    /// A value that a function of the application returned, or a text passed to [`Identity::new`].
    User,
    /// The value of a request header.
    Header,
    /// The value of a cookie.
    Cookie,
    /// A dynamic segment of the route's path.
    Path,
    /// A parameter of the query string.
    Query,
    /// The user of a session (feature `session`).
    Session,
    /// The user of a signed token (feature `jwt`).
    Token,
    /// Several identities that are counted as one: see [`Identity::all`].
    Combination,
}

impl Identity {
    /// Returns the identity of a request with this header value, as
    /// `Identifier::header` counts it.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Identity, Limit, RateLimiter};
    ///
    /// const SEARCH: Limit = Limit::per_minute(30).zone("search");
    ///
    /// // The handler's limit: #[rate_limit("30/minute", zone = "search", identifier =
    /// // header("X-Api-Key"))]. Resetting it lets a customer continue.
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.reset(&SEARCH, Identity::header("X-Api-Key", "k-8a2f")).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn header(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(
            RequestPart::Header,
            &name.to_ascii_lowercase(),
            value.as_ref(),
        )
    }

    /// Returns the identity of a request with this cookie value, as
    /// `Identifier::cookie` counts it.
    #[must_use]
    pub fn cookie(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Cookie, name, value.as_ref())
    }

    /// Returns the identity of a request with this value of a dynamic path segment, as
    /// `Identifier::path` counts it. Pass the percent-decoded value.
    #[must_use]
    pub fn path(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Path, name, value.as_ref())
    }

    /// Returns the identity of a request with this value of a query parameter, as
    /// `Identifier::query` counts it. Pass the percent-decoded value.
    #[must_use]
    pub fn query(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Query, name, value.as_ref())
    }

    /// Returns the identity of a session's user, as
    /// `Identifier::session` counts it. Write a number as text:
    /// `"42"`.
    #[must_use]
    pub fn session(user: &str) -> Self {
        Self::session_key("user", user)
    }

    /// Returns the identity of a session's user under this key, as
    /// `Identifier::session_keys` counts it.
    #[must_use]
    pub fn session_key(key: &str, user: &str) -> Self {
        Self::of(IdentitySource::Session(key.into()), bytes(user.as_bytes()))
    }

    fn part(part: RequestPart, name: &str, value: &[u8]) -> Self {
        Self::of(IdentitySource::RequestPart(part, name.into()), bytes(value))
    }

    /// Returns the source of this identity. For an identity in a [context](Self::context), this and
    /// `source_name`, `value_text`, `address` and `is_unidentified` describe the identity in it.
    ///
    /// ```
    /// use actix_throttle::{Identity, IdentityKind};
    ///
    /// let customer = Identity::header("X-Api-Key", "k-8a2f");
    /// assert_eq!(customer.kind(), IdentityKind::Header);
    /// assert_eq!(customer.source_name(), Some("x-api-key"));
    /// assert_eq!(customer.value_text(), Some("k-8a2f"));
    ///
    /// let client = Identity::ip("2001:db8::1".parse().unwrap());
    /// assert_eq!(client.kind(), IdentityKind::Client);
    /// assert_eq!(client.address(), Some("2001:db8::".parse().unwrap())); // of its /64
    /// ```
    #[must_use]
    pub fn kind(&self) -> IdentityKind {
        match self.innermost().0 {
            IdentitySource::Global | IdentitySource::Context(_) => IdentityKind::Global,
            IdentitySource::Client => IdentityKind::Client,
            IdentitySource::Application => IdentityKind::User,
            IdentitySource::RequestPart(RequestPart::Header, _) => IdentityKind::Header,
            IdentitySource::RequestPart(RequestPart::Cookie, _) => IdentityKind::Cookie,
            IdentitySource::RequestPart(RequestPart::Path, _) => IdentityKind::Path,
            IdentitySource::RequestPart(RequestPart::Query, _) => IdentityKind::Query,
            IdentitySource::Claim(_) => IdentityKind::Token,
            IdentitySource::Session(_) => IdentityKind::Session,
            IdentitySource::All(_) => IdentityKind::Combination,
        }
    }

    /// Returns the name of the header (in lower case), cookie, path segment or query parameter, of
    /// the session's key or of the token's claim. `None` for other sources.
    #[must_use]
    pub fn source_name(&self) -> Option<&str> {
        match self.innermost().0 {
            IdentitySource::RequestPart(_, name) => Some(name),
            IdentitySource::Claim(name) => Some(name),
            IdentitySource::Session(key) => Some(key),
            IdentitySource::Global
            | IdentitySource::Client
            | IdentitySource::Application
            | IdentitySource::Context(_)
            | IdentitySource::All(_) => None,
        }
    }

    /// Returns the user, key or other value in the clear: take care before you log it. `None` if it
    /// is not UTF-8, and for identities without a value, such as an address, an
    /// [unidentified](Self::is_unidentified) client or a combination, whose
    /// [parts](Self::parts) have values.
    #[must_use]
    pub fn value_text(&self) -> Option<&str> {
        match self.innermost().1 {
            IdentityValue::Bytes(bytes) => str::from_utf8(bytes).ok(),
            IdentityValue::Single | IdentityValue::Client(_) | IdentityValue::All(_) => None,
        }
    }

    /// Returns the address of a client that is counted by it. For IPv6 this is the address of its
    /// network (`ipv6_prefix`).
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.innermost().1 {
            IdentityValue::Client(network) => network.map(|network| network.addr()),
            IdentityValue::Single | IdentityValue::Bytes(_) | IdentityValue::All(_) => None,
        }
    }

    /// Returns whether this is a client that is counted by its address because the value that the
    /// identifier reads, such as a header, was missing.
    #[must_use]
    pub fn is_unidentified(&self) -> bool {
        let (source, value) = self.innermost();
        matches!(value, IdentityValue::Client(_)) && *source != IdentitySource::Client
    }

    /// Returns the key of the [context](Self::context), or `None` outside of a context.
    #[must_use]
    pub fn context_key(&self) -> Option<&str> {
        match (&self.source, &self.value) {
            (IdentitySource::Context(_), IdentityValue::Bytes(key)) => str::from_utf8(key).ok(),
            _ => None,
        }
    }

    /// Returns the source and the value without any context.
    pub(super) fn innermost(&self) -> (&IdentitySource, &IdentityValue) {
        let (mut source, mut value) = (&self.source, &self.value);
        while let IdentitySource::Context(outside) = source {
            (source, value) = (&outside.0, &outside.1);
        }
        (source, value)
    }
}

/// Users of signed tokens.
impl Identity {
    /// Returns the identity of the user that a token names in its claim `sub`, as
    /// `Identifier::jwt` counts it. Write a number as text: `"42"`.
    ///
    /// With several issuers, use
    /// `Jwt::user_of`: their users are counted separately.
    #[must_use]
    pub fn token(user: &str) -> Self {
        Self::token_claim("sub", user)
    }

    /// Returns the identity of the user that a token names in this claim, as set by
    /// `JwtBuilder::user_claim`.
    #[must_use]
    pub fn token_claim(claim: &str, user: &str) -> Self {
        Self::of(IdentitySource::Claim(claim.into()), bytes(user.as_bytes()))
    }
}

fn bytes(value: &[u8]) -> IdentityValue {
    IdentityValue::Bytes(value.into())
}
