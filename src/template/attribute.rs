//! `a.b` and `a['b']`.

use super::methods::dates;
use crate::value::{Fault, Key, Value};

/// `value.name`; undefined where there is none.
///
/// # Errors
/// The rendering of a lazy element failed.
pub(super) fn attribute(value: &Value, name: &str) -> Result<Value, Fault> {
    let found = match value {
        Value::Undefined(_) | Value::Unknown(_) => return Ok(value.clone()),
        Value::Dict(dict) => dict.get(name).cloned(),
        Value::Object(object) => object.get(&Value::from(name))?,
        Value::Date(..) => dates::attribute(value, name),
        _ => None,
    };
    Ok(found.unwrap_or_else(|| missing(value, &Value::from(name))))
}

/// `value[key]`; undefined where there is none.
///
/// # Errors
/// The rendering of a lazy element failed.
pub(super) fn item(value: &Value, key: &Value) -> Result<Value, Fault> {
    let found = match value {
        Value::Undefined(_) | Value::Unknown(_) => return Ok(value.clone()),
        Value::Dict(dict) => match key {
            Value::Str(name) => dict.get::<str>(name).cloned(),
            other => Key::new(other).ok().and_then(|key| dict.get(&key).cloned()),
        },
        Value::List(items) | Value::Tuple(items) => index(key, items.len()).and_then(|i| items.get(i).cloned()),
        Value::Str(text) => match key {
            Value::Int(_) | Value::Bool(_) if text.is_ascii() => index(key, text.len()).and_then(|i| text.get(i..=i)).map(Value::from),
            Value::Int(_) | Value::Bool(_) => index(key, text.chars().count()).and_then(|i| text.chars().nth(i)).map(|c| Value::from(c.to_string())),
            _ => None,
        },
        Value::Bytes(bytes) => index(key, bytes.len()).map(|i| Value::Int(bytes[i].into())),
        Value::Object(object) => object.get(key)?,
        Value::Date(..) => key.as_str().and_then(|name| dates::attribute(value, name)),
        _ => None,
    };
    Ok(found.unwrap_or_else(|| missing(value, key)))
}

/// Ansible's words; Jinja's where the key is nothing.
fn missing(value: &Value, key: &Value) -> Value {
    let (kind, shown) = (value.type_name(), crate::value::repr(key));
    let text = match key {
        Value::Str(name) if name.is_empty() => format!("'{kind} object' has no attribute ''"),
        key if key.is_true() => format!("object of type '{kind}' has no attribute {shown}"),
        _ => format!("{kind} object has no element {shown}"),
    };
    Value::Undefined(text.into())
}

/// A position from the front or, negative, from the back.
fn index(key: &Value, length: usize) -> Option<usize> {
    let n = match key {
        Value::Int(n) => *n,
        Value::Bool(b) => i128::from(*b),
        _ => return None,
    };
    let n = if n < 0 { n + length as i128 } else { n };
    usize::try_from(n).ok().filter(|i| *i < length)
}
