//! Lookups that make lists to loop over: list, items, dict, indexed_items, together, nested, flattened, subelements, random_choice.

use crate::template::coerce::{ansible_bool, class_of, defined, is_dict, is_list, to_dict, to_list, to_text};
use crate::template::filters::ordering::pair;
use crate::template::filters::random::Source;
use crate::template::{Arguments, Env};
use crate::value::{Fault, Key, Value};

/// One level of lists and tuples taken apart.
fn flat(terms: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in terms {
        match to_list(&term)? {
            Some(items) => out.extend(items),
            None => out.push(term),
        }
    }
    Ok(out)
}

/// `list`: what it was given.
///
/// # Errors
/// None.
pub fn list(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    Ok(terms)
}

/// `items`: one level flattened.
///
/// # Errors
/// An element cannot be rendered.
pub fn items(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    flat(terms)
}

/// `indexed_items`.
///
/// # Errors
/// An element cannot be rendered.
pub fn indexed_items(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    Ok(flat(terms)?.into_iter().enumerate().map(|(i, item)| pair(i.into(), item)).collect())
}

/// `flattened` of community.general: all levels, empty elements left out.
///
/// # Errors
/// An element cannot be rendered.
pub fn flattened(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    fn into(out: &mut Vec<Value>, items: Vec<Value>) -> Result<(), Fault> {
        for item in items {
            match to_list(&item)? {
                Some(inner) => into(out, inner)?,
                None if matches!(item, Value::Null) || matches!(item.as_str(), Some("None" | "null")) => break,
                None => out.push(item),
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    into(&mut out, terms)?;
    Ok(out)
}

/// `dict`.
///
/// # Errors
/// Something is no dictionary.
pub fn dict(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in flat_dicts(terms)? {
        let Some(dict) = to_dict(&term)? else {
            return Err(Fault::error(format!("the 'dict' lookup plugin expects a dictionary, got '{}' of type {})", to_text(&term)?, class_of(&term))));
        };
        out.extend(dict.into_iter().map(|(key, value)| [(Key::from("key"), key.to_value()), (Key::from("value"), value)].into_iter().collect()));
    }
    Ok(out)
}

/// A list of dictionaries stands for its elements.
fn flat_dicts(terms: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in terms {
        match to_list(&term)? {
            Some(items) if !items.is_empty() && items.iter().all(is_dict) => out.extend(items),
            Some(items) if items.is_empty() => {}
            _ => out.push(term),
        }
    }
    Ok(out)
}

/// The lists of `together` and `nested`; a single value is a list of one.
fn lists(terms: Vec<Value>) -> Result<Vec<Vec<Value>>, Fault> {
    let mut out = Vec::new();
    for term in terms {
        defined(&term)?;
        out.push(match (to_list(&term)?, &term) {
            (Some(items), _) => items,
            (None, Value::Str(text)) => text.chars().map(|c| c.to_string().into()).collect(),
            (None, _) => match to_dict(&term)? {
                Some(dict) => dict.keys().map(Key::to_value).collect(),
                None => return Err(Fault::error(format!("'{}' object is not iterable", term.type_name()))),
            },
        });
    }
    Ok(out)
}

/// `together`.
///
/// # Errors
/// No lists.
pub fn together(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    let lists = lists(terms)?;
    if lists.is_empty() {
        return Err(Fault::error("with_together requires at least one element in each list"));
    }
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).map(|i| flat(lists.iter().map(|list| list.get(i).cloned().unwrap_or(Value::Null)).collect()).map(Value::list)).collect()
}

/// `nested`.
///
/// # Errors
/// No lists.
pub fn nested(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut lists = lists(terms)?.into_iter();
    let first = lists.next().ok_or_else(|| Fault::error("with_nested requires at least one element in the nested list"))?;
    let mut rows: Vec<Vec<Value>> = first.into_iter().map(|item| flat(vec![item])).collect::<Result<_, _>>()?;
    for list in lists {
        let mut longer = Vec::new();
        for row in &rows {
            for item in &list {
                longer.push([row.as_slice(), &flat(vec![item.clone()])?].concat());
            }
        }
        rows = longer;
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

/// `cartesian` of community.general: elements are not flattened.
///
/// # Errors
/// No lists.
pub fn cartesian(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    let lists = lists(terms)?;
    if lists.is_empty() {
        return Err(Fault::error("with_cartesian requires at least one element in each list"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        rows = rows.iter().flat_map(|row| list.iter().map(move |item| row.iter().chain([item]).cloned().collect())).collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

/// `random_choice`.
///
/// # Errors
/// None.
pub fn random_choice(terms: Vec<Value>, _: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    if terms.is_empty() {
        return Ok(terms);
    }
    let chosen = Source::System.below(terms.len() as u128) as usize;
    Ok(vec![terms[chosen].clone()])
}

/// `subelements`.
///
/// # Errors
/// A key is missing or does not lead to a list.
pub fn subelements(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let wrong = |what: &str| Fault::error(format!("subelements lookup expects a list of two or three items, {what}"));
    let (things, path, flags) = match terms.as_slice() {
        [things, path] => (things, path, None),
        [things, path, flags] => (things, path, Some(flags)),
        _ => return Err(wrong("")),
    };
    let (true, Value::Str(path)) = (is_dict(things) || is_list(things), path) else {
        return Err(wrong("first a dict or a list, second a string pointing to the subkey"));
    };
    let skip_missing = match flags {
        None => false,
        Some(flags) => match to_dict(flags)? {
            Some(flags) => flags.get("skip_missing").is_some_and(|flag| ansible_bool(flag).unwrap_or(false)),
            None => return Err(wrong("the optional third item must be a dict with flags skip_missing")),
        },
    };
    let is_skipped = |item: &Value| {
        Ok::<bool, Fault>(to_dict(item)?.and_then(|dict| dict.get("skipped").cloned()).is_some_and(|skipped| !matches!(skipped, Value::Bool(false))))
    };
    let elements = match to_dict(things)? {
        Some(_) if is_skipped(things)? => return Ok(Vec::new()),
        Some(dict) => dict.into_values().collect(),
        None => to_list(things)?.unwrap_or_default(),
    };
    let mut out = Vec::new();
    for element in elements {
        if !is_dict(&element) {
            return Err(Fault::error(format!("subelements lookup expects a dictionary, got '{}'", to_text(&element)?)));
        }
        if is_skipped(&element)? {
            continue;
        }
        let keys: Vec<&str> = path.split('.').collect();
        let found = below(&element, &keys, skip_missing, env)?;
        let shown = without(&element, &keys)?;
        out.extend(found.into_iter().map(|item| pair(shown.clone(), item)));
    }
    Ok(out)
}

/// The list behind the keys.
fn below(element: &Value, keys: &[&str], skip_missing: bool, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut value = element.clone();
    for (i, key) in keys.iter().enumerate() {
        let next = match env.attribute(&value, &(*key).into())? {
            Value::Undefined(_) if skip_missing => return Ok(Vec::new()),
            Value::Undefined(_) => return Err(Fault::error(format!("could not find '{key}' key in iterated item '{}'", to_text(&value)?))),
            next => next,
        };
        let last = i + 1 == keys.len();
        if last && !is_list(&next) {
            return Err(Fault::error(format!("the key {key} should point to a list, got '{}'", to_text(&next)?)));
        }
        if !last && !is_dict(&next) {
            return if skip_missing {
                Ok(Vec::new())
            } else {
                Err(Fault::error(format!("the key {key} should point to a dictionary, got '{}'", to_text(&next)?)))
            };
        }
        value = next;
    }
    Ok(to_list(&value)?.unwrap_or_default())
}

/// The element without the list that is looped over, as Ansible hands it out.
fn without(element: &Value, keys: &[&str]) -> Result<Value, Fault> {
    let Some(mut dict) = to_dict(element)? else { return Ok(element.clone()) };
    match keys {
        [] => {}
        [last] => drop(dict.shift_remove(*last)),
        [first, rest @ ..] => {
            if let Some(inner) = dict.get(*first).cloned() {
                dict.insert((*first).into(), without(&inner, rest)?);
            }
        }
    }
    Ok(Value::dict(dict))
}
