//! The proxies that a service trusts to report the addresses of its clients.

use std::{fmt, net::IpAddr};

use super::{error::NetworkError, set::NetworkSet};

/// The word for proxies that connect over a Unix socket.
const UNIX: &str = "unix";

/// Networks and addresses of proxies, and whether those on a Unix socket are among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrustedProxies {
    networks: NetworkSet,
    unix: bool,
}

impl TrustedProxies {
    /// Adds a network, an address, or `unix`.
    ///
    /// # Errors
    ///
    /// If the text is none of these.
    pub fn add(&mut self, text: &str) -> Result<(), NetworkError> {
        if text == UNIX {
            self.unix = true;
            return Ok(());
        }
        self.networks.add(text).map_err(|error| match error {
            NetworkError::Unreadable(text) => NetworkError::UnreadableProxy(text),
            other => other,
        })
    }

    /// Whether a peer is trusted. A peer without an address has connected over a Unix socket.
    #[must_use]
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        match peer {
            // Most services trust no proxy, and each request asks.
            Some(address) => !self.networks.is_empty() && self.networks.contains(address),
            None => self.unix,
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Returns the entries as text, networks first.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        let unix = self.unix.then(|| UNIX.to_owned());
        self.networks
            .iter()
            .map(|network| network.to_string())
            .chain(unix)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> = self.entries().collect();
        f.write_str(&entries.join(", "))
    }
}
