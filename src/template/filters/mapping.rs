//! Filters that make, merge and take apart dictionaries.

use std::sync::Arc;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{class_of, defined, elements, flag_or, given, is_dict, str_argument, to_dict, to_list, to_text};
use crate::value::{self, Dict, Fault, Key, Value, repr};

use super::ordering::pair;

/// How lists under the same key are merged.
#[derive(Clone, Copy)]
enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendRp,
    PrependRp,
}

impl ListMerge {
    fn parse(name: &str) -> Result<ListMerge, Fault> {
        Ok(match name {
            "replace" => ListMerge::Replace,
            "keep" => ListMerge::Keep,
            "append" => ListMerge::Append,
            "prepend" => ListMerge::Prepend,
            "append_rp" => ListMerge::AppendRp,
            "prepend_rp" => ListMerge::PrependRp,
            _ => {
                return Err(Fault::error(
                    "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'",
                ));
            }
        })
    }

    fn merge(self, x: Vec<Value>, y: Vec<Value>) -> Vec<Value> {
        let without = |x: Vec<Value>, y: &[Value]| x.into_iter().filter(|item| !y.contains(item)).collect::<Vec<_>>();
        match self {
            ListMerge::Replace => y,
            ListMerge::Keep => x,
            ListMerge::Append => x.into_iter().chain(y).collect(),
            ListMerge::Prepend => y.into_iter().chain(x).collect(),
            ListMerge::AppendRp => without(x, &y).into_iter().chain(y).collect(),
            ListMerge::PrependRp => {
                let rest = without(x, &y);
                y.into_iter().chain(rest).collect()
            }
        }
    }
}

/// `combine`.
///
/// # Errors
/// Something is not a dictionary, or an unknown option.
pub fn combine(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let recursive = flag_or(args.take("recursive").as_ref(), false)?;
    let list_merge = args.take("list_merge").as_ref().map_or(Ok("replace".into()), to_text)?;
    if !args.named.is_empty() {
        return Err(Fault::error("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    let mut dictionaries = Vec::new();
    for term in std::iter::once(input).chain(args.positional) {
        match to_list(&term)? {
            Some(items) => dictionaries.extend(items.into_iter().filter(|item| !matches!(item, Value::Null))),
            None if matches!(term, Value::Null) => {}
            None => dictionaries.push(term),
        }
    }
    let Some(mut result) = dictionaries.pop() else { return Ok(Value::dict(Dict::new())) };
    let list_merge = ListMerge::parse(&list_merge)?;
    while let Some(lower) = dictionaries.pop() {
        result = Value::dict(merge(dict_of(&lower, &result, true)?, dict_of(&result, &lower, false)?, recursive, list_merge)?);
    }
    Ok(result)
}

fn dict_of(value: &Value, other: &Value, first: bool) -> Result<Dict, Fault> {
    defined(value)?;
    let Some(dict) = to_dict(value)? else {
        let (a, b) = if first { (value, other) } else { (other, value) };
        return Err(Fault::error(format!("failed to combine variables, expected dicts but got a '{}' and a '{}'.", a.type_name(), b.type_name())));
    };
    Ok(dict)
}

/// The first with the entries of the second put over it.
fn merge(mut x: Dict, y: Dict, recursive: bool, list_merge: ListMerge) -> Result<Dict, Fault> {
    if !recursive && matches!(list_merge, ListMerge::Replace) {
        x.extend(y);
        return Ok(x);
    }
    for (key, new) in y {
        let merged = match x.get(&key) {
            Some(old) if is_dict(old) && is_dict(&new) && recursive => {
                Value::dict(merge(to_dict(old)?.unwrap_or_default(), to_dict(&new)?.unwrap_or_default(), recursive, list_merge)?)
            }
            Some(old) if !is_dict(old) => match (to_list(old)?, to_list(&new)?) {
                (Some(old), Some(new)) => Value::list(list_merge.merge(old, new)),
                _ => new,
            },
            _ => new,
        };
        x.insert(key, merged);
    }
    Ok(x)
}

/// `dict2items`.
///
/// # Errors
/// Not a dictionary.
pub fn dict2items(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [key_name, value_name] = args.bind(signature("dict_to_list_of_dict_key_value_elements", 1, 0), ["key_name", "value_name"])?;
    let Some(dict) = to_dict(&input)? else {
        return Err(Fault::error(format!("dict2items requires a dictionary, got {} instead.", class_of(&input))));
    };
    let (key_name, value_name) = (Key::new(&key_name.unwrap_or("key".into()))?, Key::new(&value_name.unwrap_or("value".into()))?);
    let item = |(key, value): (Key, Value)| [(key_name.clone(), key.to_value()), (value_name.clone(), value)].into_iter().collect::<Value>();
    Ok(Value::list(dict.into_iter().map(item).collect()))
}

/// `items2dict`.
///
/// # Errors
/// Not a list of dictionaries with both keys.
pub fn items2dict(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [key_name, value_name] = args.bind(signature("list_of_dict_key_value_elements_to_dict", 1, 0), ["key_name", "value_name"])?;
    let Some(items) = to_list(&input)? else {
        return Err(Fault::error(format!("items2dict requires a list, got {} instead.", class_of(&input))));
    };
    let (key_name, value_name) = (key_name.unwrap_or("key".into()), value_name.unwrap_or("value".into()));
    let mut dict = Dict::new();
    for item in &items {
        defined(item)?;
        // pairs will do where the names are places in them
        let numbered = matches!(key_name, Value::Int(_)) && to_list(item)?.is_some();
        if !is_dict(item) && !numbered {
            return Err(Fault::error(format!("items2dict requires a list of dictionaries, got {} instead.", to_text(&input)?)));
        }
        let entry = |name: &Value| match env.attribute(item, name)? {
            Value::Undefined(_) => Err(Fault::error(format!(
                "items2dict requires each dictionary in the list to contain the keys '{}' and '{}', got {} instead.",
                to_text(&key_name)?,
                to_text(&value_name)?,
                to_text(&input)?
            ))),
            value => Ok(value),
        };
        let key = Key::new(&entry(&key_name)?)
            .map_err(|_| Fault::error(format!("items2dict requires a list of dictionaries, got {} instead.", value::text(&input))))?;
        dict.insert(key, entry(&value_name)?);
    }
    Ok(Value::dict(dict))
}

/// `items`.
///
/// # Errors
/// Not a mapping.
pub fn items(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_items")?;
    let dict = to_dict(&input)?.ok_or_else(|| Fault::error("Can only get item pairs from a mapping."))?;
    Ok(Value::list(dict.into_iter().map(|(key, value)| pair(key.to_value(), value)).collect()))
}

/// `dict`: Python's `dict()` as a filter (community.general).
///
/// # Errors
/// Not made of pairs.
pub fn dict(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("dict_filter")?;
    if let Some(dict) = to_dict(&input)? {
        return Ok(Value::dict(dict));
    }
    let mut dict = Dict::new();
    for item in elements(&input, env)? {
        let mut parts = elements(&item, env)?;
        match (parts.pop(), parts.pop(), parts.is_empty()) {
            (Some(value), Some(key), true) => drop(dict.insert(Key::new(&key)?, value)),
            _ => return Err(Fault::error("dictionary update sequence elements must have length 2")),
        }
    }
    Ok(Value::dict(dict))
}

/// `extract`.
///
/// # Errors
/// The rendering of an element failed.
pub fn extract(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [container, more] = args.bind(signature("extract", 2, 1), ["container", "morekeys"])?;
    let mut keys = vec![input];
    match given(more) {
        None => {}
        Some(more) => match to_list(&more)? {
            Some(more) => keys.extend(more),
            None => keys.push(more),
        },
    }
    let mut value = container.unwrap_or(Value::Null);
    for key in &keys {
        value = env.attribute(&value, key)?;
    }
    Ok(value)
}

/// `subelements`.
///
/// # Errors
/// A key is missing or does not lead to a list.
pub fn subelements(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [path, skip_missing] = args.bind(signature("subelements", 1, 1), ["subelements", "skip_missing"])?;
    let items = match (to_dict(&input)?, to_list(&input)?) {
        (Some(dict), _) => dict.into_values().collect(),
        (_, Some(items)) => items,
        _ => return Err(Fault::error("obj must be a list of dicts or a nested dict")),
    };
    let path = path.unwrap_or(Value::Null);
    let keys = match (&path, to_list(&path)?) {
        (Value::Str(dotted), _) => dotted.split('.').map(Value::from).collect(),
        (_, Some(keys)) => keys,
        _ => return Err(Fault::error("subelements must be a list or a string")),
    };
    let skip_missing = flag_or(skip_missing.as_ref(), false)?;
    let mut out = Vec::new();
    for item in items {
        for value in sub_list(&item, &keys, skip_missing, env)? {
            out.push(pair(item.clone(), value));
        }
    }
    Ok(Value::list(out))
}

fn sub_list(item: &Value, keys: &[Value], skip_missing: bool, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut value = item.clone();
    for key in keys {
        if !is_dict(&value) {
            return Err(Fault::error(format!(
                "the key {} should point to a dictionary, got '{}': '{}' object is not subscriptable",
                to_text(key)?,
                to_text(&value)?,
                value.type_name()
            )));
        }
        value = match env.attribute(&value, key)? {
            Value::Undefined(_) if skip_missing => return Ok(Vec::new()),
            Value::Undefined(_) => return Err(Fault::error(format!("could not find {} key in iterated item {}", repr(key), repr(&value)))),
            found => found,
        };
    }
    let last = keys.last().map(repr).unwrap_or_default();
    to_list(&value)?.ok_or_else(|| Fault::error(format!("the key {last} should point to a list, got {}", repr(&value))))
}

/// `rekey_on_member`.
///
/// # Errors
/// A member is missing or not unique.
pub fn rekey_on_member(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [key, duplicates] = args.bind(signature("rekey_on_member", 1, 1), ["key", "duplicates"])?;
    let duplicates = duplicates.unwrap_or("error".into());
    if !matches!(duplicates.as_str(), Some("error" | "overwrite")) {
        return Err(Fault::error(format!("duplicates parameter to rekey_on_member has unknown value {}", repr(&duplicates))));
    }
    let items = match to_dict(&input)? {
        Some(dict) => dict.into_values().collect(),
        None if matches!(input, Value::Str(_) | Value::Bytes(_)) => return Err(Fault::error("Type is not a valid list, set, or dict")),
        None => elements(&input, env)
            .map_err(|fault| if fault.message.ends_with("not iterable") { Fault::error("Type is not a valid list, set, or dict") } else { fault })?,
    };
    let key = key.unwrap_or(Value::Null);
    let mut out = Dict::new();
    for item in items {
        if !is_dict(&item) {
            return Err(Fault::error("List item is not a valid dict"));
        }
        let member = match env.attribute(&item, &key)? {
            Value::Undefined(_) => return Err(Fault::error(format!("Key {} was not found.", repr(&key)))),
            member => member,
        };
        if out.insert(Key::new(&member)?, item).is_some_and(|before| before.is_true()) && duplicates.as_str() == Some("error") {
            return Err(Fault::error(format!("Key {} is not unique, cannot convert to dict.", repr(&member))));
        }
    }
    Ok(Value::dict(out))
}

/// `keep_keys` and `remove_keys` (ansible.utils' and community.general's names for keeping some keys of each dictionary).
///
/// # Errors
/// Not a list of dictionaries.
pub fn keep_keys(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    filter_keys(&input, args, env, true)
}

/// The opposite of [`keep_keys`].
///
/// # Errors
/// Not a list of dictionaries.
pub fn remove_keys(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    filter_keys(&input, args, env, false)
}

fn filter_keys(input: &Value, args: Arguments, env: &dyn Env, keep: bool) -> Result<Value, Fault> {
    let name = if keep { "keep_keys" } else { "remove_keys" };
    let [target, matching] = args.bind(signature(name, 1, 1), ["target", "matching_parameter"])?;
    let target = target.unwrap_or(Value::Null);
    let targets: Vec<Arc<str>> = match &target {
        Value::Str(one) => vec![one.clone()],
        other => elements(other, env)?.iter().map(|t| str_argument(t, "The target")).collect::<Result<_, _>>()?,
    };
    let how = matching.as_ref().map_or(Ok("equal".into()), to_text)?;
    let matches = |key: &str| -> Result<bool, Fault> {
        for target in &targets {
            let hit = match &*how {
                "equal" => key == &**target,
                "starts_with" => key.starts_with(&**target),
                "ends_with" => key.ends_with(&**target),
                "regex" => super::regex::compile(target, false, false)?.match_start(key).map_err(Fault::error)?.is_some(),
                other => return Err(Fault::error(format!("The matching_parameter must be one of equal, starts_with, ends_with, regex, not {other}"))),
            };
            if hit {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let Some(items) = to_list(input)? else { return Err(Fault::error(format!("The target must be a list of dictionaries, not {}", input.type_name()))) };
    let mut out = Vec::new();
    for item in items {
        let dict = to_dict(&item)?.ok_or_else(|| Fault::error("The elements of the list must be dictionaries"))?;
        let mut kept = Dict::new();
        for (key, value) in dict {
            if matches(&to_text(&key.to_value())?)? == keep {
                kept.insert(key, value);
            }
        }
        out.push(Value::dict(kept));
    }
    Ok(Value::list(out))
}
