//! Python's `sorted`, `min` and `max` with Jinja's keys: attributes, text without regard to case.

use std::cmp::Ordering;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, flag_or, given, to_dict, to_text};
use crate::value::{Fault, Key, Value, compare};

/// The parts of a dotted attribute: `a.0.b` is an item, an index, an item.
pub fn attribute_parts(attribute: &Value) -> Vec<Value> {
    match attribute {
        Value::Null => Vec::new(),
        Value::Str(dotted) => dotted
            .split('.')
            .map(|part| if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) { part.parse().map_or(part.into(), Value::Int) } else { part.into() })
            .collect(),
        other => vec![other.clone()],
    }
}

/// The value of a dotted attribute; `default` replaces what is undefined on the way.
///
/// # Errors
/// The rendering of an element failed.
pub fn attribute(env: &dyn Env, item: &Value, parts: &[Value], default: Option<&Value>) -> Result<Value, Fault> {
    let mut value = item.clone();
    for part in parts {
        value = env.attribute(&value, part)?;
        if let (Value::Undefined(_), Some(default)) = (&value, default) {
            value = default.clone();
        }
    }
    Ok(value)
}

/// Text in lower case, anything else as it is.
pub fn ignore_case(value: Value) -> Value {
    match value {
        Value::Str(text) => text.to_lowercase().into(),
        other => other,
    }
}

/// Python's stable sort by key; fails as Python does on types that have no order.
///
/// # Errors
/// Two keys cannot be compared.
pub fn sort_by_key<T>(mut items: Vec<(Value, T)>, reverse: bool) -> Result<Vec<(Value, T)>, Fault> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let mut right = sort_by_key(right, reverse)?.into_iter().peekable();
    let mut left = sort_by_key(items, reverse)?.into_iter().peekable();
    let mut sorted = Vec::with_capacity(left.len() + right.len());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let take_right = if reverse { compare(&l.0, &r.0, "<")? == Ordering::Less } else { compare(&r.0, &l.0, "<")? == Ordering::Less };
        sorted.extend(if take_right { right.next() } else { left.next() });
    }
    sorted.extend(left);
    sorted.extend(right);
    Ok(sorted)
}

/// A key function: the attribute, then without regard to case unless asked.
fn key(env: &dyn Env, item: &Value, parts: &[Value], case_sensitive: bool) -> Result<Value, Fault> {
    let value = attribute(env, item, parts, None)?;
    defined(&value)?;
    Ok(if case_sensitive { value } else { ignore_case(value) })
}

/// `sort`.
///
/// # Errors
/// As Python's.
pub fn sort(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [reverse, case_sensitive, by] = args.bind(signature("do_sort", 2, 0), ["reverse", "case_sensitive", "attribute"])?;
    let case_sensitive = flag_or(case_sensitive.as_ref(), false)?;
    let attributes: Vec<Vec<Value>> = match given(by) {
        None => vec![Vec::new()],
        Some(Value::Str(names)) => names.split(',').map(|name| attribute_parts(&name.into())).collect(),
        Some(other) => vec![attribute_parts(&other)],
    };
    let mut keyed = Vec::new();
    for item in elements(&input, env)? {
        let keys = attributes.iter().map(|parts| key(env, &item, parts, case_sensitive)).collect::<Result<Vec<_>, _>>()?;
        keyed.push((Value::list(keys), item));
    }
    let sorted = sort_by_key(keyed, flag_or(reverse.as_ref(), false)?)?;
    Ok(Value::list(sorted.into_iter().map(|(_, item)| item).collect()))
}

/// `dictsort`.
///
/// # Errors
/// As Python's.
pub fn dictsort(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [case_sensitive, by, reverse] = args.bind(signature("do_dictsort", 1, 0), ["case_sensitive", "by", "reverse"])?;
    let by_value = match by.as_ref().map(to_text).transpose()?.as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(_) => return Err(Fault::error("You can only sort by either \"key\" or \"value\"")),
    };
    let Some(dict) = to_dict(&input)? else {
        return Err(Fault::error(format!("'{}' object has no attribute 'items'", input.type_name())));
    };
    let case_sensitive = flag_or(case_sensitive.as_ref(), false)?;
    let mut keyed = Vec::new();
    for (name, value) in dict {
        let by = if by_value { value.clone() } else { name.to_value() };
        keyed.push((if case_sensitive { by } else { ignore_case(by) }, (name, value)));
    }
    let sorted = sort_by_key(keyed, flag_or(reverse.as_ref(), false)?)?;
    Ok(Value::list(sorted.into_iter().map(|(_, (name, value))| pair(name.to_value(), value)).collect()))
}

/// A tuple of two.
pub fn pair(a: Value, b: Value) -> Value {
    Value::Tuple(vec![a, b].into())
}

/// `min`.
///
/// # Errors
/// As Python's.
pub fn min(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    extreme(input, args, env, "do_min", Ordering::Less, "<")
}

/// `max`.
///
/// # Errors
/// As Python's.
pub fn max(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    extreme(input, args, env, "do_max", Ordering::Greater, ">")
}

fn extreme(input: Value, args: Arguments, env: &dyn Env, function: &'static str, wanted: Ordering, op: &str) -> Result<Value, Fault> {
    let [case_sensitive, by] = args.bind(signature(function, 2, 0), ["case_sensitive", "attribute"])?;
    let case_sensitive = flag_or(case_sensitive.as_ref(), false)?;
    let parts = given(by).map(|by| attribute_parts(&by)).unwrap_or_default();
    let mut best: Option<(Value, Value)> = None;
    for item in elements(&input, env)? {
        let key = key(env, &item, &parts, case_sensitive)?;
        let better = match &best {
            None => true,
            Some((have, _)) => compare(&key, have, op)? == wanted,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::Undefined("No aggregated item, sequence was empty.".into()), |(_, item)| item))
}

/// `unique`: the first of each, without regard to case unless asked (Ansible's default too).
///
/// # Errors
/// Not iterable, or unhashable where an attribute or the case was asked for.
pub fn unique(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [case_sensitive, by] = args.bind(signature("unique", 2, 0), ["case_sensitive", "attribute"])?;
    let strict = matches!(case_sensitive, Some(Value::Bool(false))) || by.as_ref().is_some_and(Value::is_true);
    let case_sensitive = flag_or(case_sensitive.as_ref(), false)?;
    let parts = given(by).map(|by| attribute_parts(&by)).unwrap_or_default();
    let items = elements(&input, env)?;
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::new();
    for item in &items {
        match Key::new(&key(env, item, &parts, case_sensitive)?) {
            Ok(key) => kept.extend(seen.insert(key).then(|| item.clone())),
            Err(fault) if strict => {
                let why = "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support the parameters supplied";
                return Err(Fault::error(format!("{why}: {}", fault.message)));
            }
            Err(_) => return Ok(Value::list(distinct(items))),
        }
    }
    Ok(Value::list(kept))
}

/// The first of equal elements each, in order; for elements that need not be hashable.
pub fn distinct(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
