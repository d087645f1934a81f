//! Methods of lists, tuples and dictionaries that change nothing.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{clamp_index, index_or, to_dict, to_list};
use crate::template::filters::ordering::pair;
use crate::value::{Fault, Value, repr};

/// A method of a list or tuple; `None` when there is none of that name.
///
/// # Errors
/// As Python's.
pub fn sequence(target: &Value, name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let items = to_list(target)?.unwrap_or_default();
    Ok(Some(match name {
        "count" => {
            let [value] = args.bind(signature("count", 0, 1), ["value"])?;
            let value = value.unwrap_or(Value::Null);
            items.iter().filter(|item| **item == value).count().into()
        }
        "index" => {
            let [value, start, stop] = args.bind(signature("index", 0, 1), ["value", "start", "stop"])?;
            let value = value.unwrap_or(Value::Null);
            let from = clamp_index(index_or(start.as_ref(), 0)?, items.len());
            let to = clamp_index(index_or(stop.as_ref(), items.len() as i128)?, items.len());
            let at = (from..to).find(|at| items[*at] == value);
            at.map(Value::from).ok_or_else(|| match target.type_name() {
                "tuple" => Fault::error("tuple.index(x): x not in tuple"),
                _ => Fault::error(format!("{} is not in list", repr(&value))),
            })?
        }
        "copy" if target.type_name() == "list" => {
            args.none_named(name)?;
            Value::list(items)
        }
        _ => return Ok(None),
    }))
}

/// A method of a dictionary; `None` when there is none of that name.
///
/// # Errors
/// As Python's, or the rendering of an element failed.
pub fn mapping(target: &Value, name: &str, args: Arguments, env: &dyn Env) -> Result<Option<Value>, Fault> {
    Ok(Some(match name {
        "get" => {
            if args.positional.is_empty() {
                return Err(Fault::error("get expected at least 1 argument, got 0"));
            }
            let [key, default] = args.bind(signature("get", 0, 1), ["key", "default"])?;
            let key = key.unwrap_or(Value::Null);
            entry(target, &key)?.unwrap_or_else(|| default.unwrap_or(Value::Null))
        }
        "keys" => {
            args.none_named(name)?;
            Value::list(env.iterate(target)?)
        }
        "values" => {
            args.none_named(name)?;
            Value::list(to_dict(target)?.unwrap_or_default().into_values().collect())
        }
        "items" => {
            args.none_named(name)?;
            Value::list(to_dict(target)?.unwrap_or_default().into_iter().map(|(key, value)| pair(key.to_value(), value)).collect())
        }
        "copy" => {
            args.none_named(name)?;
            Value::dict(to_dict(target)?.unwrap_or_default())
        }
        _ => return Ok(None),
    }))
}

fn entry(target: &Value, key: &Value) -> Result<Option<Value>, Fault> {
    match target {
        Value::Dict(dict) => Ok(dict.get(&crate::value::Key::new(key)?).cloned()),
        Value::Object(object) => object.get(key),
        _ => Ok(None),
    }
}
