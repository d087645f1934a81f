//! Python's operators over values.

use std::cmp::Ordering;
use std::sync::Arc;

use super::methods::{dates, printf};
use super::tree::{Binary, Comparison};
use crate::value::{Dict, Fault, Value, compare, text};

/// `a op b`, both used.
///
/// # Errors
/// Types that the operator does not take, a division by zero, a number that is too large.
pub(super) fn binary(op: Binary, a: &Value, b: &Value) -> Result<Value, Fault> {
    match op {
        Binary::Add => add(a, b),
        Binary::Concat => Ok(Value::from(joined(&[a, b])?)),
        Binary::Rem if matches!(a, Value::Str(_)) => printf::percent(&text(a), b).map(Value::from),
        Binary::Mul => match (a, b) {
            (Value::Str(_) | Value::List(_) | Value::Tuple(_), n) if whole(n).is_some() => repeat(a, whole(n)),
            (n, Value::Str(_) | Value::List(_) | Value::Tuple(_)) if whole(n).is_some() => repeat(b, whole(n)),
            _ => arithmetic(op, a, b),
        },
        _ => arithmetic(op, a, b),
    }
}

fn add(a: &Value, b: &Value) -> Result<Value, Fault> {
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => Ok(Value::from(format!("{x}{y}"))),
        (Value::Str(_), other) => Err(Fault::error(format!("can only concatenate str (not \"{}\") to str", other.type_name()))),
        (Value::List(x), Value::List(y)) => Ok(Value::list(x.iter().chain(y.iter()).cloned().collect())),
        (Value::Tuple(x), Value::Tuple(y)) => Ok(Value::Tuple(Arc::new(x.iter().chain(y.iter()).cloned().collect()))),
        (Value::Object(_), _) | (_, Value::Object(_)) => {
            let (x, y) = (plain(a)?, plain(b)?);
            match (&x, &y) {
                (Value::Object(_), _) | (_, Value::Object(_)) => arithmetic(Binary::Add, &x, &y),
                _ => add(&x, &y),
            }
        }
        (Value::List(_), other) => Err(Fault::error(format!("can only concatenate list (not \"{}\") to list", other.type_name()))),
        (Value::Tuple(_), other) => Err(Fault::error(format!("can only concatenate tuple (not \"{}\") to tuple", other.type_name()))),
        (Value::Bytes(x), Value::Bytes(y)) => Ok(Value::Bytes(x.iter().chain(y.iter()).copied().collect::<Vec<u8>>().into())),
        _ => arithmetic(Binary::Add, a, b),
    }
}

/// A lazy list or dictionary as a plain one; other objects as they are.
fn plain(value: &Value) -> Result<Value, Fault> {
    super::lazy::settle(value.clone())
}

/// The text of operands of `~`, as `str()` gives it.
pub(super) fn joined(parts: &[&Value]) -> Result<String, Fault> {
    let mut out = String::new();
    for part in parts {
        match part {
            Value::Str(text) => out.push_str(text),
            Value::Object(object) => out.push_str(&text(&object.resolve()?)),
            other => out.push_str(&text(other)),
        }
    }
    Ok(out)
}

fn repeat(value: &Value, times: Option<i128>) -> Result<Value, Fault> {
    let times = usize::try_from(times.unwrap_or(0).max(0)).unwrap_or(usize::MAX);
    let length = length(value)?;
    if length.saturating_mul(times) > 100_000_000 {
        return Err(Fault::error("the repeated value would be too large"));
    }
    let items = |items: &[Value]| std::iter::repeat_n(items, times).flatten().cloned().collect::<Vec<_>>();
    Ok(match value {
        Value::Str(text) => Value::from(text.repeat(times)),
        Value::Tuple(values) => Value::Tuple(Arc::new(items(values))),
        Value::List(values) => Value::list(items(values)),
        other => other.clone(),
    })
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(i128::from(*b)),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(f) => Some(*f),
        other => whole(other).map(|n| n as f64),
    }
}

fn arithmetic(op: Binary, a: &Value, b: &Value) -> Result<Value, Fault> {
    if let (Binary::Sub, Some(difference)) = (op, dates::difference(a, b)) {
        return difference;
    }
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        return integers(op, x, y);
    }
    match (float(a), float(b)) {
        (Some(x), Some(y)) => floats(op, x, y),
        _ => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(Fault::error(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", sign(op))))
        }
    }
}

fn sign(op: Binary) -> &'static str {
    match op {
        Binary::Add => "+",
        Binary::Sub => "-",
        Binary::Mul => "*",
        Binary::Div => "/",
        Binary::FloorDiv => "//",
        Binary::Rem => "%",
        Binary::Pow => "** or pow()",
        Binary::Concat => "~",
    }
}

fn integers(op: Binary, x: i128, y: i128) -> Result<Value, Fault> {
    let zero = y == 0;
    let result = match op {
        Binary::Add => x.checked_add(y),
        Binary::Sub => x.checked_sub(y),
        Binary::Mul => x.checked_mul(y),
        Binary::Div if zero => return Err(Fault::error("division by zero")),
        Binary::Div => return Ok(Value::Float(x as f64 / y as f64)),
        Binary::FloorDiv if zero => return Err(Fault::error("integer division or modulo by zero")),
        Binary::FloorDiv => x.checked_div_euclid(y).map(|q| if y < 0 && x.rem_euclid(y) != 0 { q - 1 } else { q }),
        Binary::Rem if zero => return Err(Fault::error("integer modulo by zero")),
        Binary::Rem => {
            let rest = x.checked_rem_euclid(y);
            rest.map(|rest| if y < 0 && rest != 0 { rest + y } else { rest })
        }
        Binary::Pow if y < 0 => return floats(op, x as f64, y as f64),
        Binary::Pow => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
        Binary::Concat => None,
    };
    result.map(Value::Int).ok_or_else(|| Fault::error("integers are limited to 128 bits"))
}

fn floats(op: Binary, x: f64, y: f64) -> Result<Value, Fault> {
    let zero = y == 0.0;
    Ok(Value::Float(match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div if zero => return Err(Fault::error("float division by zero")),
        Binary::Div => x / y,
        Binary::FloorDiv if zero => return Err(Fault::error("float floor division by zero")),
        Binary::FloorDiv => (x / y).floor(),
        Binary::Rem if zero => return Err(Fault::error("float modulo")),
        Binary::Rem => {
            let rest = x % y;
            if rest != 0.0 && (rest < 0.0) != (y < 0.0) { rest + y } else { rest }
        }
        Binary::Pow if x == 0.0 && y < 0.0 => return Err(Fault::error("0.0 cannot be raised to a negative power")),
        Binary::Pow => x.powf(y),
        Binary::Concat => return Err(Fault::error("numbers do not concatenate")),
    }))
}

/// `-a`
///
/// # Errors
/// Not a number.
pub(super) fn negative(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Float(f) => Ok(Value::Float(-f)),
        other => match whole(other) {
            Some(n) => n.checked_neg().map(Value::Int).ok_or_else(|| Fault::error("integers are limited to 128 bits")),
            None => Err(Fault::error(format!("bad operand type for unary -: '{}'", other.type_name()))),
        },
    }
}

/// `+a`
///
/// # Errors
/// Not a number.
pub(super) fn positive(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Float(_) | Value::Int(_) => Ok(value.clone()),
        Value::Bool(b) => Ok(Value::Int(i128::from(*b))),
        other => Err(Fault::error(format!("bad operand type for unary +: '{}'", other.type_name()))),
    }
}

/// `a op b`
///
/// # Errors
/// Types that Python does not order, or that contain nothing.
pub(super) fn compared(op: Comparison, a: &Value, b: &Value) -> Result<bool, Fault> {
    Ok(match op {
        Comparison::Eq => equal(a, b)?,
        Comparison::Ne => !equal(a, b)?,
        Comparison::Lt => ordered(a, b, "<")? == Some(Ordering::Less),
        Comparison::Le => matches!(ordered(a, b, "<=")?, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Gt => ordered(a, b, ">")? == Some(Ordering::Greater),
        Comparison::Ge => matches!(ordered(a, b, ">=")?, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::In => contains(b, a)?,
        Comparison::NotIn => !contains(b, a)?,
    })
}

/// Equality; lazy parts are rendered first, so that their errors are seen.
fn equal(a: &Value, b: &Value) -> Result<bool, Fault> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => Ok(x.resolve()? == y.resolve()?),
        (Value::Object(x), other) | (other, Value::Object(x)) => Ok(x.resolve()? == *other),
        _ => Ok(a == b),
    }
}

fn ordered(a: &Value, b: &Value, op: &str) -> Result<Option<Ordering>, Fault> {
    if let (Some(x), Some(y)) = (float(a), float(b))
        && (x.is_nan() || y.is_nan())
    {
        return Ok(None);
    }
    compare(a, b, op).map(Some)
}

/// `item in container`
///
/// # Errors
/// Not a container.
pub(super) fn contains(container: &Value, item: &Value) -> Result<bool, Fault> {
    Ok(match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(&**part),
            other => return Err(Fault::error(format!("'in <string>' requires string as left operand, not {}", other.type_name()))),
        },
        Value::List(items) | Value::Tuple(items) => items.iter().any(|element| element == item),
        Value::Dict(dict) => match item {
            Value::Str(name) => dict.contains_key::<str>(name),
            other => dict.contains_key(&crate::value::Key::new(other)?),
        },
        Value::Object(object) => match object.type_name() {
            "dict" | "HostVars" => object.get(item)?.is_some(),
            _ => object.iterate()?.is_some_and(|items| items.contains(item)),
        },
        other => return Err(Fault::error(format!("argument of type '{}' is not iterable", other.type_name()))),
    })
}

/// Python's `len()`.
///
/// # Errors
/// It has none.
pub(super) fn length(value: &Value) -> Result<usize, Fault> {
    let none = || Fault::error(format!("object of type '{}' has no len()", value.type_name()));
    Ok(match value {
        Value::Str(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Dict(dict) => dict.len(),
        Value::Object(object) => object.len().ok_or_else(none)?,
        _ => return Err(none()),
    })
}

/// The elements of anything that can be iterated; keys of dictionaries, characters of text.
///
/// # Errors
/// It cannot be iterated.
pub(super) fn iterate(value: &Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
        Value::Dict(dict) => Ok(dict.keys().map(crate::value::Key::to_value).collect()),
        Value::Str(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Bytes(bytes) => Ok(bytes.iter().map(|b| Value::Int((*b).into())).collect()),
        Value::Undefined(message) => Err(Fault::undefined(message.to_string())),
        Value::Unknown(reason) => Err(Fault::unknown(reason.to_string())),
        Value::Object(object) => object.iterate()?.ok_or_else(|| Fault::error(format!("'{}' object is not iterable", object.type_name()))),
        other => Err(Fault::error(format!("'{}' object is not iterable", other.type_name()))),
    }
}

/// `value[start:stop:step]`
///
/// # Errors
/// It cannot be sliced, or a bound is no whole number.
pub(super) fn slice(value: &Value, start: Option<&Value>, stop: Option<&Value>, step: Option<&Value>) -> Result<Value, Fault> {
    let bound = |bound: Option<&Value>| match bound {
        None | Some(Value::Null) => Ok(None),
        Some(value) => whole(value).map(Some).ok_or_else(|| Fault::error("slice indices must be integers or None or have an __index__ method")),
    };
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err(Fault::error("slice step cannot be zero"));
    }
    let pick = |length: usize| positions(length as i128, start, stop, step);
    Ok(match value {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Value::from(pick(chars.len()).map(|i| chars[i]).collect::<String>())
        }
        Value::List(items) => Value::list(pick(items.len()).map(|i| items[i].clone()).collect()),
        Value::Tuple(items) => Value::Tuple(Arc::new(pick(items.len()).map(|i| items[i].clone()).collect())),
        Value::Bytes(bytes) => Value::Bytes(pick(bytes.len()).map(|i| bytes[i]).collect::<Vec<u8>>().into()),
        Value::Dict(_) => return Err(Fault::error("unhashable type: 'slice'")),
        other => {
            let text = format!("object of type '{}' has no attribute slice({}, {}, {})", other.type_name(), shown(start), shown(stop), shown(Some(step)));
            return Ok(Value::Undefined(text.into()));
        }
    })
}

fn shown(bound: Option<i128>) -> String {
    bound.map_or_else(|| "None".into(), |n| n.to_string())
}

fn positions(length: i128, start: Option<i128>, stop: Option<i128>, step: i128) -> impl Iterator<Item = usize> {
    let clamp = |n: i128, low: i128, high: i128| (if n < 0 { n + length } else { n }).clamp(low, high);
    let (first, last) = if step > 0 {
        (start.map_or(0, |n| clamp(n, 0, length)), stop.map_or(length, |n| clamp(n, 0, length)))
    } else {
        (start.map_or(length - 1, |n| clamp(n, -1, length - 1)), stop.map_or(-1, |n| clamp(n, -1, length - 1)))
    };
    let mut at = first;
    std::iter::from_fn(move || {
        let inside = if step > 0 { at < last } else { at > last };
        let here = inside.then(|| usize::try_from(at).ok()).flatten();
        at = at.saturating_add(step);
        here
    })
}

/// A dictionary from another one, or from pairs.
///
/// # Errors
/// Not pairs.
pub(super) fn to_dict(value: &Value) -> Result<Dict, Fault> {
    if let Value::Dict(dict) = value {
        return Ok((**dict).clone());
    }
    let mut dict = Dict::new();
    for (i, pair) in iterate(value)?.iter().enumerate() {
        let pair = iterate(pair).map_err(|_| Fault::error(format!("cannot convert dictionary update sequence element #{i} to a sequence")))?;
        let [key, value] = &pair[..] else {
            let length = pair.len();
            return Err(Fault::error(format!("dictionary update sequence element #{i} has length {length}; 2 is required")));
        };
        dict.insert(crate::value::Key::new(key)?, value.clone());
    }
    Ok(dict)
}
