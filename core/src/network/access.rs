//! The networks that are allowed or denied, whatever the limits say.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{error::NetworkError, parse::parse, table::NetworkTable};

/// The treatment of the requests of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkAccess {
    /// The requests are neither counted nor limited.
    Allow,
    /// The requests get 403.
    Deny,
}

/// The networks in `allow` and in `deny`. Where they overlap, the longer prefix decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessList(NetworkTable<NetworkAccess>);

impl AccessList {
    /// Adds a network or an address. One that is there already for the same purpose changes
    /// nothing, because lists of networks are often joined from several sources.
    ///
    /// # Errors
    ///
    /// If the text is neither, or the network is there for the other purpose.
    pub fn add(&mut self, text: &str, access: NetworkAccess) -> Result<(), NetworkError> {
        let network = parse(text)?;
        match self.0.insert(network, access) {
            Some(before) if before != access => {
                self.0.insert(network, before);
                Err(NetworkError::AllowedAndDenied(network))
            }
            _ => Ok(()),
        }
    }

    /// Returns what becomes of requests of this [canonical](super::canonical) address, and the
    /// length of the prefix that says so. `None`: the limits decide.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<(u8, NetworkAccess)> {
        self.0.find(address).map(|(bits, access)| (bits, *access))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the networks for this purpose, in the order of their addresses.
    pub fn networks(&self, access: NetworkAccess) -> impl Iterator<Item = IpNet> {
        let networks = self.0.iter();
        networks.filter_map(move |(network, own)| (*own == access).then_some(network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(allow: &[&str], deny: &[&str]) -> Result<AccessList, NetworkError> {
        let mut list = AccessList::default();
        for text in allow {
            list.add(text, NetworkAccess::Allow)?;
        }
        for text in deny {
            list.add(text, NetworkAccess::Deny)?;
        }
        Ok(list)
    }

    #[test]
    fn longer_prefix_decides_in_either_direction() {
        let list = list(
            &["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"],
            &["10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32"],
        );
        let list = list.expect("no equal networks");
        for (address, expected) in [
            ("10.2.0.1", Some((8, NetworkAccess::Allow))),
            ("10.1.0.1", Some((16, NetworkAccess::Deny))),
            ("192.0.2.6", Some((24, NetworkAccess::Deny))),
            ("192.0.2.7", Some((32, NetworkAccess::Allow))),
            ("2001:db8:1::9", Some((48, NetworkAccess::Allow))),
            ("2001:db8:2::9", Some((32, NetworkAccess::Deny))),
            ("198.51.100.1", None),
            ("2001:db9::1", None),
        ] {
            assert_eq!(
                list.find(address.parse().expect(address)),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn equal_networks_are_an_error_however_they_are_written() {
        for (allow, deny, named) in [
            ("10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"),
            ("10.0.0.0/8", "10.9.9.9/8", "10.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32", "192.0.2.1/32"),
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1/32"),
            ("64:ff9b::192.0.2.1", "192.0.2.1", "192.0.2.1/32"),
            ("2001:db8::/32", "2001:DB8:1::/32", "2001:db8::/32"),
        ] {
            let error = list(&[allow], &[deny]).expect_err(allow);
            let expected =
                format!("`{named}` is in `allow` and in `deny`: remove it from one of them");
            assert_eq!(error.to_string(), expected);
        }
        assert!(list(&["10.0.0.0/8", "10.0.0.0/8"], &[]).is_ok());
    }

    /// Compares with a plain search over all networks, at addresses in and around each of them.
    #[test]
    fn thousands_of_networks_answer_as_a_plain_search() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut list = AccessList::default();
        let mut plain: Vec<(IpNet, NetworkAccess)> = Vec::new();
        for _ in 0..5_000 {
            let address: IpAddr = if random.bool() {
                std::net::Ipv4Addr::from_bits(random.u32(..) & 0xf0ff_ffff).into()
            } else {
                std::net::Ipv6Addr::from_bits(random.u128(..) >> 3).into()
            };
            let most = if address.is_ipv4() { 32 } else { 128 };
            let Ok(network) = IpNet::new(address, random.u8(4..=most)) else {
                continue;
            };
            let network = network.trunc();
            let access = if random.bool() {
                NetworkAccess::Allow
            } else {
                NetworkAccess::Deny
            };
            let known = plain.iter().find(|(other, _)| *other == network);
            let known = known.map(|(_, access)| *access);
            let added = list.add(&network.to_string(), access);
            assert_eq!(added.is_ok(), known.is_none_or(|known| known == access));
            if known.is_none() {
                plain.push((network, access));
            }
        }
        for (network, _) in plain.iter().step_by(7) {
            for address in [network.network(), network.broadcast(), network.addr()] {
                let around = plain.iter().filter(|(other, _)| other.contains(&address));
                let expected = around.max_by_key(|(other, _)| other.prefix_len());
                let expected = expected.map(|(other, access)| (other.prefix_len(), *access));
                assert_eq!(list.find(address), expected, "{address}");
            }
        }
    }
}
