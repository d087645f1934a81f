//! The facts of `setup`: by `/proc` and `/sys`, without programs where possible. One file per kind; this one chooses and filters.

mod dates;
mod disks;
mod distribution;
mod hardware;
mod host;
mod local;
mod managers;
mod netlink;
mod network;
mod platform;
mod virtualization;

use std::path::Path;

use serde_json::{Map, Value};

use crate::context::Context;

/// Facts without their prefix.
pub(crate) type Facts = Map<String, Value>;

type Collect = fn(&Context<'_>, &mut Facts);

/// Name under which `local.rs` finds the directory of local facts; it is taken out again.
const FACT_PATH: &str = "_fact_path";

/// A group of facts that `gather_subset` can name.
struct Subset {
    /// Its names, the first its own.
    names: &'static [&'static str],
    /// It is part of `min`.
    min: bool,
    collect: Collect,
}

const fn subset(names: &'static [&'static str], min: bool, collect: Collect) -> Subset {
    Subset { names, min, collect }
}

/// Every group; later ones read what earlier ones found.
static SUBSETS: &[Subset] = &[
    subset(&["platform"], true, platform::collect),
    subset(&["distribution"], true, distribution::collect),
    subset(&["date_time"], true, dates::collect),
    subset(&["user"], true, host::user),
    subset(&["env"], true, host::env),
    subset(&["cmdline"], true, host::cmdline),
    subset(&["dns"], true, host::dns),
    subset(&["selinux"], true, host::selinux),
    subset(&["apparmor"], true, host::apparmor),
    subset(&["fips"], true, host::fips),
    subset(&["lsb"], true, host::lsb),
    subset(&["ssh_pub_keys"], true, host::ssh_keys),
    subset(&["local"], true, local::collect),
    subset(&["pkg_mgr"], true, managers::package_manager),
    subset(&["service_mgr"], true, managers::service_manager),
    subset(&["hardware", "processor", "memory"], false, hardware::collect),
    subset(&["hardware", "devices", "mounts"], false, disks::collect),
    subset(&["loadavg", "hardware"], false, hardware::loadavg),
    subset(&["network", "interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"], false, network::collect),
    subset(&["virtual", "virtualization_type", "virtualization_role"], false, virtualization::collect),
    subset(&["chroot", "is_chroot"], false, host::chroot),
    subset(&["iscsi"], false, host::iscsi),
];

/// Names that Ansible knows and that have nothing to collect here.
const OTHERS: &[&str] = &["all", "min", "facter", "ohai", "python", "caps", "fibre_channel_wwn", "nvme", "systemd"];

/// Collects the facts of the subsets asked for, without prefix.
///
/// # Errors
/// An unknown subset.
pub(crate) fn collect(cx: &Context<'_>, wanted: &[String], fact_path: &str) -> Result<Facts, String> {
    for name in wanted {
        let bare = name.trim_start_matches('!');
        if !OTHERS.contains(&bare) && !SUBSETS.iter().any(|subset| subset.names.contains(&bare)) {
            let mut names: Vec<&str> = SUBSETS.iter().flat_map(|subset| subset.names).chain(OTHERS).copied().collect();
            names.sort_unstable();
            names.dedup();
            return Err(format!("Bad subset '{bare}' given to Ansible. gather_subset options allowed: all, {}", names.join(", ")));
        }
    }
    let mut facts = Facts::new();
    facts.insert(FACT_PATH.into(), Value::String(fact_path.to_owned()));
    for subset in SUBSETS.iter().filter(|subset| chosen(subset, wanted)) {
        (subset.collect)(cx, &mut facts);
    }
    facts.shift_remove(FACT_PATH);
    Ok(facts)
}

/// The name of the machine's package manager, as the fact `pkg_mgr`.
pub(crate) fn package_manager_of(cx: &Context<'_>) -> String {
    let mut facts = Facts::new();
    distribution::collect(cx, &mut facts);
    managers::package_manager(cx, &mut facts);
    facts.get("pkg_mgr").and_then(Value::as_str).unwrap_or("unknown").to_owned()
}

/// The facts `os_family` and `distribution`.
pub(crate) fn family_of(cx: &Context<'_>) -> (String, String) {
    let mut facts = Facts::new();
    distribution::collect(cx, &mut facts);
    let text = |key: &str| facts.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("os_family"), text("distribution"))
}

/// The full name of a machine, as the fact `fqdn`.
pub(crate) fn full_name(cx: &Context<'_>, name: &str) -> String {
    platform::full_name(cx, name)
}

/// Ansible's rule: `min` always unless refused; names add, names with `!` take away; only refusals mean all the rest.
fn chosen(subset: &Subset, wanted: &[String]) -> bool {
    let named = |name: &str| subset.names.contains(&name) || name == "all" || name == "min" && subset.min;
    let refused: Vec<&str> = wanted.iter().filter_map(|name| name.strip_prefix('!')).collect();
    let added: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| !name.starts_with('!')).collect();
    if added.iter().any(|name| subset.names.contains(name)) {
        return true;
    }
    if refused.iter().any(|name| subset.names.contains(name)) {
        return false;
    }
    if subset.min {
        return !refused.contains(&"min");
    }
    if refused.contains(&"all") {
        return false;
    }
    added.is_empty() || added.iter().any(|name| named(name))
}

/// A small file's text without its last line end; `None` when it cannot be read or is empty.
fn file(cx: &Context<'_>, path: impl AsRef<Path>) -> Option<String> {
    let bytes = crate::system::read(cx.system(), path.as_ref()).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether a path exists, links followed.
fn exists(cx: &Context<'_>, path: &str) -> bool {
    cx.system().stat(Path::new(path)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<String> = wanted.iter().map(|s| (*s).to_owned()).collect();
        SUBSETS.iter().filter(|subset| chosen(subset, &wanted)).map(|subset| subset.names[0]).collect()
    }

    #[test]
    fn subsets() {
        assert_eq!(picks(&["all"]).len(), SUBSETS.len());
        assert!(picks(&["!all"]).iter().all(|name| SUBSETS.iter().any(|s| s.names[0] == *name && s.min)));
        assert!(picks(&["!all", "!min"]).is_empty());
        assert_eq!(picks(&["!all", "!min", "network"]), ["network"]);
        assert!(picks(&["network"]).contains(&"platform"));
        assert!(!picks(&["network"]).contains(&"virtual"));
        assert!(!picks(&["!hardware"]).contains(&"hardware"));
        assert!(picks(&["!hardware"]).contains(&"network"));
    }
}
