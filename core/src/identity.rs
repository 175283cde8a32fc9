//! Identities: whose counter a charge goes to, and in which group it is.

mod combination;
mod constructors;
mod conversions;
mod key_text;
mod network;
mod parse;
mod query;
mod written;

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;

pub use self::{
    combination::CombinationError,
    constructors::IdentityKind,
    network::{DEFAULT_IPV6_PREFIX, network},
    parse::HashedIdentity,
    query::IdentityQuery,
};

/// The key that a limit counts by, with an optional group.
///
/// Identities from different sources never collide. The user `10.0.0.1`, the client with that
/// address and the API key with that text are three identities. So are the users `42` of a session,
/// of a token and of a function.
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
    source: IdentitySource,
    value: IdentityValue,
    group: Option<Cow<'static, str>>,
}

#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IdentitySource {
    /// One identity that all requests share.
    Global,
    /// The client's IP address.
    Client,
    /// A value from a function of the application, or a text passed to [`Identity::new`].
    Application,
    /// A part of the request, with its name.
    RequestPart(RequestPart, Arc<str>),
    /// A claim of a signed token, with its name.
    Claim(Arc<str>),
    /// A value of the session, with its key.
    Session(Arc<str>),
    /// A context around another identity, which is counted separately in each context. The
    /// identity's value is the context's key. It is boxed to keep every other identity small,
    /// because contexts are rare.
    Context(Box<(IdentitySource, IdentityValue)>),
    /// A combination: its value has one for each of these sources.
    All(Box<[IdentitySource]>),
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestPart {
    Header,
    Cookie,
    Path,
    Query,
}

#[doc(hidden)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum IdentityValue {
    /// The only value of its source.
    Single,
    /// A text, or the bytes of a header value that is not UTF-8.
    Bytes(Box<[u8]>),
    /// The client's network, also as the substitute for a missing value. `None` without a peer
    /// address.
    Client(Option<IpNet>),
    /// The values of a combination, in the order of its sources.
    All(Box<[IdentityValue]>),
}

impl Identity {
    /// Returns the identity of a value that the application chooses: a user, a tenant, a token.
    #[must_use]
    #[inline]
    pub fn new(text: impl Into<String>) -> Self {
        let bytes = text.into().into_bytes().into_boxed_slice();
        Self::of(IdentitySource::Application, IdentityValue::Bytes(bytes))
    }

    /// Returns the identity of the client at `address`, as the identifier `ip` counts it by
    /// default. An IPv6 address is counted by its /64 network, an IPv4-mapped IPv6 address as IPv4.
    ///
    /// `RateLimiter::client_identity` applies the settings
    /// of that limiter instead.
    #[must_use]
    #[inline]
    pub fn ip(address: IpAddr) -> Self {
        Self::client(Some(network(address, DEFAULT_IPV6_PREFIX)))
    }

    /// Returns the identity that all requests share.
    #[must_use]
    #[inline]
    pub fn global() -> Self {
        Self::of(IdentitySource::Global, IdentityValue::Single)
    }

    /// Puts this identity into a group. Limits for that group then apply in place of the ungrouped
    /// limits.
    #[must_use]
    #[inline]
    pub fn group(mut self, group: impl Into<Cow<'static, str>>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Puts this identity into a context, where it is counted separately from every other context.
    /// Its group stays. An empty key leaves the identity unchanged.
    ///
    /// A `WebSocketLimiter` (feature `websocket`) counts a message with a context key under such an
    /// identity. Build the identity here to inspect, reset or block its counters. An identity in a
    /// context never equals one without, whatever its text is.
    ///
    /// ```
    /// use actix_throttle::Identity;
    ///
    /// let user = Identity::new("42");
    /// assert_ne!(user.clone().context("room/7"), user.clone().context("room/8"));
    /// assert_eq!(user.clone().context(""), user);
    /// ```
    #[must_use]
    #[inline]
    pub fn context(self, key: &str) -> Self {
        if key.is_empty() {
            return self;
        }
        let outside = Box::new((self.source, self.value));
        Self {
            source: IdentitySource::Context(outside),
            value: IdentityValue::Bytes(key.as_bytes().into()),
            group: self.group,
        }
    }

    /// Returns the group, or `None` for an identity without one.
    #[must_use]
    #[inline]
    pub fn group_name(&self) -> Option<&str> {
        self.group.as_deref()
    }

    #[doc(hidden)]
    #[inline]
    pub fn client(network: Option<IpNet>) -> Self {
        Self::of(IdentitySource::Client, IdentityValue::Client(network))
    }

    /// Returns the client's identity as the substitute for a missing value of `source`. It never
    /// equals an identity with a real value, nor the client's own.
    #[doc(hidden)]
    #[inline]
    pub fn unidentified(source: IdentitySource, network: Option<IpNet>) -> Self {
        Self::of(source, IdentityValue::Client(network))
    }

    #[doc(hidden)]
    #[inline]
    pub fn of(source: IdentitySource, value: IdentityValue) -> Self {
        Self {
            source,
            value,
            group: None,
        }
    }

    /// Returns this identity without its group.
    #[doc(hidden)]
    #[inline]
    pub fn without_group(&self) -> Self {
        Self {
            source: self.source.clone(),
            value: self.value.clone(),
            group: None,
        }
    }

    /// Returns this identity as it appears in keys of the store, see
    /// [`write_key`](Self::write_key).
    #[doc(hidden)]
    #[must_use]
    pub fn key_text(&self, plain: bool) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_key(&mut text, plain);
        text
    }

    /// Writes this identity as it appears in keys of the store. `plain` writes values that may be
    /// secrets in the clear; otherwise they are hashed.
    #[doc(hidden)]
    #[inline]
    pub fn write_key(&self, out: &mut impl fmt::Write, plain: bool) -> fmt::Result {
        key_text::write(out, self, plain)
    }

    /// Returns how many bytes the values of this identity have, names of sources apart.
    #[doc(hidden)]
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        fn bytes(value: &IdentityValue) -> usize {
            match value {
                IdentityValue::Single | IdentityValue::Client(_) => 0,
                IdentityValue::Bytes(bytes) => bytes.len(),
                IdentityValue::All(values) => values.iter().map(bytes).sum(),
            }
        }
        let mut total = bytes(&self.value);
        let mut source = &self.source;
        while let IdentitySource::Context(outside) = source {
            total += bytes(&outside.1);
            source = &outside.0;
        }
        total
    }

    #[doc(hidden)]
    #[inline]
    pub fn source(&self) -> &IdentitySource {
        &self.source
    }

    #[doc(hidden)]
    #[inline]
    pub fn value(&self) -> &IdentityValue {
        &self.value
    }
}

impl fmt::Display for Identity {
    /// Writes the identity as it appears in keys by default: readable if short and plain, otherwise
    /// hashed. The values of headers, cookies and query parameters are always hashed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        key_text::write(f, self, false)
    }
}

impl fmt::Debug for Identity {
    /// Writes the identity as `Display` does, and its group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("key", &format_args!("{self}"))
            .field("group", &self.group)
            .finish()
    }
}

impl fmt::Debug for IdentityValue {
    /// Writes the value without bytes that may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("Single"),
            Self::Bytes(_) => f.write_str("Bytes(..)"),
            Self::Client(network) => f.debug_tuple("Client").field(network).finish(),
            Self::All(values) => f.debug_list().entries(values).finish(),
        }
    }
}
