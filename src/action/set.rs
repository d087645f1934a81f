//! `set_fact` and `set_stats`.

use super::{Effect, Reaction, Request};
use crate::value::{Dict, Fault, Value, text};

fn flag(value: Option<&Value>, default: bool) -> bool {
    value.map_or(default, |value| match value {
        Value::Str(word) => matches!(word.to_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t"),
        other => other.is_true(),
    })
}

/// `set_fact`: variables of the host for the rest of the run.
pub(super) fn set_fact(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = request.args.clone();
    let cacheable = flag(args.shift_remove("cacheable").as_ref(), false);
    if let Some(Value::Str(free)) = args.shift_remove("_raw_params")
        && !free.trim().is_empty()
    {
        return Ok(Reaction::failed(format!("set_fact takes `name: value` pairs, got '{free}'")));
    }
    if args.is_empty() {
        return Ok(Reaction::failed("No key/value pairs provided, at least one is required for this action to succeed"));
    }
    let mut facts = Dict::new();
    for (key, value) in args {
        let name = text(&key.to_value());
        if !is_identifier(&name) {
            return Ok(Reaction::failed(format!(
                "The variable name '{name}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
            )));
        }
        facts.insert(name.into(), value);
    }
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("ansible_facts".into(), Value::dict(facts.clone()));
    let unknown = facts.values().find_map(|value| if let Value::Unknown(reason) = value { Some(reason.clone()) } else { None });
    result.extend(unknown.map(|reason| ("_rplay_unknown".into(), Value::Str(reason))));
    let mut reaction = Reaction::of(result).with(Effect::SetFact(facts.clone()));
    if cacheable {
        reaction.effects.push(Effect::Facts(facts));
    }
    Ok(reaction)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `set_stats`: data for the end of the run.
pub(super) fn set_stats(request: &mut Request) -> Result<Reaction, Fault> {
    let data = match request.args.get("data") {
        Some(Value::Dict(data)) => (**data).clone(),
        Some(other) => return Ok(Reaction::failed(format!("The 'data' option needs to be a dictionary/hash, got {}", other.type_name()))),
        None => Dict::new(),
    };
    if let Some(wrong) = data.keys().map(|key| text(&key.to_value())).find(|name| !is_identifier(name)) {
        return Ok(Reaction::failed(format!(
            "The variable name '{wrong}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
        )));
    }
    let (per_host, aggregate) = (flag(request.args.get("per_host"), false), flag(request.args.get("aggregate"), true));
    let mut stats = Dict::new();
    stats.insert("data".into(), Value::dict(data.clone()));
    stats.insert("per_host".into(), per_host.into());
    stats.insert("aggregate".into(), aggregate.into());
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("ansible_stats".into(), Value::dict(stats));
    Ok(Reaction::of(result).with(Effect::Stats { data, per_host, aggregate }))
}
