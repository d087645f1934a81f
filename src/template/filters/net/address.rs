//! An address with a prefix, as the library netaddr holds it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::value::Value;

/// An address and how many of its bits name the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    /// The address.
    pub value: u128,
    /// True for version 6.
    pub v6: bool,
    /// The prefix.
    pub prefix: u32,
}

impl Net {
    /// Reads `address`, `address/prefix` or `address/netmask`.
    pub fn parse(text: &str) -> Option<Net> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let (value, v6) = match address.parse().ok()? {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), false),
            IpAddr::V6(v6) => (u128::from(v6), true),
        };
        let net = Net { value, v6, prefix: if v6 { 128 } else { 32 } };
        let prefix = match prefix {
            None => net.width(),
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(mask) => net.prefix_of(Net::parse(mask).filter(|mask| mask.v6 == v6 && !text.ends_with('/'))?.value)?,
        };
        (prefix <= net.width()).then_some(Net { prefix, ..net })
    }

    /// A whole number as an address: version 4 where it fits.
    pub fn from_number(n: u128, v6: bool) -> Option<Net> {
        let v6 = v6 || n > u128::from(u32::MAX);
        Some(Net { value: n, v6, prefix: if v6 { 128 } else { 32 } })
    }

    /// A netmask's prefix, or that of its inverse.
    fn prefix_of(self, mask: u128) -> Option<u32> {
        let known = |mask: u128| (0..=self.width()).find(|prefix| Net { prefix: *prefix, ..self }.mask() == mask);
        known(mask).or_else(|| known(!mask & self.ones()))
    }

    /// 32 or 128.
    pub fn width(self) -> u32 {
        if self.v6 { 128 } else { 32 }
    }

    /// 4 or 6.
    pub fn version(self) -> i128 {
        if self.v6 { 6 } else { 4 }
    }

    fn ones(self) -> u128 {
        u128::MAX >> (128 - self.width())
    }

    /// The bits that name the host.
    pub fn hostmask(self) -> u128 {
        self.ones().checked_shr(self.prefix).filter(|_| self.prefix < self.width()).unwrap_or(0)
    }

    /// The bits that name the network.
    pub fn mask(self) -> u128 {
        self.ones() & !self.hostmask()
    }

    /// The first address.
    pub fn network(self) -> u128 {
        self.value & self.mask()
    }

    /// The last address.
    pub fn last(self) -> u128 {
        self.network() | self.hostmask()
    }

    /// The last address, unless there are only one or two.
    pub fn broadcast(self) -> Option<u128> {
        (self.width() - self.prefix > 1).then(|| self.last())
    }

    /// How many addresses, saturated.
    pub fn size(self) -> u128 {
        self.hostmask().saturating_add(1)
    }

    /// The first and last address that a host may have.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.size() {
            0 | 1 => None,
            2 => Some((self.network(), self.last())),
            _ => Some((self.network() + 1, self.last() - 1)),
        }
    }

    /// The network of it.
    pub fn cidr(self) -> Net {
        Net { value: self.network(), ..self }
    }

    /// Whether all of another lies in it.
    pub fn contains(self, other: Net) -> bool {
        self.v6 == other.v6 && self.prefix <= other.prefix && other.value & self.mask() == self.network()
    }

    /// Another address of the same version.
    pub fn address(self, value: u128) -> String {
        if self.v6 { Ipv6Addr::from(value).to_string() } else { Ipv4Addr::from(value as u32).to_string() }
    }

    /// The address alone.
    pub fn ip(self) -> String {
        self.address(self.value)
    }

    /// An address so many further on; `None` beyond the last there is.
    pub fn shifted(self, by: i128) -> Option<u128> {
        let value = if by < 0 { self.value.checked_sub(by.unsigned_abs()) } else { self.value.checked_add(by.unsigned_abs()) };
        value.filter(|value| *value <= self.ones())
    }

    /// Whether an address lies in one of the networks that are written.
    pub fn within(self, networks: &[&str]) -> bool {
        let alone = Net { prefix: self.width(), ..self };
        networks.iter().filter_map(|network| Net::parse(network)).any(|network| network.contains(alone))
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip(), self.prefix)
    }
}

/// A number of addresses as a value.
pub fn count(n: u128) -> Value {
    Value::Int(i128::try_from(n).unwrap_or(i128::MAX))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn networks_know_their_ends() {
        let net = Net::parse("192.168.3.5/255.255.254.0").unwrap();
        assert_eq!((net.prefix, net.address(net.network()), net.address(net.last()), net.size()), (23, "192.168.2.0".into(), "192.168.3.255".into(), 512));
        assert_eq!(Net::parse("::/0").unwrap().mask(), 0);
        assert_eq!(Net::parse("::1").unwrap().hostmask(), 0);
        assert!(Net::parse("10.0.0.1/33").is_none() && Net::parse("10.0.0").is_none() && Net::parse("1.2.3.4/").is_none());
    }
}
