//! A scenario's settings: defaults, base files and `molecule.yml` merged, as plain data and as what the rest asks for.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::failure::{Complaint, Failure, Result};
use crate::{interpolate, node, schema, validate};

/// One host of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Platform {
    /// Its name in the inventory.
    pub name: String,
    /// Its groups; none means `ungrouped`.
    pub groups: Vec<String>,
    /// Groups below each of its groups.
    pub children: Vec<String>,
    /// Everything that is written about it.
    pub data: Map<String, Value>,
}

impl Platform {
    /// A text about it.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key).and_then(Value::as_str)
    }
}

/// The merged configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// All of it, as `MOLECULE_FILE` shows it.
    pub data: Value,
    /// The driver's name where a file gives one.
    pub driver: Option<String>,
}

/// A text to read settings from, with the name it has in complaints.
#[derive(Debug, Clone)]
pub struct Written<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its text.
    pub text: &'a str,
}

/// The settings, and what is to be said of the files.
pub type Loaded = (Config, Vec<Complaint>);

/// Merges files over the defaults; later ones win, mappings are merged deeply, anything else is replaced.
pub fn load(files: &[Written], scenario: &str, env: &BTreeMap<String, String>, keep: Option<&str>) -> Result<Loaded> {
    let (mut user, mut warnings, mut complaints) = (json!({}), Vec::new(), Vec::new());
    for written in files {
        let text = interpolate::file(written.text, written.file, env, keep)?;
        let node = node::read(&text, written.file)?;
        let mut found = validate::check(&node, &schema::ROOT, written.file);
        legacy(&node, written.file, &mut found.warnings);
        warnings.append(&mut found.warnings);
        complaints.append(&mut found.complaints);
        user = merge(user, node.to_value());
    }
    if !complaints.is_empty() {
        return Err(Failure { complaints, code: crate::failure::code::FAILED });
    }
    let driver = user.pointer("/driver/name").and_then(Value::as_str).map(str::to_string);
    let mut data = merge(defaults(), migrate(user));
    if data.pointer("/scenario/name").and_then(Value::as_str).is_none() {
        data["scenario"]["name"] = Value::from(scenario);
    }
    Ok((Config { data, driver }, warnings))
}

/// What Molecule reads and does not use.
fn legacy(node: &node::Node, file: &Path, warnings: &mut Vec<Complaint>) {
    let scenario = node.get("scenario").and_then(node::Node::pairs).unwrap_or_default();
    for (key, _) in scenario {
        let name = key.text().unwrap_or_default();
        let fixed = name.strip_suffix("_sequence").is_some_and(|command| crate::sequence::FIXED.iter().any(|(fixed, _)| *fixed == command));
        if fixed {
            warnings.push(Complaint::at(key.place(file), format!("scenario.{name} is read and never used: this command is always one step")));
        }
    }
    if let Some((key, _)) = node.pairs().unwrap_or_default().iter().find(|(key, _)| key.text().as_deref() == Some("lint")) {
        warnings
            .push(Complaint::at(key.place(file), "`lint` has had no meaning since Molecule 5").help("put the step `lint` into a sequence for ansible-lint"));
    }
}

/// One mapping over another.
pub fn merge(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(old) if old.is_object() && value.is_object() => *old = merge(old.take(), value),
                    Some(old) => *old = value,
                    None => {
                        below.insert(key, value);
                    }
                }
            }
            Value::Object(below)
        }
        (_, above) => above,
    }
}

/// The four keys that moved from `provisioner` to `ansible`.
fn migrate(mut user: Value) -> Value {
    let Some(provisioner) = user.get_mut("provisioner").and_then(Value::as_object_mut) else { return user };
    let moved = [
        ("ansible_args", vec!["executor", "args", "ansible_playbook"]),
        ("config_options", vec!["cfg"]),
        ("env", vec!["env"]),
        ("playbooks", vec!["playbooks"]),
    ];
    let moved: Vec<_> = moved.into_iter().filter_map(|(key, path)| Some((path, provisioner.shift_remove(key)?))).collect();
    for (path, value) in moved {
        let mut place = &mut user["ansible"];
        for part in path {
            place = &mut place[part];
        }
        *place = value;
    }
    user
}

/// What holds where nothing is written.
pub fn defaults() -> Value {
    let playbooks: Map<String, Value> = ["cleanup", "create", "converge", "destroy", "prepare", "side_effect", "verify"]
        .into_iter()
        .map(|name| (name.to_string(), Value::from(format!("{name}.yml"))))
        .collect();
    let sequences = crate::sequence::DEFAULTS.iter().map(|(name, steps)| {
        let steps: Vec<&str> = steps.iter().map(|step| step.name()).collect();
        (format!("{name}_sequence"), json!(steps))
    });
    let mut scenario = json!({"name": null});
    scenario.as_object_mut().into_iter().for_each(|map| map.extend(sequences.clone()));
    json!({
        "ansible": {
            "cfg": {},
            "executor": {"backend": "ansible-playbook", "args": {"ansible_navigator": [], "ansible_playbook": []}},
            "env": {},
            "playbooks": playbooks,
        },
        "dependency": {"name": "galaxy", "command": null, "enabled": true, "options": {}, "env": {}},
        "driver": {"name": "default", "provider": {"name": null}, "options": {"managed": true}, "ssh_connection_options": [], "safe_files": []},
        "platforms": [],
        "prerun": true,
        "role_name_check": 0,
        "shared_state": false,
        "provisioner": {
            "name": "ansible",
            "connection_options": {},
            "options": {},
            "inventory": {"hosts": {}, "host_vars": {}, "group_vars": {}, "links": {}},
            "children": {},
            "log": true,
        },
        "scenario": scenario,
        "verifier": {"name": "ansible", "enabled": true, "options": {}, "env": {}, "additional_files_or_dirs": []},
    })
}

impl Config {
    /// A value by its path, `/ansible/cfg` for example.
    pub fn at(&self, path: &str) -> Option<&Value> {
        self.data.pointer(path).filter(|value| !value.is_null())
    }

    /// A text by its path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).and_then(Value::as_str)
    }

    /// A boolean by its path; false where there is none.
    pub fn flag(&self, path: &str) -> bool {
        self.at(path).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A mapping by its path; empty where there is none.
    pub fn map(&self, path: &str) -> Map<String, Value> {
        self.at(path).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// A list of texts by its path.
    pub fn texts(&self, path: &str) -> Vec<String> {
        texts(self.at(path))
    }

    /// A mapping as environment variables: values as Python's `str` shows them.
    pub fn env(&self, path: &str) -> BTreeMap<String, String> {
        self.map(path).iter().map(|(name, value)| (name.clone(), node::text(value))).collect()
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        self.text("/scenario/name").unwrap_or("default")
    }

    /// Whether it works in the hosts of the default scenario.
    pub fn shared_state(&self) -> bool {
        self.flag("/shared_state")
    }

    /// Whether Molecule makes the hosts.
    pub fn managed(&self) -> bool {
        self.at("/driver/options/managed").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The hosts.
    pub fn platforms(&self) -> Vec<Platform> {
        let all = self.at("/platforms").and_then(Value::as_array).cloned().unwrap_or_default();
        all.into_iter()
            .filter_map(|value| {
                let Value::Object(data) = value else { return None };
                Some(Platform {
                    name: data.get("name").and_then(Value::as_str)?.to_string(),
                    groups: texts(data.get("groups")),
                    children: texts(data.get("children")),
                    data,
                })
            })
            .collect()
    }

    /// Keeps one host.
    pub fn only_platform(&mut self, name: &str) -> Result<()> {
        let kept: Vec<Value> = self.at("/platforms").and_then(Value::as_array).into_iter().flatten().filter(|host| host["name"] == name).cloned().collect();
        if kept.is_empty() {
            return Err(Failure::new(format!("scenario {} has no platform `{name}`", self.name())).code(crate::failure::code::SETUP));
        }
        self.data["platforms"] = Value::Array(kept);
        Ok(())
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().map(node::text).collect()
}
