//! IPv4 networks: parsing, membership, overlap, and moving an address from one network to another.

use std::fmt;
use std::net::Ipv4Addr;

use super::failure::{Failure, Result};

/// A network such as `10.0.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet {
    network: u32,
    prefix: u8,
}

impl Subnet {
    /// Reads `address/prefix`; bits behind the prefix are cleared, a bare address is a network of one.
    pub(crate) fn parse(text: &str) -> Option<Subnet> {
        let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
        let address: Ipv4Addr = address.parse().ok()?;
        let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        let mut subnet = Subnet { network: 0, prefix };
        subnet.network = u32::from(address) & subnet.mask();
        Some(subnet)
    }

    /// Reads a network for a lab, which needs room for a gateway and some hosts.
    pub(crate) fn for_lab(text: &str) -> Result<Subnet> {
        Subnet::parse(text)
            .filter(|subnet| (8..=29).contains(&subnet.prefix))
            .ok_or_else(|| Failure::new(format!("`{text}` is not a subnet for a lab")).help("write it like 10.0.0.0/24, with a prefix from 8 to 29"))
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }

    /// The length of the prefix.
    pub(crate) fn prefix(self) -> u8 {
        self.prefix
    }

    /// The lab's own address: the first of the network.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from(self.network + 1)
    }

    /// Whether the address is in the network.
    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == self.network
    }

    /// Whether an address can be given to a host: not the network, the gateway or the broadcast address.
    pub(crate) fn usable(self, address: Ipv4Addr) -> bool {
        let last = self.network | !self.mask();
        self.contains(address) && address != self.gateway() && !matches!(u32::from(address), n if n == self.network || n == last)
    }

    /// Whether the two networks share an address.
    pub(crate) fn overlaps(self, other: Subnet) -> bool {
        let mask = self.mask() & other.mask();
        self.network & mask == other.network & mask
    }

    /// The address with the same place in `other`.
    pub(crate) fn translate(self, address: Ipv4Addr, other: Subnet) -> Ipv4Addr {
        let place = u32::from(address) & !self.mask();
        Ipv4Addr::from(other.network | (place & !other.mask()))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.network), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn parses_and_prints() {
        assert_eq!(subnet("10.0.0.7/24").to_string(), "10.0.0.0/24");
        assert_eq!(subnet("192.0.2.1").to_string(), "192.0.2.1/32");
        assert_eq!(subnet("1.2.3.4/0").to_string(), "0.0.0.0/0");
        for bad in ["", "10.0.0/24", "10.0.0.0/33", "fe80::/64", "default"] {
            assert_eq!(Subnet::parse(bad), None, "{bad}");
        }
        assert!(Subnet::for_lab("10.0.0.0/30").is_err());
    }

    #[test]
    fn overlap_goes_both_ways() {
        for (a, b, expected) in [
            ("10.0.0.0/24", "10.0.0.128/25", true),
            ("10.0.0.0/24", "10.0.0.0/8", true),
            ("10.0.0.0/24", "10.0.1.0/24", false),
            ("10.0.0.0/24", "10.0.0.1/32", true),
        ] {
            assert_eq!(subnet(a).overlaps(subnet(b)), expected, "{a} {b}");
            assert_eq!(subnet(b).overlaps(subnet(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn translate_keeps_the_place() {
        let moved = subnet("10.0.0.0/24").translate(Ipv4Addr::new(10, 0, 0, 101), subnet("10.77.3.0/24"));
        assert_eq!(moved, Ipv4Addr::new(10, 77, 3, 101));
    }

    #[test]
    fn hosts_get_neither_gateway_nor_edges() {
        let net = subnet("10.0.0.0/24");
        assert_eq!(net.gateway(), Ipv4Addr::new(10, 0, 0, 1));
        for (last, expected) in [(0, false), (1, false), (2, true), (254, true), (255, false)] {
            assert_eq!(net.usable(Ipv4Addr::new(10, 0, 0, last)), expected, "{last}");
        }
        assert!(!net.usable(Ipv4Addr::new(10, 0, 1, 7)));
    }
}
