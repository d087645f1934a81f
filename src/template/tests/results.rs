//! What became of a task: tests of registered results.

use crate::template::Env;
use crate::template::arguments::Arguments;
use crate::template::coerce::{is_dict, to_list};
use crate::value::{Fault, Value};

/// An entry of a result; an error names the test when it is no result.
fn entry(result: &Value, name: &str, test: &str) -> Result<Option<Value>, Fault> {
    match result {
        Value::Dict(dict) => Ok(dict.get(name).cloned()),
        Value::Object(object) if is_dict(result) => object.get(&name.into()),
        _ => Err(Fault::error(format!("The '{test}' test expects a dictionary"))),
    }
}

fn holds(result: &Value, name: &str, args: Arguments, test: &'static str) -> Result<bool, Fault> {
    args.none(test)?;
    let value = entry(result, name, test)?;
    match value {
        Some(Value::Unknown(reason)) => Err(Fault::unknown(reason.to_string())),
        value => Ok(value.is_some_and(|value| value.is_true())),
    }
}

/// `failed`, `failure`.
///
/// # Errors
/// Not a result.
pub fn failed(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    holds(&input, "failed", args, "failed")
}

/// `succeeded`, `success`, `successful`.
///
/// # Errors
/// Not a result.
pub fn succeeded(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    holds(&input, "failed", args, "failed").map(|failed| !failed)
}

/// `unreachable`.
///
/// # Errors
/// Not a result.
pub fn unreachable(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    holds(&input, "unreachable", args, "unreachable")
}

/// `reachable`.
///
/// # Errors
/// Not a result.
pub fn reachable(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    holds(&input, "unreachable", args, "unreachable").map(|unreachable| !unreachable)
}

/// `skipped`, `skip`.
///
/// # Errors
/// Not a result.
pub fn skipped(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    holds(&input, "skipped", args, "skipped")
}

/// `changed`, `change`; of a result without `changed`, whether one of its `results` changed.
///
/// # Errors
/// Not a result.
pub fn changed(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    if entry(&input, "changed", "changed")?.is_some() {
        return holds(&input, "changed", args, "changed");
    }
    args.none("changed")?;
    let Some(results) = entry(&input, "results", "changed")? else { return Ok(false) };
    let results = to_list(&results)?.unwrap_or_default();
    if !results.first().is_some_and(is_dict) {
        return Ok(false);
    }
    for result in &results {
        if is_dict(result) && entry(result, "changed", "changed")?.is_some_and(|changed| changed.is_true()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `started`: true for a result that is not of an async task.
///
/// # Errors
/// Not a result.
pub fn started(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("started")?;
    Ok(entry(&input, "started", "started")?.is_none_or(|started| started.is_true()))
}

/// `finished`: true for a result that is not of an async task.
///
/// # Errors
/// Not a result.
pub fn finished(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("finished")?;
    Ok(entry(&input, "finished", "finished")?.is_none_or(|finished| finished.is_true()))
}

/// `timedout`.
///
/// # Errors
/// Not a result.
pub fn timedout(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("timedout")?;
    match entry(&input, "timedout", "timedout")? {
        Some(timedout) if timedout.is_true() => Ok(entry(&timedout, "period", "timedout")?.is_some_and(|period| period.is_true())),
        _ => Ok(false),
    }
}
