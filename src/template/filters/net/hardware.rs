//! Hardware addresses: hwaddr, macaddr, slaac.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{given, to_text};
use crate::value::{Fault, Value};

use super::address::Net;
use super::ipaddr::Subject;

/// The 48 bits of an address in any of the usual notations.
fn parse(text: &str) -> Option<u64> {
    let groups: Vec<&str> = text.split([':', '-', '.']).collect();
    let digits: String = match groups.len() {
        1 if text.len() == 12 => text.to_string(),
        2 => groups.iter().map(|group| format!("{group:0>6}")).collect(),
        3 => groups.iter().map(|group| format!("{group:0>4}")).collect(),
        6 => groups.iter().map(|group| format!("{group:0>2}")).collect(),
        _ => return None,
    };
    let good = digits.len() == 12 && groups.iter().all(|group| !group.is_empty()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if good { u64::from_str_radix(&digits, 16).ok() } else { None }
}

fn grouped(mac: u64, size: usize, separator: &str) -> String {
    let digits = format!("{mac:012x}");
    let groups: Vec<&str> = (0..12).step_by(size).map(|at| &digits[at..at + size]).collect();
    groups.join(separator)
}

fn filter(input: &Value, args: Arguments, alias: &'static str) -> Result<Value, Fault> {
    let [query, _alias] = args.bind(signature(alias, 1, 0), ["query", "alias"])?;
    let query = given(query).map_or(Ok("".into()), |query| to_text(&query))?;
    let text = to_text(input)?;
    let Some(mac) = parse(&text) else {
        return if matches!(&*query, "" | "bool") { Ok(Value::Null) } else { Err(Fault::error(format!("{alias}: not a hardware address: {text}"))) };
    };
    Ok(match &*query {
        "" => input.clone(),
        "bool" => Value::Bool(true),
        "int" => Value::Int(mac.into()),
        "bare" => grouped(mac, 12, "").to_uppercase().into(),
        "cisco" => grouped(mac, 4, ".").into(),
        "linux" => grouped(mac, 2, ":").into(),
        "unix" => (0..6).rev().map(|i| format!("{:x}", mac >> (8 * i) & 255)).collect::<Vec<_>>().join(":").into(),
        "pgsql" | "postgresql" | "psql" => grouped(mac, 6, ":").into(),
        "win" | "eui48" => grouped(mac, 2, "-").to_uppercase().into(),
        other => return Err(Fault::error(format!("{alias}: unknown filter type: {other}"))),
    })
}

/// `hwaddr`.
///
/// # Errors
/// No hardware address, or an unknown query.
pub fn hwaddr(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    filter(&input, args, "hwaddr")
}

/// `macaddr`.
///
/// # Errors
/// No hardware address, or an unknown query.
pub fn macaddr(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    filter(&input, args, "macaddr")
}

/// `slaac`: the address that a host with that hardware address gives itself in a network.
///
/// # Errors
/// Wrong arguments.
pub fn slaac(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [mac] = args.bind(signature("slaac", 1, 0), ["query"])?;
    let net = Subject::parse(&input, 0).map(|subject| subject.normal()).filter(|net| net.v6);
    let mac = mac.as_ref().map(to_text).transpose()?.and_then(|mac| parse(&mac));
    let (Some(net), Some(mac)) = (net, mac) else { return Ok(Value::Bool(false)) };
    let high = (mac >> 24 ^ 0x02_0000) << 40;
    let eui = high | 0xff_fe00_0000 | mac & 0xff_ffff;
    let address = Net { value: net.network() + u128::from(eui), ..net };
    Ok(address.ip().into())
}
