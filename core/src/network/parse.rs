//! Parses networks and addresses.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};

use super::{
    address::{MAPPED, NAT64, canonical},
    error::NetworkError,
};

/// The longest prefix that is taken for IPv6 as such, though IPv4 lies within it: registries give
/// out longer ones.
const SHORT: u8 = 32;

/// Parses a network or an address. Bits behind the prefix do not matter: `10.1.2.3/8` is
/// `10.0.0.0/8`.
///
/// A network of IPv4-mapped addresses or of NAT64 becomes the IPv4 network, as every address does
/// before it is looked up.
///
/// # Errors
///
/// If the text is neither, or stands for all of IPv4 without saying so.
pub fn parse(text: &str) -> Result<IpNet, NetworkError> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network.trunc(),
        Err(_) => match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => return Err(NetworkError::Unreadable(text.to_owned())),
        },
    };
    match network {
        IpNet::V4(_) => Ok(network),
        IpNet::V6(v6) => within_ipv4(v6).map(|v4| v4.unwrap_or(network)),
    }
}

/// Returns the IPv4 network that an IPv6 network stands for; `None` if it is one of IPv6.
///
/// # Errors
///
/// If it contains all mapped addresses or all of NAT64, and little else. Its author means IPv4
/// clients, of which it would contain none. `::/0` and other short prefixes mean IPv6.
fn within_ipv4(network: Ipv6Net) -> Result<Option<IpNet>, NetworkError> {
    let inner = |within: Ipv6Net| {
        let bits = network.prefix_len().checked_sub(within.prefix_len())?;
        within
            .contains(&network)
            .then(|| IpNet::new(canonical(network.addr().into()), bits).ok())?
    };
    let is_around = |within: Ipv6Net| network.prefix_len() > SHORT && network.contains(&within);
    let embedded = [MAPPED, NAT64];
    if embedded.into_iter().any(is_around) {
        Err(NetworkError::TooWide(network.into()))
    } else {
        Ok(embedded.into_iter().find_map(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_in_every_form() {
        for (text, expected) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("192.0.2.1", Some("192.0.2.1/32")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("2001:DB8::/32", Some("2001:db8::/32")),
            ("::/0", Some("::/0")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:10.0.0.1", Some("10.0.0.1/32")),
            ("::ffff:0:0/97", Some("0.0.0.0/1")),
            ("64:ff9b::/32", Some("64:ff9b::/32")),
            ("64:ff9b::10.0.0.1", Some("10.0.0.1/32")),
            ("64:ff9b::10.0.0.0/104", Some("10.0.0.0/8")),
            ("64:ff9b:1::/48", Some("64:ff9b:1::/48")),
            ("64:ff9b::/96", None),
            ("64:ff9b::/64", None),
            ("::ffff:0:0/96", None),
            ("::ffff:0.0.0.0/90", None),
            ("10.0.0.0/33", None),
            ("10.0.0.0/", None),
            ("10.0.0.0/8 ", None),
            ("10.0.0", None),
            ("proxy", None),
            ("unix", None),
            ("", None),
        ] {
            let read = parse(text).map(|network| network.to_string());
            assert_eq!(read.as_deref().ok(), expected, "{text}");
        }
    }

    #[test]
    fn network_that_means_all_of_ipv4_says_what_to_write() {
        let error = parse("64:ff9b::/96").expect_err("all of IPv4");
        let text = "`64:ff9b::/96` holds all IPv4 addresses, as which its clients are counted: \
                    write `0.0.0.0/0` if they are meant, or the IPv4 networks that are";
        assert_eq!(error.to_string(), text);
    }
}
