//! What happens during a run, as data. Terminal, JSON, JUnit, recap and verdicts are folds over these events.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::value::Dict;

/// A play, as reports show it.
#[derive(Debug, Clone)]
pub struct PlayInfo {
    /// Unique within the run.
    pub id: String,
    /// `name`, else the hosts pattern.
    pub name: String,
    /// The file it stands in.
    pub path: PathBuf,
    /// Line of the play.
    pub line: usize,
    /// Hosts of the batch, in order.
    pub hosts: Vec<Arc<str>>,
    /// Check mode.
    pub check: bool,
}

/// A task, as reports show it.
#[derive(Debug, Clone)]
pub struct TaskInfo {
    /// Unique within the run.
    pub id: String,
    /// Name with the role before it (`role : name`); the action's name where the task has none.
    pub name: String,
    /// Resolved action, for example `ansible.builtin.copy`.
    pub action: String,
    /// File of the task.
    pub path: PathBuf,
    /// Line of the task.
    pub line: usize,
    /// Place of the task, for excerpts.
    pub span: Option<crate::source::Span>,
    /// Arguments as written, for `display_args_to_stdout` (empty under `no_log`).
    pub args: String,
    /// It is a handler.
    pub handler: bool,
    /// The role that it belongs to.
    pub role: Option<Arc<str>>,
    /// The mark `# rplay: idempotence-ok` with what follows it.
    pub waived: Option<String>,
    /// It runs in check mode.
    pub check: bool,
    /// Results are hidden.
    pub no_log: bool,
}

/// How a host or an item came out of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing changed.
    Ok,
    /// Something changed.
    Changed,
    /// `when` was false, or check mode could not run it.
    Skipped,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// Check mode cannot know.
    Unknown,
}

/// The result of a task or of one item.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it came out.
    pub status: Status,
    /// The result with Ansible's names (`changed`, `msg`, `rc`, `diff`, `results`...), already censored under `no_log`.
    pub result: Arc<Dict>,
    /// A failure that `ignore_errors` or `ignore_unreachable` let pass.
    pub ignored: bool,
    /// A failure that a rescue section takes.
    pub rescued: bool,
    /// The host that did the work, where it is another one.
    pub delegated: Option<Arc<str>>,
    /// For an item: its label as shown in `(item=...)`.
    pub label: Option<String>,
    /// Where the failure was caused, and by what, when the user's text is the cause.
    pub diagnostic: Option<Box<Diagnostic>>,
    /// Diffs are to be shown.
    pub diff: bool,
    /// How long it took.
    pub duration: Duration,
    /// True when this is a loop's sum (its items were shown one by one).
    pub looped: bool,
    /// What the idempotence checker judges by; only when the run was asked for it.
    pub evidence: Option<Box<Evidence>>,
}

/// What a task's action was given and would have changed, for the idempotence checker. Values stand here as hashes only.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Check mode: the changes that the module predicts, as it records them.
    pub changes: Vec<serde_json::Value>,
    /// The conditions held: these are the arguments, by their hashes.
    pub args: Option<BTreeMap<String, u64>>,
    /// What a command, shell, raw or script would run.
    pub command: Option<String>,
    /// Arguments that say what kind of task it is (`state`, `creates`, `force`...), as text; none under `no_log`.
    pub words: BTreeMap<&'static str, String>,
    /// `register`.
    pub register: Option<String>,
    /// `changed_when` is there.
    pub judged: bool,
    /// `changed_when` is true whatever happens.
    pub always: bool,
    /// `changed_when` is false whatever happens.
    pub never: bool,
    /// Variables that conditions, arguments and templates read, by the hash of their values; functions that never give the same twice end with `()`.
    pub reads: BTreeMap<Arc<str>, u64>,
}

/// Counts of one host, as the recap shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
    pub ok: usize,
    pub changed: usize,
    pub unreachable: usize,
    pub failed: usize,
    pub skipped: usize,
    pub rescued: usize,
    pub ignored: usize,
    /// Only in check mode.
    pub unknown: usize,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run of a playbook file begins.
    PlaybookStart {
        /// The file.
        path: PathBuf,
    },
    /// A play (a batch of it) begins.
    PlayStart(Arc<PlayInfo>),
    /// `skipping: no hosts matched`.
    NoHostsMatched,
    /// `NO MORE HOSTS LEFT`.
    NoHostsRemaining,
    /// A task begins for the batch.
    TaskStart(Arc<TaskInfo>),
    /// A host begins with the task.
    HostStart {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// When.
        at: SystemTime,
    },
    /// Live output of a running program.
    Output {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// Standard error rather than standard output.
        stderr: bool,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// One item of a loop is done.
    ItemDone {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// How.
        outcome: Box<Outcome>,
    },
    /// `FAILED - RETRYING`.
    Retry {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// How many tries are left.
        left: usize,
        /// The result of the failed try.
        outcome: Box<Outcome>,
    },
    /// `ASYNC POLL`.
    AsyncPoll {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// The job.
        job: String,
        /// 0 while it runs, 1 when it is finished.
        finished: bool,
        /// Seconds of patience left.
        left: u64,
    },
    /// A host is done with a task.
    TaskDone {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: Arc<str>,
        /// How.
        outcome: Box<Outcome>,
    },
    /// `included: FILE for h1, h2`.
    Included {
        /// The including task.
        task: Arc<TaskInfo>,
        /// The file, or the role's name.
        file: String,
        /// The hosts.
        hosts: Vec<Arc<str>>,
        /// The item's label.
        label: Option<String>,
    },
    /// A handler was notified (shown with `-vv`).
    Notified {
        /// The handler's name.
        handler: String,
        /// By this host.
        host: Arc<str>,
    },
    /// A warning, deprecation or error about what the user wrote; each text is shown once.
    Complaint(Box<Diagnostic>),
    /// A message of the run itself (`META: ...`), shown from this verbosity on.
    Note {
        /// Number of `-v`.
        verbosity: u8,
        /// Host it concerns.
        host: Option<Arc<str>>,
        /// The text.
        text: String,
    },
    /// The run is over.
    Recap {
        /// Per host, in order of first appearance.
        hosts: IndexMap<Arc<str>, Counts>,
        /// `set_stats` data.
        custom: Arc<Dict>,
        /// Exit code to come.
        code: i32,
    },
}

/// Where events go: one thread writes.
pub type Sender = std::sync::mpsc::Sender<Event>;
