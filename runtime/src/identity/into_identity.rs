//! What a function that identifies may return.

use std::net::IpAddr;

use super::Identity;

/// What a function that identifies may return. `None` and `Err` are "unidentified".
pub trait IntoIdentity {
    /// The identity, if there is one.
    fn into_identity(self) -> Option<Identity>;
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
}

impl<T: IntoIdentity, E> IntoIdentity for Result<T, E> {
    fn into_identity(self) -> Option<Identity> {
        self.ok()?.into_identity()
    }
}
