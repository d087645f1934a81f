//! What all scopes of a moment share: inventory, the hosts' own variables, the play, the run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Layer;
use crate::config::Settings;
use crate::inventory::{Inventory, VarFiles};
use crate::value::{Dict, Value};
use crate::vault::Secrets;

/// What stays the same for a whole run.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// Folder of the playbook.
    pub playbook_dir: PathBuf,
    /// `-e`.
    pub extra: Arc<Layer>,
    /// Check mode of the run (`--check`).
    pub check: bool,
    /// `--diff`.
    pub diff: bool,
    /// Number of `-v`.
    pub verbosity: u8,
    /// `--forks`.
    pub forks: usize,
    /// `--limit`, empty for none.
    pub limit: Option<String>,
    /// `--tags`.
    pub run_tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// Inventory sources as given, absolute where they are files.
    pub inventory_sources: Vec<String>,
    /// The configuration file that was used.
    pub config_file: Option<PathBuf>,
    /// Every setting of the table, for `lookup('config')`.
    pub settings: Arc<Settings>,
    /// The controller's environment.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Vault passwords.
    pub secrets: Arc<Secrets>,
    /// Facts are variables of their own (`ansible_distribution`), not only in `ansible_facts`.
    pub inject_facts: bool,
    /// Path of this program, as `ansible_playbook_python`'s stand-in.
    pub program: PathBuf,
}

/// What tasks made known about one host. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HostState {
    /// `ansible_facts`, with short names (`distribution`).
    pub facts: Arc<Dict>,
    /// `include_vars`.
    pub included: Arc<Layer>,
    /// `set_fact` and `register`.
    pub set: Arc<IndexMap<Arc<str>, Value>>,
}

impl HostState {
    /// Sets a `set_fact` or `register` variable.
    pub fn set(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.set).insert(name.into(), value);
    }

    /// Merges facts (names with or without `ansible_`).
    pub fn add_facts(&mut self, facts: &Dict) {
        let own = Arc::make_mut(&mut self.facts);
        for (key, value) in facts {
            match key.as_str() {
                Some(name) => own.insert(name.strip_prefix("ansible_").filter(|rest| *rest != "local").unwrap_or(name).into(), value.clone()),
                None => own.insert(key.clone(), value.clone()),
            };
        }
    }
}

/// What a play adds.
#[derive(Debug, Clone, Default)]
pub struct PlayVars {
    /// The play's name, for `ansible_play_name`.
    pub name: String,
    /// `vars`, and what `vars_prompt` asked.
    pub vars: Arc<Layer>,
    /// `vars_files` that are the same for all hosts, lowest first.
    pub files: Vec<Arc<Layer>>,
    /// `vars_files` that depend on the host.
    pub host_files: IndexMap<Arc<str>, Vec<Arc<Layer>>>,
    /// Vars of the play's roles (public ones), lowest first.
    pub role_vars: Vec<Arc<Layer>>,
    /// Defaults of the play's roles (public ones), lowest first.
    pub role_defaults: Vec<Arc<Layer>>,
    /// Names of the play's roles.
    pub roles: Vec<Arc<str>>,
    /// Names of the roles that are there as dependencies only.
    pub dependencies: Vec<Arc<str>>,
    /// All hosts of the play.
    pub all_hosts: Arc<Vec<Arc<str>>>,
    /// Hosts of the play that have not failed.
    pub live_hosts: Arc<Vec<Arc<str>>>,
    /// Hosts of the batch that have not failed.
    pub batch: Arc<Vec<Arc<str>>>,
}

/// Everything that scopes share at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// The run.
    pub run: Arc<RunInfo>,
    /// Hosts, groups and their variables.
    pub inventory: Arc<Inventory>,
    /// What tasks made known about hosts.
    pub states: Arc<IndexMap<Arc<str>, HostState>>,
    /// The play, when one is running.
    pub play: Option<Arc<PlayVars>>,
    /// Layers of the inventory per host, lowest first, made when first asked for.
    pub(super) chains: Arc<std::sync::Mutex<IndexMap<Arc<str>, Arc<Vec<Arc<Layer>>>>>>,
    pub(super) compiled: Arc<std::sync::Mutex<IndexMap<(u8, Arc<str>), Arc<Layer>>>>,
    /// `group_vars` and `host_vars` beside the playbook.
    pub play_files: Option<Arc<VarFiles>>,
    /// The `groups` magic variable.
    pub(super) groups: Arc<std::sync::OnceLock<Value>>,
}

impl World {
    /// The world before the first play.
    pub fn new(run: Arc<RunInfo>, inventory: Arc<Inventory>) -> World {
        World { run, inventory, states: Arc::default(), play: None, chains: Arc::default(), compiled: Arc::default(), play_files: None, groups: Arc::default() }
    }

    /// Takes another inventory (`add_host`, `group_by`, `refresh_inventory`).
    pub fn set_inventory(&mut self, inventory: Arc<Inventory>) {
        self.inventory = inventory;
        self.chains = Arc::default();
        self.compiled = Arc::default();
        self.groups = Arc::default();
    }

    /// Takes another playbook's folder: what stands beside it counts from now on.
    pub fn stand_in(&mut self, run: Arc<RunInfo>, files: VarFiles) {
        self.run = run;
        self.play_files = Some(Arc::new(files));
        self.set_inventory(self.inventory.clone());
    }

    /// The state of a host, to change.
    pub fn state_mut(&mut self, host: &Arc<str>) -> &mut HostState {
        Arc::make_mut(&mut self.states).entry(host.clone()).or_default()
    }

    /// The state of a host.
    pub fn state(&self, host: &str) -> HostState {
        self.states.get(host).cloned().unwrap_or_default()
    }
}
