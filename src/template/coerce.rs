//! Python's conversions that filters, tests, lookups and methods share: `str()`, `int()`, `float()`, `dict()`, elements of an iterable.

use std::sync::Arc;

use super::Env;
use crate::value::{self, Dict, Fault, Key, Value};

/// The fault of using a value that is undefined or unknown; nothing for others.
///
/// # Errors
/// It is undefined or unknown.
pub fn defined(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Undefined(message) => Err(Fault::undefined(message.to_string())),
        Value::Unknown(reason) => Err(Fault::unknown(reason.to_string())),
        _ => Ok(()),
    }
}

/// Python's `str(value)`; parts without a value fail.
///
/// # Errors
/// A part is undefined, unknown or cannot be rendered.
pub fn to_text(value: &Value) -> Result<Arc<str>, Fault> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Tuple(items) => {
            for item in items.iter() {
                item.resolve()?;
            }
            Ok(value::text(value).into())
        }
        other => Ok(value::text(&other.resolve()?).into()),
    }
}

/// The text of an argument that must be text.
///
/// # Errors
/// It is not text; `what` begins the message.
pub fn str_argument(value: &Value, what: &str) -> Result<Arc<str>, Fault> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        other => {
            defined(other)?;
            Err(Fault::error(format!("{what} must be str, not {}", other.type_name())))
        }
    }
}

/// A whole number where Python wants one (`__index__`): integers and booleans.
///
/// # Errors
/// Anything else.
pub fn to_index(value: &Value) -> Result<i128, Fault> {
    match value {
        Value::Int(n) => Ok(*n),
        Value::Bool(b) => Ok(i128::from(*b)),
        other => {
            defined(other)?;
            Err(Fault::error(format!("'{}' object cannot be interpreted as an integer", other.type_name())))
        }
    }
}

/// An optional whole number.
///
/// # Errors
/// It is given and not a whole number.
pub fn index_or(value: Option<&Value>, default: i128) -> Result<i128, Fault> {
    value.map_or(Ok(default), to_index)
}

/// An optional flag: Python's truth.
///
/// # Errors
/// It is undefined or unknown.
pub fn flag_or(value: Option<&Value>, default: bool) -> Result<bool, Fault> {
    let Some(value) = value else { return Ok(default) };
    defined(value)?;
    Ok(value.is_true())
}

/// An argument that was given and is not `None`.
pub fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !matches!(value, Value::Null))
}

/// A number as a float: integers, booleans, floats.
pub fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

/// Python's `float(text)`: spaces around, underscores between digits, `inf`, `nan`.
pub fn parse_float(text: &str) -> Option<f64> {
    let digits = without_underscores(text.trim())?;
    let lower = digits.to_ascii_lowercase();
    let plain = lower.trim_start_matches(['+', '-']);
    let named = matches!(plain, "inf" | "infinity" | "nan");
    let numeric = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if named || numeric { lower.parse().ok() } else { None }
}

/// Python's `int(text, base)`; base 0 reads the prefix.
pub fn parse_int(text: &str, base: u32) -> Option<i128> {
    let trimmed = text.trim();
    let (negative, rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let lower = rest.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, of)| lower.strip_prefix(prefix).filter(|_| base == of || base == 0).map(|rest| (rest, of)));
    let (digits, base) = match prefixed {
        Some((rest, of)) => (rest.strip_prefix('_').unwrap_or(rest), of),
        None if base == 0 && lower.len() > 1 && lower.starts_with('0') && !lower.trim_start_matches(['0', '_']).is_empty() => return None,
        None => (lower.as_str(), if base == 0 { 10 } else { base }),
    };
    let digits = without_underscores(digits)?;
    if !digits.starts_with(|c: char| c.is_digit(base.clamp(2, 36))) || !(2..=36).contains(&base) {
        return None;
    }
    let n = i128::from_str_radix(&digits, base).ok()?;
    Some(if negative { -n } else { n })
}

/// Digits without the single underscores that Python allows between them; `None` when one stands elsewhere.
fn without_underscores(text: &str) -> Option<String> {
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    Some(text.chars().filter(|c| *c != '_').collect())
}

/// The elements of an iterable; an element without a value is a fault, as when Python reads it.
///
/// # Errors
/// It cannot be iterated, or an element is undefined or unknown.
pub fn elements(value: &Value, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let items = env.iterate(value)?;
    items.iter().try_for_each(defined)?;
    Ok(items)
}

/// The dictionary that a value is, its values left as lazy as they are; `None` for anything else.
///
/// # Errors
/// An element is undefined, unknown or cannot be rendered.
pub fn to_dict(value: &Value) -> Result<Option<Dict>, Fault> {
    let dict = match value {
        Value::Dict(dict) => (**dict).clone(),
        Value::Object(object) if is_dict(value) => {
            let mut dict = Dict::new();
            for key in object.iterate()?.unwrap_or_default() {
                dict.insert(Key::new(&key)?, object.get(&key)?.unwrap_or(Value::Null));
            }
            dict
        }
        _ => return Ok(None),
    };
    dict.values().try_for_each(defined)?;
    Ok(Some(dict))
}

/// The elements of a list or tuple, left as lazy as they are; `None` for anything else, text included.
///
/// # Errors
/// An element is undefined, unknown or cannot be rendered.
pub fn to_list(value: &Value) -> Result<Option<Vec<Value>>, Fault> {
    let items = match value {
        Value::List(items) | Value::Tuple(items) => Some((**items).clone()),
        Value::Object(object) if matches!(object.type_name(), "list" | "tuple" | "range") => object.iterate()?,
        _ => None,
    };
    items.iter().flatten().try_for_each(defined)?;
    Ok(items)
}

/// Whether a value is a dictionary.
pub fn is_dict(value: &Value) -> bool {
    matches!(value.type_name(), "dict" | "HostVars" | "HostVarsVars")
}

/// Whether a value is a list.
pub fn is_list(value: &Value) -> bool {
    value.type_name() == "list"
}

/// A class as Python writes it in messages.
pub fn class_of(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

/// A place in text by characters, Python's way: negative counts from the end, out of range is cut off.
pub fn clamp_index(index: i128, len: usize) -> usize {
    let len = len as i128;
    let index = if index < 0 { index + len } else { index };
    index.clamp(0, len) as usize
}

/// Ansible's words for true and false, as module arguments and `convert_bool` know them; `None` for anything else.
pub fn ansible_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Str(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, base, n) in [
            (" 12 ", 10, Some(12)),
            ("1_000", 10, Some(1000)),
            ("0x1f", 16, Some(31)),
            ("0x1f", 10, None),
            ("-0b11", 0, Some(-3)),
            ("010", 0, None),
            ("0", 0, Some(0)),
            ("z", 36, Some(35)),
            ("1__0", 10, None),
            ("", 10, None),
        ] {
            assert_eq!(parse_int(text, base), n, "{text:?} in {base}");
        }
        assert_eq!(parse_float(" 1_0.5 "), Some(10.5));
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float("e5"), None);
    }
}
