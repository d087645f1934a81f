//! Filters over any value: default, mandatory, bool, ternary, type_debug, attr, safe.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, given, to_text};
use crate::value::{Fault, Value};

/// `default`, `d`.
///
/// # Errors
/// Wrong arguments.
pub fn default(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [value, boolean] = args.bind(signature("ansible_default", 1, 0), ["default_value", "boolean"])?;
    let boolean = match boolean {
        None => false,
        Some(Value::Bool(b)) => b,
        Some(other) => return Err(Fault::error(format!("The 'boolean' argument must be of type 'bool', not '{}'.", other.type_name()))),
    };
    let replaced = matches!(input, Value::Undefined(_)) || (boolean && !input.is_true());
    Ok(if replaced { value.unwrap_or("".into()) } else { input })
}

/// `mandatory`.
///
/// # Errors
/// The input is undefined.
pub fn mandatory(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [message] = args.bind(signature("mandatory", 1, 0), ["msg"])?;
    let Value::Undefined(why) = &input else { return Ok(input) };
    if let Some(message) = given(message) {
        return Err(Fault::error(&*to_text(&message)?));
    }
    let name = why
        .strip_suffix("' is undefined")
        .and_then(|rest| rest.strip_prefix('\''))
        .or_else(|| why.strip_suffix('\'').and_then(|rest| rest.rsplit_once("has no attribute '")).map(|(_, name)| name));
    Err(Fault::error(name.map_or_else(|| "Mandatory variable not defined.".to_string(), |name| format!("Mandatory variable '{name}' not defined."))))
}

/// `bool`.
///
/// # Errors
/// Wrong arguments.
pub fn bool(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("to_bool")?;
    Ok(Value::Bool(match &input {
        Value::Bool(b) => *b,
        Value::Int(n) => *n == 1,
        Value::Float(f) => *f == 1.0,
        Value::Str(text) => matches!(text.to_lowercase().as_str(), "yes" | "on" | "true" | "1"),
        other => {
            defined(other)?;
            false
        }
    }))
}

/// `ternary`.
///
/// # Errors
/// Wrong arguments.
pub fn ternary(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [yes, no, none] = args.bind(signature("ternary", 1, 2), ["true_val", "false_val", "none_val"])?;
    defined(&input)?;
    let chosen = match given(none) {
        Some(none) if matches!(input, Value::Null) => Some(none),
        _ if input.is_true() => yes,
        _ => no,
    };
    Ok(chosen.unwrap_or(Value::Null))
}

/// `type_debug`.
///
/// # Errors
/// Wrong arguments.
pub fn type_debug(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("type_debug")?;
    Ok(match input {
        Value::Undefined(_) => "UndefinedMarker".into(),
        other => other.type_name().into(),
    })
}

/// `attr`: attributes only, never items.
///
/// # Errors
/// The rendering of an element failed.
pub fn attr(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [name] = args.bind(signature("do_attr", 2, 1), ["name"])?;
    let name = name.unwrap_or(Value::Null);
    let has_items = crate::template::coerce::is_dict(&input) || crate::template::coerce::is_list(&input);
    if has_items || !matches!(name, Value::Str(_)) {
        return Ok(Value::Undefined(format!("object of type '{}' has no attribute {}", input.type_name(), crate::value::repr(&name)).into()));
    }
    env.attribute(&input, &name)
}

/// `safe`: text; nothing is escaped by itself here.
///
/// # Errors
/// A part has no value.
pub fn safe(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_mark_safe")?;
    Ok(Value::Str(to_text(&input)?))
}

/// `unicode`: text of a value, kept from old playbooks.
///
/// # Errors
/// A part has no value.
pub fn unicode(input: Value, _: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    Ok(Value::Str(to_text(&input)?))
}

/// `undef`: something undefined, with an own message.
///
/// # Errors
/// Wrong arguments.
pub fn undef(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("undef")?;
    Ok(Value::Undefined(to_text(&input)?))
}
