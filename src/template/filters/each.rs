//! Filters that apply others to each element: map, select, reject, selectattr, rejectattr, groupby. Elements may be undefined here.

use std::any::Any;
use std::sync::Arc;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, flag_or, given, to_text};
use crate::value::{Fault, Object, Value};

use super::ordering::{attribute, attribute_parts, ignore_case, sort_by_key};

/// `map`.
///
/// # Errors
/// No filter is named, or it failed.
pub fn map(input: Value, mut args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    if !input.is_true() {
        return Ok(Value::list(Vec::new()));
    }
    if args.positional.is_empty() {
        let Some(by) = args.take("attribute") else { return Err(Fault::error("map requires a filter argument")) };
        let default = given(args.take("default"));
        if let Some((name, _)) = args.named.first() {
            return Err(Fault::error(format!("Unexpected keyword argument '{name}'")));
        }
        let parts = attribute_parts(&by);
        let mapped = env.iterate(&input)?.iter().map(|item| attribute(env, item, &parts, default.as_ref())).collect::<Result<_, _>>()?;
        return Ok(Value::list(mapped));
    }
    let name = to_text(&args.positional.remove(0))?;
    let accepts_undefined = matches!(&*name, "default" | "d" | "mandatory" | "type_debug");
    let apply = |item: Value| {
        if let (Value::Undefined(_), false) = (&item, accepts_undefined) {
            return Ok(item);
        }
        env.apply_filter(&name, item, args.clone())
    };
    Ok(Value::list(env.iterate(&input)?.into_iter().map(apply).collect::<Result<_, _>>()?))
}

/// `select`.
///
/// # Errors
/// The test failed.
pub fn select(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    choose(input, args, env, true, false)
}

/// `reject`.
///
/// # Errors
/// The test failed.
pub fn reject(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    choose(input, args, env, false, false)
}

/// `selectattr`.
///
/// # Errors
/// The test failed.
pub fn selectattr(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    choose(input, args, env, true, true)
}

/// `rejectattr`.
///
/// # Errors
/// The test failed.
pub fn rejectattr(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    choose(input, args, env, false, true)
}

fn choose(input: Value, mut args: Arguments, env: &dyn Env, keep: bool, by_attribute: bool) -> Result<Value, Fault> {
    if !input.is_true() {
        return Ok(Value::list(Vec::new()));
    }
    let parts = match by_attribute {
        false => Vec::new(),
        true if args.positional.is_empty() => return Err(Fault::error("Missing parameter for attribute name")),
        true => attribute_parts(&args.positional.remove(0)),
    };
    let test = if args.positional.is_empty() { None } else { Some(to_text(&args.positional.remove(0))?) };
    let mut kept = Vec::new();
    for item in env.iterate(&input)? {
        let subject = attribute(env, &item, &parts, None)?;
        let holds = match test.as_deref() {
            None => {
                defined(&subject)?;
                subject.is_true()
            }
            Some(test) => {
                if !accepts_undefined(test) {
                    defined(&subject)?;
                }
                env.apply_test(test, subject, args.clone())?
            }
        };
        if holds == keep {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn accepts_undefined(test: &str) -> bool {
    matches!(crate::template::filters::short_name(test), "defined" | "undefined" | "vault_encrypted")
}

/// One group of `groupby`: a tuple whose parts also have names.
#[derive(Debug)]
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn type_name(&self) -> &'static str {
        "tuple"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        Ok(match key {
            Value::Int(0 | -2) => Some(self.grouper.clone()),
            Value::Int(1 | -1) => Some(self.list.clone()),
            Value::Str(name) if &**name == "grouper" => Some(self.grouper.clone()),
            Value::Str(name) if &**name == "list" => Some(self.list.clone()),
            _ => None,
        })
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(Some(vec![self.grouper.clone(), self.list.clone()]))
    }

    fn len(&self) -> Option<usize> {
        Some(2)
    }

    fn resolve(&self) -> Result<Value, Fault> {
        Ok(Value::list(vec![self.grouper.resolve()?, self.list.resolve()?]))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `groupby`.
///
/// # Errors
/// Not iterable, or keys without an order.
pub fn groupby(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [by, default, case_sensitive] = args.bind(signature("sync_do_groupby", 2, 1), ["attribute", "default", "case_sensitive"])?;
    let parts = attribute_parts(&by.unwrap_or(Value::Null));
    let case_sensitive = flag_or(case_sensitive.as_ref(), false)?;
    let default = given(default);
    let mut keyed = Vec::new();
    for item in elements(&input, env)? {
        let plain = attribute(env, &item, &parts, default.as_ref())?;
        defined(&plain)?;
        let key = if case_sensitive { plain.clone() } else { ignore_case(plain.clone()) };
        keyed.push((key, (plain, item)));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, (plain, item)) in sort_by_key(keyed, false)? {
        match groups.last_mut() {
            Some((have, _, items)) if *have == key => items.push(item),
            _ => groups.push((key, plain, vec![item])),
        }
    }
    let group = |(_, grouper, items)| Value::Object(Arc::new(Group { grouper, list: Value::list(items) }));
    Ok(Value::list(groups.into_iter().map(group).collect()))
}
