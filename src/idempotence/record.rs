//! A run, recorded: how every task came out for every host and item, with what it was given.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

use crate::event::{Counts, Event, Outcome, Status, TaskInfo};
use crate::report::{Report, Screen};
use crate::value::{Value, text};

/// Which task, host and item; the same in every pass over the same playbooks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// File of the task.
    pub file: PathBuf,
    /// Line of the task.
    pub line: usize,
    /// The host.
    pub host: Arc<str>,
    /// How often the host came by before: tasks in included files and roles are run more than once.
    pub turn: usize,
    /// The item's label, or how many come before it under the same label.
    pub item: Option<(String, usize)>,
}

/// How a task came out for a host, or one of its items.
#[derive(Debug, Clone)]
pub struct Record {
    /// Which.
    pub key: Key,
    /// The task.
    pub task: Arc<TaskInfo>,
    /// How.
    pub outcome: Outcome,
}

impl Record {
    /// The reason why check mode does not know, or why it failed.
    pub fn message(&self) -> String {
        let said = self.outcome.result.get("unknown").or_else(|| self.outcome.result.get("msg")).map(text).unwrap_or_default();
        said.strip_prefix("unknown in check mode: ").unwrap_or(&said).to_string()
    }

    /// Texts before and after, one pair for each diff of the result.
    pub fn sides(&self) -> Vec<(String, String)> {
        let Some(diff) = self.outcome.result.get("diff") else { return Vec::new() };
        let parts: Vec<&Value> = diff.as_slice().map_or_else(|| vec![diff], |all| all.iter().collect());
        let side = |part: &Value, key: &str| part.get(key).map(|value| if matches!(value, Value::Dict(_)) { format!("{value}\n") } else { text(value) });
        parts.into_iter().filter_map(|part| Some((side(part, "before")?, side(part, "after")?))).collect()
    }
}

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// In the order in which they ended.
    pub records: Vec<Record>,
    /// The recap's counts.
    pub counts: IndexMap<Arc<str>, Counts>,
}

impl Recording {
    /// The records by their keys.
    pub fn by_key(&self) -> HashMap<&Key, &Record> {
        self.records.iter().map(|record| (&record.key, record)).collect()
    }
}

/// Records a run; the handle stays with whoever wants the recording.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    recording: Recording,
    /// The task and turn that a host is at, and how often it was at which task.
    turns: HashMap<(Arc<str>, PathBuf, usize), usize>,
    items: HashMap<(Arc<str>, String), Vec<String>>,
}

impl Recorder {
    /// What was recorded.
    pub fn take(&self) -> Recording {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *state).recording
    }
}

impl State {
    fn key(&self, task: &TaskInfo, host: &Arc<str>, item: Option<(String, usize)>) -> Key {
        let turn = self.turns.get(&(host.clone(), task.path.clone(), task.line)).copied().unwrap_or(0);
        Key { file: task.path.clone(), line: task.line, host: host.clone(), turn, item }
    }

    fn keep(&mut self, key: Key, task: &Arc<TaskInfo>, outcome: &Outcome) {
        self.recording.records.push(Record { key, task: task.clone(), outcome: outcome.clone() });
    }

    fn item(&mut self, task: &Arc<TaskInfo>, host: &Arc<str>, outcome: &Outcome) {
        let label = outcome.label.clone().unwrap_or_default();
        let seen = self.items.entry((host.clone(), task.id.clone())).or_default();
        let before = seen.iter().filter(|one| **one == label).count();
        seen.push(label.clone());
        let key = self.key(task, host, Some((label, before)));
        self.keep(key, task, outcome);
    }

    fn done(&mut self, task: &Arc<TaskInfo>, host: &Arc<str>, outcome: &Outcome) {
        let items = self.items.remove(&(host.clone(), task.id.clone()));
        if items.is_none() {
            let key = self.key(task, host, None);
            self.keep(key, task, outcome);
        }
        *self.turns.entry((host.clone(), task.path.clone(), task.line)).or_default() += 1;
    }
}

impl Report for Recorder {
    fn event(&mut self, event: &Event, _: &mut dyn Screen) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::ItemDone { task, host, outcome } => state.item(task, host, outcome),
            Event::TaskDone { task, host, outcome } => state.done(task, host, outcome),
            Event::Recap { hosts, .. } => state.recording.counts.clone_from(hosts),
            _ => {}
        }
    }
}

/// Whether a status says that something would change.
pub(super) fn changes(status: Status) -> bool {
    status == Status::Changed
}
