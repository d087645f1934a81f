//! `lookup`, `query`, `q`, and the lookups of `with_...`.

use std::sync::Arc;

use super::context::Context;
use super::evaluate::{Evaluator, settled};
use super::filters::named;
use super::surroundings::Surroundings;
use super::tree::{Arg, At, Expr, ExprKind};
use super::{Arguments, lookups};
use crate::diagnostic::Diagnostic;
use crate::value::{Fault, FaultKind, Value};

/// Runs the lookup of a `with_NAME`.
///
/// # Errors
/// No such lookup, or it failed.
pub fn run_lookup(name: &str, terms: Vec<Value>, args: Arguments, cx: &Arc<Context>) -> Result<Vec<Value>, Fault> {
    let terms = terms.into_iter().map(super::lazy::settle).collect::<Result<_, _>>()?;
    run(name, terms, settled(args)?, &Surroundings { cx })
}

fn run(name: &str, terms: Vec<Value>, args: Arguments, env: &Surroundings<'_>) -> Result<Vec<Value>, Fault> {
    let Some(lookup) = lookups::find(name) else {
        return Err(missing(name));
    };
    lookup(terms, args, env).map_err(|fault| named("lookup", name, fault))
}

fn missing(name: &str) -> Fault {
    Fault::error(format!("The lookup plugin '{name}' was not found."))
}

/// A call as it is written: terms that are constants with templates in them are rendered, with a warning.
pub(super) fn call(evaluator: &mut Evaluator<'_>, args: &[Arg], as_list: bool, at: At) -> Result<Value, Fault> {
    let mut arguments = Arguments::default();
    for arg in args {
        match arg {
            Arg::Positional(expr) => arguments.positional.push(term(evaluator, expr)?),
            other => {
                let more = evaluator.any_arguments(std::slice::from_ref(other))?;
                arguments.positional.extend(more.positional);
                arguments.named.extend(more.named);
            }
        }
    }
    let result = run_function(evaluator, arguments, as_list);
    evaluator.outcome(result, at)
}

fn term(evaluator: &mut Evaluator<'_>, expr: &Expr) -> Result<Value, Fault> {
    match &expr.kind {
        ExprKind::Embedded(_, inner) => evaluator.render_constant(inner, expr.at),
        ExprKind::List(items) => Ok(Value::list(items.iter().map(|item| term(evaluator, item)).collect::<Result<_, _>>()?)),
        _ => evaluator.expr(expr),
    }
}

/// A call with its arguments.
pub(super) fn run_function(evaluator: &mut Evaluator<'_>, args: Arguments, as_list: bool) -> Result<Value, Fault> {
    let Arguments { positional, mut named } = settled(args)?;
    let mut positional = positional.into_iter();
    let name = positional.next().ok_or_else(|| Fault::error("lookup needs the name of a lookup plugin"))?;
    let terms: Vec<Value> = positional.collect();
    for value in std::iter::once(&name).chain(&terms).chain(named.iter().map(|(_, value)| value)) {
        match value {
            Value::Undefined(_) => return Ok(value.clone()),
            Value::Unknown(reason) => return Err(Fault::unknown(reason.to_string())),
            _ => {}
        }
    }
    let as_list = take(&mut named, "wantlist").map_or(as_list, |value| as_list || value.is_true());
    let errors = take(&mut named, "errors").map_or_else(|| "strict".to_string(), |value| value.to_string());
    let name = name.to_string();
    if lookups::find(&name).is_none() {
        return Err(missing(&name));
    }
    match run(&name, terms, Arguments { positional: Vec::new(), named }, &evaluator.env()) {
        Ok(items) => Ok(if as_list { Value::list(items) } else { single(items) }),
        Err(fault) if fault.kind != FaultKind::Error || !matches!(&*errors, "ignore" | "warn") => Err(fault),
        Err(fault) => {
            if errors == "warn" {
                let text = format!("An error occurred while running the lookup plugin '{name}': {}", fault.message);
                evaluator.cx.warn(Diagnostic::warning(text));
            }
            Ok(if as_list { Value::list(Vec::new()) } else { Value::Null })
        }
    }
}

fn take(named: &mut Vec<(String, Value)>, name: &str) -> Option<Value> {
    let at = named.iter().position(|(known, _)| known == name)?;
    Some(named.remove(at).1)
}

/// One element is itself, texts are joined by commas, anything else stays a list.
fn single(mut items: Vec<Value>) -> Value {
    if items.len() == 1 {
        return items.remove(0);
    }
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    match texts {
        Some(texts) if !texts.is_empty() => texts.join(",").into(),
        _ => Value::list(items),
    }
}
