//! `assert`: conditions that must hold.

use super::{Reaction, Request};
use crate::template::Condition;
use crate::value::{Dict, Fault, Key, Value, text};

/// Evaluates `that`, one condition after the other.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let known = |key: &str| matches!(key, "fail_msg" | "msg" | "success_msg" | "quiet");
    if let Some(wrong) = request.args.keys().filter_map(Key::as_str).find(|key| !known(key)) {
        return Ok(Reaction::failed(format!(
            "Unsupported parameters for (assert) module: {wrong}. Supported parameters include: fail_msg, quiet, success_msg, that (msg)."
        )));
    }
    let Some((_, that)) = request.raw_args.iter().find(|(name, _)| name == "that") else {
        return Ok(Reaction::failed("conditional required in \"that\" string"));
    };
    let quiet = request.args.get("quiet").is_some_and(|value| matches!(text(value).to_lowercase().as_str(), "true" | "yes" | "on" | "1"));
    let message = |names: &[&str], default: &str| -> Value { names.iter().find_map(|name| request.args.get(*name).cloned()).unwrap_or_else(|| default.into()) };
    for condition in Condition::of_templated(that, &crate::source::Span::synthetic("<assert>", "")) {
        let mut warnings = Vec::new();
        let holds = condition.eval(request.cx, &mut |warning| warnings.push(warning)).map_err(|fault| Fault {
            message: if fault.is_unknown() { fault.message.clone() } else { format!("Error while evaluating conditional: {}", fault.message) },
            ..fault
        })?;
        if holds {
            continue;
        }
        let mut result = Dict::new();
        result.insert("failed".into(), true.into());
        result.insert("evaluated_to".into(), false.into());
        result.insert("assertion".into(), condition.value());
        result.insert("msg".into(), message(&["fail_msg", "msg"], "Assertion failed"));
        result.insert("changed".into(), false.into());
        if !quiet {
            result.insert("_ansible_verbose_always".into(), true.into());
        }
        return Ok(Reaction::of(result));
    }
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("msg".into(), message(&["success_msg"], "All assertions passed"));
    if !quiet {
        result.insert("_ansible_verbose_always".into(), true.into());
    }
    Ok(Reaction::of(result))
}
