//! The canonical form of an address: IPv4 addresses that are written as IPv6 are IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

/// The prefix of IPv4-mapped addresses
/// ([RFC 4291, section 2.5.5.2](https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2)).
pub(super) const MAPPED: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
/// The well-known prefix of NAT64
/// ([RFC 6052, section 2.1](https://www.rfc-editor.org/rfc/rfc6052#section-2.1)).
pub(super) const NAT64: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Returns the IPv4 address of an IPv4-mapped address (`::ffff:192.0.2.1`) or of an address behind
/// NAT64 (`64:ff9b::192.0.2.1`), and any other address as it is.
///
/// A client has one counter by this, whichever way its packets have come.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => behind_nat64(v6).map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Returns the IPv4 address that an address of NAT64 holds in its last 32 bits.
fn behind_nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    NAT64.contains(&address).then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_within_ipv6_is_ipv4() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("64:ff9b::192.0.2.1", "192.0.2.1"),
            ("64:ff9b::", "0.0.0.0"),
            ("64:ff9b::ffff:ffff", "255.255.255.255"),
            ("64:ff9b::1:c000:201", "64:ff9b::1:c000:201"),
            ("64:ff9b:1::c000:201", "64:ff9b:1::c000:201"),
            ("64:ff9a::c000:201", "64:ff9a::c000:201"),
            ("::192.0.2.1", "::192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let address: IpAddr = text.parse().expect(text);
            let expected: IpAddr = expected.parse().expect(expected);
            assert_eq!(canonical(address), expected, "{text}");
        }
    }
}
