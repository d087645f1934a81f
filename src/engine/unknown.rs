//! What stays open when check mode cannot know what a task would do: nothing, one path, or everything on its host.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::task::Job;
use crate::action::Effect;
use crate::template::Context;
use crate::value::Value;

/// Actions that leave the files of hosts as they are.
const NO_FILES: &[&str] = &[
    "assert",
    "debug",
    "fail",
    "find",
    "gather_facts",
    "getent",
    "group",
    "group_by",
    "include_vars",
    "k8s",
    "k8s_drain",
    "k8s_exec",
    "k8s_info",
    "k8s_scale",
    "k8s_taint",
    "meta",
    "modprobe",
    "mount_facts",
    "package_facts",
    "pause",
    "ping",
    "service",
    "service_facts",
    "set_fact",
    "set_stats",
    "setup",
    "slurp",
    "stat",
    "systemd",
    "systemd_service",
    "validate_argument_spec",
    "wait_for",
    "wait_for_connection",
];

/// Actions that change the path in the first of these arguments that they have, and nothing else.
const ONE_PATH: &[&str] = &["assemble", "blockinfile", "copy", "file", "get_url", "ini_file", "lineinfile", "replace", "template", "unarchive"];
const PATH_ARGUMENTS: &[&str] = &["dest", "path", "destfile", "name"];

/// The variables that an unknown `set_fact` sets.
pub(super) fn facts(job: &Job, reason: &str) -> Effect {
    let names = job.task.args.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "cacheable");
    Effect::SetFact(names.map(|name| (name.into(), Value::Unknown(reason.into()))).collect())
}

/// The change for the host's overlay that an unknown task leaves.
pub(super) fn leaves(job: &Job, cx: Option<&Arc<Context>>, reason: &str) -> Option<Json> {
    let action = job.task.canonical.rsplit('.').next().unwrap_or_default();
    if NO_FILES.contains(&action) {
        return None;
    }
    let path = cx.filter(|_| ONE_PATH.contains(&action)).and_then(|cx| path(job, cx));
    let what = format!("the task `{}`, of which is unknown: {reason}", job.info.name);
    Some(json!({"kind": "opaque", "what": what, "below": path}))
}

/// The path that the task names, where that at least is known.
fn path(job: &Job, cx: &Arc<Context>) -> Option<String> {
    let written = |wanted: &str| job.task.args.iter().find(|(name, _)| name == wanted);
    let (_, template) = PATH_ARGUMENTS.iter().find_map(|name| written(name))?;
    match template.render(cx) {
        Ok(Value::Str(path)) if path.starts_with('/') => Some(path.trim_end_matches('/').to_string()),
        _ => None,
    }
}
