//! The errors of networks, in one wording for the builder and for the file.

use std::fmt;

use ipnet::IpNet;

/// An error in a network or in a list of them, and what to write.
#[derive(Clone, PartialEq, Eq)]
pub enum NetworkError {
    /// The text is neither a network nor an address.
    Unreadable(String),
    /// An entry of the trusted proxies is no network, no address and not `unix`.
    UnreadableProxy(String),
    /// The IPv6 network holds more of IPv4 than one IPv4 network can.
    TooWide(IpNet),
    /// The network is allowed and denied.
    AllowedAndDenied(IpNet),
    /// An entry for clients of no network.
    Empty,
    /// The name cannot be that of an HTTP header.
    Header(String),
    /// The header of the client's address is `Forwarded`, which never holds an address alone.
    ForwardedAsAddress,
}

crate::debug_is_message!(NetworkError);

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => write!(
                f,
                "`{text}` is no network or address; write `10.0.0.0/8` or `192.0.2.1`"
            ),
            Self::UnreadableProxy(text) => write!(
                f,
                "`{text}` is no network or address; write `10.0.0.0/8` or `192.0.2.1`, or `unix` \
                 for proxies that connect over a Unix socket"
            ),
            Self::TooWide(network) => write!(
                f,
                "`{network}` holds all IPv4 addresses, as which its clients are counted: write \
                 `0.0.0.0/0` if they are meant, or the IPv4 networks that are"
            ),
            Self::AllowedAndDenied(network) => write!(
                f,
                "`{network}` is in `allow` and in `deny`: remove it from one of them"
            ),
            Self::Empty => f.write_str(
                "`networks` is empty, so no client is in it: write one, such as `10.0.0.0/8`, or \
                 leave `networks` out",
            ),
            Self::ForwardedAsAddress => f.write_str(
                "`client_ip_header` names a header that holds one address and nothing else, which \
                 `Forwarded` never does: leave it out, and `Forwarded` is read",
            ),
            Self::Header(name) => write!(f, "`{name}` is no name of an HTTP header"),
        }
    }
}

impl std::error::Error for NetworkError {}
