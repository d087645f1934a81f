//! Why a second run would change something: kinds, and what a single task's evidence tells by itself.

use crate::event::{Evidence, Status};

use super::record::Record;

/// Kinds of causes, each with a name for files and a cure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A command says `changed` whenever it runs.
    NoChangedWhen,
    /// `changed_when: true`.
    ChangedWhenTrue,
    /// The task gets other values at every run.
    Volatile,
    /// The same lines in another order.
    Unsorted,
    /// Two tasks set the same thing differently.
    Fight,
    /// Two tasks set mode, owner or group of one path differently.
    ModeFight,
    /// A handler undoes what notified it.
    HandlerUndoes,
    /// A command undoes what a task did.
    CommandUndoes,
    /// A download that is never compared.
    Download,
    /// A service is restarted or reloaded unconditionally.
    Restarted,
    /// Times are set to now.
    Touch,
    /// The newest version of something is asked for.
    Floating,
    /// A module that always changes something.
    AlwaysChanges,
    /// The task changes again what it made itself.
    NotConvergent,
    /// The consequence of another finding.
    Follows,
    /// Whether it changed is told by output that check mode has not.
    JudgedByOutput,
    /// Later tasks hang on a command that check mode does not run.
    NotRun,
    /// Something is not known before it is done.
    Unknown,
    /// The replay failed there.
    ReplayFailed,
    /// The evidence names no cause.
    Unexplained,
}

impl Kind {
    /// Its name in JSON, JUnit, SARIF and waivers.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What it means, as a heading.
    pub fn title(self) -> &'static str {
        self.row().1
    }

    /// The cure.
    pub fn help(self) -> &'static str {
        self.row().2
    }

    /// All of them.
    pub const ALL: &[Kind] = &[
        Kind::NoChangedWhen,
        Kind::ChangedWhenTrue,
        Kind::Volatile,
        Kind::Unsorted,
        Kind::Fight,
        Kind::ModeFight,
        Kind::HandlerUndoes,
        Kind::CommandUndoes,
        Kind::Download,
        Kind::Restarted,
        Kind::Touch,
        Kind::Floating,
        Kind::AlwaysChanges,
        Kind::NotConvergent,
        Kind::Follows,
        Kind::JudgedByOutput,
        Kind::NotRun,
        Kind::Unknown,
        Kind::ReplayFailed,
        Kind::Unexplained,
    ];

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Kind::NoChangedWhen => (
                "no-changed-when",
                "a command that says changed at every run",
                "say with `changed_when` when it changed something, or with `creates`/`removes` when it need not run; better use the module for it",
            ),
            Kind::ChangedWhenTrue => ("changed-when-true", "`changed_when` is true whatever happens", "let `changed_when` look at what the task did"),
            Kind::Volatile => (
                "volatile",
                "values that are other ones at every run",
                "give it a fixed value: a seed or a salt, a fact that is kept, no clock; or keep what was made once (`force: false`, `creates`)",
            ),
            Kind::Unsorted => ("unsorted", "the same lines in another order", "sort them: `| sort`, `| dictsort`, `to_nice_json(sort_keys=true)`"),
            Kind::Fight => ("fight", "two tasks set the same thing differently", "leave it to one of them, or let them agree"),
            Kind::ModeFight => {
                ("mode-fight", "two tasks set mode or owner of one path differently", "write the same mode, owner and group in both, or in one only")
            }
            Kind::HandlerUndoes => {
                ("handler-undoes", "a handler undoes what notified it", "let the task write what the handler makes of it, or let the handler write elsewhere")
            }
            Kind::CommandUndoes => {
                ("command-undoes", "a command undoes what a task did", "let the module write the final state, or let the command work on a copy")
            }
            Kind::Download => ("download", "a download that is made again and again", "give `checksum`, a file as `dest`, and leave `force` out"),
            Kind::Restarted => (
                "restarted",
                "a service is restarted or reloaded at every run",
                "make it a handler that is notified by what it must hear of; `state: started` here",
            ),
            Kind::Touch => ("touch", "times of a file are set to now", "`access_time: preserve` and `modification_time: preserve` with `state: touch`"),
            Kind::Floating => ("floating", "whatever is newest is asked for", "name the version; `state: present`"),
            Kind::AlwaysChanges => ("always-changes", "the module changes something at every run", "give it a condition, or do it in a handler"),
            Kind::NotConvergent => {
                ("not-convergent", "the task changes again what it made itself", "look at the diff: what it writes is not what it looks for")
            }
            Kind::Follows => ("follows", "a consequence of another finding", "goes away with it"),
            Kind::JudgedByOutput => (
                "judged-by-output",
                "`changed_when` looks at output that check mode has not",
                "if the command only reads, mark it `# rplay: read-only` with `changed_when: false`; else judge by a second run (`--idempotence=rerun`)",
            ),
            Kind::NotRun => (
                "not-run",
                "later tasks hang on a command that check mode does not run",
                "if it only reads, `check_mode: false` or the mark `# rplay: read-only` lets check mode run it; or judge by a second run (`--idempotence=rerun`)",
            ),
            Kind::Unknown => ("unknown", "check mode cannot know", "judge by a second run (`--idempotence=rerun`)"),
            Kind::ReplayFailed => ("replay-failed", "the task fails in check mode", "judge by a second run (`--idempotence=rerun`)"),
            Kind::Unexplained => {
                ("unexplained", "it would change, and the evidence does not tell why", "look at the diff: something outside of this playbook may change it")
            }
        }
    }
}

/// A cause, told.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Which kind.
    pub kind: Kind,
    /// What of this task shows it.
    pub why: String,
}

impl Cause {
    pub(super) fn new(kind: Kind, why: impl Into<String>) -> Cause {
        Cause { kind, why: why.into() }
    }
}

/// The action without its collection.
pub(super) fn action(record: &Record) -> &str {
    record.task.action.rsplit('.').next().unwrap_or_default()
}

/// Whether the task runs a command that the author wrote.
pub(super) fn is_command(record: &Record) -> bool {
    matches!(action(record), "command" | "shell" | "raw" | "script" | "expect")
}

/// Whether the action leaves its target as it is, whatever it says.
pub(super) fn leaves_alone(record: &Record) -> bool {
    let name = action(record);
    let listed = [
        "add_host",
        "assert",
        "async_status",
        "debug",
        "fail",
        "find",
        "gather_facts",
        "getent",
        "group_by",
        "include_role",
        "include_tasks",
        "include_vars",
        "meta",
        "pause",
        "ping",
        "set_fact",
        "set_stats",
        "setup",
        "slurp",
        "stat",
        "validate_argument_spec",
        "wait_for",
        "wait_for_connection",
    ];
    listed.contains(&name) || name.ends_with("_info") || name.ends_with("_facts")
}

/// What the author said about changes of a command: nothing, always, never, or a condition.
pub(super) fn of_command(record: &Record, evidence: &Evidence) -> Option<Cause> {
    if evidence.always {
        return Some(Cause::new(Kind::ChangedWhenTrue, "`changed_when: true`"));
    }
    if !is_command(record) || evidence.judged {
        return None;
    }
    let guard = ["creates", "removes"].into_iter().find_map(|key| Some((key, evidence.words.get(key)?)));
    Some(match guard {
        Some((key, path)) if record.outcome.status == Status::Changed || record.outcome.status == Status::Unknown => {
            let what = if key == "creates" { "it does not make it" } else { "it does not remove it" };
            Cause::new(Kind::NotConvergent, format!("`{key}: {path}` does not stop the command: {what}"))
        }
        _ => Cause::new(Kind::NoChangedWhen, "no `changed_when`, `creates` or `removes`"),
    })
}

/// Modules that change something whenever they run.
const ALWAYS: &[&str] = &["tempfile", "reboot", "k8s_exec"];

/// Whether the module changes something whenever it runs.
pub(super) fn always_changes(record: &Record) -> bool {
    ALWAYS.contains(&action(record))
}

/// Why a task that changes nothing now may do so at any time: it asks for what somebody else decides.
pub(super) fn of_outside(record: &Record, evidence: &Evidence) -> Option<Cause> {
    let word = |key: &str| evidence.words.get(key).map(String::as_str);
    let moves = match action(record) {
        "git" => matches!(word("version"), None | Some("HEAD" | "main" | "master" | "devel" | "develop")),
        "get_url" => {
            let dest = word("dest").unwrap_or_default();
            let into_folder =
                dest.ends_with('/') || record.outcome.result.get("dest").map(crate::value::text).is_some_and(|at| at != dest && at.starts_with(dest));
            word("checksum").is_none() && (into_folder || word("force").is_some_and(|force| matches!(force, "True" | "true" | "yes")))
        }
        "apt" | "dnf" | "yum" | "package" | "apk" | "pip" | "npm" | "gem" => word("state") == Some("latest"),
        _ => false,
    };
    if moves { of_arguments(record, evidence) } else { None }
}

/// What the arguments alone tell of a task that would change something.
pub(super) fn of_arguments(record: &Record, evidence: &Evidence) -> Option<Cause> {
    let word = |key: &str| evidence.words.get(key).map(String::as_str);
    let state = word("state").unwrap_or_default();
    let cause = |kind, why: String| Some(Cause::new(kind, why));
    match action(record) {
        "service" | "systemd" | "systemd_service" | "sysvinit" if matches!(state, "restarted" | "reloaded") => {
            cause(Kind::Restarted, format!("`state: {state}` without a condition"))
        }
        "file" if state == "touch" => cause(Kind::Touch, "`state: touch`".into()),
        "get_url" if word("checksum").is_none() => cause(Kind::Download, format!("{} has no `checksum`", word("url").unwrap_or("the download"))),
        "unarchive" if word("src").is_some_and(|src| src.contains("://")) => {
            cause(Kind::Download, format!("{} is fetched at every run", word("src").unwrap_or_default()))
        }
        "uri" if word("dest").is_some() => cause(Kind::Download, "`uri` with `dest` fetches at every run".into()),
        "apt" | "dnf" | "yum" | "package" | "apk" | "pip" | "npm" | "gem"
            if state == "latest" || word("upgrade").is_some_and(|how| !matches!(how, "no" | "false" | "False")) =>
        {
            cause(Kind::Floating, if state == "latest" { "`state: latest`".into() } else { "`upgrade`".into() })
        }
        "git" if word("version").is_none_or(|version| !(version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit()))) => {
            cause(Kind::Floating, format!("`version: {}` moves", word("version").unwrap_or("HEAD")))
        }
        "apt" if word("update_cache").is_some() && word("name").is_none() => cause(Kind::AlwaysChanges, "`update_cache` without `cache_valid_time`".into()),
        name if ALWAYS.contains(&name) => cause(Kind::AlwaysChanges, format!("`{}` changes something whenever it runs", action(record))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
