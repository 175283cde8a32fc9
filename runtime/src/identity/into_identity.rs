//! What a function that identifies may return.

use std::net::IpAddr;

use super::{Identity, client_ip::network};

/// What a function that identifies may return. `None` and `Err` are "unidentified".
///
/// An [`IpAddr`] is counted as the identifier `ip` counts it: IPv6 by the
/// [prefix](crate::Builder::ipv6_prefix) of the limiter.
pub trait IntoIdentity: Sized {
    /// The identity, if there is one.
    fn into_identity(self) -> Option<Identity>;

    /// The same, where IPv6 addresses are counted by this prefix.
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

/// The user and the group.
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
