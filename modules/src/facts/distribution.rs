//! Which distribution, by os-release and the older release files.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Facts, file};
use crate::context::Context;

/// `ID` of os-release, Ansible's name, its family, the file's variety.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("debian", "Debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian", "Debian"),
    ("raspbian", "Debian", "Debian", "Debian"),
    ("linuxmint", "Linux Mint", "Debian", "Debian"),
    ("kali", "Kali", "Debian", "Debian"),
    ("devuan", "Devuan", "Debian", "Debian"),
    ("pop", "Pop!_OS", "Debian", "Debian"),
    ("rhel", "RedHat", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat", "CentOS"),
    ("fedora", "Fedora", "RedHat", "RedHat"),
    ("rocky", "Rocky", "RedHat", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat", "RedHat"),
    ("ol", "OracleLinux", "RedHat", "OracleLinux"),
    ("amzn", "Amazon", "RedHat", "Amazon"),
    ("opensuse-leap", "openSUSE Leap", "Suse", "SUSE"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse", "SUSE"),
    ("sles", "SLES", "Suse", "SUSE"),
    ("sled", "SLED", "Suse", "SUSE"),
    ("alpine", "Alpine", "Alpine", "Alpine"),
    ("arch", "Archlinux", "Archlinux", "Archlinux"),
    ("manjaro", "Manjaro", "Archlinux", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo", "Gentoo"),
    ("flatcar", "Flatcar", "Flatcar", "Flatcar"),
    ("coreos", "Coreos", "Coreos", "Coreos"),
    ("clear-linux-os", "Clear Linux OS", "ClearLinux", "ClearLinux"),
    ("openwrt", "OpenWrt", "OpenWrt", "OpenWrt"),
    ("void", "Void", "Void", "NA"),
    ("nixos", "NixOS", "NixOS", "NA"),
];

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let (path, text) =
        ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| file(cx, path).map(|text| (*path, text))).unwrap_or(("", String::new()));
    let release = variables(&text);
    let get = |key: &str| release.get(key).cloned().unwrap_or_default();
    let id = get("ID");
    let like = get("ID_LIKE");
    let by_id = |id: &str| KNOWN.iter().find(|row| row.0 == id);
    let by_like = || like.split_whitespace().find_map(by_id);
    let (name, family, variety) = match by_id(&id) {
        Some((_, name, family, variety)) => ((*name).to_owned(), *family, *variety),
        None => {
            let name = get("NAME").split_whitespace().next().unwrap_or("Linux").to_owned();
            by_like().map_or((name.clone(), "Linux", "NA"), |row| (name, row.2, row.3))
        }
    };
    let version = version(cx, &id, &get("VERSION_ID"));
    let codename = codename(&id, &get("VERSION_CODENAME"), &get("VERSION"));
    let mut parts = version.split('.');
    let mut put = |key: &str, value: serde_json::Value| drop(facts.insert(key.to_owned(), value));
    put("distribution", json!(name));
    put("distribution_release", json!(if codename.is_empty() { "NA".to_owned() } else { codename }));
    put("distribution_version", json!(version));
    put("distribution_major_version", json!(parts.next().filter(|part| !part.is_empty()).unwrap_or("NA")));
    if let Some(minor) = parts.next() {
        put("distribution_minor_version", json!(minor));
    }
    if !path.is_empty() {
        put("distribution_file_parsed", json!(true));
        put("distribution_file_path", json!(path));
        put("distribution_file_variety", json!(variety));
    }
    put("os_family", json!(family));
}

/// The version, where a distribution keeps the exact one elsewhere.
fn version(cx: &Context<'_>, id: &str, given: &str) -> String {
    let exact = match id {
        "debian" | "raspbian" => file(cx, "/etc/debian_version").filter(|text| text.starts_with(|c: char| c.is_ascii_digit())),
        "alpine" => file(cx, "/etc/alpine-release"),
        "centos" => file(cx, "/etc/centos-release")
            .and_then(|text| text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)),
        "arch" => Some("rolling".to_owned()),
        _ => None,
    };
    exact.unwrap_or_else(|| if given.is_empty() { "NA".to_owned() } else { given.to_owned() })
}

/// The code name; in parentheses where there is no variable for it.
fn codename(id: &str, given: &str, version: &str) -> String {
    if !given.is_empty() {
        return given.to_owned();
    }
    if id == "centos" && !version.contains('(') {
        return "Stream".to_owned();
    }
    let inside = version.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(name, _)| name);
    inside.unwrap_or_default().to_owned()
}

/// `KEY=value` lines with shell quotes.
pub(super) fn variables(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.trim().split_once('='));
    pairs
        .filter(|(key, _)| !key.starts_with('#'))
        .map(|(key, value)| {
            let words = crate::shell_words::split(value).unwrap_or_default();
            (key.to_owned(), words.into_iter().next().unwrap_or_default())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_files() {
        let map = variables("NAME=\"Debian GNU/Linux\"\nID=debian\n# x=y\nVERSION='12 (bookworm)'\n");
        assert_eq!(map["NAME"], "Debian GNU/Linux");
        assert_eq!(map["ID"], "debian");
        assert_eq!(map.len(), 3);
        assert_eq!(codename("rhel", "", "9.3 (Plow)"), "Plow");
        assert_eq!(codename("debian", "bookworm", "12 (bookworm)"), "bookworm");
    }
}
