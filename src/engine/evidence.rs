//! What the idempotence checker judges by: arguments and the variables that they were made from, as hashes, and the text of commands.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::task::Job;
use crate::event::Evidence;
use crate::program::TaskDef;
use crate::template::Context;
use crate::value::{Dict, Value, text, to_json};

/// Actions that run what the author wrote.
const COMMANDS: &[&str] = &["command", "shell", "raw", "script", "expect"];

/// Arguments that tell what kind of task it is.
const WORDS: &[&str] = &[
    "state",
    "creates",
    "removes",
    "force",
    "checksum",
    "url",
    "src",
    "dest",
    "path",
    "name",
    "remote_src",
    "update_cache",
    "cache_valid_time",
    "upgrade",
    "version",
    "access_time",
    "modification_time",
    "regexp",
    "regex",
    "line",
    "mode",
    "owner",
    "group",
    "recurse",
];

/// Variables that are never the reason for anything, or are too much to look at.
const LEFT_OUT: &[&str] =
    &["", "hostvars", "vars", "groups", "ansible_play_hosts", "ansible_play_batch", "play_hosts", "omit", "ansible_check_mode", "ansible_diff_mode"];

/// What the action is given.
pub(super) fn given(job: &Job, cx: &Arc<Context>, args: &Dict, reads: &[Arc<str>]) -> Evidence {
    let task = job.task;
    let command = ["_raw_params", "cmd", "argv"].iter().find_map(|key| args.get(*key));
    let words = |name: &&'static str| Some((*name, text(args.get(*name)?)));
    let shown = !job.info.no_log;
    let mut evidence = Evidence {
        args: Some(args.iter().map(|(key, value)| (text(&key.to_value()), hash(value))).collect()),
        command: command.filter(|_| shown && COMMANDS.contains(&task.canonical.rsplit('.').next().unwrap_or_default())).map(text),
        words: WORDS.iter().filter(|_| shown).filter_map(words).collect(),
        register: task.register.clone(),
        judged: task.changed_when.is_some(),
        never: task.changed_when.iter().flatten().any(|condition| is(&condition.value(), false)),
        always: task.changed_when.as_ref().is_some_and(|all| !all.is_empty() && all.iter().all(|condition| is(&condition.value(), true))),
        ..Evidence::default()
    };
    read(Some(&mut evidence), cx, reads);
    evidence
}

/// A condition that is the same whatever happens.
fn is(condition: &Value, wanted: bool) -> bool {
    match condition {
        Value::Bool(holds) => *holds == wanted,
        Value::Str(text) => text.trim().eq_ignore_ascii_case(if wanted { "true" } else { "false" }),
        _ => false,
    }
}

/// What is known of a task that was not even begun: what it asked for, and what is written in it.
pub(super) fn asked(job: &Job, cx: &Arc<Context>, reads: &[Arc<str>]) -> Evidence {
    Evidence { args: None, ..given(job, cx, &Dict::new(), reads) }
}

/// Why the idempotence checker is to take the task as it is, where the author says so.
pub(super) fn waived(task: &TaskDef) -> Option<String> {
    task.marks.iter().find(|mark| mark.word == "idempotence-ok").map(|mark| mark.text.clone())
}

/// Adds what was read.
pub(super) fn read(evidence: Option<&mut Evidence>, cx: &Arc<Context>, reads: &[Arc<str>]) {
    let Some(evidence) = evidence else { return };
    for name in reads.iter().filter(|name| !LEFT_OUT.contains(&&***name)) {
        if !evidence.reads.contains_key(name) {
            let value = if name.ends_with("()") { None } else { cx.get(name).ok().flatten().and_then(|value| value.resolve().ok()) };
            evidence.reads.insert(name.clone(), value.map_or(0, |value| hash(&value)));
        }
    }
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    to_json(value).to_string().hash(&mut hasher);
    hasher.finish()
}
