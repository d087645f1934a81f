//! `debug` and `fail`.

use super::{Reaction, Request};
use crate::template::evaluate;
use crate::value::{Dict, Fault, Key, Value, text};

/// `debug`: a message, or a variable.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    if let Some(wrong) = request.args.keys().filter_map(Key::as_str).find(|key| !matches!(*key, "msg" | "verbosity")) {
        return Ok(Reaction::failed(format!("Unsupported parameters for (debug) module: {wrong}. Supported parameters include: msg, var, verbosity.")));
    }
    let var = request.raw_args.iter().find(|(name, _)| name == "var").map(|(_, value)| value);
    if var.is_some() && request.args.contains_key("msg") {
        return Ok(Reaction::failed("parameters are mutually exclusive: msg|var"));
    }
    let verbosity = request.args.get("verbosity").and_then(|value| text(value).parse::<u8>().ok()).unwrap_or(0);
    let mut result = Dict::new();
    if verbosity > request.world.run.verbosity {
        result.insert("skipped_reason".into(), "Verbosity threshold not met.".into());
        result.insert("skipped".into(), true.into());
        return Ok(Reaction::of(result));
    }
    match var {
        Some(var) => show(request, var, &mut result)?,
        None => drop(result.insert("msg".into(), request.args.get("msg").cloned().unwrap_or_else(|| "Hello world!".into()))),
    }
    result.insert("changed".into(), false.into());
    result.insert("_ansible_verbose_always".into(), true.into());
    Ok(Reaction::of(result))
}

/// `var`: an expression, or anything else that is shown as it is.
fn show(request: &Request, var: &crate::template::Templated, result: &mut Dict) -> Result<(), Fault> {
    let given = var.render(request.cx)?;
    let Some(expression) = given.as_str() else {
        result.insert(text(&Value::from(given.type_name())).into(), given);
        return Ok(());
    };
    let value = match evaluate(expression, request.cx).and_then(|value| value.resolve()) {
        Ok(value) => value,
        Err(fault) if fault.is_undefined() => format!("<< error 1 - {} >>", fault.message).into(),
        Err(fault) if fault.is_unknown() => Value::from(format!("unknown in check mode: {}", fault.message)),
        Err(fault) => return Err(fault),
    };
    result.insert(expression.into(), value);
    Ok(())
}

/// `fail`.
pub(super) fn fail(request: &mut Request) -> Result<Reaction, Fault> {
    if let Some(wrong) = request.args.keys().filter_map(Key::as_str).find(|key| *key != "msg") {
        return Ok(Reaction::failed(format!("Unsupported parameters for (fail) module: {wrong}. Supported parameters include: msg.")));
    }
    Ok(Reaction::failed(request.args.get("msg").map_or_else(|| "Failed as requested from task".to_string(), text)))
}
