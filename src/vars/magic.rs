//! Magic variables: what the run itself knows.

use std::path::Path;
use std::sync::Arc;

use super::{HostVars, Layer, TaskScope, World};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Key, Value};

/// Names of the magic variables that cannot be set by the user.
pub(super) const NAMES: &[&str] = &[
    "inventory_hostname",
    "inventory_hostname_short",
    "inventory_dir",
    "inventory_file",
    "group_names",
    "groups",
    "hostvars",
    "omit",
    "playbook_dir",
    "role_name",
    "role_path",
    "ansible_role_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "role_names",
    "ansible_role_names",
    "ansible_play_role_names",
    "ansible_dependent_role_names",
    "play_hosts",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_batch",
    "ansible_play_name",
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_verbosity",
    "ansible_version",
    "ansible_forks",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_limit",
    "ansible_config_file",
    "ansible_inventory_sources",
    "ansible_playbook_python",
    "ansible_search_path",
    "rplay_version",
];

/// A magic variable of the task's scope.
pub(super) fn variable(scope: &TaskScope, name: &str) -> Option<Value> {
    if !matches!(name.as_bytes().first(), Some(b'a' | b'g' | b'h' | b'i' | b'o' | b'p' | b'r')) {
        return None;
    }
    let world = scope.world();
    let run = &world.run;
    Some(match name {
        "inventory_hostname" => Value::Str(scope.host().clone()),
        "inventory_hostname_short" => scope.host().split('.').next().unwrap_or_default().into(),
        "inventory_dir" => path(world.inventory.host(scope.host())?.source.as_deref()?.parent()?),
        "inventory_file" => path(world.inventory.host(scope.host())?.source.as_deref()?),
        "group_names" => texts(world.inventory.group_names(scope.host()).iter().map(|name| &**name)),
        "groups" => world.groups.get_or_init(|| groups(world)).clone(),
        "hostvars" => Value::Object(Arc::new(HostVars::new(world))),
        "omit" => Value::Omit,
        "playbook_dir" => path(&run.playbook_dir),
        "ansible_check_mode" => scope.is_check().into(),
        "ansible_diff_mode" => run.diff.into(),
        "ansible_verbosity" => Value::Int(run.verbosity.into()),
        "ansible_version" => version(),
        "rplay_version" => env!("CARGO_PKG_VERSION").into(),
        "ansible_forks" => Value::from(run.forks),
        "ansible_run_tags" => texts(run.run_tags.iter().map(String::as_str)),
        "ansible_skip_tags" => texts(run.skip_tags.iter().map(String::as_str)),
        "ansible_limit" => run.limit.as_deref()?.into(),
        "ansible_config_file" => path(run.config_file.as_deref()?),
        "ansible_inventory_sources" => texts(run.inventory_sources.iter().map(String::as_str)),
        "ansible_playbook_python" => path(&run.program),
        "ansible_search_path" => texts(crate::template::Scope::search_path(scope).iter().filter_map(|dir| dir.to_str())),
        _ => return role_variable(scope, name).or_else(|| play_variable(scope, name)),
    })
}

fn role_variable(scope: &TaskScope, name: &str) -> Option<Value> {
    let role = scope.task()?.role.as_ref()?;
    Some(match name {
        "role_name" | "ansible_role_name" => Value::Str(role.name.clone()),
        "role_path" => path(&role.path),
        "ansible_parent_role_names" | "ansible_parent_role_paths" if role.parents.is_empty() || role.dependency => return None,
        "ansible_parent_role_names" => texts(role.parents.iter().map(|name| &**name)),
        "ansible_parent_role_paths" => texts(role.parent_paths.iter().filter_map(|path| path.to_str())),
        _ => return None,
    })
}

fn play_variable(scope: &TaskScope, name: &str) -> Option<Value> {
    let play = scope.world().play.as_ref()?;
    let hosts = |hosts: &[Arc<str>]| Value::list(hosts.iter().map(|host| Value::Str(host.clone())).collect());
    Some(match name {
        "ansible_play_name" => play.name.as_str().into(),
        "ansible_play_hosts_all" => hosts(&play.all_hosts),
        "ansible_play_hosts" => hosts(&play.live_hosts),
        "play_hosts" | "ansible_play_batch" => hosts(&play.batch),
        "ansible_play_role_names" => hosts(&play.roles),
        "ansible_dependent_role_names" => hosts(&play.dependencies),
        "role_names" | "ansible_role_names" => hosts(&[&play.roles[..], &play.dependencies[..]].concat()),
        _ => return None,
    })
}

/// Variables that have a value when nobody sets them.
pub(super) fn fallback(scope: &TaskScope, name: &str) -> Option<Value> {
    (name == "ansible_host").then(|| Value::Str(scope.host().clone()))
}

fn groups(world: &World) -> Value {
    let entry = |name: &Arc<str>| (Key::Str(name.clone()), Value::list(world.inventory.members(name).into_iter().map(Value::Str).collect()));
    world.inventory.groups().map(|group| entry(&group.name)).collect()
}

fn version() -> Value {
    let (major, minor, revision) = (2, 19, 0);
    let mut dict = Dict::new();
    dict.insert("string".into(), crate::config::CORE_VERSION.into());
    dict.insert("full".into(), crate::config::CORE_VERSION.into());
    dict.insert("major".into(), Value::Int(major));
    dict.insert("minor".into(), Value::Int(minor));
    dict.insert("revision".into(), Value::Int(revision));
    Value::dict(dict)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::list(texts.map(Value::from).collect())
}

fn path(path: &Path) -> Value {
    path.to_string_lossy().as_ref().into()
}

impl World {
    /// The inventory's layers for a host, lowest first, made once.
    pub(super) fn chain(&self, host: &Arc<str>) -> Arc<Vec<Arc<Layer>>> {
        let mut chains = self.chains.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(chain) = chains.get(host) {
            return chain.clone();
        }
        // a file that cannot be read ended the play before it began; other hosts' files are complained about in `hostvars`
        let chain = Arc::new(self.inventory_layers(host).unwrap_or_default());
        chains.insert(host.clone(), chain.clone());
        chain
    }

    /// Reads the files with a host's variables, if that was not done yet.
    ///
    /// # Errors
    /// A file cannot be read, decrypted or understood.
    pub fn read_variables(&self, host: &Arc<str>) -> Result<(), Diagnostic> {
        let mut chains = self.chains.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !chains.contains_key(host) {
            chains.insert(host.clone(), Arc::new(self.inventory_layers(host)?));
        }
        Ok(())
    }

    /// Warnings of files with variables since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        self.inventory.take_file_warnings(self.play_files.as_deref())
    }

    /// Layers of groups are compiled once and shared by their hosts.
    fn inventory_layers(&self, host: &Arc<str>) -> Result<Vec<Arc<Layer>>, Diagnostic> {
        let layers = self.inventory.layers(host, self.play_files.as_deref())?;
        let mut compiled = self.compiled.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let one = |layer: crate::inventory::Layer| {
            let key = (layer.level as u8, layer.of.clone());
            compiled.entry(key).or_insert_with(|| Arc::new(Layer::from_vars(&layer.vars))).clone()
        };
        Ok(layers.into_iter().map(one).collect())
    }
}
