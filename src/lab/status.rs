//! What runs: a table for people, JSON for programs.

use serde_json::{Value, json};

use super::base::disk;
use super::description::Lab;
use super::host::greets;
use super::preflight::is_root;
use super::record::StateDir;

/// One host's row.
struct Row {
    name: String,
    address: String,
    kind: String,
    state: &'static str,
    init: Option<u32>,
    disk: String,
}

fn rows(lab: &Lab, state: &StateDir) -> Vec<Row> {
    let row = |host: &super::description::Host| {
        let run = state.run(&host.name).filter(super::record::Run::alive);
        Row {
            name: host.name.clone(),
            address: host.address.to_string(),
            kind: format!("{} {}", host.kind.word(), host.distribution),
            state: match run {
                None => "down",
                Some(_) if greets(host) => "up",
                Some(_) => "no sshd",
            },
            init: run.map(|run| run.init),
            disk: if is_root() && state.host(&host.name).is_dir() { disk(&state.host(&host.name)) } else { "-".into() },
        }
    };
    lab.hosts.iter().map(row).collect()
}

/// The table.
pub(crate) fn table(lab: &Lab, state: &StateDir) -> String {
    let mut text = format!("lab {}: {} on bridge {}, files in {}\n", lab.id, lab.subnet, lab.bridge, state.path().display());
    text += &format!("{:<18} {:<15} {:<18} {:<8} {:>8} {:>8}\n", "HOST", "ADDRESS", "KIND", "STATE", "INIT", "DISK");
    for row in rows(lab, state) {
        let init = row.init.map_or_else(|| "-".into(), |init| init.to_string());
        text += &format!("{:<18} {:<15} {:<18} {:<8} {init:>8} {:>8}\n", row.name, row.address, row.kind, row.state, row.disk);
    }
    text
}

/// The same for programs.
pub(crate) fn json(lab: &Lab, state: &StateDir) -> Value {
    let hosts: Vec<Value> =
        rows(lab, state).iter().map(|row| json!({"name": row.name, "address": row.address, "kind": row.kind, "state": row.state, "init": row.init})).collect();
    json!({
        "id": lab.id, "subnet": lab.subnet.to_string(), "bridge": lab.bridge, "dir": state.path(), "key": state.key(),
        "known_hosts": state.known_hosts(), "ssh_config": state.ssh_config(), "inventory": state.inventory(), "hosts": hosts,
    })
}
