//! When a name that nobody knows is a known one misspelled, and when it may be a module that we merely lack.

use crate::diagnostic::closest;

use super::keywords::{self, HANDLER, TASK};
use super::names::short_name;

/// Names that exist, in ansible.builtin or by their short name of old in a collection, and are near to others.
const REAL: [&str; 80] = [
    "add_host",
    "apk",
    "apt",
    "apt_key",
    "apt_repository",
    "archive",
    "assemble",
    "assert",
    "async_status",
    "at",
    "blockinfile",
    "ce_command",
    "ce_reboot",
    "command",
    "copy",
    "cron",
    "cs_template",
    "deb822_repository",
    "debconf",
    "debug",
    "dnf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "fail",
    "fetch",
    "file",
    "find",
    "gather_facts",
    "get_url",
    "getent",
    "git",
    "group",
    "group_by",
    "hostname",
    "iptables",
    "known_hosts",
    "lineinfile",
    "mail",
    "meta",
    "mount_facts",
    "package",
    "package_facts",
    "pause",
    "ping",
    "pip",
    "raw",
    "rax",
    "reboot",
    "replace",
    "rhsm_repository",
    "rpm_key",
    "script",
    "seport",
    "service",
    "service_facts",
    "set_fact",
    "set_stats",
    "setup",
    "shell",
    "slurp",
    "stat",
    "subversion",
    "systemd",
    "systemd_service",
    "sysvinit",
    "tempfile",
    "template",
    "unarchive",
    "uri",
    "user",
    "validate_argument_spec",
    "vertica_facts",
    "wait_for",
    "wait_for_connection",
    "yum",
    "yum_repository",
    "include_vars",
    "include_tasks",
    "include_role",
];

/// Shorter names are too often near to one another.
const LONG_ENOUGH: usize = 6;

/// The known name that `name` was meant to be. `known` are modules, qualified ones.
pub(super) fn meant(name: &str, known: &[&str]) -> Option<String> {
    match name.rsplit_once('.') {
        Some((collection, short)) => qualified(collection, short, known),
        None => unqualified(name, known),
    }
}

fn unqualified(name: &str, known: &[&str]) -> Option<String> {
    if REAL.contains(&name) {
        return None;
    }
    let builtin = known.iter().map(|known| short_name(known)).filter(|short| !short.contains('.'));
    let others = known.iter().filter_map(|known| known.rsplit_once('.')).map(|(_, short)| short);
    let near = closest(name, builtin).or_else(|| others.into_iter().find(|other| is_slip(name, other)));
    near.or_else(|| closest(name, keywords::names(TASK | HANDLER))).map(str::to_string)
}

fn qualified(collection: &str, short: &str, known: &[&str]) -> Option<String> {
    let is_builtin = matches!(collection, "ansible.builtin" | "ansible.legacy");
    if is_builtin && REAL.contains(&short) {
        return None;
    }
    let mut parts = known.iter().filter_map(|known| known.rsplit_once('.'));
    let near = if is_builtin {
        closest(short, known.iter().map(|known| short_name(known)).filter(|short| !short.contains('.')))
    } else {
        parts.clone().filter(|(other, _)| *other == collection).map(|(_, other)| other).find(|other| is_slip(short, other))
    };
    if let Some(near) = near {
        return Some(format!("{collection}.{near}"));
    }
    let (other, _) = parts.find(|(other, same)| *same == short && is_slip(collection, other))?;
    Some(format!("{other}.{short}"))
}

/// One letter too many, too few, wrong, or two swapped.
fn is_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a == b || a.len().min(b.len()) < LONG_ENOUGH {
        return false;
    }
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    match (&a[head..a.len() - tail], &b[head..b.len() - tail]) {
        ([_], []) | ([], [_]) | ([_], [_]) => true,
        ([x, y], [p, q]) => x == q && y == p,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_modules_left_alone() {
        let known = [
            "ansible.builtin.command",
            "ansible.builtin.unarchive",
            "ansible.builtin.fail",
            "ansible.builtin.dnf",
            "community.docker.docker_container",
            "ansible.posix.synchronize",
        ];
        for (name, near) in [
            ("comand", Some("command")),
            ("ansible.builtin.comand", Some("ansible.builtin.command")),
            ("anisble.builtin.command", Some("ansible.builtin.command")),
            ("archive", None),
            ("mail", None),
            ("ansible.builtin.dnf5", None),
            ("synchronise", Some("synchronize")),
            ("community.docker.docker_contaner", Some("community.docker.docker_container")),
            ("community.docker.docker_network", None),
            ("wehn", Some("when")),
            ("kube", None),
        ] {
            assert_eq!(meant(name, &known).as_deref(), near, "{name}");
        }
    }
}
