//! `ipaddr`, `ipv4`, `ipv6`, `ipwrap`: what an address is, asked by a word.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{class_of, given, to_list, to_text};
use crate::value::{Fault, Value};

use super::address::{Net, count};

/// A value that was understood, and whether it was written with a prefix.
pub struct Subject {
    /// The address.
    pub net: Net,
    with_prefix: bool,
    /// What the queries give back that only sort out.
    value: Value,
}

impl Subject {
    /// Reads text or a number; `version` is 0 for any.
    pub fn parse(value: &Value, version: i128) -> Option<Subject> {
        let text = to_text(value).ok()?;
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let net = Net::from_number(text.parse().ok()?, version == 6)?;
            return Some(Subject { net, with_prefix: false, value: net.to_string().into() });
        }
        if let Some(net) = Net::parse(&text) {
            return Some(Subject { net, with_prefix: text.contains('/'), value: value.clone() });
        }
        let (number, prefix) = text.split_once('/')?;
        let net = Net::from_number(number.parse().ok()?, false)?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= net.width())?;
        let net = Net { prefix, ..net };
        Some(Subject { net, with_prefix: true, value: net.to_string().into() })
    }

    fn network_only(&self) -> Result<Net, Fault> {
        if self.with_prefix { Ok(self.net) } else { Err(Fault::error("Not a network address")) }
    }

    fn keep_if(&self, holds: bool) -> Value {
        if holds { self.value.clone() } else { Value::Null }
    }

    /// `network` or `address`, as the query `type` gives it.
    pub fn is_network(&self) -> bool {
        self.net.size() > 1 && self.net.value == self.net.network()
    }

    /// The network of a network, the address with its prefix of an address.
    pub fn normal(&self) -> Net {
        if self.is_network() { self.net.cidr() } else { self.net }
    }
}

const NOT_GLOBAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::1",
    "::",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];
const GLOBAL_ALL_THE_SAME: &[&str] = &["192.0.0.9", "192.0.0.10", "2001:1::1", "2001:1::2", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28"];
const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1"];
const MULTICAST: &[&str] = &["224.0.0.0/4", "ff00::/8"];
const LINK_LOCAL: &[&str] = &["169.254.0.0/16", "fe80::/10"];

fn is_global(net: Net) -> bool {
    !net.within(NOT_GLOBAL) || net.within(GLOBAL_ALL_THE_SAME)
}

fn is_public(net: Net) -> bool {
    let ones = u128::MAX >> (128 - net.width());
    let is_hostmask = |value: u128| value & value.wrapping_add(1) == 0;
    let masks = is_hostmask(net.value) || is_hostmask(!net.value & ones);
    is_global(net) && !net.within(MULTICAST) && !net.within(LOOPBACK) && !masks
}

/// Answers one query about one address.
///
/// # Errors
/// An unknown query, or one that only networks answer.
pub fn query(subject: &Subject, word: &str, alias: &str) -> Result<Value, Fault> {
    let net = subject.net;
    let text = |address: u128| Value::from(net.address(address));
    let is_base = net.value == net.network();
    let usable = |address: Option<u128>| match (net.usable(), address) {
        (Some((first, last)), Some(address)) if (first..=last).contains(&address) => text(address),
        _ => Value::Null,
    };
    Ok(match word {
        "" => if subject.with_prefix { net.to_string() } else { net.ip() }.into(),
        "address" | "ip" => {
            if net.size() > 1 && is_base && net.broadcast().is_some() && !net.v6 {
                Value::Null
            } else {
                text(net.value)
            }
        }
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            if net.size() > 2 && (is_base || net.broadcast() == Some(net.value)) {
                Value::Bool(false)
            } else {
                net.to_string().into()
            }
        }
        "bool" => Value::Bool(true),
        "broadcast" => net.broadcast().map_or(Value::Null, text),
        "cidr" => net.to_string().into(),
        "first_usable" => subject.network_only()?.usable().map_or(Value::Null, |(first, _)| text(first)),
        "last_usable" => subject.network_only()?.usable().map_or(Value::Null, |(_, last)| text(last)),
        "next_usable" => usable(subject.network_only()?.shifted(1)),
        "previous_usable" => usable(subject.network_only()?.shifted(-1)),
        "range_usable" => subject.network_only()?.usable().map_or(Value::Null, |(first, last)| format!("{}-{}", net.address(first), net.address(last)).into()),
        "peer" => peer(subject.network_only()?)?,
        "host" => {
            if net.size() > 1 && is_base && net.broadcast().is_some() {
                Value::Null
            } else {
                net.to_string().into()
            }
        }
        "hostmask" | "wildcard" => text(net.hostmask()),
        "int" => {
            if subject.with_prefix {
                format!("{}/{}", net.value, net.prefix).into()
            } else {
                count(net.value)
            }
        }
        "ip/prefix" => {
            if net.size() == 2 || (net.size() > 1 && !is_base) {
                net.to_string().into()
            } else {
                Value::Null
            }
        }
        "ip_netmask" => {
            if net.size() == 2 || (net.size() > 1 && !is_base) {
                format!("{} {}", net.ip(), net.address(net.mask())).into()
            } else {
                Value::Null
            }
        }
        "ipv4" | "v4" => {
            if net.v6 {
                mapped(net)
            } else {
                subject.value.clone()
            }
        }
        "ipv6" | "v6" => {
            if net.v6 {
                subject.value.clone()
            } else {
                format!("::ffff:{}/{}", net.ip(), net.prefix + 96).into()
            }
        }
        "link-local" => subject.keep_if(net.within(LINK_LOCAL)),
        "loopback" | "lo" => subject.keep_if(net.within(LOOPBACK)),
        "multicast" => subject.keep_if(net.within(MULTICAST)),
        "unicast" => subject.keep_if(!net.within(MULTICAST)),
        "private" => subject.keep_if(!is_global(net)),
        "public" => subject.keep_if(is_public(net)),
        "net" => {
            if net.size() > 1 && is_base {
                net.to_string().into()
            } else {
                Value::Null
            }
        }
        "netmask" => text(net.mask()),
        "network" | "network_id" => text(net.network()),
        "network/prefix" | "subnet" => net.cidr().to_string().into(),
        "network_netmask" => format!("{} {}", net.address(net.network()), net.address(net.mask())).into(),
        "network_wildcard" => format!("{} {}", net.address(net.network()), net.address(net.hostmask())).into(),
        "prefix" => Value::Int(net.prefix.into()),
        "revdns" => revdns(net).into(),
        "size" => count(net.size()),
        "size_usable" => count(match net.size() {
            1 => 0,
            2 => 2,
            size => size - 2,
        }),
        "type" => if subject.is_network() { "network" } else { "address" }.into(),
        "version" => Value::Int(net.version()),
        "wrap" if !net.v6 => subject.value.clone(),
        "wrap" if subject.with_prefix => format!("[{}]/{}", net.ip(), net.prefix).into(),
        "wrap" => format!("[{}]", net.ip()).into(),
        "6to4" => six_to_four(subject),
        other => match Net::parse(other) {
            Some(network) => subject.keep_if(network.cidr().contains(net)),
            None => nth(subject, other, alias)?,
        },
    })
}

/// A number: the so-manieth address of the network, negative from its end.
fn nth(subject: &Subject, word: &str, alias: &str) -> Result<Value, Fault> {
    let index: i128 = word.trim().parse().map_err(|_| Fault::error(format!("{alias}: unknown filter type: {word}")))?;
    let net = subject.net;
    if net.size() == 1 {
        return Ok(if subject.with_prefix { net.to_string() } else { net.ip() }.into());
    }
    let base = if index < 0 { Net { value: net.last(), ..net }.shifted(index + 1) } else { net.cidr().shifted(index) };
    let found = base.filter(|address| (net.network()..=net.last()).contains(address));
    Ok(found.map_or(Value::Bool(false), |address| format!("{}/{}", net.address(address), net.prefix).into()))
}

fn peer(net: Net) -> Result<Value, Fault> {
    match (net.size(), net.value % 4) {
        (2, _) => Ok(net.address(net.value ^ 1).into()),
        (4, 0) => Err(Fault::error("Network address of /30 has no peer")),
        (4, 3) => Err(Fault::error("Broadcast address of /30 has no peer")),
        (4, _) => Ok(net.address(net.value ^ 3).into()),
        _ => Err(Fault::error("Not a point-to-point network")),
    }
}

/// The version 4 address inside `::ffff:a.b.c.d` or `::a.b.c.d`.
fn mapped(net: Net) -> Value {
    let high = net.value >> 32;
    if (high == 0xffff || high == 0) && net.prefix >= 96 {
        return Net { value: net.value & u128::from(u32::MAX), v6: false, prefix: net.prefix - 96 }.to_string().into();
    }
    Value::Bool(false)
}

fn revdns(net: Net) -> String {
    if net.v6 {
        let nibbles: Vec<String> = (0..32).map(|i| format!("{:x}", net.value >> (4 * i) & 15)).collect();
        return format!("{}.ip6.arpa.", nibbles.join("."));
    }
    let octets: Vec<String> = (0..4).map(|i| (net.value >> (8 * i) & 255).to_string()).collect();
    format!("{}.in-addr.arpa.", octets.join("."))
}

fn six_to_four(subject: &Subject) -> Value {
    let net = subject.net;
    if net.v6 {
        return if net.within(&["2002::/16"]) && (!subject.with_prefix || net.value != net.network()) { subject.value.clone() } else { Value::Bool(false) };
    }
    if subject.is_network() || (!is_public(net) && is_global(net)) {
        return Value::Bool(false);
    }
    let octet = |i: u32| net.value >> (8 * i) & 255;
    format!("2002:{:02x}{:02x}:{:02x}{:02x}::1/48", octet(3), octet(2), octet(1), octet(0)).into()
}

/// One value, or a list of which those that answer remain.
fn ask(value: &Value, word: &str, version: i128, alias: &str) -> Result<Value, Fault> {
    if let Some(items) = to_list(value)? {
        let answers = items.iter().map(|item| ask(item, word, version, "ipaddr")).collect::<Result<Vec<_>, _>>()?;
        return Ok(Value::list(answers.into_iter().filter(Value::is_true).collect()));
    }
    if !value.is_true() || matches!(value, Value::Bool(_)) {
        return Ok(Value::Bool(false));
    }
    match Subject::parse(value, version) {
        Some(subject) if version == 0 || subject.net.version() == version => query(&subject, word, alias),
        _ => Ok(Value::Bool(false)),
    }
}

fn filter(input: &Value, args: Arguments, alias: &'static str, version: i128) -> Result<Value, Fault> {
    let [word, only, _alias] = args.bind(signature(alias, 1, 0), ["query", "version", "alias"])?;
    let word = given(word).map_or(Ok("".into()), |word| to_text(&word))?;
    let only = match given(only) {
        Some(Value::Int(n)) => n,
        Some(Value::Str(text)) => text.parse().unwrap_or(0),
        _ => 0,
    };
    if !matches!(input.type_name(), "str" | "list" | "int" | "bool" | "tuple") {
        return Err(Fault::error(format!("Unrecognized type <{}> for {alias} filter <value>", class_of(input))));
    }
    ask(input, &word, if version == 0 { only } else { version }, alias)
}

/// `ipaddr`.
///
/// # Errors
/// An unknown query, or one that only networks answer.
pub fn ipaddr(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    filter(&input, args, "ipaddr", 0)
}

/// `ipv4`.
///
/// # Errors
/// An unknown query, or one that only networks answer.
pub fn ipv4(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    filter(&input, args, "ipv4", 4)
}

/// `ipv6`.
///
/// # Errors
/// An unknown query, or one that only networks answer.
pub fn ipv6(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    filter(&input, args, "ipv6", 6)
}

/// `ipwrap`: version 6 addresses in brackets, anything else as it is.
///
/// # Errors
/// An element has no value.
pub fn ipwrap(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [word] = args.bind(signature("ipwrap", 1, 0), ["query"])?;
    let word = given(word).map_or(Ok("".into()), |word| to_text(&word))?;
    let wrap = |value: &Value| match ask(value, &word, 0, "ipwrap") {
        Ok(answer) if answer.is_true() => ask(&answer, "wrap", 0, "ipwrap").unwrap_or_else(|_| value.clone()),
        _ => value.clone(),
    };
    match to_list(&input)? {
        Some(items) => Ok(Value::list(items.iter().map(wrap).collect())),
        None => Ok(wrap(&input)),
    }
}

/// `is ipv4_address`, `is ip` and their like: whether text is an address (with or without a prefix) of a version.
pub fn is_address(value: &Value, version: i128) -> bool {
    matches!(value, Value::Str(_)) && Subject::parse(value, version).is_some_and(|subject| version == 0 || subject.net.version() == version)
}
