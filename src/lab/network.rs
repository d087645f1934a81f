//! The lab's network: one bridge, one cable per host; and who else uses its addresses.

use serde_json::Value;

use super::command::{capture, installed, succeeds};
use super::description::{Host, Lab, short_hash};
use super::failure::{Failure, Result};
use super::subnet::Subnet;

/// Refuses a subnet that this machine uses already, and makes the bridge when it is not there.
pub(crate) fn bridge_up(lab: &Lab, owner: &str) -> Result<()> {
    let mark = format!("rplay-lab {} {owner}", lab.id);
    if succeeds("ip", &["link", "show", "dev", &lab.bridge]) {
        return check_owner(lab, &mark);
    }
    if let Some(user) = user_of(lab.subnet)? {
        return Err(Failure::new(format!("{} is in use on this machine: {user}", lab.subnet)).help(
            "choose another with --subnet (for example --subnet 10.99.0.0/24); the lab then writes an inventory with the new addresses, see `rplay lab path`",
        ));
    }
    let gateway = format!("{}/{}", lab.subnet.gateway(), lab.subnet.prefix());
    capture("ip", &["link", "add", &lab.bridge, "type", "bridge"])?;
    capture("ip", &["link", "set", &lab.bridge, "alias", &mark])?;
    capture("ip", &["address", "add", &gateway, "dev", &lab.bridge])?;
    capture("ip", &["link", "set", &lab.bridge, "up"])?;
    Ok(())
}

/// Who uses addresses of a subnet on this machine, in words.
pub(crate) fn user_of(subnet: Subnet) -> Result<Option<String>> {
    let addresses = capture("ip", &["-json", "-4", "address", "show"])?;
    let routes = capture("ip", &["-json", "-4", "route", "show"])?;
    Ok(conflict(subnet, &addresses, &routes))
}

fn check_owner(lab: &Lab, mark: &str) -> Result<()> {
    let shown = capture("ip", &["-json", "link", "show", "dev", &lab.bridge])?;
    let alias = parse(&shown).first().and_then(|link| text(link, "ifalias")).unwrap_or_default();
    if alias == mark {
        return Ok(());
    }
    let owner = if alias.is_empty() { "something else".to_string() } else { format!("`{alias}`") };
    Err(Failure::new(format!("the bridge {} belongs to {owner}", lab.bridge))
        .help("take another id (--id) or bridge (--bridge), or bring that one down first (rplay lab down --dir ITS-FOLDER)"))
}

/// Who uses addresses of `subnet`: an interface's address or a route, in the words of `ip`.
fn conflict(subnet: Subnet, addresses: &str, routes: &str) -> Option<String> {
    for link in parse(addresses) {
        let name = text(&link, "ifname").unwrap_or_default();
        for info in link.get("addr_info").and_then(Value::as_array).into_iter().flatten() {
            let written = format!("{}/{}", text(info, "local").unwrap_or_default(), info.get("prefixlen").and_then(Value::as_u64).unwrap_or(32));
            if Subnet::parse(&written).is_some_and(|used| used.overlaps(subnet)) {
                return Some(format!("interface {name} has {written}"));
            }
        }
    }
    for route in parse(routes) {
        let target = text(&route, "dst").unwrap_or_default();
        if Subnet::parse(&target).is_some_and(|used| used.overlaps(subnet)) {
            let way = text(&route, "dev").map_or_else(|| text(&route, "type").unwrap_or_default(), |device| format!("by interface {device}"));
            return Some(format!("there is a route to {target} {way}"));
        }
    }
    None
}

fn parse(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap_or_default()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(Into::into)
}

/// The controller's end of a host's cable.
pub(crate) fn cable(id: &str, name: &str) -> String {
    format!("rpl{}", short_hash(&format!("{id}/{name}")))
}

/// Lays the cable from the bridge into the network namespace of a process.
pub(crate) fn plug(lab: &Lab, host: &Host, process: u32) -> Result<()> {
    let cable = cable(&lab.id, &host.name);
    unplug(&lab.id, &host.name);
    let (process, hardware) = (process.to_string(), hardware_address(&lab.id, &host.name));
    capture("ip", &["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "address", &hardware, "netns", &process])?;
    capture("ip", &["link", "set", &cable, "master", &lab.bridge, "up"])?;
    Ok(())
}

/// A host keeps its hardware address for life: with a new one at every start, its neighbours would talk to the old one
/// until their tables forget it, which takes up to half a minute.
fn hardware_address(id: &str, name: &str) -> String {
    let digits = short_hash(&format!("{id}/{name}/eth0"));
    format!("02:72:{}:{}:{}:{}", &digits[0..2], &digits[2..4], &digits[4..6], &digits[6..8])
}

/// Removes a host's cable, if it is there.
pub(crate) fn unplug(id: &str, name: &str) {
    succeeds("ip", &["link", "delete", &cable(id, name)]);
}

/// Removes the lab's bridge and its firewall rule, if they are there.
pub(crate) fn bridge_down(bridge: &str) -> Result<()> {
    if installed("iptables") {
        while succeeds("iptables", &["-D", "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"]) {}
    }
    if succeeds("ip", &["link", "show", "dev", bridge]) {
        capture("ip", &["link", "delete", bridge])?;
    }
    Ok(())
}

/// Lets hosts talk to each other where a firewall (Docker's, mostly) drops what is forwarded. Returns what was found and done.
pub(crate) fn open_firewall(bridge: &str) -> Option<String> {
    let filtered = std::fs::read_to_string("/proc/sys/net/bridge/bridge-nf-call-iptables").is_ok_and(|text| text.trim() == "1");
    if !filtered {
        return None;
    }
    let rules = capture("iptables", &["-S", "FORWARD"]).ok();
    let policy = rules.as_deref().map_or_else(|| drops_nft(&capture("nft", &["list", "chains"]).unwrap_or_default()), drops);
    if !policy {
        return None;
    }
    let by = if rules.as_deref().is_some_and(|rules| rules.contains("DOCKER")) { "Docker's FORWARD policy is DROP" } else { "the FORWARD policy is DROP" };
    let rule = ["FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
    let check = [&["-C"], &rule[..]].concat();
    let insert = [&["-I"], &rule[..]].concat();
    if succeeds("iptables", &check) || succeeds("iptables", &insert) {
        return Some(format!("{by}: traffic between hosts is let through by a rule for {bridge}, which `down` removes"));
    }
    Some(format!("{by}, and iptables cannot add a rule: hosts will not reach each other until you run `iptables {}`", insert.join(" ")))
}

/// Whether `iptables -S FORWARD` shows a policy that drops.
fn drops(rules: &str) -> bool {
    rules.lines().any(|line| line.trim() == "-P FORWARD DROP")
}

/// The same for `nft list chains`.
fn drops_nft(chains: &str) -> bool {
    chains.lines().any(|line| line.contains("hook forward") && line.contains("policy drop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: &str =
        r#"[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","prefixlen":8}]},{"ifname":"wlan0","addr_info":[{"local":"10.0.0.17","prefixlen":24}]}]"#;
    const ROUTES: &str = r#"[{"dst":"default","gateway":"192.168.1.1","dev":"wlan0"},{"dst":"10.8.0.0/16","gateway":"10.8.0.1","dev":"tun0"},{"type":"blackhole","dst":"10.66.0.0/16"}]"#;

    #[test]
    fn a_conflict_names_who_uses_the_addresses() {
        for (subnet, expected) in [
            ("10.0.0.0/24", Some("interface wlan0 has 10.0.0.17/24")),
            ("10.8.3.0/24", Some("there is a route to 10.8.0.0/16 by interface tun0")),
            ("10.66.1.0/24", Some("there is a route to 10.66.0.0/16 blackhole")),
            ("10.77.0.0/24", None),
        ] {
            let found = conflict(Subnet::parse(subnet).unwrap(), ADDRESSES, ROUTES);
            assert_eq!(found.as_deref(), expected, "{subnet}");
        }
    }

    #[test]
    fn a_dropping_policy_is_seen() {
        assert!(drops("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"));
        assert!(!drops("-P FORWARD ACCEPT\n"));
        assert!(drops_nft("table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n"));
        assert!(!drops_nft("\t\ttype filter hook input priority filter; policy drop;\n"));
    }

    #[test]
    fn cables_differ_between_labs_and_fit() {
        assert_ne!(cable("a", "etcd-01"), cable("b", "etcd-01"));
        assert!(cable("a-long-lab-id-of-24-chars", "kube-master-01").len() <= 15);
    }
}
