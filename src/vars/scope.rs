//! The variables of one task on one host.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexSet;

use super::{HostState, Layer, World, magic};
use crate::template::{Scope, Templated, Variable};
use crate::value::Value;

/// What a role gives its tasks.
#[derive(Debug, Clone, Default)]
pub struct RoleVars {
    /// The role's name.
    pub name: Arc<str>,
    /// Its folder.
    pub path: PathBuf,
    /// Defaults of the roles that brought it, of its dependencies, its own; lowest first.
    pub defaults: Vec<Arc<Layer>>,
    /// Vars of the roles that brought it, of its dependencies, its own; lowest first.
    pub vars: Vec<Arc<Layer>>,
    /// Role parameters, lowest first.
    pub params: Vec<Arc<Layer>>,
    /// Names of the roles that included or depend on it, nearest first.
    pub parents: Vec<Arc<str>>,
    /// Their folders.
    pub parent_paths: Vec<PathBuf>,
    /// It is there because another role depends on it.
    pub dependency: bool,
}

/// What a task adds to its host's variables. Shared by all hosts.
#[derive(Debug, Clone, Default)]
pub struct TaskVars {
    /// `vars` of blocks and of the task, lowest first.
    pub vars: Vec<Arc<Layer>>,
    /// `vars` of the includes that brought it, lowest first.
    pub include_vars: Vec<Arc<Layer>>,
    /// Its role.
    pub role: Option<Arc<RoleVars>>,
    /// Folders for relative files, best first.
    pub search_path: Vec<PathBuf>,
}

/// The variables of one task on one host, highest precedence first.
#[derive(Debug)]
pub struct TaskScope {
    world: Arc<World>,
    host: Arc<str>,
    state: HostState,
    chain: Arc<Vec<Arc<Layer>>>,
    task: Option<Arc<TaskVars>>,
    check: bool,
}

impl TaskScope {
    /// The scope of a task (or of none, as for `hosts:` and play keywords) on a host.
    pub fn new(world: &Arc<World>, host: &Arc<str>, task: Option<Arc<TaskVars>>, check: bool) -> Arc<TaskScope> {
        let (state, chain) = (world.state(host), world.chain(host));
        Arc::new(TaskScope { world: world.clone(), host: host.clone(), state, chain, task, check })
    }

    /// The host.
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// What it is part of.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The task's own part.
    pub fn task(&self) -> Option<&Arc<TaskVars>> {
        self.task.as_ref()
    }

    /// What tasks made known about the host.
    pub fn state(&self) -> &HostState {
        &self.state
    }

    /// Template layers from the highest to the lowest, without facts: above (true) or below set facts and registered results.
    fn layers(&self, above: bool) -> impl Iterator<Item = &Arc<Layer>> {
        let task = self.task.as_deref();
        let role = task.and_then(|task| task.role.as_deref());
        let play = self.world.play.as_deref();
        let params = role.map(|role| role.params.iter().rev()).into_iter().flatten();
        let task_vars = task.map(|task| task.vars.iter().rev()).into_iter().flatten();
        let role_vars = role.map(|role| role.vars.iter().rev()).into_iter().flatten();
        let play_role_vars = play.map(|play| play.role_vars.iter().rev()).into_iter().flatten();
        let host_files = play.and_then(|play| play.host_files.get(&self.host)).map(|files| files.iter().rev()).into_iter().flatten();
        let files = play.map(|play| play.files.iter().rev()).into_iter().flatten();
        let play_vars = play.map(|play| &play.vars).into_iter();
        let include_vars = task.map(|task| task.include_vars.iter().rev()).into_iter().flatten();
        let top = std::iter::once(&self.world.run.extra).chain(include_vars).chain(params).filter(move |_| above);
        let below = task_vars.chain(role_vars).chain(play_role_vars).chain(host_files).chain(files).chain(play_vars);
        top.chain(std::iter::once(&self.state.included).chain(below).filter(move |_| !above))
    }

    fn low_layers(&self) -> impl Iterator<Item = &Arc<Layer>> {
        let role = self.task.as_deref().and_then(|task| task.role.as_deref());
        let defaults = role.map(|role| role.defaults.iter().rev()).into_iter().flatten();
        let play_defaults = self.world.play.as_deref().map(|play| play.role_defaults.iter().rev()).into_iter().flatten();
        self.chain.iter().rev().chain(defaults).chain(play_defaults)
    }

    fn fact(&self, name: &str) -> Option<Value> {
        if name == "ansible_facts" {
            return Some(Value::Dict(self.state.facts.clone()));
        }
        if name == "ansible_local" {
            return self.state.facts.get("ansible_local").or_else(|| self.state.facts.get("local")).cloned();
        }
        if !self.world.run.inject_facts || self.state.facts.is_empty() {
            return None;
        }
        match name.strip_prefix("ansible_") {
            Some(short) => self.state.facts.get(short).cloned(),
            None => self.state.facts.get(name).cloned(),
        }
    }

    pub(super) fn is_check(&self) -> bool {
        self.check
    }
}

fn found((value, span): &(Templated, Option<crate::source::Span>)) -> Variable<Templated> {
    Variable::Template(value.clone(), span.clone())
}

impl Scope<Templated> for TaskScope {
    fn variable(&self, name: &str) -> Option<Variable<Templated>> {
        if let Some(value) = magic::variable(self, name) {
            return Some(Variable::Value(value));
        }
        if let Some(entry) = self.layers(true).find_map(|layer| layer.get(name)) {
            return Some(found(entry));
        }
        if let Some(value) = self.state.set.get(name) {
            return Some(Variable::Value(value.clone()));
        }
        if let Some(entry) = self.layers(false).find_map(|layer| layer.get(name)) {
            return Some(found(entry));
        }
        if let Some(value) = self.fact(name) {
            return Some(Variable::Value(value));
        }
        self.low_layers().find_map(|layer| layer.get(name)).map(found).or_else(|| magic::fallback(self, name).map(Variable::Value))
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names: IndexSet<Arc<str>> = self.low_layers().flat_map(|layer| layer.names().cloned()).collect();
        if self.world.run.inject_facts {
            let facts = self.state.facts.keys().filter_map(|key| key.as_str());
            names.extend(facts.map(|name| Arc::from(format!("ansible_{}", name.strip_prefix("ansible_").unwrap_or(name)))));
        }
        names.insert("ansible_facts".into());
        names.extend(self.layers(false).flat_map(|layer| layer.names().cloned()));
        names.extend(self.state.set.keys().cloned());
        names.extend(self.layers(true).flat_map(|layer| layer.names().cloned()));
        names.extend(magic::NAMES.iter().filter(|name| magic::variable(self, name).is_some()).map(|name| Arc::from(*name)));
        names.into_iter().collect()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        match &self.task {
            Some(task) if !task.search_path.is_empty() => task.search_path.clone(),
            _ => vec![self.world.run.playbook_dir.clone()],
        }
    }

    fn decrypt(&self, vaulted: &str) -> Result<String, String> {
        self.world.run.secrets.decrypt(vaulted).map_err(|error| error.to_string())
    }

    fn check_mode(&self) -> bool {
        self.check
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.world.run.environment.get(name).cloned()
    }

    fn setting(&self, name: &str) -> Option<(Value, String)> {
        self.world.run.settings.get(name).map(|chosen| (chosen.value.clone(), chosen.origin.to_string()))
    }
}
