//! The functions of the JMESPath specification, each with the types that it takes.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Trouble;
use super::interpret::{entries, list, visit};
use super::parser::Node;
use crate::template::coerce::{parse_float, parse_int};
use crate::template::filters::json;
use crate::template::operators;
use crate::value::{Dict, Key, Value, compare, text};

/// An argument: a value, or an expression for the function to evaluate.
enum Arg<'a> {
    Value(Value),
    Expression(&'a Node),
}

/// The types that a parameter takes; none is any.
type Types = &'static [&'static str];

struct Function {
    name: &'static str,
    params: &'static [Types],
    /// The last parameter takes any number of arguments.
    variadic: bool,
    run: fn(&[Arg<'_>]) -> Result<Value, Trouble>,
}

const fn function(name: &'static str, params: &'static [Types], run: fn(&[Arg<'_>]) -> Result<Value, Trouble>) -> Function {
    Function { name, params, variadic: false, run }
}

const ANY: Types = &[];
const NUMBER: Types = &["number"];
const STRING: Types = &["string"];
const ARRAY: Types = &["array"];
const OBJECT: Types = &["object"];
const EXPRESSION: Types = &["expref"];
const NUMBERS: Types = &["array-number"];

const FUNCTIONS: &[Function] = &[
    function("abs", &[NUMBER], abs),
    function("avg", &[NUMBERS], avg),
    function("ceil", &[NUMBER], |args| Ok(rounded(&value(args, 0)?, f64::ceil))),
    function("contains", &[&["array", "string"], ANY], contains),
    function("ends_with", &[STRING, STRING], |args| Ok(string(args, 0)?.ends_with(&*string(args, 1)?).into())),
    function("floor", &[NUMBER], |args| Ok(rounded(&value(args, 0)?, f64::floor))),
    function("join", &[STRING, &["array-string"]], join),
    function("keys", &[OBJECT], |args| Ok(Value::list(operators::iterate(&value(args, 0)?)?))),
    function("length", &[&["string", "array", "object"]], length),
    function("map", &[EXPRESSION, ARRAY], map),
    function("max", &[&["array-number", "array-string"]], |args| best(items(args, 0)?, Ordering::Greater)),
    function("max_by", &[ARRAY, EXPRESSION], |args| best_by(args, "max_by", Ordering::Greater)),
    Function { name: "merge", params: &[OBJECT], variadic: true, run: merge },
    function("min", &[&["array-number", "array-string"]], |args| best(items(args, 0)?, Ordering::Less)),
    function("min_by", &[ARRAY, EXPRESSION], |args| best_by(args, "min_by", Ordering::Less)),
    Function { name: "not_null", params: &[ANY], variadic: true, run: not_null },
    function("reverse", &[&["array", "string"]], reverse),
    function("sort", &[&["array-string", "array-number"]], sort),
    function("sort_by", &[ARRAY, EXPRESSION], sort_by),
    function("starts_with", &[STRING, STRING], |args| Ok(string(args, 0)?.starts_with(&*string(args, 1)?).into())),
    function("sum", &[NUMBERS], |args| sum(&items(args, 0)?)),
    function("to_array", &[ANY], to_array),
    function("to_number", &[ANY], to_number),
    function("to_string", &[ANY], to_string),
    function("type", &[ANY], |args| Ok(kind_name(&value(args, 0)?).map_or(Value::Null, Value::from))),
    function("values", &[OBJECT], |args| Ok(Value::list(object(args, 0)?.into_iter().map(|(_, value)| value).collect()))),
];

/// Evaluates the arguments and calls a function.
pub(super) fn call(name: &str, nodes: &[Node], current: &Value) -> Result<Value, Trouble> {
    let mut args = Vec::with_capacity(nodes.len());
    for node in nodes {
        args.push(match node {
            Node::Expref(inner) => Arg::Expression(inner),
            node => Arg::Value(visit(node, current)?),
        });
    }
    let function = FUNCTIONS.iter().find(|function| function.name == name).ok_or_else(|| Trouble::Query(format!("Unknown function: {name}()")))?;
    let (least, given) = (function.params.len(), args.len());
    if given < least || (given > least && !function.variadic) {
        let (at_least, noun) = (if function.variadic { "at least " } else { "" }, if least == 1 { "argument" } else { "arguments" });
        return Err(Trouble::Query(format!("Expected {at_least}{least} {noun} for function {name}(), received {given}")));
    }
    for (types, arg) in function.params.iter().zip(&args) {
        check(name, types, arg)?;
    }
    (function.run)(&args)
}

fn refused(name: &str, shown: &str, types: &[&str], received: &str) -> Trouble {
    let types: Vec<String> = types.iter().map(|name| format!("'{name}'")).collect();
    let types = types.join(", ");
    Trouble::Query(format!("In function {name}(), invalid type for value: {shown}, expected one of: [{types}], received: \"{received}\""))
}

fn check(name: &str, types: Types, arg: &Arg<'_>) -> Result<(), Trouble> {
    if types.is_empty() {
        return Ok(());
    }
    let outer = |wanted: &&str| wanted.split('-').next().unwrap_or_default().to_string();
    let (kind, shown) = match arg {
        Arg::Value(value) => (kind_name(value).unwrap_or("unknown"), text(value)),
        Arg::Expression(_) => ("expref", "&".to_string()),
    };
    if !types.iter().any(|wanted| outer(wanted) == kind) {
        return Err(refused(name, &shown, types, kind));
    }
    match arg {
        Arg::Value(value) => check_elements(name, types, value),
        Arg::Expression(_) => Ok(()),
    }
}

/// Of several types that elements can have, the first element's counts.
fn check_elements(name: &str, types: Types, value: &Value) -> Result<(), Trouble> {
    let inner: Vec<&str> = types.iter().filter_map(|wanted| wanted.split_once('-')).map(|(_, inner)| inner).collect();
    let Some(items) = list(value)?.filter(|_| !inner.is_empty()) else { return Ok(()) };
    let mut wanted = (inner.len() == 1).then(|| inner[0]);
    for item in &items {
        let kind = kind_name(item).unwrap_or("unknown");
        let allowed = *wanted.get_or_insert_with(|| inner.iter().copied().find(|inner| *inner == kind).unwrap_or_default());
        if kind != allowed {
            return Err(refused(name, &text(item), types, item.type_name()));
        }
    }
    Ok(())
}

fn kind_name(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Dict(_) => "object",
        Value::Object(_) => match value.type_name() {
            "dict" => "object",
            "list" => "array",
            _ => return None,
        },
        _ => return None,
    })
}

fn value(args: &[Arg<'_>], index: usize) -> Result<Value, Trouble> {
    match args.get(index) {
        Some(Arg::Value(value)) => Ok(value.clone()),
        Some(Arg::Expression(_)) => Err(Trouble::Other("an expression (&...) is not a value".into())),
        None => Ok(Value::Null),
    }
}

fn string(args: &[Arg<'_>], index: usize) -> Result<Arc<str>, Trouble> {
    match value(args, index)? {
        Value::Str(text) => Ok(text),
        other => Err(Trouble::Other(format!("'{}' object is no text", other.type_name()))),
    }
}

fn items(args: &[Arg<'_>], index: usize) -> Result<Vec<Value>, Trouble> {
    Ok(list(&value(args, index)?)?.unwrap_or_default())
}

fn object(args: &[Arg<'_>], index: usize) -> Result<Vec<(Key, Value)>, Trouble> {
    Ok(entries(&value(args, index)?)?.unwrap_or_default())
}

fn expression<'a>(args: &'a [Arg<'_>], index: usize) -> Result<&'a Node, Trouble> {
    match args.get(index) {
        Some(Arg::Expression(node)) => Ok(node),
        _ => Err(Trouble::Other("an expression (&...) is missing".into())),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Int(n) => *n as f64,
        Value::Float(f) => *f,
        _ => 0.0,
    }
}

fn abs(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    Ok(match value(args, 0)? {
        Value::Int(n) => Value::Int(n.saturating_abs()),
        other => Value::Float(number(&other).abs()),
    })
}

fn rounded(value: &Value, round: fn(f64) -> f64) -> Value {
    match value {
        Value::Float(f) => Value::Int(round(*f) as i128),
        other => other.clone(),
    }
}

fn sum(items: &[Value]) -> Result<Value, Trouble> {
    let whole = items.iter().try_fold(0i128, |sum, item| match item {
        Value::Int(n) => sum.checked_add(*n),
        _ => None,
    });
    Ok(whole.map_or_else(|| Value::Float(items.iter().map(number).sum()), Value::Int))
}

fn avg(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let items = items(args, 0)?;
    if items.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::Float(number(&sum(&items)?) / items.len() as f64))
}

fn contains(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let (subject, search) = (value(args, 0)?, value(args, 1)?);
    if let Some(items) = list(&subject)? {
        return Ok(items.contains(&search).into());
    }
    match (&subject, &search) {
        (Value::Str(subject), Value::Str(search)) => Ok(subject.contains(&**search).into()),
        _ => Err(Trouble::Other(format!("'in <string>' requires string as left operand, not {}", search.type_name()))),
    }
}

fn join(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let texts: Vec<String> = items(args, 1)?.iter().map(text).collect();
    Ok(texts.join(&string(args, 0)?).into())
}

fn length(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let of = value(args, 0)?;
    let count = match &of {
        Value::Str(text) => text.chars().count(),
        Value::Dict(dict) => dict.len(),
        Value::Object(object) => object.len().unwrap_or_default(),
        other => list(other)?.map_or(0, |items| items.len()),
    };
    Ok(count.into())
}

fn map(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let each = expression(args, 0)?;
    Ok(Value::list(items(args, 1)?.iter().map(|item| visit(each, item)).collect::<Result<_, _>>()?))
}

/// The first of the smallest or largest.
fn best(items: Vec<Value>, side: Ordering) -> Result<Value, Trouble> {
    let keyed = items.into_iter().map(|item| (item.clone(), item)).collect();
    best_keyed(keyed, side)
}

fn best_by(args: &[Arg<'_>], name: &'static str, side: Ordering) -> Result<Value, Trouble> {
    best_keyed(keyed(args, name, &["number", "string"])?, side)
}

fn best_keyed(items: Vec<(Value, Value)>, side: Ordering) -> Result<Value, Trouble> {
    let mut best: Option<(Value, Value)> = None;
    let op = if side == Ordering::Less { "<" } else { ">" };
    for (key, item) in items {
        let better = match &best {
            Some((known, _)) => compare(&key, known, op)? == side,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::Null, |(_, item)| item))
}

/// Each element with what the expression makes of it, which must be of one of the types.
fn keyed(args: &[Arg<'_>], name: &'static str, types: &[&str]) -> Result<Vec<(Value, Value)>, Trouble> {
    let by = expression(args, 1)?;
    let one = |item: Value| {
        let key = visit(by, &item)?;
        let kind = kind_name(&key).unwrap_or("unknown");
        if types.contains(&kind) { Ok((key, item)) } else { Err(refused(name, &text(&key), types, kind)) }
    };
    items(args, 0)?.into_iter().map(one).collect()
}

fn merge(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let mut merged = Dict::new();
    for index in 0..args.len() {
        let more = value(args, index)?;
        let entries = entries(&more)?.ok_or_else(|| Trouble::Other(format!("'{}' object is not iterable", more.type_name())))?;
        merged.extend(entries);
    }
    Ok(Value::dict(merged))
}

fn not_null(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    for index in 0..args.len() {
        let given = value(args, index)?;
        if !matches!(given, Value::Null) {
            return Ok(given);
        }
    }
    Ok(Value::Null)
}

fn reverse(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    Ok(match value(args, 0)? {
        Value::Str(text) => text.chars().rev().collect::<String>().into(),
        other => Value::list(list(&other)?.unwrap_or_default().into_iter().rev().collect()),
    })
}

fn sort(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let items = items(args, 0)?;
    sorted(items.into_iter().map(|item| (item.clone(), item)).collect())
}

fn sort_by(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let items = items(args, 0)?;
    let Some(first) = items.first() else { return Ok(Value::list(items)) };
    let key = visit(expression(args, 1)?, first)?;
    match kind_name(&key).unwrap_or("unknown") {
        kind @ ("number" | "string") => sorted(keyed(args, "sort_by", &[kind])?),
        other => Err(refused("sort_by", &text(first), &["string", "number"], other)),
    }
}

fn sorted(mut items: Vec<(Value, Value)>) -> Result<Value, Trouble> {
    items.sort_by(|(a, _), (b, _)| compare(a, b, "<").unwrap_or(Ordering::Equal));
    Ok(Value::list(items.into_iter().map(|(_, item)| item).collect()))
}

fn to_array(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    let given = value(args, 0)?;
    Ok(if list(&given)?.is_some() { given } else { Value::list(vec![given]) })
}

fn to_number(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    Ok(match value(args, 0)? {
        number @ (Value::Int(_) | Value::Float(_)) => number,
        Value::Str(text) => parse_int(&text, 10).map(Value::Int).or_else(|| parse_float(&text).map(Value::Float)).unwrap_or(Value::Null),
        _ => Value::Null,
    })
}

fn to_string(args: &[Arg<'_>]) -> Result<Value, Trouble> {
    match value(args, 0)? {
        text @ Value::Str(_) => Ok(text),
        other => Ok(json::compact(&other)?.into()),
    }
}
