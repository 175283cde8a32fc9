//! The client's IP address, read from forwarding headers of trusted proxies only.

use std::net::{IpAddr, SocketAddr};

use actix_throttle_core::identity::{DEFAULT_IPV6_PREFIX, network};
use actix_web::{HttpRequest, http::header};
use ipnet::IpNet;

/// The header in which trusted proxies report the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardingHeader {
    /// Either header. If a request has both and they disagree, the client sent one of them, and the
    /// request is counted under the proxy's address. Name your proxy's header to avoid this.
    #[default]
    Any,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClientIp {
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) header: ForwardingHeader,
    pub(crate) ipv6_prefix: u8,
}

impl Default for ClientIp {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            header: ForwardingHeader::Any,
            ipv6_prefix: DEFAULT_IPV6_PREFIX,
        }
    }
}

impl ClientIp {
    /// Returns the network that the client is counted by; `None` without a peer (a Unix socket).
    pub(crate) fn network(&self, request: &HttpRequest) -> Option<IpNet> {
        Some(self.network_of(self.address(request)?))
    }

    /// Returns the client's full address.
    pub(crate) fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        Some(self.client(request, peer))
    }

    pub(crate) fn network_of(&self, address: IpAddr) -> IpNet {
        network(address, self.ipv6_prefix)
    }

    fn client(&self, request: &HttpRequest, peer: IpAddr) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let read = |header, hop| self.last_untrusted(request, peer, header, hop);
        let forwarded = || read(header::FORWARDED, forwarded_hop as Hop);
        let x_forwarded_for = || read(header::X_FORWARDED_FOR, x_forwarded_for_hop as Hop);
        let client = match self.header {
            ForwardingHeader::Forwarded => forwarded(),
            ForwardingHeader::XForwardedFor => x_forwarded_for(),
            ForwardingHeader::Any => match (forwarded(), x_forwarded_for()) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => one.or(other),
            },
        };
        client.unwrap_or(peer)
    }

    /// Walks the header's hops from the right, where the nearest proxy wrote, up to the first
    /// address that is not a trusted proxy. A hop that cannot be read ends the walk at the proxy
    /// that passed it on. `None` without that header.
    fn last_untrusted(
        &self,
        request: &HttpRequest,
        peer: IpAddr,
        header: header::HeaderName,
        hop: Hop,
    ) -> Option<IpAddr> {
        let lines: Vec<_> = request.headers().get_all(header).collect();
        if lines.is_empty() {
            return None;
        }
        let hops = lines
            .iter()
            .rev()
            .flat_map(|line| rsplit_unquoted(line.as_bytes(), b','))
            .map(|element| {
                str::from_utf8(element)
                    .ok()
                    .and_then(|text| hop(text.trim()))
            });
        let mut client = peer;
        for hop in hops {
            match hop {
                Some(address) if self.trusts(address) => client = address,
                Some(address) => return Some(address),
                None => return Some(client),
            }
        }
        Some(client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }
}

/// Parses the address of one hop.
type Hop = fn(&str) -> Option<IpAddr>;

/// Returns the `for` of an element (RFC 7239, section 4). Two are invalid: a proxy writes one.
fn forwarded_hop(element: &str) -> Option<IpAddr> {
    let mut nodes = rsplit_unquoted(element.as_bytes(), b';').filter_map(|pair| {
        let (name, value) = str::from_utf8(pair).ok()?.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let (node, None) = (nodes.next()?, nodes.next()) else {
        return None;
    };
    let quoted = || node.strip_prefix('"')?.strip_suffix('"');
    x_forwarded_for_hop(quoted().unwrap_or(node))
}

/// Splits at separators outside of quotes, from the right: a trusted proxy wrote that end, with
/// balanced quotes. A quoted value may be the client's text: `host="a,for=192.0.2.1"` is one.
fn rsplit_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let at = (0..text.len()).rev().find(|&at| {
            quoted ^= text[at] == b'"' && !is_escaped(text, at);
            text[at] == separator && !quoted
        });
        rest = at.map(|at| &text[..at]);
        Some(&text[at.map_or(0, |at| at + 1)..])
    })
}

fn is_escaped(text: &[u8], at: usize) -> bool {
    let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Accepts `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`.
fn x_forwarded_for_hop(element: &str) -> Option<IpAddr> {
    let bare = || element.parse().ok();
    let with_port = || element.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || element.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: IpAddr = bare().or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

/// Parses a network or an address. IPv4-mapped IPv6 becomes IPv4, as for every address here.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let network: IpNet = match text.parse() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    match (network.addr().to_canonical(), network.prefix_len()) {
        (address @ IpAddr::V4(_), bits) if network.addr().is_ipv6() => {
            IpNet::new(address, bits.checked_sub(96)?).ok()
        }
        _ => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client(headers: &[(&str, &str)], header: ForwardingHeader) -> String {
        let resolver = ClientIp {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            header,
            ..ClientIp::default()
        };
        let mut request = TestRequest::default().peer_addr("10.0.0.9:1".parse().unwrap());
        for pair in headers {
            request = request.append_header(*pair);
        }
        let request = request.to_http_request();
        resolver.network(&request).unwrap().addr().to_string()
    }

    fn any(headers: &[(&str, &str)]) -> String {
        client(headers, ForwardingHeader::Any)
    }

    #[test]
    fn rightmost_untrusted_hop_counts() {
        for (value, expected) in [
            ("1.2.3.4", "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"),
            ("6.6.6.6,1.2.3.4:80 , 10.1.1.1:9", "1.2.3.4"),
            ("[2001:db8::1]:80", "2001:db8::"),
            ("[2001:db8::1]", "2001:db8::"),
            ("2001:db8::1", "2001:db8::"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
            ("garbage, 10.2.2.2", "10.2.2.2"),
            ("1.2.3.4, garbage", "10.0.0.9"),
            ("", "10.0.0.9"),
            (",,,", "10.0.0.9"),
        ] {
            assert_eq!(any(&[("X-Forwarded-For", value)]), expected, "{value}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (value, expected) in [
            ("for=1.2.3.4", "1.2.3.4"),
            ("For=\"[2001:db8::1]:4711\";proto=https", "2001:db8::"),
            ("for=6.6.6.6, for=1.2.3.4;by=10.0.0.1", "1.2.3.4"),
            ("for=1.2.3.4, for=unknown", "10.0.0.9"),
            ("for=1.2.3.4, for=_hidden, for=10.3.3.3", "10.3.3.3"),
            ("for=\"abc, for=1.2.3.4", "1.2.3.4"),
            ("proto=https", "10.0.0.9"),
        ] {
            assert_eq!(any(&[("Forwarded", value)]), expected, "{value}");
        }
    }

    #[test]
    fn lines_are_read_as_one_list() {
        let lines = [
            ("X-Forwarded-For", "6.6.6.6"),
            ("X-Forwarded-For", "1.2.3.4, 10.1.1.1"),
        ];
        assert_eq!(any(&lines), "1.2.3.4");
    }

    #[test]
    fn headers_that_disagree_free_nobody() {
        let both = [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "1.2.3.4")];
        assert_eq!(any(&both), "10.0.0.9");
        assert_eq!(client(&both, ForwardingHeader::Forwarded), "6.6.6.6");
        assert_eq!(client(&both, ForwardingHeader::XForwardedFor), "1.2.3.4");
        let agreed = [("Forwarded", "for=1.2.3.4"), ("X-Forwarded-For", "1.2.3.4")];
        assert_eq!(any(&agreed), "1.2.3.4");
    }

    #[test]
    fn strangers_are_not_believed() {
        let request = TestRequest::default()
            .peer_addr("8.8.8.8:1".parse().unwrap())
            .insert_header(("X-Forwarded-For", "1.2.3.4"))
            .to_http_request();
        let resolver = ClientIp {
            trusted: vec!["10.0.0.0/8".parse().unwrap()],
            ..ClientIp::default()
        };
        let network = resolver.network(&request).unwrap();
        assert_eq!(network.addr().to_string(), "8.8.8.8");
    }

    #[test]
    fn networks_are_read_in_every_form() {
        for (text, expected) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("192.0.2.1", Some("192.0.2.1/32")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:10.0.0.1", Some("10.0.0.1/32")),
            ("::ffff:0.0.0.0/90", None),
            ("10.0.0.0/33", None),
            ("proxy", None),
        ] {
            let read = parse_network(text).map(|network| network.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn no_peer_address_is_no_panic() {
        let request = TestRequest::default().to_http_request();
        assert_eq!(ClientIp::default().network(&request), None);
    }
}
