//! The root `molecule.yml` of Molecule 1, as projects of 2016 have it: instances for Vagrant, one playbook.
//!
//! Its instances become platforms with the addresses of their interfaces, for the lab. The flow is that of then: create, syntax, converge,
//! idempotence, lint, verify, destroy; what verified was a playbook's tag `test`, so that is what verify plays unless a verifier is named.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::{self, Config};
use crate::failure::{Complaint, Failure, Result, code};
use crate::node::{self, Kind, Node};
use crate::schema::{Others, Section, Shape};
use crate::sequence::{Action, Step};
use crate::{interpolate, validate};

static ROOT: Section = Section {
    keys: &[
        ("ansible", Shape::Section(&ANSIBLE)),
        ("dependency", Shape::Map),
        ("docker", Shape::Any),
        ("driver", Shape::Section(&DRIVER)),
        ("molecule", Shape::Map),
        ("openstack", Shape::Any),
        ("provisioner", Shape::Section(&PROVISIONER)),
        ("vagrant", Shape::Section(&VAGRANT)),
        ("verifier", Shape::Section(&VERIFIER)),
    ],
    required: &[],
    others: Others::Refused,
};

static ANSIBLE: Section = Section {
    keys: &[
        ("config_file", Shape::Text),
        ("diff", Shape::Bool),
        ("extra_vars", Shape::Text),
        ("group_vars", Shape::Map),
        ("host_vars", Shape::Map),
        ("limit", Shape::Text),
        ("playbook", Shape::Text),
        ("raw_env_vars", Shape::Map),
        ("skip_tags", Shape::Text),
        ("tags", Shape::Text),
        ("verbose", Shape::TextOrBool),
    ],
    required: &[],
    others: Others::Refused,
};

static DRIVER: Section = Section { keys: &[("name", Shape::Choice(&["vagrant", "lab"]))], required: &[], others: Others::Refused };

// ours: what Molecule 1 could not say of an inventory
static PROVISIONER: Section = Section { keys: &[("inventory", Shape::Section(&INVENTORY))], required: &[], others: Others::Refused };
static INVENTORY: Section = Section { keys: &[("links", Shape::TextMap)], required: &[], others: Others::Refused };

static VERIFIER: Section =
    Section { keys: &[("name", Shape::Choice(&["ansible", "goss", "testinfra"])), ("options", Shape::Map)], required: &[], others: Others::Refused };

static VAGRANT: Section = Section {
    keys: &[
        ("instances", Shape::Sections(&INSTANCE)),
        ("platforms", Shape::Sections(&PLATFORM)),
        ("providers", Shape::Sections(&PROVIDER)),
        ("raw_config_args", Shape::Texts),
    ],
    required: &["instances"],
    others: Others::Refused,
};

static PLATFORM: Section =
    Section { keys: &[("box", Shape::Text), ("box_url", Shape::Text), ("name", Shape::Text)], required: &["name"], others: Others::Free };
static PROVIDER: Section =
    Section { keys: &[("name", Shape::Text), ("options", Shape::Map), ("type", Shape::Text)], required: &["name"], others: Others::Free };

static INSTANCE: Section = Section {
    keys: &[
        ("ansible_groups", Shape::Texts),
        ("interfaces", Shape::Sections(&INTERFACE)),
        ("name", Shape::Text),
        ("options", Shape::Section(&INSTANCE_OPTIONS)),
        ("raw_config_args", Shape::Texts),
    ],
    required: &["name"],
    others: Others::Refused,
};

static INTERFACE: Section = Section {
    keys: &[("auto_config", Shape::Bool), ("ip", Shape::Text), ("network_name", Shape::Text), ("type", Shape::Text)],
    required: &[],
    others: Others::Free,
};

static INSTANCE_OPTIONS: Section = Section { keys: &[("append_platform_to_hostname", Shape::Bool)], required: &[], others: Others::Free };

/// What such a file says beyond today's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct First {
    data: Value,
    /// The playbook, seen from the project's folder.
    pub playbook: String,
    /// The project's `ansible.cfg`.
    pub config_file: String,
    /// A verifier that is no playbook.
    pub verifier: Option<String>,
}

/// Reads the file.
pub fn read(text: &str, file: &Path, env: &BTreeMap<String, String>) -> Result<(First, Vec<Complaint>)> {
    let text = interpolate::file(text, file, env, None)?;
    let node = node::read(&text, file)?;
    let mut found = validate::check(&node, &ROOT, file);
    for section in ["docker", "openstack"] {
        if let Some(node) = node.get(section) {
            let complaint = Complaint::at(node.place(file), format!("instances of {section} in a file of Molecule 1 are not supported"));
            found.complaints.push(complaint.help("write molecule/default/molecule.yml"));
        }
    }
    unread(&node, file, &mut found.warnings);
    if !found.complaints.is_empty() {
        return Err(Failure { complaints: found.complaints, code: code::FAILED });
    }
    let data = node.to_value();
    let text = |path: &str, default: &str| data.pointer(path).and_then(Value::as_str).unwrap_or(default).to_string();
    let first = First {
        playbook: text("/ansible/playbook", "playbook.yml"),
        config_file: text("/ansible/config_file", "ansible.cfg"),
        verifier: Some(text("/verifier/name", "ansible")).filter(|name| name != "ansible"),
        data,
    };
    Ok((first, found.warnings))
}

/// What is for virtual machines only.
fn unread(node: &Node, file: &Path, warnings: &mut Vec<Complaint>) {
    for section in ["molecule", "dependency"] {
        if let Some(node) = node.get(section) {
            warnings.push(Complaint::at(node.place(file), format!("nothing reads the section {section} of Molecule 1")));
        }
    }
    let instances = node.get("vagrant").and_then(|vagrant| vagrant.get("instances"));
    if let Some(Node { kind: Kind::List(items), .. }) = instances {
        for args in items.iter().filter_map(|item| item.get("raw_config_args")) {
            warnings.push(Complaint::at(args.place(file), "raw_config_args are Vagrant's; the lab does not read them"));
        }
    }
}

/// The steps of then.
pub fn steps(subcommand: &str) -> Option<Vec<Step>> {
    use Action::{Cleanup, Converge, Create, Destroy, Idempotence, Lint, Syntax, Verify};
    let steps: &[Action] = match subcommand {
        "test" => &[Destroy, Create, Syntax, Converge, Idempotence, Lint, Verify, Destroy],
        "create" => &[Create],
        "converge" => &[Create, Converge],
        "destroy" => &[Destroy],
        "check" => &[Create, Action::Check],
        "cleanup" => &[Cleanup],
        _ => return None,
    };
    Some(steps.iter().copied().map(Step::from).collect())
}

impl First {
    /// As today's settings.
    pub fn config(&self) -> Config {
        let listed = |path: &str| self.data.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
        let platform = listed("/vagrant/platforms").first().map(|platform| node::text(&platform["name"]));
        let hosts: Vec<Value> = listed("/vagrant/instances").iter().map(|instance| host(instance, platform.as_deref())).collect();
        let vars = |key: &str| self.data.pointer(&format!("/ansible/{key}")).map(joined).unwrap_or_else(|| json!({}));
        let links = self.data.pointer("/provisioner/inventory/links").cloned().unwrap_or_else(|| json!({}));
        let data = json!({
            "platforms": hosts,
            "ansible": {"env": self.data.pointer("/ansible/raw_env_vars").cloned().unwrap_or_else(|| json!({})), "executor": {"args": {"ansible_playbook": self.arguments()}}},
            "provisioner": {"inventory": {"links": links, "group_vars": vars("group_vars"), "host_vars": vars("host_vars")}},
            "scenario": {"name": "default"},
            "verifier": {"name": self.verifier.as_deref().unwrap_or("ansible")},
            "dependency": {"enabled": false},
        });
        let driver = self.data.pointer("/driver/name").and_then(Value::as_str).unwrap_or("lab").to_string();
        Config { data: config::merge(config::defaults(), data), driver: Some(driver) }
    }

    fn arguments(&self) -> Vec<String> {
        let ansible = &self.data["ansible"];
        let mut arguments = Vec::new();
        for (key, option) in [("extra_vars", "--extra-vars"), ("limit", "--limit"), ("skip_tags", "--skip-tags"), ("tags", "--tags")] {
            if let Some(value) = ansible[key].as_str() {
                arguments.extend([option.to_string(), value.to_string()]);
            }
        }
        if ansible["diff"] == true {
            arguments.push("--diff".into());
        }
        match &ansible["verbose"] {
            Value::Bool(true) => arguments.push("-v".into()),
            Value::String(letters) if letters.chars().all(|c| c == 'v') && !letters.is_empty() => arguments.push(format!("-{letters}")),
            _ => {}
        }
        arguments
    }
}

/// An instance as a platform: its name with the platform's behind it, unless that is refused.
fn host(instance: &Value, platform: Option<&str>) -> Value {
    let plain = instance.pointer("/options/append_platform_to_hostname") == Some(&Value::Bool(false));
    let name = node::text(&instance["name"]);
    let name = platform.filter(|_| !plain).map(|platform| format!("{name}-{platform}")).unwrap_or(name);
    let interfaces = instance["interfaces"].as_array();
    let address = interfaces.into_iter().flatten().find_map(|interface| interface["ip"].as_str());
    let mut host = json!({"name": name, "interfaces": instance["interfaces"].as_array().cloned().unwrap_or_default()});
    if let Some(groups) = instance["ansible_groups"].as_array() {
        host["groups"] = Value::Array(groups.clone());
    }
    if let Some(address) = address {
        host["address"] = Value::from(address);
    }
    host
}

/// Variables were lists of mappings; a mapping is taken too.
fn joined(section: &Value) -> Value {
    let all = section.as_object().into_iter().flatten().map(|(name, vars)| {
        let parts = vars.as_array().cloned().unwrap_or_else(|| vec![vars.clone()]);
        (name.clone(), parts.into_iter().fold(json!({}), config::merge))
    });
    Value::Object(all.collect())
}
