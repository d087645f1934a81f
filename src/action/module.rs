//! A native module on the target: one round trip.

use std::io::Read;
use std::time::Duration;

use rplay_modules::wire::{Call, Reply};
use serde_json::{Map, Value as Json};

use super::{Effect, Reaction, Request, catalog};
use crate::connection::ConnectError;
use crate::runner::{ContentSource, NoContent};
use crate::value::{Dict, Fault, Value, from_json, text, to_json};

/// Runs the module of the request's name with its arguments.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    if rplay_modules::find(request.action).is_none() {
        return Ok(unknown(request));
    }
    let args = to_map(&request.args);
    Ok(call(request, request.action, args, &NoContent, None))
}

/// A module that rplay lacks fails the task that runs it.
fn unknown(request: &Request) -> Reaction {
    let near = crate::diagnostic::closest(request.action, catalog::all());
    let hint = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    Reaction::failed(format!("rplay has no module `{}`; COMPATIBILITY.md lists those it has.{hint}", request.written))
}

/// Arguments as they travel.
pub(super) fn to_map(args: &Dict) -> Map<String, Json> {
    args.iter().map(|(key, value)| (text(&key.to_value()), to_json(value))).collect()
}

/// Runs a module; what goes wrong on the way becomes a result.
pub(super) fn call(request: &Request, module: &str, args: Map<String, Json>, content: &dyn ContentSource, on_blob: Option<&mut dyn FnMut(&[u8])>) -> Reaction {
    let call = call_with(request, module, args);
    let mut on_output = |stderr: bool, bytes: &[u8]| (request.on_output)(stderr, bytes);
    match request.pool.call(request.target, request.become_, call, content, &mut on_output, on_blob, patience(request.timeout)) {
        Ok(reply) => answered(reply, module, request.written),
        Err(error) => broken(&error),
    }
}

/// How long an answer may take, where the task has a `timeout`: the runner watches it, and we a little longer.
pub fn patience(timeout: u64) -> Option<Duration> {
    (timeout > 0).then(|| Duration::from_secs(timeout + 5))
}

/// What is sent for a module that the controller only hands on.
pub fn call_of(request: &Request) -> Call {
    call_with(request, request.action, to_map(&request.args))
}

fn call_with(request: &Request, module: &str, mut args: Map<String, Json>) -> Call {
    let directory = async_dir(request);
    if module == "async_status" && !directory.is_empty() {
        args.entry("_async_dir").or_insert_with(|| directory.as_str().into());
    }
    Call {
        module: module.to_string(),
        args,
        check: request.check,
        diff: request.diff,
        environment: request.environment.clone(),
        live: request.live,
        timeout: request.timeout,
        async_seconds: request.async_seconds,
        job: request.job.clone(),
        async_dir: directory,
        overlay: request.overlay.clone(),
        ..blank()
    }
}

/// What the runner answered.
pub fn answered(reply: Reply, module: &str, written: &str) -> Reaction {
    named_as_written(reaction(reply), module, written)
}

fn async_dir(request: &Request) -> String {
    match request.cx.get("ansible_async_dir") {
        Ok(Some(value)) => text(&value),
        _ => String::new(),
    }
}

fn blank() -> Call {
    Call {
        module: String::new(),
        args: Map::new(),
        check: false,
        diff: false,
        environment: Vec::new(),
        live: false,
        timeout: 0,
        async_seconds: 0,
        job: String::new(),
        async_dir: String::new(),
        overlay: Vec::new(),
        stop_on_failure: false,
        batch: 0,
        umask: None,
    }
}

fn reaction(reply: Reply) -> Reaction {
    let result: Dict = reply.result.iter().map(|(key, value)| (key.as_str().into(), from_json(value))).collect();
    let mut reaction = Reaction { changes: reply.changes, ..Reaction::of(result) };
    if reaction.result.get("msg").is_some_and(|msg| text(msg).starts_with("Timed out after")) {
        let seconds = reaction.result.get("msg").map(text).unwrap_or_default();
        let period = seconds.split_whitespace().find_map(|word| word.parse::<i64>().ok()).unwrap_or(0);
        reaction.result.insert("timedout".into(), Value::from_iter([("period".into(), Value::from(period))]));
    }
    if let Some(Value::Dict(facts)) = reaction.result.get("ansible_facts") {
        reaction.effects.push(Effect::Facts((**facts).clone()));
    }
    reaction
}

/// Complaints about arguments name the module as the task does.
fn named_as_written(mut reaction: Reaction, module: &str, written: &str) -> Reaction {
    let short = format!("Unsupported parameters for ({module}) module");
    if let Some(msg) = reaction.result.get("msg").map(text).filter(|msg| msg.starts_with(&short)) {
        reaction.result.insert("msg".into(), msg.replacen(&short, &format!("Unsupported parameters for ({written}) module"), 1).into());
    }
    reaction
}

/// What stands between us and the host, as a result.
pub fn broken(error: &ConnectError) -> Reaction {
    let mut result = Dict::new();
    let flag = if error.is_unreachable() { "unreachable" } else { "failed" };
    let became = matches!(error, ConnectError::Become { .. });
    result.insert(flag.into(), true.into());
    result.insert("msg".into(), if became { format!("Task failed: {error}") } else { error.to_string() }.into());
    result.insert("changed".into(), false.into());
    if became {
        result.insert("_rplay_become".into(), true.into());
    }
    if let ConnectError::TimedOut { seconds } = error {
        let mut frame = Dict::new();
        frame.insert("period".into(), Value::Int((*seconds).into()));
        result.insert("timedout".into(), Value::dict(frame));
    }
    Reaction::of(result)
}

/// One content, from memory or from a file, under its SHA-256.
pub(super) enum Content {
    /// In memory.
    Bytes(String, Vec<u8>),
    /// A file of the controller.
    File(String, std::path::PathBuf),
}

impl ContentSource for Content {
    fn open(&self, sha256: &str) -> std::io::Result<Box<dyn Read + '_>> {
        match self {
            Content::Bytes(known, bytes) if known == sha256 => Ok(Box::new(bytes.as_slice())),
            Content::File(known, path) if known == sha256 => Ok(Box::new(std::fs::File::open(path)?)),
            _ => Err(std::io::Error::new(std::io::ErrorKind::NotFound, format!("no content {sha256} was announced"))),
        }
    }
}
