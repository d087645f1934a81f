//! Smaller facts of a host: the user, its environment, the kernel's command line, name servers, security modules, keys.

use std::os::unix::fs::MetadataExt;

use serde_json::{Map, Value, json};

use super::distribution::variables;
use super::{Facts, exists, file};
use crate::context::Context;
use crate::shell_words;

pub(super) fn user(cx: &Context<'_>, facts: &mut Facts) {
    let uid = rustix::process::geteuid().as_raw();
    let mut put = |key: &str, value: Value| drop(facts.insert(key.to_owned(), value));
    if let Some(user) = cx.user_by_id(uid) {
        put("user_id", json!(user.name));
        put("user_uid", json!(user.uid));
        put("user_gid", json!(user.gid));
        put("user_gecos", json!(user.gecos));
        put("user_dir", json!(user.home));
        put("user_shell", json!(user.shell));
    }
    put("real_user_id", json!(rustix::process::getuid().as_raw()));
    put("effective_user_id", json!(uid));
    put("real_group_id", json!(rustix::process::getgid().as_raw()));
    put("effective_group_id", json!(rustix::process::getegid().as_raw()));
}

pub(super) fn env(cx: &Context<'_>, facts: &mut Facts) {
    let env: Map<String, Value> = cx.environment().iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    facts.insert("env".into(), Value::Object(env));
}

pub(super) fn cmdline(cx: &Context<'_>, facts: &mut Facts) {
    let line = file(cx, "/proc/cmdline").unwrap_or_default();
    let (last, all) = parse_cmdline(&line);
    facts.insert("cmdline".into(), Value::Object(last));
    facts.insert("proc_cmdline".into(), Value::Object(all));
}

/// With the last value of each name, and with every value.
fn parse_cmdline(line: &str) -> (Map<String, Value>, Map<String, Value>) {
    let words = shell_words::split(line).unwrap_or_else(|_| line.split_whitespace().map(str::to_owned).collect());
    let (mut last, mut all) = (Map::new(), Map::new());
    for word in words {
        let (key, value) = word.split_once('=').map_or((word.as_str(), json!(true)), |(key, value)| (key, json!(value)));
        last.insert(key.to_owned(), value.clone());
        match all.get_mut(key) {
            Some(Value::Array(values)) => values.push(value),
            Some(old) => *old = json!([old.take(), value]),
            None => drop(all.insert(key.to_owned(), value)),
        }
    }
    (last, all)
}

pub(super) fn dns(cx: &Context<'_>, facts: &mut Facts) {
    facts.insert("dns".into(), Value::Object(parse_resolv(&file(cx, "/etc/resolv.conf").unwrap_or_default())));
}

fn parse_resolv(text: &str) -> Map<String, Value> {
    let mut dns = Map::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let (key, rest): (_, Vec<&str>) = (words.next().unwrap_or_default(), words.collect());
        match key {
            "nameserver" => {
                let list = dns.entry("nameservers").or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.extend(rest.iter().map(|server| json!(server))));
            }
            "domain" => drop(dns.insert("domain".into(), json!(rest.first()))),
            "search" | "sortlist" => drop(dns.insert(key.into(), json!(rest))),
            "options" => {
                let options = rest.iter().map(|option| option.split_once(':').map_or(((*option).to_owned(), json!(true)), |(k, v)| (k.to_owned(), json!(v))));
                dns.insert("options".into(), Value::Object(options.collect()));
            }
            _ => {}
        }
    }
    dns
}

pub(super) fn selinux(cx: &Context<'_>, facts: &mut Facts) {
    let mut selinux = Map::new();
    if !exists(cx, "/sys/fs/selinux/enforce") {
        selinux.insert("status".into(), json!("disabled"));
    } else {
        let config = variables(&file(cx, "/etc/selinux/config").unwrap_or_default());
        let setting = |key: &str| config.get(key).cloned().unwrap_or_else(|| "unknown".into());
        let mode = if file(cx, "/sys/fs/selinux/enforce").as_deref() == Some("1") { "enforcing" } else { "permissive" };
        for (key, value) in [
            ("status", "enabled".to_owned()),
            ("mode", mode.to_owned()),
            ("config_mode", setting("SELINUX")),
            ("type", setting("SELINUXTYPE")),
            ("policyvers", file(cx, "/sys/fs/selinux/policyvers").unwrap_or_else(|| "unknown".into())),
        ] {
            selinux.insert(key.into(), json!(value));
        }
    }
    facts.insert("selinux".into(), Value::Object(selinux));
}

pub(super) fn apparmor(cx: &Context<'_>, facts: &mut Facts) {
    let status = if exists(cx, "/sys/kernel/security/apparmor") { "enabled" } else { "disabled" };
    facts.insert("apparmor".into(), json!({"status": status}));
}

pub(super) fn fips(cx: &Context<'_>, facts: &mut Facts) {
    facts.insert("fips".into(), json!(file(cx, "/proc/sys/crypto/fips_enabled").as_deref() == Some("1")));
}

pub(super) fn lsb(cx: &Context<'_>, facts: &mut Facts) {
    let mut lsb = Map::new();
    let mut put = |key: &str, value: Option<&String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lsb.insert(key.to_owned(), json!(value));
        }
    };
    if let Some(text) = file(cx, "/etc/lsb-release") {
        let map = variables(&text);
        put("id", map.get("DISTRIB_ID"));
        put("release", map.get("DISTRIB_RELEASE"));
        put("description", map.get("DISTRIB_DESCRIPTION"));
        put("codename", map.get("DISTRIB_CODENAME"));
    } else if cx.find_program("lsb_release").is_some() {
        // the program reads the same file
        let map = variables(&file(cx, "/etc/os-release").unwrap_or_default());
        let id = map.get("ID").map(|id| id[..1.min(id.len())].to_uppercase() + id.get(1..).unwrap_or_default());
        put("id", id.as_ref());
        put("release", map.get("VERSION_ID"));
        put("description", map.get("PRETTY_NAME"));
        put("codename", map.get("VERSION_CODENAME"));
    }
    if let Some(major) = lsb.get("release").and_then(Value::as_str).and_then(|release| release.split('.').next()).map(str::to_owned) {
        lsb.insert("major_release".into(), json!(major));
    }
    facts.insert("lsb".into(), Value::Object(lsb));
}

pub(super) fn ssh_keys(cx: &Context<'_>, facts: &mut Facts) {
    for algorithm in ["dsa", "rsa", "ecdsa", "ed25519"] {
        let text = ["/etc/ssh", "/etc/openssh", "/etc"].iter().find_map(|dir| file(cx, format!("{dir}/ssh_host_{algorithm}_key.pub")));
        let Some(text) = text else { continue };
        let mut words = text.split_whitespace();
        if let (Some(kind), Some(key)) = (words.next(), words.next()) {
            facts.insert(format!("ssh_host_key_{algorithm}_public"), json!(key));
            facts.insert(format!("ssh_host_key_{algorithm}_public_keytype"), json!(kind));
        }
    }
}

/// Whether this process sees another root than process 1.
pub(super) fn chroot(cx: &Context<'_>, facts: &mut Facts) {
    let root = std::fs::metadata("/");
    let first = std::fs::metadata("/proc/1/root/.");
    let is = match (root, first) {
        _ if cx.variable("debian_chroot").is_some() => true,
        (Ok(root), Ok(first)) => (root.ino(), root.dev()) != (first.ino(), first.dev()),
        // the usual numbers of a file system's root: ext and others 2, btrfs 256, xfs 128 and 96 and 64
        (Ok(root), Err(_)) => ![2, 256, 128, 96, 64].contains(&root.ino()),
        _ => false,
    };
    facts.insert("is_chroot".into(), json!(is));
}

pub(super) fn iscsi(cx: &Context<'_>, facts: &mut Facts) {
    let text = file(cx, "/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("InitiatorName=")).unwrap_or_default();
    facts.insert("iscsi_iqn".into(), json!(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_and_resolver() {
        let (last, all) = parse_cmdline("quiet console=tty0 console=ttyS0");
        assert_eq!((&last["quiet"], &last["console"]), (&json!(true), &json!("ttyS0")));
        assert_eq!(all["console"], json!(["tty0", "ttyS0"]));
        let dns = parse_resolv("# x\nnameserver 1.1.1.1\nnameserver 9.9.9.9\nsearch a.b c.d\noptions ndots:5 rotate\n");
        assert_eq!(Value::Object(dns), json!({"nameservers": ["1.1.1.1", "9.9.9.9"], "search": ["a.b", "c.d"], "options": {"ndots": "5", "rotate": true}}));
    }
}
