//! A set of networks: the clients of an entry, or trusted proxies.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{error::NetworkError, parse::parse, table::NetworkTable};

/// A set of networks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkSet(NetworkTable<()>);

impl NetworkSet {
    /// Adds a network or an address. A network that is there already changes nothing.
    ///
    /// # Errors
    ///
    /// If the text is neither.
    pub fn add(&mut self, text: &str) -> Result<(), NetworkError> {
        self.0.insert(parse(text)?, ());
        Ok(())
    }

    /// Whether one of the networks contains this [canonical](super::canonical) address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.find(address).is_some()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that it can be the networks of an entry, which must have clients.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn check_not_empty(&self) -> Result<(), NetworkError> {
        if self.is_empty() {
            Err(NetworkError::Empty)
        } else {
            Ok(())
        }
    }

    /// Returns the networks in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().map(|(network, ())| network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_addresses_of_its_networks_alone() {
        let mut set = NetworkSet::default();
        for text in ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "10.0.0.0/8"] {
            set.add(text).expect(text);
        }
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.0", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            // The bits of this address are those of `10.0.0.0`, in the other family.
            ("a00::", false),
        ] {
            let parsed: IpAddr = address.parse().expect(address);
            assert_eq!(set.contains(parsed), expected, "{address}");
        }
        let listed: Vec<_> = set.iter().map(|network| network.to_string()).collect();
        assert_eq!(listed, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
    }
}
