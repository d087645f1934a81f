//! One call from arguments to result: check them, run the module over the right system, assemble Ansible's keys.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::Mode;
use rustix::process::umask;
use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::coerce;
use crate::context::{Context, Controller, Residue, Settings};
use crate::control::Control;
use crate::list::{self, Entry};
use crate::outcome::{Failure, Outcome};
use crate::spec::Spec;
use crate::system::{MAY_BE_MADE, Overlay, Real, System};
use crate::wire::{Call, Reply};

/// Runs a call on this machine.
pub fn execute(call: &Call, base_env: &[(String, String)], controller: &mut dyn Controller, control: &Control) -> Reply {
    let old = match call.umask {
        Some(bits) => umask(Mode::from_raw_mode(bits & 0o777)),
        None => current_umask(),
    };
    let now = call.umask.unwrap_or(old.as_raw_mode()) & 0o777;
    let settings = Settings { check: call.check, diff: call.diff, live: call.live, env: environment(base_env, &call.environment), umask: now };
    let reply = if call.check {
        predict(call, &|| overlay_of(call, now), controller, &settings, control)
    } else {
        execute_on(call, &mut Real, controller, settings, control)
    };
    umask(old);
    reply
}

fn overlay_of(call: &Call, umask: u32) -> Overlay<Real> {
    let mut overlay = Overlay::new(Real, clock(), umask);
    let changes = call.overlay.iter().filter_map(|value| serde_json::from_value::<Change>(value.clone()).ok());
    changes.for_each(|change| overlay.replay(&change));
    overlay
}

/// Arguments that name what a module makes.
const MADE: &[&str] = &["dest", "path", "destfile", "name", "creates"];

/// Check mode: what the call would do. Where that hangs on whether a path is there that an earlier task may have made, it is tried as if no such path
/// were there (but the folder that the call's own path belongs into): when the module would change something then, it is predicted to, else nobody knows.
pub fn predict<B: System>(call: &Call, overlay: &dyn Fn() -> Overlay<B>, controller: &mut dyn Controller, settings: &Settings, control: &Control) -> Reply {
    let reply = execute_on(call, &mut overlay(), controller, settings.clone(), control);
    let reason = reply.result.get("_rplay_unknown").and_then(Value::as_str).unwrap_or_default();
    if !reason.contains(MAY_BE_MADE) || control.ended().is_some() {
        return reply;
    }
    let mut presuming = overlay();
    for path in MADE.iter().filter_map(|name| call.args.get(*name)?.as_str()).filter(|path| path.starts_with('/')) {
        let is_folder = path.ends_with('/') || call.module == "unarchive";
        presuming.presume(Path::new(path), is_folder);
    }
    presuming.presume(Path::new("/"), false);
    let second = execute_on(call, &mut presuming, controller, settings.clone(), control);
    let flag = |key: &str| second.result.get(key).is_some_and(|value| value == &json!(true));
    if flag("changed") && !flag("failed") && !second.result.contains_key("_rplay_unknown") { second } else { reply }
}

/// Runs a call over a system; in check mode that must be an overlay.
pub fn execute_on(call: &Call, system: &mut dyn System, controller: &mut dyn Controller, settings: Settings, control: &Control) -> Reply {
    let Some(entry) = list::find(&call.module) else {
        return failed(Failure::new(format!("this runner has no module '{}'", call.module)));
    };
    if call.check && !entry.spec.check_mode {
        let msg = format!("remote module ({}) does not support check mode", entry.spec.name);
        let outcome = Outcome::new(false).with("skipped", true).msg(msg).unknown(&format!("{} has no check mode", entry.spec.name));
        return Reply { result: outcome_map(outcome), ..Reply::default() };
    }
    let mut cx = Context::new(system, controller, settings, control.clone());
    let caught = catch_unwind(AssertUnwindSafe(|| run(entry, call, &mut cx)));
    let mut result = caught.unwrap_or_else(|panic| failure_of(&panic, entry.spec).into_result());
    if let Some(reason) = control.ended() {
        result.insert("failed".into(), json!(true));
        result.insert("msg".into(), json!(reason));
    }
    add_residue(cx.finish(), result)
}

fn run(entry: &Entry, call: &Call, cx: &mut Context<'_>) -> Map<String, Value> {
    let args = match coerce::validate_in(entry.spec, &call.args, cx) {
        Ok(args) => Args(args),
        Err(msg) => return Failure::new(msg).into_result(),
    };
    let mut result = match (entry.run)(&args, cx) {
        Ok(outcome) => outcome_map(outcome),
        Err(failure) => failure.into_result(),
    };
    // AnsibleModule describes what `path` or `dest` names now
    let path = result.get("path").or(result.get("dest")).and_then(Value::as_str).map(str::to_owned);
    if let Some(path) = path.filter(|path| path.starts_with('/')) {
        // what cannot be looked at is simply not described
        let mut info = Map::new();
        if cx.path_info(Path::new(&path), &mut info).is_ok() {
            result.extend(info);
        }
    }
    if !entry.collection.is_empty() {
        result.insert("invocation".into(), json!({"module_args": shown_args(entry.spec, &args)}));
    }
    result
}

fn outcome_map(outcome: Outcome) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("changed".into(), json!(outcome.changed));
    result.extend(outcome.fields);
    result
}

/// Every argument of the table with its value, secrets hidden.
fn shown_args(spec: &Spec, args: &Args) -> Map<String, Value> {
    let hidden = json!("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER");
    spec.arguments()
        .map(|arg| match args.get(arg.name) {
            Some(_) if arg.no_log => (arg.name.to_owned(), hidden.clone()),
            value => (arg.name.to_owned(), value.cloned().unwrap_or(Value::Null)),
        })
        .collect()
}

fn add_residue(residue: Residue, mut result: Map<String, Value>) -> Reply {
    if !result.contains_key("diff") {
        match residue.diffs.len() {
            0 => {}
            1 => drop(residue.diffs.into_iter().next().map(|diff| result.insert("diff".into(), diff))),
            _ => drop(result.insert("diff".into(), Value::Array(residue.diffs))),
        }
    }
    if !residue.warnings.is_empty() {
        result.insert("warnings".into(), json!(residue.warnings));
    }
    if !residue.deprecations.is_empty() {
        result.insert("deprecations".into(), json!(residue.deprecations));
    }
    let changes = residue.changes.iter().filter_map(|change| serde_json::to_value(change).ok()).collect();
    Reply { result, changes, not_run: false }
}

/// A reply that is only a failure.
pub fn failed(failure: Failure) -> Reply {
    Reply { result: failure.into_result(), ..Reply::default() }
}

fn failure_of(panic: &Box<dyn std::any::Any + Send>, spec: &Spec) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Failure::new(format!("MODULE FAILURE: the module {} stopped by a defect of its own: {}", spec.name, text.unwrap_or("no message")))
}

fn environment(base: &[(String, String)], task: &[(String, String)]) -> Vec<(String, String)> {
    let mut env = base.to_vec();
    for (name, value) in task {
        match env.iter_mut().find(|(have, _)| have == name) {
            Some((_, old)) => old.clone_from(value),
            None => env.push((name.clone(), value.clone())),
        }
    }
    env
}

fn current_umask() -> Mode {
    let old = umask(Mode::from_raw_mode(0o022));
    umask(old);
    old
}

fn clock() -> (i64, i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_secs() as i64, i64::from(now.subsec_nanos()))
}
