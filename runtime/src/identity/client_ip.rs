//! The client's IP address, read from headers of trusted proxies only, and what the networks of a
//! limiter say about it.

use std::{net::IpAddr, sync::Arc};

use actix_throttle_core::{
    identity::{DEFAULT_IPV6_PREFIX, network},
    network::{NetworkAccess, canonical},
};
use actix_web::{
    HttpRequest,
    http::header::{FORWARDED, HeaderName, X_FORWARDED_FOR},
};
use ipnet::IpNet;

use super::{
    client_settings::{ClientSettings, LiveClientSettings, OwnTrust},
    forwarding::{
        ForwardingHeader, Hop, forwarded_hop, hops_from_the_right, single_address,
        x_forwarded_for_hop,
    },
};

/// The way in which a limiter finds the address of a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClientIp {
    /// The settings of the builder.
    pub(crate) own: ClientSettings,
    /// The settings of the configuration file, as it is now.
    pub(crate) live: Option<LiveClientSettings>,
    /// The forwarding header that was chosen. `None`: any.
    pub(crate) header: Option<ForwardingHeader>,
    pub(crate) ipv6_prefix: u8,
    /// The settings of this limiter that its configuration has to know.
    pub(crate) joined: Option<Arc<OwnTrust>>,
}

impl Default for ClientIp {
    fn default() -> Self {
        Self {
            own: ClientSettings::default(),
            live: None,
            header: None,
            ipv6_prefix: DEFAULT_IPV6_PREFIX,
            joined: None,
        }
    }
}

impl ClientIp {
    /// Returns the network that the client is counted by; `None` if the address is unknown (a Unix
    /// socket).
    pub(crate) fn network(&self, request: &HttpRequest) -> Option<IpNet> {
        Some(self.network_of(self.address(request)?))
    }

    /// Returns the client's full address, in its canonical form.
    pub(crate) fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let live = self.live.as_ref().map(LiveClientSettings::current);
        self.resolver(live.as_deref().map(AsRef::as_ref))
            .address(request)
    }

    pub(crate) fn network_of(&self, address: IpAddr) -> IpNet {
        network(address, self.ipv6_prefix)
    }

    /// Returns whether the client's network is allowed or denied; `None`: the limits decide.
    ///
    /// The longest prefix of the builder's and the file's networks decides, and the file's if both
    /// have that network.
    pub(crate) fn access(&self, request: &HttpRequest) -> Option<NetworkAccess> {
        let live = self.live.as_ref().map(LiveClientSettings::current);
        let file = live.as_deref().map(AsRef::as_ref);
        let has_networks = |settings: &ClientSettings| !settings.access.is_empty();
        if !has_networks(&self.own) && !file.is_some_and(has_networks) {
            return None;
        }
        let address = self.resolver(file).address(request)?;
        let own = self.own.access.find(address);
        let of_file = file.and_then(|file| file.access.find(address));
        let (_, access) = match (own, of_file) {
            (Some(own), Some(of_file)) if own.0 > of_file.0 => own,
            (own, of_file) => of_file.or(own)?,
        };
        Some(access)
    }

    /// Returns a text about a header that is named and never believed. Settings of a configuration
    /// that replace those of now are checked again, for as long as this lives.
    pub(crate) fn start(&mut self) -> Option<String> {
        let own = Arc::new(OwnTrust {
            client_ip_header: self.own.client_ip_header.clone(),
            has_proxies: !self.own.proxies.is_empty(),
        });
        let live = self.live.as_ref();
        let warning = match live.map(LiveClientSettings::current) {
            Some(file) => own.warning(Some(&file)),
            None => own.warning(None),
        };
        live.inspect(|live| live.join(&own));
        self.joined = Some(own);
        warning
    }

    /// Returns what is wrong with settings of the builder that exclude each other.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let both = self.header.is_some() && self.own.client_ip_header.is_some();
        both.then_some(
            "`client_ip_header` is read in place of the forwarding headers, of which \
             `forwarding_header` chooses one: leave one of the two out",
        )
    }

    fn resolver<'a>(&'a self, file: Option<&'a ClientSettings>) -> AddressResolver<'a> {
        AddressResolver {
            own: &self.own,
            file,
            header: self.header.unwrap_or(ForwardingHeader::Any),
        }
    }
}

/// Finds addresses by one state of the settings.
struct AddressResolver<'a> {
    own: &'a ClientSettings,
    file: Option<&'a ClientSettings>,
    header: ForwardingHeader,
}

impl AddressResolver<'_> {
    fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().map(|peer| canonical(peer.ip()));
        if !self.trusts(peer) {
            return peer;
        }
        self.reported(request, peer).or(peer)
    }

    /// Returns the address that a trusted peer reports.
    fn reported(&self, request: &HttpRequest, peer: Option<IpAddr>) -> Option<IpAddr> {
        let of_file = self.file.and_then(|file| file.client_ip_header.as_ref());
        if let Some(name) = of_file.or(self.own.client_ip_header.as_ref()) {
            return single_address(request.headers(), name);
        }
        let read = |name, hop| self.last_untrusted(request, peer, name, hop);
        let forwarded = || read(FORWARDED, forwarded_hop as Hop);
        let x_forwarded_for = || read(X_FORWARDED_FOR, x_forwarded_for_hop as Hop);
        match self.header {
            ForwardingHeader::Forwarded => forwarded()?,
            ForwardingHeader::XForwardedFor => x_forwarded_for()?,
            ForwardingHeader::Any => match (forwarded(), x_forwarded_for()) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => one.or(other)?,
            },
        }
    }

    /// Walks the header's hops from the right, where the nearest proxy wrote, up to the first
    /// address that is not a trusted proxy. A hop that cannot be read ends the walk at the proxy
    /// that passed it on, which has no address on a Unix socket. The outer `None`: the request has
    /// no such header.
    fn last_untrusted(
        &self,
        request: &HttpRequest,
        peer: Option<IpAddr>,
        name: HeaderName,
        hop: Hop,
    ) -> Option<Option<IpAddr>> {
        let mut client = peer;
        for hop in hops_from_the_right(request.headers(), name, hop)? {
            match hop {
                Some(_) if self.trusts(hop) => client = hop,
                Some(_) => return Some(hop),
                None => return Some(client),
            }
        }
        Some(client)
    }

    fn trusts(&self, peer: Option<IpAddr>) -> bool {
        let by = |settings: &ClientSettings| settings.proxies.trusts(peer);
        by(self.own) || self.file.is_some_and(by)
    }
}

#[cfg(test)]
mod tests;
