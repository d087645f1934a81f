//! Mounted file systems and block devices.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::StatVfs;
use serde_json::{Map, Value, json};

use super::{Facts, file};
use crate::context::Context;

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let uuids = links(cx, "uuid");
    facts.insert("mounts".into(), Value::Array(mounts(&file(cx, "/proc/self/mounts").unwrap_or_default(), &uuids)));
    let known = Links { ids: links(cx, "id"), labels: links(cx, "label"), uuids };
    facts.insert("devices".into(), Value::Object(devices(cx, &known)));
    facts.insert("device_links".into(), json!({"ids": known.ids, "labels": known.labels, "masters": masters(cx), "uuids": known.uuids}));
}

/// Names of a device under /dev/disk/by-*.
type Names = BTreeMap<String, Vec<String>>;

struct Links {
    ids: Names,
    labels: Names,
    uuids: Names,
}

fn links(cx: &Context<'_>, kind: &str) -> Names {
    let dir = Path::new("/dev/disk").join(format!("by-{kind}"));
    let mut names = Names::new();
    for name in cx.system().list(&dir).unwrap_or_default() {
        if let Ok(target) = cx.system().read_link(&dir.join(&name)) {
            let device = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
            names.entry(device).or_default().push(name.to_string_lossy().into_owned());
        }
    }
    names
}

fn masters(cx: &Context<'_>) -> Names {
    let mut names = Names::new();
    for slave in crate::glob::paths(cx.system(), Path::new("/sys/block/*/slaves/*")) {
        let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        names.entry(name(Some(&slave))).or_default().push(name(slave.parent().and_then(Path::parent)));
    }
    names
}

/// File systems of devices and networks.
fn mounts(text: &str, uuids: &Names) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| {
        let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
        let [device, mount, kind, options, dump, pass] = <[String; 6]>::try_from(fields).ok()?;
        let shown = device.starts_with(['/', '\\']) || device.contains(":/");
        (shown && kind != "none").then_some((device, mount, kind, options, dump, pass))
    });
    lines
        .map(|(device, mount, kind, options, dump, pass)| {
            let real = std::fs::canonicalize(&device).unwrap_or_else(|_| device.clone().into());
            let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let uuid = uuids.get(&name).and_then(|names| names.first()).map_or("N/A", String::as_str);
            let number = |text: &str| text.parse::<i64>().unwrap_or(0);
            let mut entry =
                json!({"mount": mount, "device": device, "fstype": kind, "options": options, "dump": number(&dump), "passno": number(&pass), "uuid": uuid});
            if let (Some(vfs), Some(map)) = (sizes(&mount, &kind), entry.as_object_mut()) {
                map.extend(size_facts(&vfs));
            }
            entry
        })
        .collect()
}

/// A network's file system may not answer; it is asked aside and not waited for forever.
fn sizes(mount: &str, kind: &str) -> Option<StatVfs> {
    if !kind.starts_with("nfs") && !kind.starts_with("cifs") && !kind.starts_with("fuse") {
        return rustix::fs::statvfs(mount).ok();
    }
    let (to, from) = mpsc::channel();
    let mount = mount.to_owned();
    thread::spawn(move || {
        // nobody may be listening any more
        let _ = to.send(rustix::fs::statvfs(mount.as_str()).ok());
    });
    from.recv_timeout(Duration::from_secs(5)).ok().flatten()
}

fn size_facts(vfs: &StatVfs) -> Map<String, Value> {
    let mut facts = Map::new();
    for (key, value) in [
        ("size_total", vfs.f_frsize * vfs.f_blocks),
        ("size_available", vfs.f_frsize * vfs.f_bavail),
        ("block_size", vfs.f_bsize),
        ("block_total", vfs.f_blocks),
        ("block_available", vfs.f_bavail),
        ("block_used", vfs.f_blocks.saturating_sub(vfs.f_bavail)),
        ("inode_total", vfs.f_files),
        ("inode_available", vfs.f_favail),
        ("inode_used", vfs.f_files.saturating_sub(vfs.f_favail)),
    ] {
        facts.insert(key.into(), json!(value));
    }
    facts
}

/// `\040` and its likes in mount tables.
fn unescape(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn devices(cx: &Context<'_>, known: &Links) -> Map<String, Value> {
    let mut all = Map::new();
    for name in cx.system().list(Path::new("/sys/block")).unwrap_or_default() {
        let name = name.to_string_lossy().into_owned();
        let base = format!("/sys/block/{name}");
        let read = |file_name: &str| file(cx, format!("{base}/{file_name}"));
        let sectors: u64 = read("size").and_then(|text| text.parse().ok()).unwrap_or(0);
        let scheduler = read("queue/scheduler").unwrap_or_default();
        let scheduler = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(mode, _)| mode).to_owned();
        let virtual_device = cx.system().read_link(Path::new(&base)).is_ok_and(|path| path.to_string_lossy().contains("/virtual/"));
        let device = json!({
            "virtual": i32::from(virtual_device || read("device/vendor").is_some_and(|vendor| vendor == "0x1af4")),
            "links": named(known, &name),
            "vendor": read("device/vendor"),
            "model": read("device/model"),
            "sas_address": read("device/sas_address"),
            "sas_device_handle": read("device/sas_device_handle"),
            "removable": read("removable"),
            "rotational": read("queue/rotational"),
            "support_discard": read("queue/discard_granularity"),
            "partitions": partitions(cx, known, &name),
            "scheduler_mode": scheduler,
            "sectors": sectors,
            "sectorsize": read("queue/logical_block_size").unwrap_or_else(|| "512".into()),
            "size": human(sectors * 512),
            "host": "",
            "holders": holders(cx, &base),
        });
        all.insert(name, device);
    }
    all
}

fn named(known: &Links, name: &str) -> Value {
    let get = |names: &Names| names.get(name).cloned().unwrap_or_default();
    json!({"ids": get(&known.ids), "labels": get(&known.labels), "masters": [], "uuids": get(&known.uuids)})
}

fn partitions(cx: &Context<'_>, known: &Links, disk: &str) -> Map<String, Value> {
    let mut all = Map::new();
    for name in cx.system().list(&Path::new("/sys/block").join(disk)).unwrap_or_default() {
        let name = name.to_string_lossy().into_owned();
        let base = format!("/sys/block/{disk}/{name}");
        if !name.starts_with(disk) || file(cx, format!("{base}/partition")).is_none() {
            continue;
        }
        let read = |file_name: &str| file(cx, format!("{base}/{file_name}"));
        let sectors: u64 = read("size").and_then(|text| text.parse().ok()).unwrap_or(0);
        let partition = json!({
            "links": named(known, &name), "start": read("start"), "sectors": sectors, "sectorsize": 512, "size": human(sectors * 512),
            "uuid": known.uuids.get(&name).and_then(|names| names.first()), "holders": holders(cx, &base),
        });
        all.insert(name, partition);
    }
    all
}

fn holders(cx: &Context<'_>, base: &str) -> Vec<String> {
    let names = cx.system().list(&Path::new(base).join("holders")).unwrap_or_default();
    let named = |name: String| file(cx, format!("/sys/block/{name}/dm/name")).unwrap_or(name);
    names.into_iter().map(|name| named(name.to_string_lossy().into_owned())).collect()
}

/// Bytes as Ansible writes them: `256.00 GB`.
fn human(bytes: u64) -> String {
    for (unit, power) in [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)] {
        if bytes >= 1 << power {
            return format!("{:.2} {unit}", bytes as f64 / (1u64 << power) as f64);
        }
    }
    format!("{bytes}.00 Bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_sizes() {
        let found = mounts("/dev/x /a\\040b none0 rw 0 1\nproc /proc proc rw 0 0\nhost:/x /n none rw 0 0\n", &Names::new());
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["mount"], &found[0]["passno"], &found[0]["uuid"]), (&json!("/a b"), &json!(1), &json!("N/A")));
        assert_eq!(human(274_877_906_944), "256.00 GB");
        assert_eq!(human(0), "0.00 Bytes");
    }
}
