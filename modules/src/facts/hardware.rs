//! Processors, memory, firmware, uptime and load.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Facts, file};
use crate::context::Context;

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
    processors(&file(cx, "/proc/cpuinfo").unwrap_or_default(), &machine, facts);
    if let Ok(set) = rustix::thread::sched_getaffinity(None) {
        facts.insert("processor_nproc".into(), json!(set.count()));
    }
    memory(&file(cx, "/proc/meminfo").unwrap_or_default(), facts);
    firmware(cx, facts);
    if let Some(seconds) = file(cx, "/proc/uptime").and_then(|text| text.split('.').next()?.parse::<u64>().ok()) {
        facts.insert("uptime_seconds".into(), json!(seconds));
    }
}

pub(super) fn loadavg(cx: &Context<'_>, facts: &mut Facts) {
    let text = file(cx, "/proc/loadavg").unwrap_or_default();
    let numbers: Vec<f64> = text.split_whitespace().take(3).filter_map(|word| word.parse().ok()).collect();
    if let [one, five, fifteen] = numbers[..] {
        facts.insert("loadavg".into(), json!({"1m": one, "5m": five, "15m": fifteen}));
    }
}

/// Counts sockets, cores and threads as Ansible reads cpuinfo.
fn processors(cpuinfo: &str, machine: &str, facts: &mut Facts) {
    let mut list = vec![];
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut sockets, mut cores) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
    let (mut socket, mut core) = (String::from("0"), String::from("0"));
    for line in cpuinfo.lines() {
        let (key, value) = line.split_once(':').map_or((line.trim(), ""), |(key, value)| (key.trim(), value.trim()));
        match key {
            "flags" => drop(facts.insert("flags".into(), json!(value.split_whitespace().collect::<Vec<_>>()))),
            "model name" | "Processor" | "vendor_id" | "cpu" | "Vendor" | "processor" => {
                list.push(json!(value));
                *counts.entry(key).or_default() += 1;
            }
            "physical id" => {
                value.clone_into(&mut socket);
                sockets.entry(socket.clone()).or_insert(1);
            }
            "core id" => {
                value.clone_into(&mut core);
                cores.entry(core.clone()).or_insert(1);
            }
            "cpu cores" => drop(sockets.insert(socket.clone(), value.parse().unwrap_or(1))),
            "siblings" => drop(cores.insert(core.clone(), value.parse().unwrap_or(1))),
            _ => {}
        }
    }
    let count = |key: &str| counts.get(key).copied().unwrap_or(0);
    let mut processors = list.len();
    if count("vendor_id") > 0 && count("vendor_id") == count("model name") {
        processors = count("vendor_id");
    }
    if machine.starts_with("armv") || machine.starts_with("aarch") || machine.starts_with("ppc") {
        processors = count("processor");
    }
    let packages = if sockets.is_empty() { processors } else { sockets.len() } as u64;
    let per_socket = sockets.values().next().copied().filter(|n| *n > 0).unwrap_or(1);
    let threads = (cores.values().next().copied().unwrap_or(1) as f64 / per_socket as f64).round_ties_even() as u64;
    for (key, value) in [
        ("processor", json!(list)),
        ("processor_count", json!(packages)),
        ("processor_cores", json!(per_socket)),
        ("processor_threads_per_core", json!(threads)),
        ("processor_vcpus", json!(threads * packages * per_socket)),
        ("processor_nproc", json!(count("processor"))),
    ] {
        facts.insert(key.into(), value);
    }
}

fn memory(meminfo: &str, facts: &mut Facts) {
    let values: BTreeMap<&str, u64> = meminfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter_map(|(key, rest)| Some((key, rest.split_whitespace().next()?.parse::<u64>().ok()? / 1024)))
        .collect();
    let get = |key: &str| values.get(key).copied().unwrap_or(0);
    let (total, free, swap, swap_free) = (get("MemTotal"), get("MemFree"), get("SwapTotal"), get("SwapFree"));
    for (key, value) in [("memtotal_mb", total), ("memfree_mb", free), ("swaptotal_mb", swap), ("swapfree_mb", swap_free)] {
        facts.insert(key.into(), json!(value));
    }
    let unused = free + get("Cached") + get("Buffers");
    let all = json!({
        "real": {"total": total, "used": total.saturating_sub(free), "free": free},
        "nocache": {"free": unused, "used": total.saturating_sub(unused)},
        "swap": {"total": swap, "free": swap_free, "used": swap.saturating_sub(swap_free), "cached": get("SwapCached")},
    });
    facts.insert("memory_mb".into(), all);
}

const FORM_FACTORS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

fn firmware(cx: &Context<'_>, facts: &mut Facts) {
    for (fact, name) in [
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("form_factor", "chassis_type"),
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
    ] {
        let text = file(cx, format!("/sys/devices/virtual/dmi/id/{name}"));
        let value = match (fact, text) {
            (_, None) => "NA".to_owned(),
            ("form_factor", Some(number)) => {
                number.parse::<usize>().ok().and_then(|n| FORM_FACTORS.get(n)).map_or_else(|| format!("unknown ({number})"), |name| (*name).to_owned())
            }
            (_, Some(text)) => text,
        };
        facts.insert(fact.into(), Value::String(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_on_one_core() {
        let one = |n: u32| {
            format!("processor\t: {n}\nvendor_id\t: A\nmodel name\t: M\nphysical id\t: 0\nsiblings\t: 2\ncore id\t\t: 0\ncpu cores\t: 1\nflags\t: fpu vme\n\n")
        };
        let mut facts = Facts::new();
        processors(&format!("{}{}", one(0), one(1)), "x86_64", &mut facts);
        assert_eq!(facts["processor_count"], 1);
        assert_eq!(facts["processor_cores"], 1);
        assert_eq!(facts["processor_threads_per_core"], 2);
        assert_eq!(facts["processor_vcpus"], 2);
        assert_eq!(facts["processor"], json!(["0", "A", "M", "1", "A", "M"]));
    }
}
