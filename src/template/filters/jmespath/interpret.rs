//! What a query is worth for a value.

use std::cmp::Ordering;
use std::sync::Arc;

use super::parser::{Comparator, Node};
use super::{Trouble, functions};
use crate::template::coerce::{defined, is_dict, to_list};
use crate::template::operators;
use crate::value::{Dict, Key, Value, compare};

/// Stack that must be left, and what is added.
const STACK: (usize, usize) = (64 * 1024, 1024 * 1024);

/// What a node gives for a value.
pub(super) fn visit(node: &Node, value: &Value) -> Result<Value, Trouble> {
    stacker::maybe_grow(STACK.0, STACK.1, || visit_inner(node, value))
}

fn visit_inner(node: &Node, value: &Value) -> Result<Value, Trouble> {
    Ok(match node {
        Node::Identity => value.clone(),
        Node::Field(name) => field(value, name)?,
        Node::Literal(literal) => literal.clone(),
        Node::Index(index) => element(value, *index)?,
        Node::Slice(parts) => slice(value, parts)?,
        Node::Chain(steps) | Node::Indexed(steps) => {
            let (first, rest) = steps.split_first().ok_or_else(|| Trouble::Other("an empty chain".into()))?;
            rest.iter().try_fold(visit(first, value)?, |value, step| visit(step, &value))?
        }
        Node::Projection(left, right) => project(list(&visit(left, value)?)?, right)?,
        Node::ValueProjection(left, right) => project(values(&visit(left, value)?)?, right)?,
        Node::FilterProjection(left, right, condition) => match list(&visit(left, value)?)? {
            Some(items) => {
                let mut kept = Vec::new();
                for item in items {
                    if is_true(&visit(condition, &item)?) {
                        kept.push(item);
                    }
                }
                project(Some(kept), right)?
            }
            None => Value::Null,
        },
        Node::Flatten(inner) => flatten(&visit(inner, value)?)?,
        Node::Or(left, right) => match visit(left, value)? {
            left if is_true(&left) => left,
            _ => visit(right, value)?,
        },
        Node::And(left, right) => match visit(left, value)? {
            left if is_true(&left) => visit(right, value)?,
            left => left,
        },
        Node::Not(inner) => {
            let inner = visit(inner, value)?;
            // of numbers 0 too counts as true here
            (!is_number(&inner).0 && !inner.is_true()).into()
        }
        Node::Compare(comparator, left, right) => compared(*comparator, &visit(left, value)?, &visit(right, value)?)?,
        Node::Function(name, args) => functions::call(name, args, value)?,
        Node::MultiList(_) | Node::MultiHash(_) if matches!(value, Value::Null) => Value::Null,
        Node::MultiList(nodes) => Value::list(nodes.iter().map(|node| visit(node, value)).collect::<Result<_, _>>()?),
        Node::MultiHash(pairs) => {
            Value::dict(pairs.iter().map(|(name, node)| Ok((Key::Str(name.clone()), visit(node, value)?))).collect::<Result<Dict, Trouble>>()?)
        }
        Node::Expref(_) => return Err(Trouble::Other("an expression (&...) is an argument of functions, and no value".into())),
    })
}

/// Elements of an array; `None` for anything else, tuples included.
pub(super) fn list(value: &Value) -> Result<Option<Vec<Value>>, Trouble> {
    match value {
        Value::List(_) | Value::Object(_) => Ok(to_list(value)?),
        _ => Ok(None),
    }
}

/// The entry of a dictionary that must have a value.
fn field(value: &Value, name: &Arc<str>) -> Result<Value, Trouble> {
    let found = match value {
        Value::Dict(dict) => dict.get(&**name).cloned(),
        Value::Object(object) if is_dict(value) => object.get(&Value::Str(name.clone()))?,
        _ => None,
    };
    let found = found.unwrap_or(Value::Null);
    defined(&found)?;
    Ok(found)
}

/// Keys and values of an object; `None` for anything else.
pub(super) fn entries(value: &Value) -> Result<Option<Vec<(Key, Value)>>, Trouble> {
    let Some(dict) = crate::template::coerce::to_dict(value)? else { return Ok(None) };
    Ok(Some(dict.into_iter().collect()))
}

fn values(value: &Value) -> Result<Option<Vec<Value>>, Trouble> {
    Ok(entries(value)?.map(|entries| entries.into_iter().map(|(_, value)| value).collect()))
}

fn element(value: &Value, index: i128) -> Result<Value, Trouble> {
    let Some(items) = list(value)? else { return Ok(Value::Null) };
    let index = if index < 0 { index.saturating_add(items.len() as i128) } else { index };
    Ok(usize::try_from(index).ok().and_then(|index| items.get(index)).cloned().unwrap_or(Value::Null))
}

fn slice(value: &Value, parts: &[Option<i128>; 3]) -> Result<Value, Trouble> {
    let Some(items) = list(value)? else { return Ok(Value::Null) };
    let [start, stop, step] = parts.map(|part| part.map(Value::Int));
    Ok(operators::slice(&Value::list(items), start.as_ref(), stop.as_ref(), step.as_ref())?)
}

fn project(items: Option<Vec<Value>>, each: &Node) -> Result<Value, Trouble> {
    let Some(items) = items else { return Ok(Value::Null) };
    let mut kept = Vec::new();
    for item in items {
        let worth = visit(each, &item)?;
        if !matches!(worth, Value::Null) {
            kept.push(worth);
        }
    }
    Ok(Value::list(kept))
}

fn flatten(value: &Value) -> Result<Value, Trouble> {
    let Some(items) = list(value)? else { return Ok(Value::Null) };
    let mut flat = Vec::new();
    for item in items {
        match list(&item)? {
            Some(inner) => flat.extend(inner),
            None => flat.push(item),
        }
    }
    Ok(Value::list(flat))
}

/// Everything but null, false and what is empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Dict(dict) => !dict.is_empty(),
        Value::Object(object) => object.len() != Some(0),
        _ => true,
    }
}

/// Whether a value is a number, and whether it is 0 or 1.
fn is_number(value: &Value) -> (bool, bool) {
    match value {
        Value::Int(n) => (true, matches!(n, 0 | 1)),
        Value::Float(f) => (true, *f == 0.0 || *f == 1.0),
        _ => (false, false),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    let bool_and_number = |a: &Value, b: &Value| is_number(a).1 && matches!(b, Value::Bool(_));
    !bool_and_number(a, b) && !bool_and_number(b, a) && a == b
}

fn compared(comparator: Comparator, a: &Value, b: &Value) -> Result<Value, Trouble> {
    let ordered = |op: &str, holds: fn(Ordering) -> bool| -> Result<Value, Trouble> {
        let comparable = |value: &Value| is_number(value).0 || matches!(value, Value::Str(_));
        if !comparable(a) || !comparable(b) {
            return Ok(Value::Null);
        }
        Ok(holds(compare(a, b, op)?).into())
    };
    match comparator {
        Comparator::Eq => Ok(equal(a, b).into()),
        Comparator::Ne => Ok((!equal(a, b)).into()),
        Comparator::Lt => ordered("<", Ordering::is_lt),
        Comparator::Lte => ordered("<=", Ordering::is_le),
        Comparator::Gt => ordered(">", Ordering::is_gt),
        Comparator::Gte => ordered(">=", Ordering::is_ge),
    }
}
