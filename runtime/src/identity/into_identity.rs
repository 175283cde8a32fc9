//! [`IntoIdentity`]: the types that an identifier function may return.

use std::net::IpAddr;

use actix_throttle_core::identity::{Identity, network};

/// A type that an identifier function may return. `None` and `Err` mean "unidentified".
///
/// An [`IpAddr`] is counted as the identifier `ip` counts it: IPv6 by the limiter's
/// [prefix](crate::Builder::ipv6_prefix).
pub trait IntoIdentity: Sized {
    /// Returns the identity, or `None` for an unidentified request.
    fn into_identity(self) -> Option<Identity>;

    /// Converts like [`into_identity`](Self::into_identity), but counts IPv6 addresses by a prefix
    /// of `ipv6_prefix` bits.
    #[doc(hidden)]
    fn into_identity_by(self, _ipv6_prefix: u8) -> Option<Identity> {
        self.into_identity()
    }
}

impl IntoIdentity for Identity {
    fn into_identity(self) -> Option<Identity> {
        Some(self)
    }
}

impl IntoIdentity for String {
    fn into_identity(self) -> Option<Identity> {
        Some(Identity::new(self))
    }
}

impl IntoIdentity for &'static str {
    fn into_identity(self) -> Option<Identity> {
        Some(Identity::new(self))
    }
}

impl IntoIdentity for IpAddr {
    fn into_identity(self) -> Option<Identity> {
        Some(Identity::ip(self))
    }

    fn into_identity_by(self, ipv6_prefix: u8) -> Option<Identity> {
        Some(Identity::client(Some(network(self, ipv6_prefix))))
    }
}

/// A user and its group.
impl<U: Into<String>, G: Into<String>> IntoIdentity for (U, G) {
    fn into_identity(self) -> Option<Identity> {
        Some(Identity::new(self.0).group(self.1.into()))
    }
}

impl<T: IntoIdentity> IntoIdentity for Option<T> {
    fn into_identity(self) -> Option<Identity> {
        self?.into_identity()
    }

    fn into_identity_by(self, ipv6_prefix: u8) -> Option<Identity> {
        self?.into_identity_by(ipv6_prefix)
    }
}

impl<T: IntoIdentity, E> IntoIdentity for Result<T, E> {
    fn into_identity(self) -> Option<Identity> {
        self.ok()?.into_identity()
    }

    fn into_identity_by(self, ipv6_prefix: u8) -> Option<Identity> {
        self.ok()?.into_identity_by(ipv6_prefix)
    }
}
