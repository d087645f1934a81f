//! Filters over sequences: first, last, length, join, list, batch, slice, reverse, sum, flatten.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, flag_or, given, to_index, to_list, to_text};
use crate::value::{Fault, Value};

use super::ordering::{attribute, attribute_parts};

/// `first`.
///
/// # Errors
/// Not iterable.
pub fn first(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("sync_do_first")?;
    let found = env.iterate(&input)?.into_iter().next();
    Ok(found.unwrap_or_else(|| Value::Undefined("No first item, sequence was empty.".into())))
}

/// `last`.
///
/// # Errors
/// Not iterable.
pub fn last(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [] = args.bind(signature("do_last", 2, 0), [])?;
    let found = env
        .iterate(&input)
        .map_err(|fault| if fault.message.ends_with("is not iterable") { Fault::error(fault.message.replace("iterable", "reversible")) } else { fault })?
        .pop();
    Ok(found.unwrap_or_else(|| Value::Undefined("No last item, sequence was empty.".into())))
}

/// `length`, `count`.
///
/// # Errors
/// It has no length.
pub fn length(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    if !args.positional.is_empty() || !args.named.is_empty() {
        return Err(Fault::error(format!("len() takes exactly one argument ({} given)", 1 + args.positional.len() + args.named.len())));
    }
    length_of(&input).map(Value::from)
}

/// Python's `len`.
///
/// # Errors
/// It has no length.
pub fn length_of(value: &Value) -> Result<usize, Fault> {
    let length = match value {
        Value::Str(text) => Some(text.chars().count()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::List(items) | Value::Tuple(items) => Some(items.len()),
        Value::Dict(dict) => Some(dict.len()),
        Value::Object(object) => object.len(),
        other => {
            defined(other)?;
            None
        }
    };
    length.ok_or_else(|| Fault::error(format!("object of type '{}' has no len()", value.type_name())))
}

/// `list`.
///
/// # Errors
/// Not iterable.
pub fn list(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("sync_do_list")?;
    Ok(Value::list(elements(&input, env)?))
}

/// `join`.
///
/// # Errors
/// Not iterable.
pub fn join(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [separator, by] = args.bind(signature("sync_do_join", 2, 0), ["d", "attribute"])?;
    let separator = separator.as_ref().map_or(Ok("".into()), to_text)?;
    let parts = given(by).map(|by| attribute_parts(&by)).unwrap_or_default();
    let mut out = String::new();
    for (i, item) in env.iterate(&input)?.iter().enumerate() {
        if i > 0 {
            out.push_str(&separator);
        }
        out.push_str(&to_text(&attribute(env, item, &parts, None)?)?);
    }
    Ok(out.into())
}

/// `reverse`.
///
/// # Errors
/// Not iterable.
pub fn reverse(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("do_reverse")?;
    if let Value::Str(text) = &input {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    let mut items = elements(&input, env)
        .map_err(|fault| if fault.message.ends_with("not iterable") { Fault::error(format!("argument must be iterable: {}", fault.message)) } else { fault })?;
    items.reverse();
    Ok(Value::list(items))
}

/// `batch`.
///
/// # Errors
/// Not iterable, or the count is no number.
pub fn batch(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [count, fill] = args.bind(signature("do_batch", 1, 1), ["linecount", "fill_with"])?;
    // what no length can equal puts everything into one row
    let count = count.as_ref().and_then(|count| to_index(count).ok()).map_or(usize::MAX, |count| count.max(0) as usize);
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for item in elements(&input, env)? {
        match rows.last_mut() {
            Some(row) if row.len() != count => row.push(item),
            _ => rows.push(vec![item]),
        }
    }
    if let (Some(fill), Some(row)) = (given(fill), rows.last_mut())
        && count < usize::MAX
    {
        row.resize(row.len().max(count), fill);
    }
    Ok(Value::list(rows.into_iter().map(Value::list).collect()))
}

/// `slice`.
///
/// # Errors
/// Not iterable, or the count is no number or zero.
pub fn slice(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [slices, fill] = args.bind(signature("sync_do_slice", 1, 1), ["slices", "fill_with"])?;
    let slices = slices.unwrap_or(Value::Null);
    let slices = to_index(&slices).map_err(|_| Fault::error(format!("unsupported operand type(s) for //: 'int' and '{}'", slices.type_name())))?;
    if slices == 0 {
        return Err(Fault::error("integer division or modulo by zero"));
    }
    let slices = slices.max(0) as usize;
    let items = elements(&input, env)?;
    let (each, extra) = (items.len().checked_div(slices).unwrap_or(0), items.len().checked_rem(slices).unwrap_or(0));
    let fill = given(fill);
    let mut rest = items.into_iter();
    let mut out = Vec::new();
    for number in 0..slices {
        let mut part: Vec<Value> = rest.by_ref().take(each + usize::from(number < extra)).collect();
        if number >= extra {
            part.extend(fill.clone());
        }
        out.push(Value::list(part));
    }
    Ok(Value::list(out))
}

/// `sum`.
///
/// # Errors
/// Not iterable, or types that Python does not add.
pub fn sum(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [by, start] = args.bind(signature("sync_do_sum", 2, 0), ["attribute", "start"])?;
    let mut total = start.unwrap_or(Value::Int(0));
    if matches!(total, Value::Str(_)) {
        return Err(Fault::error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    let parts = given(by).map(|by| attribute_parts(&by)).unwrap_or_default();
    for item in env.iterate(&input)? {
        total = add(&total, &attribute(env, &item, &parts, None)?)?;
    }
    Ok(total)
}

/// Python's `+` of what `sum` can meet.
fn add(a: &Value, b: &Value) -> Result<Value, Fault> {
    defined(b)?;
    let overflow = || Fault::error("the sum needs more than 128 bits");
    match (a, b) {
        (Value::Int(_) | Value::Bool(_), Value::Int(_) | Value::Bool(_)) => to_index(a)?.checked_add(to_index(b)?).map(Value::Int).ok_or_else(overflow),
        (Value::Int(_) | Value::Bool(_) | Value::Float(_), Value::Int(_) | Value::Bool(_) | Value::Float(_)) => {
            let float = |v: &Value| crate::template::coerce::as_float(v).unwrap_or(f64::NAN);
            Ok(Value::Float(float(a) + float(b)))
        }
        (Value::List(x), Value::List(y)) => Ok(Value::list(x.iter().chain(y.iter()).cloned().collect())),
        (Value::Tuple(x), Value::Tuple(y)) => Ok(Value::Tuple(x.iter().chain(y.iter()).cloned().collect::<Vec<_>>().into())),
        (Value::Object(_), _) | (_, Value::Object(_)) => add(&a.resolve()?, &b.resolve()?),
        (Value::List(_) | Value::Tuple(_), other) => {
            Err(Fault::error(format!("can only concatenate {} (not \"{}\") to {}", a.type_name(), other.type_name(), a.type_name())))
        }
        _ => Err(Fault::error(format!("unsupported operand type(s) for +: '{}' and '{}'", a.type_name(), b.type_name()))),
    }
}

/// `flatten`.
///
/// # Errors
/// Not iterable.
pub fn flatten(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [levels, skip_nulls] = args.bind(signature("flatten", 1, 0), ["levels", "skip_nulls"])?;
    let levels = given(levels).map(|levels| to_index(&levels)).transpose()?;
    let skip_nulls = flag_or(skip_nulls.as_ref(), true)?;
    let mut out = Vec::new();
    flatten_into(&mut out, elements(&input, env)?, levels, skip_nulls)?;
    Ok(Value::list(out))
}

fn flatten_into(out: &mut Vec<Value>, items: Vec<Value>, levels: Option<i128>, skip_nulls: bool) -> Result<(), Fault> {
    for item in items {
        defined(&item)?;
        if skip_nulls && (matches!(item, Value::Null) || matches!(item.as_str(), Some("None" | "null"))) {
            continue;
        }
        match to_list(&item)? {
            Some(inner) if levels.is_none_or(|levels| levels >= 1) => flatten_into(out, inner, levels.map(|levels| levels - 1), skip_nulls)?,
            _ => out.push(item),
        }
    }
    Ok(())
}
