//! Methods that change a list or dictionary in place: `l.append(x)`, `d.update(..)`, `d.setdefault(k, []).append(x)`.
//!
//! Values are shared and never change behind anybody's back; what changes is the variable that the call's path begins with.

use std::sync::Arc;

use super::Arguments;
use super::evaluate::Evaluator;
use super::lazy::settle;
use super::objects::Namespace;
use super::operators;
use super::tree::{Call, Expr, ExprKind};
use crate::value::{Dict, Fault, Key, Value, compare};

/// Names of methods that change their object.
const MUTATORS: [&str; 11] = ["append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "setdefault", "popitem"];

/// One step from a variable to the object that changes.
enum Step {
    Element(Value),
    SetDefault(Value, Value),
}

impl Evaluator<'_> {
    /// Calls a method that changes its object, when this is one and the object can be reached from a variable; `None` otherwise.
    pub(super) fn mutate(&mut self, of: &Expr, method: &str, call: &Call) -> Result<Option<Value>, Fault> {
        if !MUTATORS.contains(&method) {
            return Ok(None);
        }
        let mut steps = Vec::new();
        let Some(root) = self.path(of, &mut steps)? else { return Ok(None) };
        if !self.bind(&root)? {
            return Ok(None);
        }
        let args = match self.arguments(&call.args)? {
            Ok(args) => args,
            Err(undefined) => return Ok(Some(undefined)),
        };
        let found = self.frames.iter_mut().rev().find_map(|frame| frame.iter_mut().rev().find(|(name, _)| *name == root));
        let Some((_, value)) = found else { return Ok(None) };
        let result = walk(value, &steps, |target| apply(target, method, args));
        if matches!(result, Ok(Some(_))) && !self.touched.contains(&root) {
            self.touched.push(root);
        }
        result
    }

    /// Writes a changed loop item back to the list that is looped over.
    pub(super) fn write_back(&mut self, list: &Expr, index: usize, item: Value) -> Result<(), Fault> {
        let mut steps = Vec::new();
        let Some(root) = self.path(list, &mut steps)? else { return Ok(()) };
        if !self.bind(&root)? {
            return Ok(());
        }
        let found = self.frames.iter_mut().rev().find_map(|frame| frame.iter_mut().rev().find(|(name, _)| *name == root));
        let Some((_, value)) = found else { return Ok(()) };
        walk(value, &steps, |target| {
            if let Value::List(items) = target
                && let Some(slot) = Arc::make_mut(items).get_mut(index)
            {
                *slot = item;
            }
            Ok(None)
        })?;
        Ok(())
    }

    /// The variable that an expression begins with and the way from it, when it is nothing but elements of elements.
    fn path(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Result<Option<Arc<str>>, Fault> {
        match &expr.kind {
            ExprKind::Var(name) => Ok(Some(name.clone())),
            ExprKind::Attr(of, name) => {
                let root = self.path(of, steps)?;
                steps.push(Step::Element(Value::Str(name.clone())));
                Ok(root)
            }
            ExprKind::Item(of, key) => {
                let root = self.path(of, steps)?;
                if root.is_some() {
                    steps.push(Step::Element(self.operand(key)?));
                }
                Ok(root)
            }
            ExprKind::Call(call) => {
                let ExprKind::Attr(of, method) = &call.callee.kind else { return Ok(None) };
                if !matches!(&**method, "setdefault" | "get") {
                    return Ok(None);
                }
                let root = self.path(of, steps)?;
                let Ok(args) = self.arguments(&call.args)? else { return Ok(None) };
                let mut args = args.positional.into_iter();
                let Some(key) = args.next() else { return Ok(None) };
                steps.push(match &**method {
                    "get" => Step::Element(key),
                    _ => Step::SetDefault(key, args.next().unwrap_or(Value::Null)),
                });
                Ok(root)
            }
            _ => Ok(None),
        }
    }

    /// Makes a variable of the context one of this text, so that it can change; false when it is not defined.
    fn bind(&mut self, name: &Arc<str>) -> Result<bool, Fault> {
        if self.bound(name).is_some() {
            return Ok(true);
        }
        let value = self.variable(name)?;
        if matches!(value, Value::Undefined(_) | Value::Unknown(_)) {
            return Ok(false);
        }
        if self.frames.is_empty() {
            self.frames.push(Vec::new());
        }
        self.frames[0].push((name.clone(), value));
        Ok(true)
    }
}

/// Follows the steps into a value and changes what is there; `None` when there is nothing that can change.
fn walk(value: &mut Value, steps: &[Step], change: impl FnOnce(&mut Value) -> Result<Option<Value>, Fault>) -> Result<Option<Value>, Fault> {
    if let Value::Object(object) = &*value
        && let Some(namespace) = object.as_any().downcast_ref::<Namespace>()
    {
        let [Step::Element(Value::Str(name)), rest @ ..] = steps else { return Ok(None) };
        let mut fields = namespace.lock();
        return match fields.get_mut::<str>(name) {
            Some(field) => walk(field, rest, change),
            None => Ok(None),
        };
    }
    if matches!(value, Value::Object(_)) {
        *value = settle(value.clone())?;
    }
    let Some((step, rest)) = steps.split_first() else { return change(value) };
    let next = match (value, step) {
        (Value::Dict(dict), Step::Element(key)) => Arc::make_mut(dict).get_mut(&Key::new(key)?),
        (Value::Dict(dict), Step::SetDefault(key, default)) => Some(Arc::make_mut(dict).entry(Key::new(key)?).or_insert_with(|| default.clone())),
        (Value::List(items), Step::Element(Value::Int(n))) => {
            let index = if *n < 0 { *n + items.len() as i128 } else { *n };
            usize::try_from(index).ok().and_then(|i| Arc::make_mut(items).get_mut(i))
        }
        _ => None,
    };
    match next {
        Some(next) => walk(next, rest, change),
        None => Ok(None),
    }
}

/// Changes a list or dictionary; `None` when it has no such method.
///
/// # Errors
/// What the method itself finds wrong.
pub(super) fn apply(target: &mut Value, method: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    match target {
        Value::List(items) => list_method(Arc::make_mut(items), method, args),
        Value::Dict(dict) => dict_method(Arc::make_mut(dict), method, args),
        _ => Ok(None),
    }
}

fn list_method(items: &mut Vec<Value>, method: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let mut given = args.positional.into_iter();
    let mut need = || given.next().ok_or_else(|| Fault::error(format!("list.{method}() takes at least one argument (0 given)")));
    match method {
        "append" => items.push(need()?),
        "extend" => items.extend(operators::iterate(&need()?)?),
        "insert" => {
            let (at, value) = (need()?, need()?);
            let at = whole(&at)?;
            let at = if at < 0 { (at + items.len() as i128).max(0) } else { at.min(items.len() as i128) };
            items.insert(at as usize, value);
        }
        "pop" => return pop(items, given.next()).map(Some),
        "remove" => {
            let value = need()?;
            match items.iter().position(|item| *item == value) {
                Some(i) => drop(items.remove(i)),
                None => return Err(Fault::error("list.remove(x): x not in list")),
            }
        }
        "clear" => items.clear(),
        "reverse" => items.reverse(),
        "sort" => {
            let reverse = args.named.iter().any(|(name, value)| name == "reverse" && value.is_true());
            sort(items, reverse)?;
        }
        _ => return Ok(None),
    }
    Ok(Some(Value::Null))
}

fn pop(items: &mut Vec<Value>, at: Option<Value>) -> Result<Value, Fault> {
    if items.is_empty() {
        return Err(Fault::error("pop from empty list"));
    }
    let at = at.map_or(Ok(-1), |at| whole(&at))?;
    let at = if at < 0 { at + items.len() as i128 } else { at };
    match usize::try_from(at).ok().filter(|i| *i < items.len()) {
        Some(i) => Ok(items.remove(i)),
        None => Err(Fault::error("pop index out of range")),
    }
}

fn sort(items: &mut [Value], reverse: bool) -> Result<(), Fault> {
    let mut failed = None;
    items.sort_by(|a, b| {
        let order = compare(a, b, "<").unwrap_or_else(|fault| {
            failed.get_or_insert(fault);
            std::cmp::Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    failed.map_or(Ok(()), Err)
}

fn whole(value: &Value) -> Result<i128, Fault> {
    match value {
        Value::Int(n) => Ok(*n),
        other => Err(Fault::error(format!("'{}' object cannot be interpreted as an integer", other.type_name()))),
    }
}

fn dict_method(dict: &mut Dict, method: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let mut given = args.positional.into_iter();
    match method {
        "update" => {
            if let Some(more) = given.next() {
                let more = operators::to_dict(&settle(more)?)?;
                dict.extend(more);
            }
            dict.extend(args.named.into_iter().map(|(name, value)| (Key::from(name), value)));
        }
        "setdefault" => {
            let key = key(given.next(), method)?;
            let default = given.next().unwrap_or(Value::Null);
            return Ok(Some(dict.entry(key).or_insert(default).clone()));
        }
        "pop" => {
            let key = key(given.next(), method)?;
            return match (dict.shift_remove(&key), given.next()) {
                (Some(value), _) | (None, Some(value)) => Ok(Some(value)),
                (None, None) => Err(Fault::error(crate::value::repr(&key.to_value()))),
            };
        }
        "popitem" => {
            let Some((key, value)) = dict.pop() else { return Err(Fault::error("'popitem(): dictionary is empty'")) };
            return Ok(Some(Value::Tuple(Arc::new(vec![key.to_value(), value]))));
        }
        "clear" => dict.clear(),
        _ => return Ok(None),
    }
    Ok(Some(Value::Null))
}

fn key(given: Option<Value>, method: &str) -> Result<Key, Fault> {
    let given = given.ok_or_else(|| Fault::error(format!("{method} expected at least 1 argument, got 0")))?;
    Key::new(&given)
}
