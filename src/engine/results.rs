//! Results: what every one of them has, what `register` keeps, and waiting for detached jobs.

use std::time::Duration;

use super::task::Job;
use crate::action::{self, Reaction, Request};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Status};
use crate::value::{Dict, Fault, Value, text};

use super::item::is;

/// Adds what every result has: `failed` by `rc`, `changed`, lines of output, `attempts`.
pub(super) fn complete(result: &mut Dict, retries: usize, attempt: usize) {
    for (name, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let (Some(Value::Str(output)), false) = (result.get(name), result.contains_key(lines)) {
            let split = output.lines().map(Value::from).collect::<Vec<_>>();
            result.insert(lines.into(), Value::list(split));
        }
    }
    if !result.contains_key("failed") {
        let failed = result.get("rc").is_some_and(|rc| text(rc) != "0");
        result.insert("failed".into(), failed.into());
    }
    if retries > 1 {
        result.insert("attempts".into(), Value::from(attempt));
    }
    if !result.contains_key("changed") {
        result.insert("changed".into(), false.into());
    }
}

/// How a result counts. What `failed_when` said stands above `failed`, which running out of retries sets (as ansible-core 2.19 `TaskResult`).
pub(super) fn status(result: &Dict) -> Status {
    let failed = match result.get("failed_when_result") {
        Some(Value::Bool(failed)) => *failed,
        _ => is(result, "failed"),
    };
    if is(result, "unreachable") {
        Status::Unreachable
    } else if failed {
        Status::Failed
    } else if is(result, "skipped") {
        Status::Skipped
    } else if is(result, "changed") {
        Status::Changed
    } else {
        Status::Ok
    }
}

/// What `register` keeps: everything but what is internal.
pub(super) fn registered(result: &Dict) -> Value {
    let keep = |name: &str| !name.starts_with("_ansible_") && !name.starts_with("_rplay_") && name != "invocation";
    let kept = result.iter().filter(|(key, _)| key.as_str().is_none_or(keep));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Takes warnings and deprecations out of a result.
pub(super) fn warnings(result: &mut Dict) -> Vec<Diagnostic> {
    let mut complaints = Vec::new();
    if let Some(list) = result.shift_remove("warnings") {
        complaints.extend(list.as_slice().unwrap_or_default().iter().map(|warning| Diagnostic::warning(text(warning))));
    }
    if let Some(list) = result.shift_remove("deprecations") {
        let shown = |entry: &Value| entry.get("msg").map_or_else(|| text(entry), text);
        complaints.extend(list.as_slice().unwrap_or_default().iter().map(|entry| Diagnostic::warning(format!("deprecated: {}", shown(entry)))));
    }
    complaints
}

/// Where a failure of a module or action belongs: the task.
pub(super) fn failure_place(job: &Job, result: &Dict) -> Diagnostic {
    let what = if rplay_modules::find(&job.task.canonical).is_some() { "Module" } else { "Action" };
    let msg = result.get("msg").map(text).unwrap_or_else(|| "the result says so".into());
    let message = if msg.starts_with("Task failed: ") { msg } else { format!("Task failed: {what} failed: {msg}") };
    Diagnostic::error(message).at(&job.task.span)
}

/// A name for a detached job, in Ansible's form: `j` and digits.
pub(super) fn job_id() -> String {
    format!("j{:012}.{}", rand::random_range(0..1_000_000_000_000u64), std::process::id())
}

/// Waits for a detached job, asking every `poll` seconds.
pub(super) fn poll(job: &Job, request: &mut Request, started: Reaction, poll: u64) -> Result<Reaction, Fault> {
    let id = started.result.get("ansible_job_id").map(text).unwrap_or_default();
    if id.is_empty() {
        return Ok(started);
    }
    let patience = request.async_seconds;
    let mut left = patience as i64;
    let mut ask = Dict::new();
    ask.insert("jid".into(), id.as_str().into());
    let (action, written) = (request.action, request.written);
    let original = (std::mem::take(&mut request.args), request.async_seconds, std::mem::take(&mut request.job));
    (request.action, request.written) = ("async_status", "async_status");
    (request.args, request.async_seconds) = (ask, 0);
    let mut latest = started;
    while left > 0 {
        std::thread::sleep(Duration::from_secs(poll));
        left -= poll as i64;
        latest = action::run(request)?;
        let finished = is(&latest.result, "finished");
        (job.send)(Event::AsyncPoll { task: job.info.clone(), host: job.host.clone(), job: id.clone(), finished, left: left.max(0) as u64 });
        if finished || is(&latest.result, "unreachable") {
            break;
        }
        if is(&latest.result, "failed") && !latest.result.contains_key("finished") {
            break;
        }
    }
    let over = !is(&latest.result, "finished") && !is(&latest.result, "failed");
    if over {
        let mut result = Dict::new();
        result.insert("failed".into(), true.into());
        result.insert("msg".into(), format!("async task did not complete within the requested time - {patience}s").into());
        result.insert("async_result".into(), registered(&latest.result));
        latest = Reaction::of(result);
    } else {
        request.args.insert("mode".into(), "cleanup".into());
        let _ = action::run(request)?;
    }
    (request.action, request.written) = (action, written);
    (request.args, request.async_seconds, request.job) = original;
    Ok(latest)
}
