//! `raw`: a command for the target's shell, which is all that the target needs.

use std::time::Duration;

use super::module::broken;
use super::{Reaction, Request};
use crate::connection::shell;
use crate::value::{Dict, Fault, Value, text};

/// Runs the command as it stands.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    if request.check {
        let command = request.args.get("_raw_params").map(text).unwrap_or_default();
        return Ok(not_run(&command));
    }
    let known = |key: &str| matches!(key, "_raw_params" | "executable" | "warn");
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !known(key)) {
        return Ok(Reaction::failed(format!("Unsupported parameters for (raw) module: {wrong}. Supported parameters include: executable, free_form.")));
    }
    let command = request.args.get("_raw_params").map(text).unwrap_or_default();
    let executable = request.args.get("executable").map(text).filter(|shell| !shell.is_empty());
    let command = with_environment(request, &command);
    let command = match executable {
        Some(executable) => format!("{executable} -c {}", shell::quote(&command)),
        None => command,
    };
    Ok(execute(request, &command, None))
}

/// Check mode: what a command does that is not run is unknown, and so is what is there afterwards.
pub(super) fn not_run(command: &str) -> Reaction {
    let mut reaction = would_run(command);
    reaction.result.insert("skipped".into(), true.into());
    reaction.result.insert("_rplay_unknown".into(), format!("`{command}` is not run").into());
    reaction
}

/// Check mode: a command would run, and leaves what nobody knows.
pub(super) fn would_run(command: &str) -> Reaction {
    let mut reaction = Reaction::ok("Command would have run if not in check mode");
    reaction.changes.push(serde_json::json!({"kind": "opaque", "what": format!("`{command}`, which is not run"), "below": null}));
    reaction
}

/// `NAME=value ... command`, each value quoted.
pub(super) fn with_environment(request: &Request, command: &str) -> String {
    let assignments: String = request.environment.iter().map(|(name, value)| format!("{name}={} ", shell::quote(value))).collect();
    format!("{assignments}{command}")
}

/// Runs a shell command and makes a result of it.
pub(super) fn execute(request: &Request, command: &str, stdin: Option<&[u8]>) -> Reaction {
    let timeout = (request.timeout > 0).then(|| Duration::from_secs(request.timeout));
    let mut on_output = |stderr: bool, bytes: &[u8]| {
        if request.live {
            (request.on_output)(stderr, bytes);
        }
    };
    match request.pool.exec(request.target, request.become_, command.as_bytes(), stdin, timeout, &mut on_output) {
        Err(error) => broken(&error),
        Ok(done) => {
            let mut result = Dict::new();
            let shown = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
            result.insert("rc".into(), Value::Int(done.rc.into()));
            result.insert("stdout".into(), shown(&done.stdout));
            result.insert("stderr".into(), shown(&done.stderr));
            result.insert("changed".into(), true.into());
            if done.rc != 0 {
                result.insert("msg".into(), "non-zero return code".into());
                result.insert("failed".into(), true.into());
            }
            Reaction::of(result)
        }
    }
}
