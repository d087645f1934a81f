//! Inventories that a program prints as JSON: `--list`, and `--host NAME` where the list has no `_meta`.

use std::path::Path;
use std::process::Command;

use indexmap::IndexSet;

use super::build::Builder;
use super::data::ALL;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::yaml::{self, Kind, Node, Pair};

/// Runs the program and reads what it prints into the builder.
pub(super) fn read(path: &Path, build: &mut Builder) -> Result<(), Diagnostic> {
    let root = run(path, &["--list"])?;
    let Some(groups) = root.as_map() else {
        return Err(Diagnostic::error(format!("Value is '{}' instead of 'dict'.", root.type_name())).at(&root.span));
    };
    let meta = hostvars(&root)?;
    let mut hosts = IndexSet::new();
    for pair in groups.iter().filter(|pair| pair.key.as_str() != Some("_meta")) {
        group(pair, &mut hosts, build)?;
    }
    if meta.is_none() {
        build.warn(Diagnostic::warning("Inventory scripts should always provide 'meta.hostvars'. Host variables will be collected by running the inventory script with the '--host' option for each host.").at(&root.span));
    }
    for host in hosts {
        let name = build.data.hosts[host].name.clone();
        let vars = match meta {
            Some(meta) => meta.get(&name).cloned(),
            None => Some(run(path, &["--host", &name])?),
        };
        for pair in vars.iter().filter_map(Node::as_map).flatten() {
            build.host_var(host, &pair.key.to_value().to_string(), pair.value.clone(), &pair.key.span);
        }
    }
    Ok(())
}

fn hostvars(root: &Node) -> Result<Option<&Node>, Diagnostic> {
    let Some(meta) = root.get("_meta") else { return Ok(None) };
    let Some(vars) = meta.get("hostvars") else {
        return Err(Diagnostic::error("Value contains '_meta.hostvars' which is 'NoneType' instead of 'dict'.").at(&meta.span));
    };
    if vars.as_map().is_none() {
        return Err(Diagnostic::error(format!("Value contains '_meta.hostvars' which is '{}' instead of 'dict'.", vars.type_name())).at(&vars.span));
    }
    Ok(Some(vars))
}

fn group(pair: &Pair, hosts: &mut IndexSet<usize>, build: &mut Builder) -> Result<(), Diagnostic> {
    let name = pair.key.to_value().to_string();
    let group = build.group(&name, &pair.key.span)?;
    let wrong = |what: &str, node: &Node, wanted: &str| {
        Diagnostic::error(format!("Value contains '{name}.{what}' which is '{}' instead of '{wanted}'.", node.type_name())).at(&node.span)
    };
    let Some(sections) = pair.value.as_map() else {
        let Some(names) = pair.value.as_list() else { return Err(wrong("hosts", &pair.value, "list")) };
        return members(names, group, hosts, build);
    };
    if !sections.iter().any(|s| matches!(s.key.as_str(), Some("hosts" | "vars" | "children"))) {
        // an old form: the group's name is also its only host, and this its variables
        hosts.insert(build.host(&name, group, None, &pair.key.span)?);
        return sections.iter().try_for_each(|var| build.group_var(group, &var.key.to_value().to_string(), var.value.clone(), &var.key.span));
    }
    if let Some(node) = pair.value.get("hosts") {
        members(node.as_list().ok_or_else(|| wrong("hosts", node, "list"))?, group, hosts, build)?;
    }
    if let Some(node) = pair.value.get("vars") {
        for var in node.as_map().ok_or_else(|| wrong("vars", node, "dict"))? {
            build.group_var(group, &var.key.to_value().to_string(), var.value.clone(), &var.key.span)?;
        }
    }
    if let Some(node) = pair.value.get("children") {
        for child in node.as_list().ok_or_else(|| wrong("children", node, "list"))? {
            let number = build.group(&child.to_value().to_string(), &child.span)?;
            build.data.add_child(group, number).map_err(|error| error.at(&child.span))?;
        }
    }
    Ok(())
}

fn members(names: &[Node], group: usize, hosts: &mut IndexSet<usize>, build: &mut Builder) -> Result<(), Diagnostic> {
    for name in names {
        let text = name
            .as_str()
            .ok_or_else(|| Diagnostic::error(format!("Invalid host name supplied, expected a string but got {}", name.type_name())).at(&name.span))?;
        hosts.insert(build.host(text, group, None, &name.span)?);
    }
    Ok(())
}

/// What the program prints, as a node; nothing is an empty dictionary.
fn run(path: &Path, arguments: &[&str]) -> Result<Node, Diagnostic> {
    let shown = path.display();
    let output = Command::new(path)
        .args(arguments)
        .output()
        .map_err(|e| Diagnostic::error(format!("Failed to execute inventory script command '{shown} {}': {e}", arguments.join(" "))))?;
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_string();
    let explain = |error: Diagnostic| if stderr.is_empty() { error } else { error.note(format!("standard error from inventory script: {stderr}")) };
    if !output.status.success() {
        let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
        return Err(explain(Diagnostic::error(format!("Inventory script returned non-zero exit code {code}."))));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| explain(Diagnostic::error("Inventory script result contained characters that cannot be interpreted as UTF-8.")))?;
    let source = Source::new(format!("{shown} {}", arguments.join(" ")), text);
    if arguments[0] == "--host" && source.text.trim().is_empty() {
        return Ok(Node { kind: Kind::Map(std::sync::Arc::default()), span: Span::new(&source, 0, 0) });
    }
    let json = serde_json::from_str::<serde_json::Value>(&source.text);
    json.map_err(|e| {
        explain(Diagnostic::error(format!("Inventory script result could not be parsed as JSON: {e}")).at(&Span::new(
            &source,
            source.offset(e.line(), e.column()),
            source.offset(e.line(), e.column()),
        )))
    })?;
    Ok(yaml::load(&source, &yaml::Options::default())?.node)
}

/// A list of hosts on the command line: `web1,web2:2222,`.
pub(super) fn read_list(list: &str, build: &mut Builder) -> Result<(), Diagnostic> {
    let span = Span::synthetic("<inventory>", list);
    let ungrouped = build.data.add_group("ungrouped");
    debug_assert_ne!(ungrouped, ALL);
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, port) = super::parse_address(entry).filter(|(name, _)| !name.contains('[')).unwrap_or((entry, None));
        if !build.data.hosts.contains_key(name) {
            build.host(name, ungrouped, port, &span)?;
        }
    }
    Ok(())
}
