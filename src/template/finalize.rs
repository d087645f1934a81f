//! The end of a rendering: a value without lazy, undefined or omitted parts.

use crate::value::{Dict, Fault, Value};

/// Plain data: lazy parts are rendered, tuples become lists, omitted elements are left out.
///
/// # Errors
/// A part is undefined, unknown, or cannot be rendered.
pub(super) fn finalize(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Undefined(message) => Err(Fault::undefined(message.to_string())),
        Value::Unknown(reason) => Err(Fault::unknown(reason.to_string())),
        Value::Object(object) => object.resolve(),
        Value::List(items) if items.iter().all(is_final) => Ok(value.clone()),
        Value::List(items) | Value::Tuple(items) => {
            let kept = items.iter().filter(|item| !matches!(item, Value::Omit)).map(finalize);
            Ok(Value::list(kept.collect::<Result<_, _>>()?))
        }
        Value::Dict(dict) if dict.values().all(is_final) => Ok(value.clone()),
        Value::Dict(dict) => {
            let kept = dict.iter().filter(|(_, item)| !matches!(item, Value::Omit));
            Ok(Value::dict(kept.map(|(k, v)| Ok((k.clone(), finalize(v)?))).collect::<Result<Dict, Fault>>()?))
        }
        other => Ok(other.clone()),
    }
}

fn is_final(value: &Value) -> bool {
    match value {
        Value::Object(_) | Value::Undefined(_) | Value::Unknown(_) | Value::Tuple(_) | Value::Omit => false,
        Value::List(items) => items.iter().all(is_final),
        Value::Dict(dict) => dict.values().all(is_final),
        _ => true,
    }
}
