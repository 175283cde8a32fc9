//! The network of an address: what the identifier `ip` counts a client by.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::canonical;

#[doc(hidden)]
pub const DEFAULT_IPV6_PREFIX: u8 = 64;

#[doc(hidden)]
pub fn network(address: IpAddr, ipv6_prefix: u8) -> IpNet {
    match canonical(address) {
        address @ IpAddr::V4(_) => IpNet::from(address),
        address @ IpAddr::V6(_) => IpNet::new(address, ipv6_prefix)
            .unwrap_or_else(|_| IpNet::from(address))
            .trunc(),
    }
}
