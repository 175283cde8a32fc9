//! A table of networks. A look-up takes time in the length of the address, however many networks
//! there are.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;

/// Values by networks.
#[derive(Clone, PartialEq)]
pub(super) struct NetworkTable<T> {
    v4: PrefixMap<Ipv4Net, T>,
    v6: PrefixMap<Ipv6Net, T>,
}

impl<T> NetworkTable<T> {
    /// Adds a network, and returns the value that it had before.
    pub(super) fn insert(&mut self, network: IpNet, value: T) -> Option<T> {
        match network {
            IpNet::V4(network) => self.v4.insert(network, value),
            IpNet::V6(network) => self.v6.insert(network, value),
        }
    }

    /// Returns the length and the value of the longest prefix that contains the address, which is
    /// [canonical](super::canonical).
    pub(super) fn find(&self, address: IpAddr) -> Option<(u8, &T)> {
        match address {
            IpAddr::V4(address) => {
                let (network, value) = self.v4.get_lpm(&whole_v4(address))?;
                Some((network.prefix_len(), value))
            }
            IpAddr::V6(address) => {
                let (network, value) = self.v6.get_lpm(&whole_v6(address))?;
                Some((network.prefix_len(), value))
            }
        }
    }

    /// Returns all networks, those of IPv4 first, in the order of their addresses.
    pub(super) fn iter(&self) -> impl Iterator<Item = (IpNet, &T)> {
        let v4 = self
            .v4
            .iter()
            .map(|(network, value)| (network.into(), value));
        let v6 = self
            .v6
            .iter()
            .map(|(network, value)| (network.into(), value));
        v4.chain(v6)
    }

    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn whole_v4(address: Ipv4Addr) -> Ipv4Net {
    Ipv4Net::from(address)
}

fn whole_v6(address: Ipv6Addr) -> Ipv6Net {
    Ipv6Net::from(address)
}

impl<T> Default for NetworkTable<T> {
    fn default() -> Self {
        Self {
            v4: PrefixMap::new(),
            v6: PrefixMap::new(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for NetworkTable<T> {
    /// Writes the number of networks: there may be thousands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} networks", self.len())
    }
}
