//! Who is counted.

mod client_ip;
mod constructors;
mod identifier;
mod into_identifier;
mod into_identity;
#[cfg(feature = "jwt")]
mod jwt;
mod key_text;
mod request_part;
#[cfg(feature = "session")]
mod session;
#[cfg(any(feature = "jwt", feature = "session"))]
mod user_group;

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;

#[cfg(feature = "jwt")]
pub use self::jwt::{Jwt, JwtBuilder, JwtKey};
pub use self::{
    client_ip::ForwardingHeader, constructors::IdentityKind, identifier::Identifier,
    into_identifier::IntoIdentifier, into_identity::IntoIdentity,
};
pub(crate) use self::{
    client_ip::{ClientIp, DEFAULT_IPV6_PREFIX, parse_network},
    identifier::Identified,
    into_identifier::{AsyncFunction, Function},
};

/// Who is counted, and in which group.
///
/// Identities from different sources never collide: the user `10.0.0.1`, the client with that
/// address and the API key of that text are three, and so are the users `42` of a session, of a
/// token and of a function.
///
/// ```
/// use actix_throttle::Identity;
///
/// let user = Identity::new("user:42").group("pro");
/// assert_eq!(user.group_name(), Some("pro"));
/// assert_ne!(Identity::new("10.0.0.1"), Identity::ip("10.0.0.1".parse().unwrap()));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    source: Source,
    value: Value,
    group: Option<Cow<'static, str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Everyone as one.
    Global,
    /// The client's address.
    Client,
    /// A function of the application, or a text given outside handlers.
    Application,
    /// A part of the request, by its name.
    RequestPart(RequestPart, Arc<str>),
    /// A claim of a signed token, by its name.
    #[cfg(feature = "jwt")]
    Claim(Arc<str>),
    /// A value of the session, by its key.
    #[cfg(feature = "session")]
    Session(Arc<str>),
    /// An identity that is counted apart in each context; the value is the context's key. Boxed:
    /// few are, and every identity would have room for two.
    Context(Box<(Source, Value)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestPart {
    Header,
    Cookie,
    Path,
    Query,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// There is but one.
    Single,
    /// A text, or the bytes of a header that is none.
    Bytes(Box<[u8]>),
    /// An address, or what a missing value is counted under; `None` without a peer address.
    Client(Option<IpNet>),
}

impl Identity {
    /// An identity that the application names: a user, a tenant, a token.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let bytes = text.into().into_bytes().into_boxed_slice();
        Self::of(Source::Application, Value::Bytes(bytes))
    }

    /// The client at `address`, as the identifier `ip` counts it by default: IPv6 by /64, an
    /// IPv4-mapped IPv6 address as IPv4.
    ///
    /// [`RateLimiter::client_identity`](crate::RateLimiter::client_identity) does the same by that limiter's
    /// settings.
    #[must_use]
    pub fn ip(address: IpAddr) -> Self {
        Self::client(Some(client_ip::network(address, DEFAULT_IPV6_PREFIX)))
    }

    /// Everyone as one.
    #[must_use]
    pub fn global() -> Self {
        Self::of(Source::Global, Value::Single)
    }

    /// The same identity in a group: limits for that group apply in place of the ungrouped ones.
    #[must_use]
    pub fn group(mut self, group: impl Into<Cow<'static, str>>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The same identity, in the same group, in a context: counted there, and apart from any other
    /// context. An empty key is none.
    ///
    /// The messages that a `WebSocketLimiter` (feature `websocket`) is given a context key for are
    /// counted so; by this it can be looked at, reset and blocked. No other identity is the same,
    /// whatever its text is.
    ///
    /// ```
    /// use actix_throttle::Identity;
    ///
    /// let user = Identity::new("42");
    /// assert_ne!(user.clone().context("room/7"), user.clone().context("room/8"));
    /// assert_eq!(user.clone().context(""), user);
    /// ```
    #[must_use]
    pub fn context(self, key: &str) -> Self {
        if key.is_empty() {
            return self;
        }
        let outside = Box::new((self.source, self.value));
        Self {
            source: Source::Context(outside),
            value: Value::Bytes(key.as_bytes().into()),
            group: self.group,
        }
    }

    /// The group, if it is in one.
    #[must_use]
    pub fn group_name(&self) -> Option<&str> {
        self.group.as_deref()
    }

    pub(crate) fn client(network: Option<IpNet>) -> Self {
        Self::of(Source::Client, Value::Client(network))
    }

    /// Counted under the client for want of a value from `source`, apart from real values.
    pub(crate) fn unidentified(source: Source, network: Option<IpNet>) -> Self {
        Self::of(source, Value::Client(network))
    }

    pub(crate) fn of(source: Source, value: Value) -> Self {
        Self {
            source,
            value,
            group: None,
        }
    }

    /// The same whatever group it is in.
    pub(crate) fn without_group(&self) -> Self {
        Self {
            source: self.source.clone(),
            value: self.value.clone(),
            group: None,
        }
    }

    /// Writes it as it stands in keys, where what may be a secret is to be `plain` or not.
    #[cfg(feature = "redis")]
    pub(crate) fn write_key(&self, out: &mut impl fmt::Write, plain: bool) -> fmt::Result {
        key_text::write(out, self, plain)
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }
}

impl fmt::Display for Identity {
    /// As it stands in keys by default: readable if short and plain, else a hash. The values of
    /// headers, cookies and query parameters are always hashed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        key_text::write(f, self, false)
    }
}

impl fmt::Debug for Identity {
    /// As it is displayed, and its group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("key", &format_args!("{self}"))
            .field("group", &self.group)
            .finish()
    }
}

impl fmt::Debug for Value {
    /// Without what may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("Single"),
            Self::Bytes(_) => f.write_str("Bytes(..)"),
            Self::Client(network) => f.debug_tuple("Client").field(network).finish(),
        }
    }
}

impl From<&str> for Identity {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Identity {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Identity {
    fn from(text: &String) -> Self {
        Self::new(text.as_str())
    }
}

impl From<&Identity> for Identity {
    fn from(identity: &Identity) -> Self {
        identity.clone()
    }
}

impl From<IpAddr> for Identity {
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}
