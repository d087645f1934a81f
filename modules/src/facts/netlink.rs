//! IPv4 addresses of interfaces, asked of the kernel over netlink: /proc has them without interface and prefix.

use std::io;
use std::net::Ipv4Addr;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Number of the interface.
    pub index: u32,
    /// The label, usually the interface's name.
    pub label: String,
    pub address: Ipv4Addr,
    pub broadcast: Option<Ipv4Addr>,
    pub prefix: u8,
}

const GET_ADDRESS: u16 = 22;
const NEW_ADDRESS: u16 = 20;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const REQUEST_DUMP: u16 = 0x0301;
const IPV4: u8 = 2;

/// Every IPv4 address of this machine.
///
/// # Errors
/// The kernel has no netlink.
pub(super) fn addresses() -> io::Result<Vec<Address>> {
    // protocol 0 is that of routes
    let channel = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    let mut request = vec![];
    request.extend(24u32.to_ne_bytes());
    request.extend(GET_ADDRESS.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([IPV4, 0, 0, 0, 0, 0, 0, 0]);
    send(&channel, &request, SendFlags::empty())?;
    let mut all = vec![];
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let (length, _) = recv(&channel, &mut buffer[..], RecvFlags::empty())?;
        if !messages(&buffer[..length], &mut all) {
            return Ok(all);
        }
    }
}

/// Takes the addresses of one datagram; false at the end of the answer.
fn messages(mut bytes: &[u8], all: &mut Vec<Address>) -> bool {
    while bytes.len() >= 16 {
        let length = number(&bytes[..4]) as usize;
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        if kind == DONE || kind == ERROR || length < 16 || length > bytes.len() {
            return false;
        }
        if kind == NEW_ADDRESS {
            all.extend(address(&bytes[16..length]));
        }
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    true
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk::<4>().map_or(0, |four| u32::from_ne_bytes(*four))
}

fn address(body: &[u8]) -> Option<Address> {
    let (head, mut rest) = body.split_at_checked(8)?;
    let mut found = Address { index: number(&head[4..]), label: String::new(), address: Ipv4Addr::UNSPECIFIED, broadcast: None, prefix: head[1] };
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        let kind = u16::from_ne_bytes([rest[2], rest[3]]);
        let value = rest.get(4..length)?;
        let ip = || value.first_chunk::<4>().map(|four| Ipv4Addr::from(*four));
        match kind {
            // the peer's address on point-to-point links, replaced by the local one that follows
            1 if found.address.is_unspecified() => found.address = ip()?,
            2 => found.address = ip()?,
            3 => found.label = String::from_utf8_lossy(value.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned(),
            4 => found.broadcast = ip(),
            _ => {}
        }
        rest = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_has_its_address() {
        let all = addresses().unwrap();
        assert!(all.iter().any(|one| one.address == Ipv4Addr::LOCALHOST && one.prefix == 8 && one.label == "lo"), "{all:?}");
    }
}
