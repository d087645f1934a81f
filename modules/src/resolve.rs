//! Addresses of host names without libc's name service: /etc/hosts, else the target's `getent`, else a question to the name server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use crate::control::Control;
use crate::program::{self, Program};

/// Every address of a host, the preferred first.
///
/// # Errors
/// The name is not known.
pub fn addresses(host: &str, env: &[(String, String)], control: &Control) -> Result<Vec<IpAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return Ok(vec![ip]);
    }
    let known = in_hosts(&std::fs::read_to_string("/etc/hosts").unwrap_or_default(), bare);
    if !known.is_empty() {
        return Ok(known);
    }
    if bare == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let program = Program::new(["getent", "ahosts", bare]);
    if let Ok(run) = program::run(&program, env, control, None) {
        let mut found: Vec<IpAddr> = vec![];
        for ip in run.out().lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
            if !found.contains(&ip) {
                found.push(ip);
            }
        }
        if found.is_empty() {
            return Err(format!("[Errno -2] Name or service not known: {bare}"));
        }
        return Ok(found);
    }
    ask_servers(bare).ok_or_else(|| format!("[Errno -2] Name or service not known: {bare}"))
}

fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let ip = words.next()?.parse().ok()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then_some(ip)
        })
        .collect()
}

/// Asks the servers of /etc/resolv.conf, for the name as it is and under the search domains.
fn ask_servers(name: &str) -> Option<Vec<IpAddr>> {
    let conf = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let words = |key: &str| -> Vec<String> {
        let lines = conf.lines().filter_map(|line| line.trim().strip_prefix(key).map(str::to_owned));
        lines.flat_map(|rest| rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let mut names = vec![name.to_owned()];
    names.extend(words("search ").iter().map(|domain| format!("{name}.{domain}")));
    let servers: Vec<IpAddr> = words("nameserver ").iter().filter_map(|server| server.parse().ok()).collect();
    for name in &names {
        for server in &servers {
            let mut found = ask((*server, 53), name, A);
            found.extend(ask((*server, 53), name, AAAA));
            if !found.is_empty() {
                return Some(found);
            }
        }
    }
    None
}

const A: u16 = 1;
const AAAA: u16 = 28;

fn ask(server: impl ToSocketAddrs, name: &str, kind: u16) -> Vec<IpAddr> {
    let exchange = || -> std::io::Result<Vec<u8>> {
        let addresses: Vec<SocketAddr> = server.to_socket_addrs()?.collect();
        let any: SocketAddr = if addresses.iter().any(SocketAddr::is_ipv6) { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
        let socket = UdpSocket::bind(any)?;
        socket.set_read_timeout(Some(Duration::from_secs(3)))?;
        socket.connect(&addresses[..])?;
        socket.send(&question(name, kind))?;
        let mut buffer = vec![0; 4096];
        let length = socket.recv(&mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    };
    exchange().ok().and_then(|answer| answers(&answer, kind)).unwrap_or_default()
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    let id = (std::process::id() as u16).to_be_bytes();
    // a plain question, recursion wanted
    let mut out = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.trim_end_matches('.').split('.') {
        out.push(label.len().min(63) as u8);
        out.extend(label.bytes().take(63));
    }
    out.push(0);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1]);
    out
}

fn answers(message: &[u8], kind: u16) -> Option<Vec<IpAddr>> {
    let number = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let skip_name = |mut at: usize| -> Option<usize> {
        loop {
            match *message.get(at)? {
                0 => return Some(at + 1),
                pointer if pointer & 0xc0 == 0xc0 => return Some(at + 2),
                length => at += 1 + usize::from(length),
            }
        }
    };
    let mut at = skip_name(12)? + 4;
    let mut found = vec![];
    for _ in 0..number(6)? {
        at = skip_name(at)?;
        let (this, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = message.get(at + 10..at + 10 + length)?;
        match (this, data.len()) {
            (A, 4) if kind == A => found.extend(data.first_chunk::<4>().map(|four| IpAddr::from(*four))),
            (AAAA, 16) if kind == AAAA => found.extend(data.first_chunk::<16>().map(|all| IpAddr::from(*all))),
            _ => {}
        }
        at += 10 + length;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_messages() {
        assert_eq!(in_hosts("10.0.0.1 a A.b # c\n::1 a\n", "a.B"), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        let mut answer = question("a.b", A);
        answer[7] = 1;
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 7]);
        assert_eq!(answers(&answer, A).unwrap(), ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(answers(&answer[..20], A), None);
    }
}
