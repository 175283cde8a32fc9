//! Settings about the addresses of clients: which proxies report them, how much of them counts, and
//! which networks the limits are not for.

use actix_throttle_core::network::{NetworkAccess, NetworkError};

use super::Builder;
use crate::{
    engine::error::InitError,
    identity::{ForwardingHeader, header_name},
};

impl Builder {
    /// Adds networks whose requests are neither counted nor limited: networks (`10.0.0.0/8`) or
    /// addresses. Default: none.
    ///
    /// The client's address is the one that `ip` finds: see
    /// [`trusted_proxies`](Self::trusted_proxies). Where `allow` and [`deny`](Self::deny) overlap,
    /// the longer prefix decides. There may be thousands of networks: a look-up takes time in the
    /// length of the address alone.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::RateLimiter;
    ///
    /// let limiter = RateLimiter::builder()
    ///     .memory()
    ///     .allow(["10.0.0.0/8", "2001:db8:1::/48"])?
    ///     .deny(["10.66.0.0/16", "203.0.113.7"])? // 10.66.0.0/16 is the longer prefix
    ///     .build()
    ///     .await?;
    /// # let _ = limiter;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If an entry is neither a network nor an address, or is denied already.
    pub fn allow<I>(self, networks: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.with_access(networks, NetworkAccess::Allow)
    }

    /// Adds networks whose requests get 403 with a problem document (RFC 9457), before anything
    /// else is looked at: networks or addresses. Default: none.
    ///
    /// It holds wherever this limiter is asked about a request: on handlers with an attribute, and
    /// on everything inside of a [`Throttle`](crate::Throttle), exempt routes too. For a whole
    /// application, wrap it in a `Throttle`; one without entries will do.
    ///
    /// # Errors
    ///
    /// If an entry is neither a network nor an address, or is [allowed](Self::allow) already.
    pub fn deny<I>(self, networks: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.with_access(networks, NetworkAccess::Deny)
    }

    /// Adds proxies whose reports of the client's address are believed: networks (`10.0.0.0/8`),
    /// addresses, or `unix` for every peer that connects over a Unix socket. Default: none, and
    /// such headers are ignored.
    ///
    /// Use `unix` where the process listens on Unix sockets alone: a TCP connection that was reset
    /// at once has no address either.
    ///
    /// # Errors
    ///
    /// If an entry is none of these.
    pub fn trusted_proxies<I>(mut self, proxies: I) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for proxy in proxies {
            let added = self.http.clients.own.proxies.add(proxy.as_ref());
            added.map_err(invalid)?;
        }
        Ok(self)
    }

    /// Sets the forwarding header that the [trusted proxies](Self::trusted_proxies) write. Default:
    /// [`ForwardingHeader::Any`].
    pub fn forwarding_header(mut self, header: ForwardingHeader) -> Self {
        self.http.clients.header = Some(header);
        self
    }

    /// Sets the header in which the [trusted proxies](Self::trusted_proxies) report the client's
    /// address and nothing else, such as `CF-Connecting-IP`. It is read in place of the forwarding
    /// headers, which are then ignored.
    ///
    /// If the header is missing, stands there twice or holds anything but one address, the request
    /// is counted under the proxy's address. From a peer that is not trusted it is ignored. A name
    /// that no header can have is an error of [`build`](Self::build), and so are `Forwarded`, which
    /// never holds an address alone, and a [`forwarding_header`](Self::forwarding_header) beside
    /// this. Without a trusted proxy, the log has a warning.
    pub fn client_ip_header(mut self, name: impl AsRef<str>) -> Self {
        match header_name(name.as_ref()) {
            Ok(name) => self.http.clients.own.client_ip_header = Some(name),
            Err(error) => self.http.invalid = Some(error.to_string()),
        }
        self
    }

    /// Sets the number of leading bits of an IPv6 address that tell clients apart, from 1 to 128.
    /// Default: 64, the prefix that one subscriber usually gets.
    pub fn ipv6_prefix(mut self, bits: u8) -> Self {
        self.http.clients.ipv6_prefix = bits;
        self
    }

    fn with_access<I>(mut self, networks: I, access: NetworkAccess) -> Result<Self, InitError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for network in networks {
            let added = self.http.clients.own.access.add(network.as_ref(), access);
            added.map_err(invalid)?;
        }
        Ok(self)
    }
}

fn invalid(error: NetworkError) -> InitError {
    InitError::settings(error.to_string())
}
