//! Conversions into an identity, from what the application has at hand.

use std::net::IpAddr;

use super::Identity;

impl From<&str> for Identity {
    #[inline]
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Identity {
    #[inline]
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Identity {
    #[inline]
    fn from(text: &String) -> Self {
        Self::new(text.as_str())
    }
}

impl From<&Identity> for Identity {
    #[inline]
    fn from(identity: &Identity) -> Self {
        identity.clone()
    }
}

impl From<IpAddr> for Identity {
    #[inline]
    fn from(address: IpAddr) -> Self {
        Self::ip(address)
    }
}
