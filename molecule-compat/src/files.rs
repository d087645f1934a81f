//! The files that plays of a scenario get: settings, `ansible.cfg`, the inventory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result};
use crate::scenario::Scenario;
use crate::{config, dump, node};

/// Roles are looked for here when nothing else is said.
const ROLES: &str = "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles";

/// Writes them all; `reach` says how a host is reached.
pub fn write(scenario: &Scenario, reach: &dyn Fn(&str) -> Map<String, Value>) -> Result<()> {
    let folder = scenario.inventory();
    fs::create_dir_all(&folder).map_err(|error| Failure::io("make", &folder, &error))?;
    put(&scenario.ephemeral.join("molecule.yml"), &dump::document(&scenario.config.data))?;
    put(&scenario.ephemeral.join("ansible.cfg"), &ansible_cfg(scenario))?;
    put(&folder.join("ansible_inventory.yml"), &dump::document(&inventory(scenario, reach)))?;
    link_role(scenario)?;
    vars(scenario, &folder)
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Failure::io("write", path, &error))
}

/// Molecule's settings for plays with the scenario's over them.
pub fn ansible_cfg(scenario: &Scenario) -> String {
    let defaults = json!({
        "defaults": {
            "display_failed_stderr": true,
            "forks": 50,
            "retry_files_enabled": false,
            "host_key_checking": false,
            "nocows": 1,
            "interpreter_python": "auto_silent",
            "roles_path": ROLES,
        },
        "ssh_connection": {"scp_if_ssh": true, "control_path": "%(directory)s/%%h-%%p-%%r"},
    });
    let mut all = config::merge(defaults, Value::Object(scenario.config.map("/ansible/cfg")));
    let roles = node::text(&all["defaults"]["roles_path"]);
    all["defaults"]["roles_path"] = Value::from(format!("{roles}:{}", scenario.ephemeral.join("roles").display()));
    let mut text = String::new();
    for (section, keys) in all.as_object().into_iter().flatten() {
        text += &format!("[{section}]\n");
        for (key, value) in keys.as_object().into_iter().flatten() {
            text += &format!("{key} = {}\n", node::text(value));
        }
    }
    text
}

/// The inventory: every host in `all` and in its groups, with Molecule's variables.
pub fn inventory(scenario: &Scenario, reach: &dyn Fn(&str) -> Map<String, Value>) -> Value {
    let vars = json!({
        "molecule_file": "{{ lookup('env', 'MOLECULE_FILE') }}",
        "molecule_ephemeral_directory": "{{ lookup('env', 'MOLECULE_EPHEMERAL_DIRECTORY') }}",
        "molecule_scenario_directory": "{{ lookup('env', 'MOLECULE_SCENARIO_DIRECTORY') }}",
        "molecule_yml": "{{ lookup('file', molecule_file) | from_yaml }}",
        "molecule_instance_config": "{{ lookup('env', 'MOLECULE_INSTANCE_CONFIG') }}",
        "molecule_no_log": "{{ lookup('env', 'MOLECULE_NO_LOG') or not molecule_yml.provisioner.log|default(False) | bool }}",
    });
    let mut all = json!({"all": {"vars": vars}, "ungrouped": {"vars": {}}});
    for platform in scenario.config.platforms() {
        let mut options = reach(&platform.name);
        options.extend(scenario.config.map("/provisioner/connection_options"));
        let groups = if platform.data.contains_key("groups") { platform.groups } else { vec!["ungrouped".to_string()] };
        for group in groups {
            all["all"]["hosts"][&platform.name] = Value::Object(options.clone());
            all[&group]["hosts"][&platform.name] = Value::Object(options.clone());
            all[&group]["vars"] = vars.clone();
            for child in &platform.children {
                all[&group]["children"][child]["hosts"][&platform.name] = Value::Object(options.clone());
            }
        }
    }
    all
}

/// `hosts`, `host_vars` and `group_vars`: written from the file, or links to what it names.
fn vars(scenario: &Scenario, folder: &Path) -> Result<()> {
    for name in ["hosts", "host_vars", "group_vars"] {
        remove(&folder.join(name))?;
    }
    let links = scenario.config.map("/provisioner/inventory/links");
    if !links.is_empty() {
        return links.iter().try_for_each(|(name, source)| link(&scenario.path(&node::text(source)), &folder.join(name)));
    }
    let hosts = scenario.config.map("/provisioner/inventory/hosts");
    if !hosts.is_empty() {
        put(&folder.join("hosts"), &dump::document(&Value::Object(hosts)))?;
    }
    for section in ["host_vars", "group_vars"] {
        let target = folder.join(section);
        for (name, vars) in scenario.config.map(&format!("/provisioner/inventory/{section}")) {
            fs::create_dir_all(&target).map_err(|error| Failure::io("make", &target, &error))?;
            put(&target.join(name), &dump::document(&vars))?;
        }
    }
    Ok(())
}

fn link(source: &Path, target: &Path) -> Result<()> {
    if !source.exists() {
        return Err(Failure::new(format!("{} does not exist; the inventory cannot be linked to it", source.display())));
    }
    remove(target)?;
    symlink(source, target).map_err(|error| Failure::io("link", target, &error))
}

fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    gone.map_err(|error| Failure::io("remove", path, &error))
}

/// A project that is a role is found by its folder's name and by `namespace.name`, as Molecule's preparation links it.
fn link_role(scenario: &Scenario) -> Result<()> {
    let project = &scenario.options.project;
    let folder = scenario.ephemeral.join("roles");
    remove(&folder)?;
    if scenario.first.is_some() || !scenario.config.flag("/prerun") || !(project.join("tasks").is_dir() || project.join("meta/main.yml").is_file()) {
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::io("make", &folder, &error))?;
    let own = project.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let meta = project.join("meta/main.yml");
    let galaxy = fs::read_to_string(&meta).ok().and_then(|text| node::read(&text, &meta).ok()).map(|node| node.to_value()).unwrap_or_default();
    let text = |key: &str| galaxy.pointer(&format!("/galaxy_info/{key}")).and_then(Value::as_str).map(str::to_string);
    let role = text("role_name").unwrap_or_else(|| own.trim_start_matches("ansible-role-").replace('-', "_"));
    let full = text("namespace").or_else(|| text("author")).filter(|name| !name.contains([' ', '/'])).map(|namespace| format!("{namespace}.{role}"));
    for name in [Some(own), Some(role), full].into_iter().flatten() {
        link(project, &folder.join(name))?;
    }
    Ok(())
}
