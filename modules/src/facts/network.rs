//! Interfaces, addresses and default routes.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::netlink::{self, Address};
use super::{Facts, file};
use crate::context::Context;

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let names: Vec<String> =
        cx.system().list(Path::new("/sys/class/net")).unwrap_or_default().into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let names: Vec<String> = names.into_iter().filter(|name| cx.system().stat(&Path::new("/sys/class/net").join(name)).is_ok_and(|s| s.is_dir())).collect();
    let mut interfaces: Vec<(String, Map<String, Value>)> = names.iter().map(|name| (name.clone(), interface(cx, name))).collect();
    let (all4, default4) = ipv4(cx, &mut interfaces);
    let (all6, default6) = ipv6(cx, &mut interfaces);
    facts.insert("interfaces".into(), json!(interfaces.iter().map(|(name, _)| name).collect::<Vec<_>>()));
    facts.insert("all_ipv4_addresses".into(), json!(all4));
    facts.insert("all_ipv6_addresses".into(), json!(all6));
    facts.insert("default_ipv4".into(), Value::Object(default4));
    facts.insert("default_ipv6".into(), Value::Object(default6));
    for (name, interface) in interfaces {
        facts.insert(name.replace(['-', ':'], "_"), Value::Object(interface));
    }
}

fn interface(cx: &Context<'_>, name: &str) -> Map<String, Value> {
    let base = format!("/sys/class/net/{name}");
    let read = |entry: &str| file(cx, format!("{base}/{entry}"));
    let link = |entry: &str| cx.system().read_link(Path::new(&format!("{base}/{entry}"))).ok();
    let last = |path: std::path::PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("device", json!(name));
    if let Some(mac) = read("address").filter(|mac| mac != "00:00:00:00:00:00") {
        put("macaddress", json!(mac));
    }
    if let Some(mtu) = read("mtu").and_then(|mtu| mtu.parse::<u64>().ok()) {
        put("mtu", json!(mtu));
    }
    put("active", json!(read("operstate").as_deref() != Some("down")));
    if let Some(module) = link("device/driver/module") {
        put("module", json!(last(module)));
    }
    let kind = match read("type").as_deref() {
        Some("1") => Some("ether"),
        Some("32") => Some("infiniband"),
        Some("512") => Some("ppp"),
        Some("772") => Some("loopback"),
        Some("65534") => Some("tunnel"),
        _ => None,
    };
    kind.into_iter().for_each(|kind| put("type", json!(kind)));
    if let Some(id) = read("bridge/bridge_id") {
        let ports: Vec<String> =
            cx.system().list(Path::new(&format!("{base}/brif"))).unwrap_or_default().into_iter().map(|n| n.to_string_lossy().into_owned()).collect();
        put("type", json!("bridge"));
        put("interfaces", json!(ports));
        put("id", json!(id));
        put("stp", json!(read("bridge/stp_state").as_deref() == Some("1")));
    }
    if let Some(slaves) = read("bonding/slaves").or_else(|| read("bonding/mode").map(|_| String::new())) {
        put("type", json!("bonding"));
        put("slaves", json!(slaves.split_whitespace().collect::<Vec<_>>()));
        for (key, entry) in [("mode", "mode"), ("miimon", "miimon"), ("lacp_rate", "lacp_rate"), ("primary", "primary")] {
            let value = read(&format!("bonding/{entry}")).map(|text| text.split_whitespace().next().unwrap_or_default().to_owned());
            value.into_iter().for_each(|value| put(key, json!(value)));
        }
        put("all_slaves_active", json!(read("bonding/all_slaves_active").as_deref() == Some("1")));
    }
    if let Some(device) = link("device") {
        put("pciid", json!(last(device)));
    }
    if let Some(speed) = read("speed").and_then(|speed| speed.parse::<i64>().ok()) {
        put("speed", json!(speed));
    }
    let flags = read("flags").and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()).unwrap_or(0);
    put("promisc", json!(flags & 0x100 != 0));
    out
}

fn ipv4_facts(address: &Address) -> Map<String, Value> {
    let mask = if address.prefix == 0 { 0 } else { u32::MAX << (32 - u32::from(address.prefix)) };
    let network = Ipv4Addr::from(u32::from(address.address) & mask);
    let fields = json!({
        "address": address.address, "broadcast": address.broadcast.map_or(String::new(), |ip| ip.to_string()),
        "netmask": Ipv4Addr::from(mask), "network": network, "prefix": address.prefix.to_string(),
    });
    fields.as_object().cloned().unwrap_or_default()
}

fn ipv4(cx: &Context<'_>, interfaces: &mut Vec<(String, Map<String, Value>)>) -> (Vec<String>, Map<String, Value>) {
    // a kernel without netlink leaves only what /sys knows
    let addresses = netlink::addresses().unwrap_or_default();
    let mut all = vec![];
    let index: Vec<(u32, String)> =
        interfaces.iter().filter_map(|(name, _)| Some((file(cx, format!("/sys/class/net/{name}/ifindex"))?.parse().ok()?, name.clone()))).collect();
    for address in &addresses {
        let Some((_, device)) = index.iter().find(|(index, _)| *index == address.index) else { continue };
        let label = if address.label.is_empty() { device } else { &address.label };
        if !address.address.is_loopback() {
            all.push(address.address.to_string());
        }
        let at = interfaces.iter().position(|(name, _)| name == label).unwrap_or_else(|| {
            interfaces.push((label.clone(), Map::new()));
            interfaces.len() - 1
        });
        let interface = &mut interfaces[at].1;
        let fields = Value::Object(ipv4_facts(address));
        if !interface.contains_key("ipv4") {
            interface.insert("ipv4".into(), fields);
        } else if let Some(list) = interface.entry("ipv4_secondaries").or_insert_with(|| json!([])).as_array_mut() {
            list.push(fields);
        }
    }
    let default = default_route(&file(cx, "/proc/net/route").unwrap_or_default())
        .and_then(|(device, gateway)| {
            let near = |one: &&Address| {
                let mask = u32::MAX.checked_shl(32 - u32::from(one.prefix)).unwrap_or(0);
                u32::from(one.address) & mask == u32::from(gateway) & mask
            };
            let (number, _) = index.iter().find(|(_, name)| *name == device)?;
            let own: Vec<&Address> = addresses.iter().filter(|one| one.index == *number).collect();
            let address = own.iter().copied().find(near).or(own.first().copied())?;
            let mut fields = ipv4_facts(address);
            fields.insert("gateway".into(), json!(gateway));
            fields.insert("interface".into(), json!(device));
            fields.insert("alias".into(), json!(device));
            copy_of(interfaces, &device, &mut fields);
            Some(fields)
        })
        .unwrap_or_default();
    (all, default)
}

/// What the default route's facts share with the interface.
fn copy_of(interfaces: &[(String, Map<String, Value>)], device: &str, fields: &mut Map<String, Value>) {
    let Some((_, interface)) = interfaces.iter().find(|(name, _)| name == device) else { return };
    for key in ["macaddress", "mtu", "type"] {
        fields.extend(interface.get(key).map(|value| (key.to_owned(), value.clone())));
    }
}

/// Device and gateway of the default route with the smallest metric.
fn default_route(table: &str) -> Option<(String, Ipv4Addr)> {
    let mut best: Option<(u64, String, Ipv4Addr)> = None;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [device, destination, gateway, flags, _, _, metric, mask, ..] = fields[..] else { continue };
        let up = u32::from_str_radix(flags, 16).unwrap_or(0) & 1 != 0;
        let Ok(gateway) = u32::from_str_radix(gateway, 16) else { continue };
        let metric = metric.parse().unwrap_or(u64::MAX);
        if destination == "00000000" && mask == "00000000" && up && best.as_ref().is_none_or(|(have, ..)| metric < *have) {
            best = Some((metric, device.to_owned(), Ipv4Addr::from(gateway.to_ne_bytes())));
        }
    }
    best.map(|(_, device, gateway)| (device, gateway))
}

fn ipv6(cx: &Context<'_>, interfaces: &mut [(String, Map<String, Value>)]) -> (Vec<String>, Map<String, Value>) {
    let mut all = vec![];
    for line in file(cx, "/proc/net/if_inet6").unwrap_or_default().lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, scope, _, device] = fields[..] else { continue };
        let Ok(bits) = u128::from_str_radix(address, 16) else { continue };
        let ip = Ipv6Addr::from(bits);
        let scope = match u32::from_str_radix(scope, 16).unwrap_or(0) & 0xf0 {
            0x10 => "host",
            0x20 => "link",
            0x40 => "site",
            _ => "global",
        };
        let entry = json!({"address": ip, "prefix": u8::from_str_radix(prefix, 16).unwrap_or(0).to_string(), "scope": scope});
        if !ip.is_loopback() {
            all.push(ip.to_string());
        }
        if let Some((_, interface)) = interfaces.iter_mut().find(|(name, _)| name == device)
            && let Some(list) = interface.entry("ipv6").or_insert_with(|| json!([])).as_array_mut()
        {
            list.push(entry);
        }
    }
    let default = default_route6(&file(cx, "/proc/net/ipv6_route").unwrap_or_default()).map(|(device, gateway)| {
        let mut fields = Map::new();
        let own = interfaces.iter().find(|(name, _)| *name == device).and_then(|(_, interface)| interface.get("ipv6")?.as_array());
        let global = own.and_then(|list| list.iter().find(|one| one["scope"] == "global").or(list.first()));
        fields.extend(global.and_then(Value::as_object).cloned().unwrap_or_default());
        fields.insert("gateway".into(), json!(gateway));
        fields.insert("interface".into(), json!(device));
        copy_of(interfaces, &device, &mut fields);
        fields
    });
    (all, default.unwrap_or_default())
}

fn default_route6(table: &str) -> Option<(String, Ipv6Addr)> {
    let mut best: Option<(u64, String, Ipv6Addr)> = None;
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, length, _, _, gateway, metric, _, _, flags, device] = fields[..] else { continue };
        let any = destination.bytes().all(|byte| byte == b'0') && length == "00";
        let flags = u32::from_str_radix(flags, 16).unwrap_or(0);
        let Ok(gateway) = u128::from_str_radix(gateway, 16) else { continue };
        let metric = u64::from_str_radix(metric, 16).unwrap_or(u64::MAX);
        // 0x2: by a gateway; 0x200: refused
        if any && flags & 0x2 != 0 && flags & 0x200 == 0 && best.as_ref().is_none_or(|(have, ..)| metric < *have) {
            best = Some((metric, device.to_owned(), Ipv6Addr::from(gateway)));
        }
    }
    best.map(|(_, device, gateway)| (device, gateway))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth1\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        let (device, gateway) = default_route(table).unwrap();
        assert_eq!(device, "eth0");
        if cfg!(target_endian = "little") {
            assert_eq!(gateway, Ipv4Addr::new(192, 0, 2, 1));
        }
        let table6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n\
                      00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo\n";
        assert_eq!(default_route6(table6), Some(("eth0".into(), "fd00::1".parse().unwrap())));
    }
}
