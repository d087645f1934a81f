//! Comparisons and membership: Jinja's operators as tests, Ansible's sets.

use std::cmp::Ordering;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, flag_or, to_index};
use crate::value::{Fault, Key, Value, compare};

fn other(args: Arguments, function: &'static str, name: &str) -> Result<Value, Fault> {
    if args.positional.is_empty() && args.named.is_empty() && name == "b" && !function.starts_with("is") {
        return Err(Fault::error(format!("{function} expected 2 arguments, got 1")));
    }
    let [value] = args.bind(signature(function, 1, 1), [name])?;
    let value = value.unwrap_or(Value::Null);
    defined(&value)?;
    Ok(value)
}

/// `eq`, `==`, `equalto`.
///
/// # Errors
/// Wrong arguments, or a part has no value.
pub fn eq(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(input == other(args, "eq", "b")?)
}

/// `ne`, `!=`.
///
/// # Errors
/// Wrong arguments, or a part has no value.
pub fn ne(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(input != other(args, "ne", "b")?)
}

fn ordered(input: &Value, args: Arguments, op: &'static str, fits: fn(Ordering) -> bool) -> Result<bool, Fault> {
    Ok(fits(compare(input, &other(args, op, "b")?, op)?))
}

/// `lt`, `<`, `lessthan`.
///
/// # Errors
/// Types without an order.
pub fn lt(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    ordered(&input, args, "<", Ordering::is_lt)
}

/// `le`, `<=`.
///
/// # Errors
/// Types without an order.
pub fn le(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    ordered(&input, args, "<=", Ordering::is_le)
}

/// `gt`, `>`, `greaterthan`.
///
/// # Errors
/// Types without an order.
pub fn gt(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    ordered(&input, args, ">", Ordering::is_gt)
}

/// `ge`, `>=`.
///
/// # Errors
/// Types without an order.
pub fn ge(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    ordered(&input, args, ">=", Ordering::is_ge)
}

/// `sameas`: the same object; values that Python keeps once are the same when they are equal and of one type.
///
/// # Errors
/// Wrong arguments.
pub fn sameas(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    use std::sync::Arc;
    let second = other(args, "test_sameas", "other")?;
    Ok(match (&input, &second) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Arc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        (a, b) => a.type_name() == b.type_name() && a == b,
    })
}

/// Python's `value in container`.
///
/// # Errors
/// The container is none.
pub fn is_in(value: &Value, container: &Value, env: &dyn Env) -> Result<bool, Fault> {
    match container {
        Value::Str(text) => match value {
            Value::Str(part) => Ok(text.contains(&**part)),
            other => Err(Fault::error(format!("'in <string>' requires string as left operand, not {}", other.type_name()))),
        },
        Value::Dict(dict) => Ok(dict.contains_key(&Key::new(value)?)),
        Value::Object(object) if object.type_name() == "dict" => Ok(object.get(value)?.is_some()),
        Value::List(_) | Value::Tuple(_) | Value::Object(_) => Ok(env.iterate(container)?.contains(value)),
        other => {
            defined(other)?;
            Err(Fault::error(format!("argument of type '{}' is not iterable", other.type_name())))
        }
    }
}

/// `in`.
///
/// # Errors
/// The argument is no container.
pub fn within(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    is_in(&input, &other(args, "test_in", "seq")?, env)
}

/// `contains`.
///
/// # Errors
/// The input is no container.
pub fn contains(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    is_in(&other(args, "contains", "value")?, &input, env)
}

fn is_subset(a: &Value, b: &Value, env: &dyn Env) -> Result<bool, Fault> {
    let keys = |value: &Value| elements(value, env)?.iter().map(Key::new).collect::<Result<std::collections::HashSet<_>, _>>();
    Ok(keys(a)?.is_subset(&keys(b)?))
}

/// `subset`, `issubset`.
///
/// # Errors
/// Not iterable, or elements that are not hashable.
pub fn subset(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    is_subset(&input, &other(args, "issubset", "b")?, env)
}

/// `superset`, `issuperset`.
///
/// # Errors
/// Not iterable, or elements that are not hashable.
pub fn superset(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    is_subset(&other(args, "issuperset", "b")?, &input, env)
}

/// `any`.
///
/// # Errors
/// Not iterable.
pub fn any(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    args.none("any")?;
    Ok(elements(&input, env)?.iter().any(Value::is_true))
}

/// `all`.
///
/// # Errors
/// Not iterable.
pub fn all(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    args.none("all")?;
    Ok(elements(&input, env)?.iter().all(Value::is_true))
}

/// Python's `n % by`, for whole numbers and floats.
fn remainder(value: &Value, by: &Value) -> Result<Value, Fault> {
    if let (Value::Int(_) | Value::Bool(_), Value::Int(_) | Value::Bool(_)) = (value, by) {
        let by = to_index(by)?;
        return if by == 0 { Err(Fault::error("integer modulo by zero")) } else { Ok(Value::Int(to_index(value)?.rem_euclid(by))) };
    }
    match (crate::template::coerce::as_float(value), crate::template::coerce::as_float(by)) {
        (Some(_), Some(0.0)) => Err(Fault::error("float modulo")),
        (Some(n), Some(by)) => Ok(Value::Float(n.rem_euclid(by))),
        _ if matches!(value, Value::Str(_)) => Err(Fault::error("not all arguments converted during string formatting")),
        _ => Err(Fault::error(format!("unsupported operand type(s) for %: '{}' and '{}'", value.type_name(), by.type_name()))),
    }
}

/// `odd`.
///
/// # Errors
/// Not a number.
pub fn odd(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_odd")?;
    Ok(remainder(&input, &Value::Int(2))? == Value::Int(1))
}

/// `even`.
///
/// # Errors
/// Not a number.
pub fn even(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_even")?;
    Ok(remainder(&input, &Value::Int(2))? == Value::Int(0))
}

/// `divisibleby`.
///
/// # Errors
/// Not a number, or zero.
pub fn divisibleby(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(remainder(&input, &other(args, "test_divisibleby", "num")?)? == Value::Int(0))
}

/// `match`.
///
/// # Errors
/// A bad pattern.
pub fn matches(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    regex_test(&input, args, "match", "match")
}

/// `search`.
///
/// # Errors
/// A bad pattern.
pub fn search(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    regex_test(&input, args, "search", "search")
}

/// `regex`, which also takes the kind of match.
///
/// # Errors
/// A bad pattern.
pub fn regex(input: Value, mut args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    let kind = if args.positional.len() > 3 { Some(args.positional.remove(3)) } else { args.take("match_type") };
    let kind = kind.map_or(Ok("search".into()), |kind| crate::template::coerce::to_text(&kind))?;
    regex_test(&input, args, "regex", &kind)
}

fn regex_test(input: &Value, args: Arguments, function: &'static str, kind: &str) -> Result<bool, Fault> {
    let [pattern, ignorecase, multiline] = args.bind(signature(function, 1, 0), ["pattern", "ignorecase", "multiline"])?;
    let text = crate::template::coerce::to_text(input)?;
    let pattern = pattern
        .map_or(Ok("".into()), |pattern| crate::template::coerce::str_argument(&pattern, "the pattern"))
        .map_err(|fault| if fault.is_undefined() { fault } else { Fault::error("first argument must be string or compiled pattern") })?;
    let regex = crate::template::filters::regex::compile(&pattern, flag_or(ignorecase.as_ref(), false)?, flag_or(multiline.as_ref(), false)?)?;
    let found = match kind {
        "match" => regex.match_start(&text),
        "fullmatch" => regex.fullmatch(&text),
        "findall" | "finditer" => return regex.is_match(&text).map_err(Fault::error),
        _ => regex.search(&text),
    };
    found.map(|found| found.is_some()).map_err(Fault::error)
}
