//! Identities as identifiers would find them, named by hand; and what an identity says of itself.

use std::net::IpAddr;

use super::{Identity, RequestPart, Source, Value};

/// By what an [`Identity`] is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityKind {
    /// Everyone as one.
    Global,
    /// The client's address.
    Client,
    /// A value that a function of the application has returned, or a text given outside handlers.
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
}

impl Identity {
    /// The sender of this value of a request header, as
    /// [`Identifier::header`](crate::Identifier::header) counts it.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Identity, Limit, RateLimiter};
    ///
    /// const SEARCH: Limit = Limit::per_minute(30).zone("search");
    ///
    /// // A customer whose limit, #[rate_limit("30/minute", zone = "search", identifier = header("X-Api-Key"))],
    /// // is used up may go on.
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

    /// The sender of this value of a cookie, as [`Identifier::cookie`](crate::Identifier::cookie)
    /// counts it.
    #[must_use]
    pub fn cookie(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Cookie, name, value.as_ref())
    }

    /// This value, decoded, of a dynamic segment of the route's path, as
    /// [`Identifier::path`](crate::Identifier::path) counts it.
    #[must_use]
    pub fn path(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Path, name, value.as_ref())
    }

    /// This value, decoded, of a parameter of the query string, as
    /// [`Identifier::query`](crate::Identifier::query) counts it.
    #[must_use]
    pub fn query(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::part(RequestPart::Query, name, value.as_ref())
    }

    /// The user of a session, as [`Identifier::session`](crate::Identifier::session) counts them. A
    /// number is written out: `"42"`.
    #[cfg(feature = "session")]
    #[must_use]
    pub fn session(user: &str) -> Self {
        Self::session_key("user", user)
    }

    /// The user of a session that has them under this key, as for
    /// [`Identifier::session_keys`](crate::Identifier::session_keys).
    #[cfg(feature = "session")]
    #[must_use]
    pub fn session_key(key: &str, user: &str) -> Self {
        Self::of(Source::Session(key.into()), bytes(user.as_bytes()))
    }

    fn part(part: RequestPart, name: &str, value: &[u8]) -> Self {
        Self::of(Source::RequestPart(part, name.into()), bytes(value))
    }

    /// By what it is told from others. In a [context](Self::context), it is the kind of the
    /// identity that was put into it; so it is with the accessors below.
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
            Source::Global | Source::Context(_) => IdentityKind::Global,
            Source::Client => IdentityKind::Client,
            Source::Application => IdentityKind::User,
            Source::RequestPart(RequestPart::Header, _) => IdentityKind::Header,
            Source::RequestPart(RequestPart::Cookie, _) => IdentityKind::Cookie,
            Source::RequestPart(RequestPart::Path, _) => IdentityKind::Path,
            Source::RequestPart(RequestPart::Query, _) => IdentityKind::Query,
            #[cfg(feature = "jwt")]
            Source::Claim(_) => IdentityKind::Token,
            #[cfg(feature = "session")]
            Source::Session(_) => IdentityKind::Session,
        }
    }

    /// The name of the header (in lower case), cookie, segment or parameter, of the session's key
    /// or the token's claim.
    #[must_use]
    pub fn source_name(&self) -> Option<&str> {
        match self.innermost().0 {
            Source::RequestPart(_, name) => Some(name),
            #[cfg(feature = "jwt")]
            Source::Claim(name) => Some(name),
            #[cfg(feature = "session")]
            Source::Session(key) => Some(key),
            Source::Global | Source::Client | Source::Application | Source::Context(_) => None,
        }
    }

    /// The user, key or value itself, in the clear: mind what of it you log. `None` if it is no
    /// UTF-8, or if there is none, as for an address and
    /// [`is_unidentified`](Self::is_unidentified).
    #[must_use]
    pub fn value_text(&self) -> Option<&str> {
        match self.innermost().1 {
            Value::Bytes(bytes) => str::from_utf8(bytes).ok(),
            Value::Single | Value::Client(_) => None,
        }
    }

    /// The address of the client, if it is counted by that; of IPv6, that of its network
    /// ([`ipv6_prefix`](crate::Builder::ipv6_prefix)).
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.innermost().1 {
            Value::Client(network) => network.map(|network| network.addr()),
            Value::Single | Value::Bytes(_) => None,
        }
    }

    /// Whether it is a client that is counted by its address for want of what the identifier
    /// wanted, a header say.
    #[must_use]
    pub fn is_unidentified(&self) -> bool {
        let (source, value) = self.innermost();
        matches!(value, Value::Client(_)) && *source != Source::Client
    }

    /// The key of the [context](Self::context) that it is counted in.
    #[must_use]
    pub fn context_key(&self) -> Option<&str> {
        match (&self.source, &self.value) {
            (Source::Context(_), Value::Bytes(key)) => str::from_utf8(key).ok(),
            _ => None,
        }
    }

    /// Source and value outside of all contexts.
    fn innermost(&self) -> (&Source, &Value) {
        let (mut source, mut value) = (&self.source, &self.value);
        while let Source::Context(outside) = source {
            (source, value) = (&outside.0, &outside.1);
        }
        (source, value)
    }
}

/// Users of signed tokens.
#[cfg(feature = "jwt")]
impl Identity {
    /// The user that a token names in its claim `sub`, as
    /// [`Identifier::jwt`](crate::Identifier::jwt) counts them. A number is written out: `"42"`.
    ///
    /// Users of several [issuers](crate::JwtBuilder::issuer) are told apart: for these there is
    /// [`Jwt::user_of`](crate::Jwt::user_of).
    #[must_use]
    pub fn token(user: &str) -> Self {
        Self::token_claim("sub", user)
    }

    /// The user whom tokens name in this claim, as set by
    /// [`JwtBuilder::user_claim`](crate::JwtBuilder::user_claim).
    #[must_use]
    pub fn token_claim(claim: &str, user: &str) -> Self {
        Self::of(Source::Claim(claim.into()), bytes(user.as_bytes()))
    }
}

fn bytes(value: &[u8]) -> Value {
    Value::Bytes(value.into())
}
