//! `validate_argument_spec`: are variables what a role says that they must be? Roles with a specification begin with it.

mod validate;

use super::{Reaction, Request};
use crate::value::{Dict, Fault, Value};

/// Checks the variables that the specification names, and the arguments given, which count before variables.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let mut result = Dict::new();
    let context = request.args.get("validate_args_context").cloned().unwrap_or_else(|| Value::dict(Dict::new()));
    result.insert("changed".into(), false.into());
    result.insert("validate_args_context".into(), context);
    let Some(spec) = request.args.get("argument_spec") else {
        let given = Value::dict(request.args.clone());
        return Ok(refused(format!("\"argument_spec\" arg is required in args: {given}")));
    };
    let spec = match dictionary("argument_spec", spec) {
        Ok(spec) => spec,
        Err(reaction) => return Ok(*reaction),
    };
    let provided = match request.args.get("provided_arguments").map(|given| dictionary("provided_arguments", given)).transpose() {
        Ok(provided) => provided.unwrap_or_default(),
        Err(reaction) => return Ok(*reaction),
    };
    let mut arguments = Dict::new();
    for key in spec.keys() {
        if let Some(name) = key.as_str()
            && let Some(value) = request.cx.get(name)?
        {
            arguments.insert(key.clone(), value.resolve()?);
        }
    }
    arguments.extend(provided);
    let home = request.world.run.environment.clone();
    let errors = validate::errors(&spec, arguments, &home)?;
    if errors.is_empty() {
        result.insert("msg".into(), "The arg spec validation passed".into());
        return Ok(Reaction::of(result));
    }
    result.insert("failed".into(), true.into());
    result.insert("msg".into(), format!("Validation of arguments failed:\n{}", errors.join("\n")).into());
    result.insert("argument_spec_data".into(), Value::dict(spec));
    result.insert("argument_errors".into(), Value::list(errors.into_iter().map(Value::from).collect()));
    Ok(Reaction::of(result))
}

fn refused(message: String) -> Reaction {
    Reaction::failed(format!("Task failed: {message}"))
}

fn dictionary(name: &str, value: &Value) -> Result<Dict, Box<Reaction>> {
    match value {
        Value::Dict(dict) => Ok((**dict).clone()),
        other => Err(Box::new(refused(format!("Incorrect type for {name}, expected dict and got <class '{}'>", other.type_name())))),
    }
}
