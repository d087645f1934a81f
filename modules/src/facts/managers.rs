//! Which program manages services and which packages.

use serde_json::json;

use super::{Facts, exists, file};
use crate::context::Context;

/// A program's path and the manager's name; the last one found wins, as in Ansible.
const PACKAGE_MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "dnf"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/swupd", "swupd"),
];

pub(super) fn package_manager(cx: &Context<'_>, facts: &mut Facts) {
    let family = facts.get("os_family").and_then(|family| family.as_str()).unwrap_or_default();
    let native = match family {
        "Debian" => Some(("/usr/bin/apt-get", "apt")),
        "RedHat" if exists(cx, "/usr/bin/dnf5") && !exists(cx, "/usr/bin/dnf-3") => Some(("/usr/bin/dnf5", "dnf5")),
        "RedHat" => Some(("/usr/bin/dnf-3", "dnf")),
        "Suse" => Some(("/usr/bin/zypper", "zypper")),
        "Alpine" => Some(("/sbin/apk", "apk")),
        "Archlinux" => Some(("/usr/bin/pacman", "pacman")),
        _ => None,
    };
    let found = native.filter(|(path, _)| exists(cx, path));
    let name = found.or_else(|| PACKAGE_MANAGERS.iter().rev().find(|(path, _)| exists(cx, path)).copied()).map_or("unknown", |(_, name)| name);
    facts.insert("pkg_mgr".into(), json!(name));
}

pub(super) fn service_manager(cx: &Context<'_>, facts: &mut Facts) {
    facts.insert("service_mgr".into(), json!(service_manager_of(cx)));
}

fn service_manager_of(cx: &Context<'_>) -> String {
    let first = file(cx, "/proc/1/comm").unwrap_or_default();
    let first = first.rsplit('/').next().unwrap_or_default();
    let named = match first {
        "procd" => "openwrt_init",
        "runit-init" => "runit",
        "svscan" => "svc",
        "openrc-init" => "openrc",
        other => other,
    };
    // "init" and shells say nothing
    if !named.is_empty() && named != "init" && !named.ends_with("sh") {
        return named.to_owned();
    }
    let systemctl = cx.find_program("systemctl").is_some();
    let link = std::fs::read_link("/sbin/init").ok();
    let init_is_systemd = link.is_some_and(|target| target.file_name().is_some_and(|name| name == "systemd"));
    match () {
        () if systemctl && ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|path| exists(cx, path)) => "systemd",
        () if cx.find_program("initctl").is_some() && exists(cx, "/etc/init") => "upstart",
        () if exists(cx, "/sbin/openrc") => "openrc",
        () if systemctl && init_is_systemd => "systemd",
        () if exists(cx, "/etc/init.d") => "sysvinit",
        () => "service",
    }
    .to_owned()
}
