//! What `ansible-inventory` prints: the whole as JSON or YAML, one host, the tree of groups.

use std::collections::HashSet;
use std::sync::Arc;

use super::data::Vars;
use super::{Group, HostName, Inventory, VarFiles};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Key, Value, text, to_json};
use crate::yaml::{self, Kind, Node};

/// What to show, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Show<'a> {
    /// Variables stay where they are defined (`--export`), instead of with every host.
    pub export: bool,
    /// Only these hosts (`--limit`).
    pub limit: Option<&'a str>,
    /// Variables beside a playbook (`--playbook-dir`).
    pub play: Option<&'a VarFiles>,
    /// Variables of the command line (`--extra-vars`), over those of every host; not with `export`.
    pub extra: Option<&'a Vars>,
}

/// How text that is no template, and encrypted text, is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Both as dictionaries with one telling key.
    Both,
    /// Only encrypted text.
    Vault,
    /// Encrypted text as a word that YAML's `!vault` is put in place of.
    Yaml,
}

impl Inventory {
    /// `ansible-inventory --list`: JSON as an inventory script prints it.
    ///
    /// # Errors
    /// A file with variables or the limit cannot be read.
    pub fn list_json(&self, show: Show) -> Result<String, Diagnostic> {
        let hosts = self.select("all", show.limit)?.0;
        let available: HashSet<&HostName> = hosts.iter().collect();
        let mut listed = Dict::new();
        if let Some(all) = self.group("all") {
            self.add_group_json(all, &available, show, &mut listed)?;
        }
        let mut hostvars = Dict::new();
        for host in &hosts {
            let vars = self.shown_host(host, show, Marks::Both)?;
            if !vars.is_empty() {
                hostvars.insert(Key::Str(host.clone()), Value::dict(vars));
            }
        }
        let meta: Dict = [("hostvars".into(), Value::dict(hostvars)), ("profile".into(), "inventory_legacy".into())].into_iter().collect();
        listed.insert("_meta".into(), Value::dict(meta));
        Ok(json(&Value::dict(listed)))
    }

    /// `ansible-inventory --list --yaml`: a YAML inventory.
    ///
    /// # Errors
    /// As [`Inventory::list_json`].
    pub fn list_yaml(&self, show: Show) -> Result<String, Diagnostic> {
        let hosts = self.select("all", show.limit)?.0;
        let mut tree = Tree { inventory: self, available: hosts.iter().collect(), show, groups: HashSet::new(), hosts: HashSet::new(), vaults: Vec::new() };
        let mut out = Dict::new();
        if let Some(all) = self.group("all") {
            tree.add(all, &mut out)?;
        }
        let vaults = tree.vaults;
        to_yaml(&Value::dict(out), &vaults)
    }

    /// `ansible-inventory --host`: the variables of one host as JSON.
    ///
    /// # Errors
    /// The pattern is not exactly one host; as [`Inventory::list_json`].
    pub fn host_json(&self, pattern: &str, show: Show) -> Result<String, Diagnostic> {
        let vars = self.shown_host(&self.only_host(pattern)?, show, Marks::Vault)?;
        Ok(json(&Value::dict(vars)))
    }

    /// `ansible-inventory --host --yaml`: the variables of one host as YAML.
    ///
    /// # Errors
    /// As [`Inventory::host_json`].
    pub fn host_yaml(&self, pattern: &str, show: Show) -> Result<String, Diagnostic> {
        let mut vaults = Vec::new();
        let vars = self.host_variables(&self.only_host(pattern)?, show)?;
        let vars = marked_vars(&vars, Marks::Yaml, &mut vaults);
        to_yaml(&Value::dict(vars), &vaults)
    }

    /// `ansible-inventory --graph`: the tree of groups and hosts below a group, with variables when asked.
    ///
    /// # Errors
    /// There is no such group; as [`Inventory::list_json`].
    pub fn graph(&self, group: &str, vars: bool, show: Show) -> Result<String, Diagnostic> {
        let group = self
            .group(group)
            .ok_or_else(|| Diagnostic::error("Pattern must be valid group name when using --graph").did_you_mean(group, self.groups().map(|g| &*g.name)))?;
        let mut lines = Vec::new();
        self.graph_group(group, 0, vars, show, &mut lines)?;
        Ok(lines.join("\n") + "\n")
    }

    fn graph_group(&self, group: &Group, depth: usize, vars: bool, show: Show, lines: &mut Vec<String>) -> Result<(), Diagnostic> {
        lines.push(branch(&format!("@{}:", group.name), depth));
        let (children, hosts) = self.direct(group);
        for child in children.iter().filter_map(|child| self.group(child)) {
            self.graph_group(child, depth + 1, vars, show, lines)?;
        }
        for host in hosts.iter().filter(|_| &*group.name != "all") {
            lines.push(branch(host, depth + 1));
            if vars {
                lines.extend(graph_vars(&self.host_variables(host, show)?, depth + 2));
            }
        }
        if vars {
            lines.extend(graph_vars(&self.group_variables(group, show)?, depth + 1));
        }
        Ok(())
    }

    fn only_host(&self, pattern: &str) -> Result<HostName, Diagnostic> {
        match self.select(pattern, None)?.0.as_slice() {
            [host] => Ok(host.clone()),
            _ => Err(Diagnostic::error("You must pass a single valid host to --host parameter")),
        }
    }

    fn add_group_json(&self, group: &Group, available: &HashSet<&HostName>, show: Show, listed: &mut Dict) -> Result<(), Diagnostic> {
        let (children, hosts) = self.direct(group);
        let names = |names: Vec<Arc<str>>| Value::list(names.into_iter().map(Value::Str).collect());
        let mut body = Dict::new();
        if &*group.name != "all" {
            body.insert("hosts".into(), names(hosts.into_iter().filter(|host| available.contains(host)).collect()));
        }
        body.insert("children".into(), names(children.clone()));
        if show.export {
            let vars = self.group_variables(group, show)?;
            body.insert("vars".into(), Value::dict(marked_vars(&vars, Marks::Both, &mut Vec::new())));
        }
        body.retain(|_, value| value.is_true());
        if !body.is_empty() {
            listed.insert(Key::Str(group.name.clone()), Value::dict(body));
        }
        for child in children.iter().filter_map(|child| self.group(child)) {
            if !listed.contains_key(&*child.name) {
                self.add_group_json(child, available, show, listed)?;
            }
        }
        Ok(())
    }

    fn shown_host(&self, host: &str, show: Show, marks: Marks) -> Result<Dict, Diagnostic> {
        Ok(marked_vars(&self.host_variables(host, show)?, marks, &mut Vec::new()))
    }

    fn host_variables(&self, host: &str, show: Show) -> Result<Vars, Diagnostic> {
        if !show.export {
            let mut vars = self.variables(host, show.play)?;
            if let Some(extra) = show.extra {
                self.lay_over(&mut vars, extra);
            }
            return Ok(vars);
        }
        let mut vars = self.host(host).map(|host| (*host.vars).clone()).unwrap_or_default();
        for files in self.adjacent().iter().chain(show.play) {
            self.lay_over(&mut vars, &*files.for_host(host)?);
        }
        Ok(vars)
    }

    fn group_variables(&self, group: &Group, show: Show) -> Result<Vars, Diagnostic> {
        let mut vars = (*group.vars).clone();
        for files in self.adjacent().iter().chain(show.play) {
            self.lay_over(&mut vars, &*files.for_group(&group.name)?);
        }
        if group.priority != 1 {
            let priority = group.priority.to_string();
            let span = crate::source::Span::synthetic("<inventory>", &priority);
            vars.insert("ansible_group_priority".into(), Node { kind: Kind::Scalar(Value::Int(group.priority.into())), span });
        }
        Ok(vars)
    }
}

/// The groups of a YAML inventory, each written out once.
struct Tree<'a> {
    inventory: &'a Inventory,
    available: HashSet<&'a HostName>,
    show: Show<'a>,
    groups: HashSet<Arc<str>>,
    hosts: HashSet<HostName>,
    vaults: Vec<Arc<str>>,
}

impl Tree<'_> {
    fn add(&mut self, group: &Group, out: &mut Dict) -> Result<(), Diagnostic> {
        let (children, hosts) = self.inventory.direct(group);
        let mut below = Dict::new();
        for child in children.iter().filter_map(|child| self.inventory.group(child)) {
            if self.groups.contains(&child.name) {
                below.insert(Key::Str(child.name.clone()), Value::dict(Dict::new()));
            } else {
                self.add(child, &mut below)?;
                self.groups.insert(child.name.clone());
            }
        }
        let mut members = Dict::new();
        for host in hosts.into_iter().filter(|_| &*group.name != "all") {
            if self.available.contains(&host) {
                let vars = if self.hosts.insert(host.clone()) { self.inventory.host_variables(&host, self.show)? } else { Vars::new() };
                members.insert(Key::Str(host), Value::dict(marked_vars(&vars, Marks::Yaml, &mut self.vaults)));
            }
        }
        let vars = if self.show.export { self.inventory.group_variables(group, self.show)? } else { Vars::new() };
        let vars = marked_vars(&vars, Marks::Yaml, &mut self.vaults);
        let body: Dict = [("children", below), ("hosts", members), ("vars", vars)]
            .into_iter()
            .filter(|(_, dict)| !dict.is_empty())
            .map(|(key, dict)| (key.into(), Value::dict(dict)))
            .collect();
        if !body.is_empty() {
            out.insert(Key::Str(group.name.clone()), Value::dict(body));
        }
        Ok(())
    }
}

fn branch(name: &str, depth: usize) -> String {
    if depth == 0 { name.to_string() } else { format!("{}--{name}", "  |".repeat(depth)) }
}

fn graph_vars(vars: &Vars, depth: usize) -> Vec<String> {
    let mut sorted: Vec<_> = vars.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    sorted.into_iter().map(|(name, value)| branch(&format!("{{{name} = {}}}", text(&value.to_value())), depth)).collect()
}

fn marked_vars(vars: &Vars, marks: Marks, vaults: &mut Vec<Arc<str>>) -> Dict {
    vars.iter().map(|(name, value)| (Key::Str(name.clone()), marked(value, marks, vaults))).collect()
}

fn marked(node: &Node, marks: Marks, vaults: &mut Vec<Arc<str>>) -> Value {
    let telling = |key: &str, text: &Arc<str>| Value::dict([(key.into(), Value::Str(text.clone()))].into_iter().collect());
    match &node.kind {
        Kind::Unsafe(text) if marks == Marks::Both => telling("__ansible_unsafe", text),
        Kind::Vault(text) if marks != Marks::Yaml => telling("__ansible_vault", text),
        Kind::Vault(text) => {
            vaults.push(text.clone());
            Value::from(vault_word(vaults.len() - 1))
        }
        Kind::List(items) => Value::list(items.iter().map(|item| marked(item, marks, vaults)).collect()),
        Kind::Map(pairs) => Value::dict(pairs.iter().map(|pair| (pair.key.to_key(), marked(&pair.value, marks, vaults))).collect()),
        Kind::Text(..) | Kind::Unsafe(_) | Kind::Scalar(_) => node.to_value(),
    }
}

/// A word that no inventory holds, for the writer of YAML to carry.
fn vault_word(number: usize) -> String {
    format!("rplay_vault_in_place_{number}_of")
}

fn to_yaml(value: &Value, vaults: &[Arc<str>]) -> Result<String, Diagnostic> {
    let mut out = yaml::dump(value, &yaml::DumpOptions { default_flow_style: Some(false), ..yaml::DumpOptions::default() })
        .map_err(|fault| Diagnostic::error(fault.message))?;
    for (number, vault) in vaults.iter().enumerate() {
        let word = vault_word(number);
        let Some(at) = out.find(&word) else { continue };
        let line = out[..at].rfind('\n').map_or(0, |end| end + 1);
        let indent = out[line..at].find(|c| c != ' ').unwrap_or(0) + 2;
        let lines: String = vault.lines().map(|line| format!("\n{}{line}", " ".repeat(indent))).collect();
        out.replace_range(at..at + word.len(), &format!("!vault |{lines}"));
    }
    Ok(out)
}

/// JSON as Python's `json.dumps(sort_keys=True, indent=4)` writes it.
fn json(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // a value in memory is always written
    let _ = serde::Serialize::serialize(&sorted(to_json(value)), &mut serializer);
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

fn sorted(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
