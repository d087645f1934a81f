//! What an action is given, and what it gives back.

use std::path::PathBuf;
use std::sync::Arc;

use crate::connection::{Become, Target};
use crate::runner::Pool;
use crate::template::{Context, Templated};
use crate::value::{Dict, Value};
use crate::vars::{Layer, World};

/// One run of an action on one host, with everything settled.
pub struct Request<'a> {
    /// Canonical name.
    pub action: &'a str,
    /// Name as written.
    pub written: &'a str,
    /// Arguments, rendered; free-form text stands under `_raw_params`.
    pub args: Dict,
    /// Arguments as the author wrote them, for actions that look at expressions (`assert`, `debug`).
    pub raw_args: &'a [(String, Templated)],
    /// Variables.
    pub cx: &'a Arc<Context>,
    /// The host that the task is for.
    pub host: &'a Arc<str>,
    /// The host that does the work: how to reach it.
    pub target: &'a Target,
    /// Name of the host that `delegate_to` names.
    pub delegated: Option<&'a str>,
    /// Become someone there.
    pub become_: Option<&'a Become>,
    /// Check mode.
    pub check: bool,
    /// Collect diffs.
    pub diff: bool,
    /// `environment`, merged.
    pub environment: Vec<(String, String)>,
    /// `timeout`, seconds; 0 for none.
    pub timeout: u64,
    /// `async`, seconds; 0 for none.
    pub async_seconds: u64,
    /// Name of the job, when `async`.
    pub job: String,
    /// Stream output of programs.
    pub live: bool,
    /// Check mode: what earlier tasks would have changed there.
    pub overlay: Vec<serde_json::Value>,
    /// Somebody sees the result: it is registered, shown or reported.
    pub seen: bool,
    /// Check mode: what earlier tasks would have changed on this machine.
    pub here: Vec<serde_json::Value>,
    /// Connections.
    pub pool: &'a Pool,
    /// Everything that scopes share.
    pub world: &'a Arc<World>,
    /// Live output: standard error or not, bytes.
    pub on_output: &'a (dyn Fn(bool, &[u8]) + Sync),
    /// Settings that actions need.
    pub settings: &'a Settings,
}

/// Configuration that actions need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `ansible_managed`.
    pub ansible_managed: String,
    /// Largest text shown in a diff, bytes.
    pub max_diff_size: usize,
    /// Folder for temporary files on the controller.
    pub local_tmp: PathBuf,
    /// `hash_behaviour = merge`.
    pub merge_dicts: bool,
    /// Answers of a person: is standard input a terminal.
    pub interactive: bool,
    /// Whole results are shown or reported, also of tasks that change something.
    pub results_shown: bool,
}

/// What an action gives back.
#[derive(Debug, Default)]
pub struct Reaction {
    /// The result, with Ansible's names.
    pub result: Dict,
    /// What the engine is to do.
    pub effects: Vec<Effect>,
    /// Check mode: changes for the host's overlay.
    pub changes: Vec<serde_json::Value>,
}

/// A change of the run itself; only the engine applies it.
#[derive(Debug, Clone)]
pub enum Effect {
    /// `ansible_facts` of a module.
    Facts(Dict),
    /// `set_fact`.
    SetFact(Dict),
    /// `include_vars`.
    IncludeVars(Arc<Layer>),
    /// `add_host`.
    AddHost {
        /// Name.
        name: String,
        /// Groups.
        groups: Vec<String>,
        /// Variables.
        vars: Dict,
    },
    /// `group_by`: the host joins a group.
    GroupBy {
        /// The group.
        group: String,
        /// Its parents.
        parents: Vec<String>,
    },
    /// `set_stats`.
    Stats {
        /// Data.
        data: Dict,
        /// For this host rather than for the run.
        per_host: bool,
        /// Add to what is there.
        aggregate: bool,
    },
}

impl Reaction {
    /// A result without effects.
    pub fn of(result: Dict) -> Reaction {
        Reaction { result, ..Reaction::default() }
    }

    /// `changed: false` with a message.
    pub fn ok(msg: &str) -> Reaction {
        let mut result = Dict::new();
        result.insert("changed".into(), false.into());
        result.insert("msg".into(), msg.into());
        Reaction::of(result)
    }

    /// A failure with a message.
    pub fn failed(msg: impl Into<String>) -> Reaction {
        let mut result = Dict::new();
        result.insert("failed".into(), true.into());
        result.insert("msg".into(), Value::from(msg.into()));
        result.insert("changed".into(), false.into());
        Reaction::of(result)
    }

    /// Adds an effect.
    pub fn with(mut self, effect: Effect) -> Reaction {
        self.effects.push(effect);
        self
    }
}
