//! What kind of machine: kernel, architecture, names, machine id.

use serde_json::json;

use super::{Facts, file};
use crate::context::Context;
use crate::program::Program;

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let uname = rustix::system::uname();
    let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let (node, machine) = (text(uname.nodename()), text(uname.machine()));
    let mut put = |key: &str, value: serde_json::Value| drop(facts.insert(key.to_owned(), value));
    put("system", json!(text(uname.sysname())));
    put("kernel", json!(text(uname.release())));
    put("kernel_version", json!(text(uname.version())));
    put("machine", json!(machine));
    put("nodename", json!(node));
    put("hostname", json!(node.split('.').next().unwrap_or_default()));
    let fqdn = full_name(cx, &node);
    put("domain", json!(fqdn.split_once('.').map_or("", |(_, domain)| domain)));
    put("fqdn", json!(fqdn));
    let bits = if cfg!(target_pointer_width = "64") { "64" } else { "32" };
    let small = matches!(machine.as_str(), "i386" | "i486" | "i586" | "i686");
    let architecture = if small { "i386".to_owned() } else { machine.clone() };
    put("userspace_bits", json!(bits));
    put("userspace_architecture", json!(if machine == "x86_64" && bits == "32" { "i386".to_owned() } else { architecture.clone() }));
    put("architecture", json!(architecture));
    if let Some(id) = file(cx, "/var/lib/dbus/machine-id").or_else(|| file(cx, "/etc/machine-id")) {
        put("machine_id", json!(id));
    }
}

/// The full name as Python's `getfqdn`: by /etc/hosts, else by the name service.
pub(super) fn full_name(cx: &Context<'_>, node: &str) -> String {
    let hosts = file(cx, "/etc/hosts").unwrap_or_default();
    if let Some(name) = name_in(&hosts, node) {
        return name;
    }
    if node.contains('.') {
        return node.to_owned();
    }
    let answer = cx.find_program("getent").and_then(|getent| cx.probe(&Program::new([getent]).args(["hosts", node])).ok());
    answer.filter(|run| run.ok()).and_then(|run| name_in(&run.out(), node)).unwrap_or_else(|| node.to_owned())
}

/// The first name with a dot on the line that has the name, else the line's first name.
fn name_in(hosts: &str, node: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let names: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().skip(1).collect();
        if !names.contains(&node) {
            return None;
        }
        names.iter().find(|name| name.contains('.')).or(names.first()).map(|name| (*name).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1 vm.example.org vm # me\n";
        assert_eq!(name_in(hosts, "vm").as_deref(), Some("vm.example.org"));
        assert_eq!(name_in("127.0.0.1 localhost vm\n", "vm").as_deref(), Some("localhost"));
        assert_eq!(name_in(hosts, "other"), None);
    }
}
