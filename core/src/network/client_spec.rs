//! The settings about clients: how their addresses are found, and which networks are allowed or
//! denied. A builder has one, and so has a configuration file.

use super::{access::AccessList, error::NetworkError, proxies::TrustedProxies};

/// Settings about the addresses of clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientSpec {
    pub access: AccessList,
    pub proxies: TrustedProxies,
    /// The header in which trusted proxies report the client's address, in lower case, in place of
    /// the forwarding headers.
    pub client_ip_header: Option<String>,
}

impl ClientSpec {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.access.is_empty() && self.proxies.is_empty() && self.client_ip_header.is_none()
    }
}

/// Checks that this can be the name of a header: a token of RFC 9110, section 5.6.2.
///
/// # Errors
///
/// If it has another character, or none.
pub fn check_header_name(name: &str) -> Result<(), NetworkError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        Ok(())
    } else {
        Err(NetworkError::Header(name.to_owned()))
    }
}

/// Checks that this can be the name of the header of the client's address.
///
/// # Errors
///
/// If no header can have it, or if it is `Forwarded`.
pub fn check_client_ip_header(name: &str) -> Result<(), NetworkError> {
    check_header_name(name)?;
    if name.eq_ignore_ascii_case("forwarded") {
        Err(NetworkError::ForwardedAsAddress)
    } else {
        Ok(())
    }
}
