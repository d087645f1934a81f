//! Jinja's and Ansible's global functions.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Local, Utc};

use super::context::{Context, lock};
use super::evaluate::Evaluator;
use super::methods::dates;
use super::objects::{Builtin, Cycler, CyclerState, Namespace, Vars, builtin};
use super::{Arguments, operators};
use crate::value::{Dict, Fault, Key, Value};

const NAMES: [&str; 10] = ["range", "dict", "namespace", "cycler", "joiner", "now", "undef", "lookup", "query", "q"];

/// A name that every template knows.
pub(super) fn global(name: &str, cx: &Arc<Context>) -> Option<Value> {
    match name {
        "omit" => Some(Value::Omit),
        "vars" => Some(Value::Object(Arc::new(Vars(Arc::downgrade(cx))))),
        _ => NAMES.iter().find(|known| **known == name).map(|known| builtin(Builtin::Global(known))),
    }
}

/// Calls a function of the engine.
///
/// # Errors
/// Its arguments do not fit, or it fails.
pub(super) fn call(evaluator: &mut Evaluator<'_>, function: &Builtin, args: Arguments) -> Result<Value, Fault> {
    match function {
        Builtin::Global("range") => range(&args),
        Builtin::Global("dict") => dict(args).map(Value::dict),
        Builtin::Global("namespace") => Ok(Value::Object(Arc::new(Namespace::new(dict(args)?)))),
        Builtin::Global("cycler") if args.positional.is_empty() => Err(Fault::error("at least one item has to be provided")),
        Builtin::Global("cycler") => {
            let state = CyclerState { items: args.positional, at: Mutex::new(0) };
            Ok(Value::Object(Arc::new(Cycler(Arc::new(state)))))
        }
        Builtin::Global("joiner") => {
            let separator = args.positional.first().or_else(|| named(&args, "sep")).map_or_else(|| ", ".to_string(), Value::to_string);
            Ok(builtin(Builtin::Joiner(separator, Arc::default())))
        }
        Builtin::Global("now") => now(&args),
        Builtin::Global("undef") => undef(&args),
        Builtin::Global("lookup") => super::lookup::run_function(evaluator, args, false),
        Builtin::Global(_) => super::lookup::run_function(evaluator, args, true),
        Builtin::LoopCycle(_) if args.positional.is_empty() => Err(Fault::error("no items for cycling given")),
        Builtin::LoopCycle(index0) => Ok(args.positional[index0 % args.positional.len()].clone()),
        Builtin::LoopChanged(last) => {
            let mut last = lock(last);
            let changed = last.as_ref() != Some(&args.positional);
            *last = Some(args.positional);
            Ok(changed.into())
        }
        Builtin::CyclerNext(state) => {
            let mut at = lock(&state.at);
            let item = state.items[*at].clone();
            *at = (*at + 1) % state.items.len();
            Ok(item)
        }
        Builtin::CyclerReset(state) => {
            *lock(&state.at) = 0;
            Ok(Value::Null)
        }
        Builtin::Joiner(separator, used) => {
            let first = !std::mem::replace(&mut *lock(used), true);
            Ok(if first { "".into() } else { separator.as_str().into() })
        }
    }
}

fn named<'a>(args: &'a Arguments, name: &str) -> Option<&'a Value> {
    args.named.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn range(args: &Arguments) -> Result<Value, Fault> {
    let whole = |value: &Value| match value {
        Value::Int(n) => Ok(*n),
        Value::Bool(b) => Ok(i128::from(*b)),
        other => Err(Fault::error(format!("'{}' object cannot be interpreted as an integer", other.type_name()))),
    };
    let (start, stop, step) = match &args.positional[..] {
        [stop] => (0, whole(stop)?, 1),
        [start, stop] => (whole(start)?, whole(stop)?, 1),
        [start, stop, step] => (whole(start)?, whole(stop)?, whole(step)?),
        [] => return Err(Fault::error("range expected at least 1 argument, got 0")),
        more => return Err(Fault::error(format!("range expected at most 3 arguments, got {}", more.len()))),
    };
    if step == 0 {
        return Err(Fault::error("range() arg 3 must not be zero"));
    }
    let span = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    let step_size = step.unsigned_abs() as i128;
    let count = if span <= 0 { 0 } else { (span - 1) / step_size + 1 };
    if count > 50_000_000 {
        return Err(Fault::error("the range has too many elements"));
    }
    Ok(Value::list((0..count).map(|i| Value::Int(start + i * step)).collect()))
}

fn dict(args: Arguments) -> Result<Dict, Fault> {
    let mut dict = match args.positional.into_iter().next() {
        Some(value) => operators::to_dict(&super::lazy::settle(value)?)?,
        None => Dict::new(),
    };
    dict.extend(args.named.into_iter().map(|(name, value)| (Key::from(name), value)));
    Ok(dict)
}

/// `now(utc=False, fmt=None)`
fn now(args: &Arguments) -> Result<Value, Fault> {
    let utc = args.positional.first().or_else(|| named(args, "utc")).is_some_and(Value::is_true);
    let format = args.positional.get(1).or_else(|| named(args, "fmt")).filter(|format| format.is_true());
    super::active::note("now()");
    let time = super::clock::now();
    let date = if utc { DateTime::<Utc>::from(time).naive_utc() } else { DateTime::<Local>::from(time).naive_local() };
    Ok(match format {
        None => Value::Date(date, None),
        Some(format) => dates::written(&date, None, "", &format.to_string()).into(),
    })
}

/// `undef(hint=None)`
fn undef(args: &Arguments) -> Result<Value, Fault> {
    let hint = args.positional.first().or_else(|| named(args, "hint"));
    let message = match hint {
        None | Some(Value::Null) => "Mandatory variable has not been overridden",
        Some(Value::Str(hint)) if hint.is_empty() => "Mandatory variable has not been overridden",
        Some(Value::Str(hint)) => hint,
        Some(other) => {
            let text = format!("The 'hint' argument must be of type 'str' or 'NoneType', not '{}'.", other.type_name());
            return Err(Fault::error(text));
        }
    };
    Ok(Value::Undefined(message.into()))
}
