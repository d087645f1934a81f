//! Counting the TCP connections of a port, from /proc/net/tcp.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// States in which a connection is active; their numbers are one more than their places.
pub(super) const STATES: &[&str] = &["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"];

/// How many connections a local port has in one of the states, without those of excluded hosts.
pub(super) fn count(hosts: &[IpAddr], port: u16, excluded: &[IpAddr], states: &[String]) -> usize {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    tables.iter().map(|table| count_in(table, hosts, port, excluded, states)).sum()
}

fn count_in(table: &str, hosts: &[IpAddr], port: u16, excluded: &[IpAddr], states: &[String]) -> usize {
    let any = hosts.iter().any(IpAddr::is_unspecified);
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        Some((end(fields.next()?)?, end(fields.next()?)?, u8::from_str_radix(fields.next()?, 16).ok()?))
    });
    lines
        .filter(|((local, local_port), (remote, _), state)| {
            let name = usize::from(*state).checked_sub(1).and_then(|at| STATES.get(at));
            name.is_some_and(|name| states.iter().any(|state| state == name))
                && *local_port == port
                && (any || hosts.contains(local))
                && !excluded.contains(remote)
        })
        .count()
}

/// `0100007F:0016`: words of the address in the machine's order.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let words: Vec<[u8; 4]> =
        (0..address.len() / 8).filter_map(|at| Some(u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes())).collect();
    let ip: IpAddr = match words[..] {
        [one] => Ipv4Addr::from(one).into(),
        [a, b, c, d] => {
            let all: Vec<u8> = [a, b, c, d].concat();
            let ip = Ipv6Addr::from(*all.first_chunk::<16>()?);
            ip.to_ipv4_mapped().map_or(ip.into(), IpAddr::from)
        }
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn tables_are_counted() {
        let table = "head\n 0: 0100007F:0016 0200000A:C000 01 rest\n 1: 0100007F:0016 0300000A:C001 01 rest\n 2: 0100007F:0016 00000000:0000 0A rest\n";
        let states: Vec<String> = STATES.iter().map(|s| (*s).to_owned()).collect();
        let home = [IpAddr::from([127, 0, 0, 1])];
        assert_eq!(count_in(table, &home, 22, &[], &states), 2);
        assert_eq!(count_in(table, &home, 22, &["10.0.0.2".parse().unwrap()], &states), 1);
        assert_eq!(count_in(table, &home, 23, &[], &states), 0);
    }
}
