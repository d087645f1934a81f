//! One task on one host, whole: loop or not, its items, its sum. Works on snapshots; what it changes it returns.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use indexmap::IndexMap;

use super::evidence;
use super::item;
use super::loops;
use super::options::{ConnectionDefaults, Lookup};
use super::unknown;
use crate::action::{Effect, Settings};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Outcome, Status, TaskInfo};
use crate::program::{Opt, TaskDef};
use crate::runner::Pool;
use crate::template::{Context, reading};
use crate::value::{Dict, Fault, Value};
use crate::vars::{TaskScope, World};

/// What all tasks of a run share.
pub(super) struct Shared {
    pub pool: Arc<Pool>,
    pub defaults: ConnectionDefaults,
    pub settings: Settings,
    pub diff: bool,
    pub check: bool,
    /// Outcomes say what the idempotence checker judges by.
    pub evidence: bool,
    pub strict: bool,
    /// Called by one of Ansible's names: check mode runs what Ansible runs.
    pub as_ansible: bool,
    pub live: bool,
    pub task_timeout: u64,
    pub poll_interval: u64,
    pub no_log: bool,
}

/// Check mode: what tasks would have changed, by host.
pub(super) type Overlays = IndexMap<Arc<str>, Vec<serde_json::Value>>;

/// One task for one host.
pub(super) struct Job<'a> {
    pub task: &'a Arc<TaskDef>,
    pub info: Arc<TaskInfo>,
    pub host: Arc<str>,
    pub world: Arc<World>,
    pub shared: &'a Shared,
    /// Check mode: what would have been changed on each host.
    pub overlays: Arc<Overlays>,
    /// Check mode: what earlier items of the task would have changed, and where.
    pub made: Mutex<Vec<(Arc<str>, serde_json::Value)>>,
    /// A handler: why nobody can tell whether it is notified.
    pub doubt: Option<String>,
    /// Sends an event of this host.
    pub send: &'a (dyn Fn(Event) + Sync),
}

impl Job<'_> {
    /// What would have been changed on a host so far, by earlier tasks and by earlier items of this one.
    pub fn overlay_of(&self, host: &Arc<str>) -> Vec<serde_json::Value> {
        let mut all = self.overlays.get(host).cloned().unwrap_or_default();
        let made = self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.extend(made.iter().filter(|(place, _)| place == host).map(|(_, change)| change.clone()));
        all
    }

    /// Whether anything would have been changed anywhere by now.
    pub fn is_pending(&self) -> bool {
        let made = self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        !made.is_empty() || self.overlays.values().any(|changes| !changes.is_empty())
    }

    /// Keeps what an item would have changed for the items after it.
    pub fn remember(&self, host: &Arc<str>, changes: &[serde_json::Value]) {
        if !changes.is_empty() {
            let mut made = self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            made.extend(changes.iter().map(|change| (host.clone(), change.clone())));
        }
    }
}

/// A dynamic include that a task asks for.
#[derive(Debug, Clone)]
pub(super) struct IncludeWish {
    /// Arguments, rendered (`_raw_params`, `file`, `name`, `tasks_from`, `apply`...).
    pub args: Dict,
    /// `vars` of the include and of its loop, as data.
    pub locals: Vec<(Arc<str>, Value)>,
    /// The item's label.
    pub label: Option<String>,
}

/// What came of it.
pub(super) struct Done {
    pub outcome: Outcome,
    /// What `register` gets.
    pub value: Value,
    pub effects: Vec<Effect>,
    pub changes: Vec<serde_json::Value>,
    /// Names of handlers.
    pub notify: Vec<String>,
    /// Names of handlers that nobody can tell whether they are notified.
    pub perhaps: Vec<String>,
    pub includes: Vec<IncludeWish>,
    pub complaints: Vec<Diagnostic>,
    /// `ignore_errors`, when it failed.
    pub ignore_errors: bool,
    /// `delegate_facts`: facts are those of the delegated host.
    pub delegate_facts: bool,
}

/// Runs the task on the host.
pub(super) fn run(job: &Job) -> Done {
    let start = Instant::now();
    let scope = TaskScope::new(&job.world, &job.host, Some(job.task.vars.clone()), job.info.check);
    let cx = Context::new(scope);
    let (mut done, reads) = reading(|| match &job.task.loop_ {
        _ if doubtful(job, &cx) => unknown_done(job, Some(&cx), job.doubt.as_deref().unwrap_or_default()),
        None => item::run(job, &cx, None),
        Some(looped) => loops::run(job, &cx, looped),
    });
    if job.shared.evidence && done.outcome.evidence.is_none() {
        done.outcome.evidence = Some(Box::new(evidence::asked(job, &cx, &reads)));
    }
    done.complaints.extend(cx.take_warnings());
    ignore(job, &cx, &mut done);
    done.outcome.duration = start.elapsed();
    if hidden(job, &cx) {
        censor(&mut done.outcome);
    }
    done
}

/// A handler that nobody can tell whether it is notified, unless its condition says that it does not run.
fn doubtful(job: &Job, cx: &Arc<Context>) -> bool {
    job.doubt.is_some() && !job.task.when.iter().any(|condition| matches!(condition.eval(cx, &mut |_| {}), Ok(false)))
}

/// `no_log` for this host; what cannot be rendered hides.
pub(super) fn hidden(job: &Job, cx: &Arc<Context>) -> bool {
    job.shared.no_log || flag(job, cx, Opt::NoLog, false).unwrap_or(true)
}

/// `ignore_errors` and `ignore_unreachable`.
fn ignore(job: &Job, cx: &Arc<Context>, done: &mut Done) {
    let opt = match done.outcome.status {
        Status::Failed => Opt::IgnoreErrors,
        Status::Unreachable => Opt::IgnoreUnreachable,
        _ => return,
    };
    match flag(job, cx, opt, false) {
        Ok(ignored) => done.outcome.ignored = ignored,
        // whether it counts hangs on what check mode cannot know: that ends no play
        Err(fault) if fault.is_unknown() => done.outcome.ignored = true,
        Err(fault) => done.complaints.push(Diagnostic::warning(fault.message).at(&job.task.span)),
    }
    done.ignore_errors = done.outcome.ignored && opt == Opt::IgnoreErrors;
}

/// `no_log`: only that it changed, failed or was skipped is shown.
pub(super) fn censor(outcome: &mut Outcome) {
    let mut shown = censored(&outcome.result);
    if let Some(items) = outcome.result.get("results").and_then(Value::as_slice) {
        let each = items.iter().map(|item| Value::dict(censored(item.as_dict().unwrap_or(&Dict::new()))));
        shown.insert("results".into(), Value::list(each.collect()));
    }
    outcome.result = Arc::new(shown);
    outcome.diagnostic = None;
    if outcome.label.is_some() {
        outcome.label = Some("(censored due to no_log)".into());
    }
}

fn censored(result: &Dict) -> Dict {
    let mut shown = Dict::new();
    shown.insert("censored".into(), "the output has been hidden due to the fact that 'no_log: true' was specified for this result".into());
    for key in ["changed", "failed", "skipped", "unreachable", "attempts", "retries", "unknown"] {
        if let Some(value) = result.get(key).filter(|value| key != "failed" || value.is_true()) {
            shown.insert(key.into(), value.clone());
        }
    }
    shown
}

/// The value of a boolean keyword for this task.
pub(super) fn flag(job: &Job, cx: &Arc<Context>, opt: Opt, default: bool) -> Result<bool, Fault> {
    Lookup { vars: cx, cx, inherited: &job.task.inherited }.flag(opt, default)
}

/// A failure that the user's text is the cause of.
pub(super) fn fault_done(job: &Job, cx: Option<&Arc<Context>>, fault: Fault, what: &str) -> Done {
    if fault.is_unknown() {
        return unknown_done(job, cx, &fault.message);
    }
    let message = if what.is_empty() { fault.message.clone() } else { format!("{what}{}", fault.message) };
    let mut result = Dict::new();
    result.insert("failed".into(), true.into());
    let prefix = if message.starts_with("The `loop` value") { "" } else { "Task failed: " };
    result.insert("msg".into(), format!("{prefix}{message}").into());
    result.insert("changed".into(), false.into());
    let mut diagnostic = Diagnostic::error(format!("Task failed: {message}")).at(fault.span.as_ref().unwrap_or(&job.task.span));
    for (name, place) in fault.trail.iter().rev() {
        diagnostic.notes.push((format!("while rendering `{name}`"), place.clone()));
    }
    let mut done = Done::of(Status::Failed, result);
    done.outcome.diagnostic = Some(Box::new(diagnostic));
    done
}

/// Check mode cannot know what the task would do: what is not there on its host afterwards may be unknown too.
pub(super) fn unknown_done(job: &Job, cx: Option<&Arc<Context>>, reason: &str) -> Done {
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("skipped".into(), true.into());
    result.insert("msg".into(), format!("unknown in check mode: {reason}").into());
    result.insert("unknown".into(), reason.into());
    let mut done = Done::of(Status::Unknown, result);
    done.value = Value::Unknown(reason.into());
    if job.task.canonical == "set_fact" {
        done.effects.push(unknown::facts(job, reason));
    }
    done.changes.extend(unknown::leaves(job, cx, reason));
    done
}

impl Done {
    /// A result of which the shown and the registered form are the same.
    pub fn of(status: Status, result: Dict) -> Done {
        let result = Arc::new(result);
        let outcome = Outcome {
            status,
            result: result.clone(),
            ignored: false,
            rescued: false,
            delegated: None,
            label: None,
            diagnostic: None,
            diff: false,
            duration: std::time::Duration::ZERO,
            looped: false,
            evidence: None,
        };
        Done {
            outcome,
            value: Value::Dict(result),
            effects: Vec::new(),
            changes: Vec::new(),
            notify: Vec::new(),
            perhaps: Vec::new(),
            includes: Vec::new(),
            complaints: Vec::new(),
            delegate_facts: false,
            ignore_errors: false,
        }
    }
}
