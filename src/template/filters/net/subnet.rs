//! Arithmetic with addresses and networks: ipsubnet, ipmath, nthhost, next_nth_usable, network_in_network, cidr_merge...

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{elements, given, parse_int, to_text};
use crate::value::{Fault, Value, repr};

use super::address::Net;
use super::ipaddr::Subject;

fn no() -> Value {
    Value::Bool(false)
}

fn whole(value: Option<Value>, name: &str) -> Result<i128, Fault> {
    let value = value.unwrap_or(Value::Null);
    let number = match &value {
        Value::Int(n) => Some(*n),
        Value::Str(text) => parse_int(text, 10),
        _ => None,
    };
    number.ok_or_else(|| Fault::error(format!("You must pass an integer for {name}; {} is not a valid integer", value)))
}

/// `ipsubnet`.
///
/// # Errors
/// A size that does not fit, or a network that does not contain the address.
pub fn ipsubnet(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [query, index] = args.bind(signature("ipsubnet", 1, 0), ["query", "index"])?;
    let Some(subject) = Subject::parse(&input, 0).filter(|_| input.is_true()) else { return Ok(no()) };
    let net = subject.normal().cidr();
    let query = given(query).map_or(Ok("".into()), |query| to_text(&query))?;
    if query.is_empty() {
        return Ok(net.to_string().into());
    }
    let Ok(size) = query.parse::<u32>() else { return position(net, &query) };
    if size > net.width() {
        return Ok(no());
    }
    let index = given(index).map(|index| whole(Some(index), "index")).transpose()?;
    if net.size() == 1 {
        return Ok(above(net, size, index.unwrap_or(0)));
    }
    if size < net.prefix {
        return if index.is_none() { Err(Fault::error(format!("Requested subnet size of {size} is invalid"))) } else { Ok(no()) };
    }
    let Some(subnets) = 1i128.checked_shl(size - net.prefix).filter(|n| *n > 0) else { return Ok(no()) };
    let Some(index) = index else { return Ok(subnets.to_string().into()) };
    let index = if index < 0 { index + subnets } else { index };
    if !(0..subnets).contains(&index) {
        return Ok(no());
    }
    let offset = (index as u128).checked_shl(net.width() - size).unwrap_or(0);
    Ok(Net { value: net.value + offset, prefix: size, ..net }.to_string().into())
}

/// The networks above an address, the widest of that size first; negative counts from the narrowest.
fn above(net: Net, size: u32, index: i128) -> Value {
    let (first, past) = (i128::from(size), i128::from(net.prefix));
    let prefix = if index < 0 { past + index } else { first + index };
    if !(first..past).contains(&prefix) {
        return no();
    }
    Net { prefix: prefix as u32, ..net }.cidr().to_string().into()
}

/// Which of the subnets of its size an address is within a network, counted from one.
fn position(net: Net, query: &str) -> Result<Value, Fault> {
    let Some(outer) = Subject::parse(&query.into(), 0) else {
        return Err(Fault::error(format!("You must pass a valid subnet or IP address; {query} is invalid")));
    };
    let outer = outer.normal();
    if !outer.cidr().contains(net) {
        return Err(Fault::error(format!("{net} is not in the subnet {}", outer.cidr())));
    }
    let offset = (net.value - outer.network()).checked_shr(net.width() - net.prefix).unwrap_or(0);
    Ok((offset + 1).to_string().into())
}

/// `ipmath`.
///
/// # Errors
/// No address, or a result beyond the last one.
pub fn ipmath(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [amount] = args.bind(signature("ipmath", 1, 1), ["amount"])?;
    let text = to_text(&input)?;
    let net = Net::parse(&text).ok_or_else(|| Fault::error(format!("You must pass a valid IP address; {text} is invalid")))?;
    let shifted = net.shifted(whole(amount, "arithmetic")?);
    shifted.map(|address| net.address(address).into()).ok_or_else(|| Fault::error("result outside valid IP address boundary!"))
}

fn subject_net(input: &Value) -> Option<Net> {
    if !input.is_true() {
        return None;
    }
    Subject::parse(input, 0).map(|subject| subject.normal())
}

/// `nthhost`.
///
/// # Errors
/// Wrong arguments.
pub fn nthhost(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [query] = args.bind(signature("nthhost", 1, 0), ["query"])?;
    let Some(net) = subject_net(&input) else { return Ok(no()) };
    let Ok(index) = whole(query.filter(Value::is_true), "query") else { return Ok(no()) };
    let address = if index < 0 { Net { value: net.last(), ..net }.shifted(index + 1) } else { net.cidr().shifted(index) };
    let found = address.filter(|address| (net.network()..=net.last()).contains(address));
    Ok(found.map_or(no(), |address| net.address(address).into()))
}

fn nth_usable(input: &Value, args: Arguments, function: &'static str, sign: i128) -> Result<Value, Fault> {
    let [offset] = args.bind(signature(function, 1, 1), ["offset"])?;
    let Some(net) = subject_net(input) else { return Ok(no()) };
    let Some(Value::Int(offset)) = offset else { return Err(Fault::error("Must pass in an integer")) };
    let inside = |address: &u128| net.usable().is_some_and(|(first, last)| (first..=last).contains(address));
    Ok(net.shifted(sign * offset).filter(inside).map_or(Value::Null, |address| net.address(address).into()))
}

/// `next_nth_usable`.
///
/// # Errors
/// No number.
pub fn next_nth_usable(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    nth_usable(&input, args, "next_nth_usable", 1)
}

/// `previous_nth_usable`.
///
/// # Errors
/// No number.
pub fn previous_nth_usable(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    nth_usable(&input, args, "previous_nth_usable", -1)
}

fn network(value: Option<Value>) -> Result<Net, Fault> {
    let value = value.unwrap_or(Value::Null);
    subject_net(&value).map(Net::cidr).ok_or_else(|| Fault::error(format!("You must pass a valid subnet or IP address; {} is invalid", repr(&value))))
}

/// `network_in_usable`.
///
/// # Errors
/// No addresses.
pub fn network_in_usable(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [test] = args.bind(signature("network_in_usable", 1, 1), ["test"])?;
    let (outer, inner) = (network(Some(input))?, network(test)?);
    let (first, last) = outer.usable().unwrap_or((outer.value, outer.value));
    Ok(Value::Bool(outer.v6 == inner.v6 && inner.network() >= first && inner.last() <= last))
}

/// `network_in_network`.
///
/// # Errors
/// No addresses.
pub fn network_in_network(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [test] = args.bind(signature("network_in_network", 1, 1), ["test"])?;
    Ok(Value::Bool(network(Some(input))?.contains(network(test)?)))
}

/// `reduce_on_network`.
///
/// # Errors
/// No addresses.
pub fn reduce_on_network(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [outer] = args.bind(signature("reduce_on_network", 1, 1), ["network"])?;
    let outer = network(outer)?;
    let mut kept = Vec::new();
    for item in elements(&input, env)? {
        if outer.contains(network(Some(item.clone()))?) {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

/// `ip4_hex`.
///
/// # Errors
/// No address of version 4.
pub fn ip4_hex(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [delimiter] = args.bind(signature("ip4_hex", 1, 0), ["delimiter"])?;
    let delimiter = given(delimiter).map_or(Ok("".into()), |delimiter| to_text(&delimiter))?;
    let text = to_text(&input)?;
    let net = Net::parse(&text).filter(|net| !net.v6).ok_or_else(|| Fault::error(format!("You must pass a valid IP address; {text} is invalid")))?;
    let octets: Vec<String> = (0..4).rev().map(|i| format!("{:02x}", net.value >> (8 * i) & 255)).collect();
    Ok(octets.join(&delimiter).into())
}

/// `cidr_merge`: the fewest networks that hold the same addresses, or (`span`) the one that holds all.
///
/// # Errors
/// No networks, or an unknown action.
pub fn cidr_merge(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [action] = args.bind(signature("cidr_merge", 1, 0), ["action"])?;
    let action = given(action).map_or(Ok("merge".into()), |action| to_text(&action))?;
    if !matches!(&*action, "merge" | "span") {
        return Err(Fault::error(format!("cidr_merge: invalid action '{action}'")));
    }
    let mut nets = Vec::new();
    for item in elements(&input, env).map_err(|_| Fault::error(format!("cidr_merge: expected iterable, got {}", repr(&input))))? {
        let text = to_text(&item)?;
        nets.push(Net::parse(&text).ok_or_else(|| Fault::error(format!("cidr_merge: error in netaddr:\ninvalid IPNetwork {text}")))?);
    }
    if &*action == "merge" {
        return Ok(Value::list(merged(nets).into_iter().map(|net| net.to_string().into()).collect()));
    }
    let Some(first) = nets.first().copied() else { return Ok(Value::Null) };
    if nets.len() == 1 {
        return Ok(first.to_string().into());
    }
    if nets.iter().any(|net| net.v6 != first.v6) {
        return Err(Fault::error("cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!"));
    }
    let mut span = first.cidr();
    while !nets.iter().all(|net| span.contains(net.cidr())) {
        span = Net { prefix: span.prefix - 1, ..span }.cidr();
    }
    Ok(span.to_string().into())
}

fn merged(nets: Vec<Net>) -> Vec<Net> {
    let mut nets: Vec<Net> = nets.into_iter().map(Net::cidr).collect();
    nets.sort_by_key(|net| (net.v6, net.value, net.prefix));
    let mut out: Vec<Net> = Vec::new();
    for net in nets {
        if out.last().is_some_and(|last| last.contains(net)) {
            continue;
        }
        out.push(net);
        while let [.., a, b] = out.as_slice() {
            let wider = Net { prefix: a.prefix.saturating_sub(1), ..*a }.cidr();
            if a.prefix != b.prefix || a.prefix == 0 || wider.value != a.value || !wider.contains(*b) || a == b {
                break;
            }
            out.truncate(out.len() - 2);
            out.push(wider);
        }
    }
    out
}

/// `ipv6form`.
///
/// # Errors
/// No address, or an unknown form.
pub fn ipv6form(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [form] = args.bind(signature("ipv6form", 1, 1), ["format"])?;
    let form = to_text(&form.unwrap_or(Value::Null))?;
    let text = to_text(&input)?;
    let net = Net::parse(&text)
        .filter(|net| net.prefix == net.width())
        .ok_or_else(|| Fault::error(format!("You must pass a valid IP address; {text} is invalid")))?;
    let groups = |width: usize| (0..8).rev().map(|i| format!("{:0width$x}", net.value >> (16 * i) & 0xffff)).collect::<Vec<_>>().join(":");
    match &*form {
        "expand" if net.v6 => Ok(groups(4).into()),
        "x509" if net.v6 => Ok(groups(1).into()),
        "expand" | "compress" | "x509" => Ok(net.ip().into()),
        other => Err(Fault::error(format!("You must pass valid format; {other} is not a valid format"))),
    }
}

/// `ipcut`: the first bits of an address, or the last.
///
/// # Errors
/// No address, or no number.
pub fn ipcut(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [amount] = args.bind(signature("ipcut", 1, 1), ["amount"])?;
    let text = to_text(&input)?;
    let net = Net::parse(&text).ok_or_else(|| Fault::error(format!("You must pass a valid IP address; {text} is invalid")))?;
    let amount = whole(amount, "arithmetic")?;
    let bits: String = (0..net.width()).rev().map(|i| if net.value >> i & 1 == 1 { '1' } else { '0' }).collect();
    let count = (amount.unsigned_abs() as usize).min(bits.len());
    let cut = if amount < 0 { &bits[bits.len() - count..] } else { &bits[..count] };
    let step = if net.v6 { 16 } else { 8 };
    let groups = cut.as_bytes().chunks(step).map(|chunk| chunk.iter().fold(0u32, |n, bit| n << 1 | u32::from(*bit == b'1')));
    let parts: Vec<String> = groups.map(|n| if net.v6 { format!("{n:x}") } else { n.to_string() }).collect();
    Ok(parts.join(if net.v6 { ":" } else { "." }).into())
}
