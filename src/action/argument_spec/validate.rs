//! Arguments against a specification that was read from a file: what AnsibleModule does with its own, in the same order and the same words.
//!
//! Modules have their tables at compile time and end at the first complaint ([`rplay_modules::coerce`]); here all complaints are wanted. Only
//! the conversion of single values is shared.

use std::collections::BTreeMap;

use rplay_modules::coerce::{self, Surroundings};
use rplay_modules::spec::Kind;

use crate::value::{Dict, Fault, Key, Value, from_json, repr, text, to_json};

/// All complaints, secrets hidden; none when the arguments are what the specification wants. `env` is the controller's environment, for paths.
pub(super) fn errors(spec: &Dict, mut arguments: Dict, env: &BTreeMap<String, String>) -> Result<Vec<String>, Fault> {
    let mut validator = Validator { env, errors: Vec::new(), secrets: Vec::new(), unsupported: Vec::new() };
    validator.level(spec, None, &mut arguments, &mut Vec::new())?;
    if let Some((_, supported)) = validator.unsupported.last() {
        let mut names: Vec<&str> = validator.unsupported.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let message = format!("{}. Supported parameters include: {supported}.", names.join(", "));
        validator.errors.push(message);
    }
    Ok(validator.hidden())
}

struct Validator<'a> {
    env: &'a BTreeMap<String, String>,
    errors: Vec<String>,
    /// Texts of arguments with `no_log`.
    secrets: Vec<String>,
    /// Arguments that the specification does not know, and which it knows beside them.
    unsupported: Vec<(String, String)>,
}

/// `~` and variables of paths, on the controller.
struct Controller<'a>(&'a BTreeMap<String, String>);

impl Surroundings for Controller<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn home(&self, user: &str) -> Option<String> {
        if user.is_empty() { self.variable("HOME") } else { None }
    }
}

/// The specification of one argument.
fn attributes<'a>(name: &Key, of: &'a Value) -> Result<&'a Dict, Fault> {
    of.as_dict().ok_or_else(|| Fault::error(format!("the specification of the argument '{}' must be a dictionary, not {}", name.to_value(), of.type_name())))
}

/// An attribute that is there and not null.
fn attribute<'a>(of: &'a Dict, name: &str) -> Option<&'a Value> {
    of.get(name).filter(|value| !matches!(value, Value::Null))
}

fn flag(of: &Dict, name: &str) -> bool {
    attribute(of, name).is_some_and(Value::is_true)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Str(one)) => vec![one.to_string()],
        Some(value) => value.as_slice().unwrap_or_default().iter().map(text).collect(),
        None => Vec::new(),
    }
}

/// The groups of a rule: a list of lists, or one list.
fn groups(rules: Option<&Dict>, name: &str) -> Vec<Vec<String>> {
    let all = rules.and_then(|rules| attribute(rules, name)).and_then(Value::as_slice).unwrap_or_default();
    all.iter().map(|group| texts(Some(group))).collect()
}

fn has(arguments: &Dict, name: &str) -> bool {
    arguments.contains_key(name)
}

fn filled(arguments: &Dict, name: &str) -> bool {
    arguments.get(name).is_some_and(|value| !matches!(value, Value::Null))
}

/// Where in nested options, behind a message.
fn found(context: &[String]) -> String {
    if context.is_empty() { String::new() } else { format!(" found in {}", context.join(" -> ")) }
}

impl Validator<'_> {
    /// One dictionary of arguments, and what is nested in it. `rules` is the option that holds it.
    fn level(&mut self, spec: &Dict, rules: Option<&Dict>, arguments: &mut Dict, context: &mut Vec<String>) -> Result<(), Fault> {
        for (name, of) in spec {
            attributes(name, of)?;
        }
        let aliases = self.aliases(spec, arguments);
        self.secrets(spec, arguments);
        self.unknown(spec, arguments, aliases.as_ref().map(Vec::as_slice), context);
        self.exclusive(rules, arguments, context);
        defaults(spec, arguments, false);
        self.required(spec, arguments, context);
        self.types(spec, arguments, context);
        self.choices(spec, arguments, context);
        self.together(rules, arguments, context);
        self.one_of(rules, arguments, context);
        self.required_if(rules, arguments, context);
        self.required_by(rules, arguments, context);
        defaults(spec, arguments, true);
        self.nested(spec, arguments, context)
    }

    fn complain(&mut self, message: &str, context: &[String]) {
        self.errors.push(format!("{message}{}", found(context)));
    }

    /// Copies what was given under another name; the other names, or the complaint that there was one about the specification.
    fn aliases(&mut self, spec: &Dict, arguments: &mut Dict) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for (name, of) in spec {
            let Some(of) = of.as_dict() else { continue };
            if attribute(of, "default").is_some() && flag(of, "required") {
                let message = format!("internal error: required and default are mutually exclusive for {}", name.to_value());
                self.errors.push(message.clone());
                return Err(message);
            }
            for alias in texts(attribute(of, "aliases")) {
                if let Some(value) = arguments.get(alias.as_str()).cloned() {
                    arguments.insert(name.clone(), value);
                }
                all.push(alias);
            }
        }
        Ok(all)
    }

    /// Notes what must not be shown, and complains about dictionaries that are none.
    fn secrets(&mut self, spec: &Dict, arguments: &Dict) {
        if let Err(message) = gather_secrets(spec, arguments, &mut self.secrets) {
            self.errors.push(message);
        }
    }

    fn unknown(&mut self, spec: &Dict, arguments: &Dict, aliases: Result<&[String], &String>, context: &[String]) {
        let names = aliases.unwrap_or_default();
        let known = |key: &Key| spec.contains_key(key) || key.as_str().is_some_and(|name| names.iter().any(|alias| alias == name));
        for key in arguments.keys().filter(|key| !known(key)) {
            let aliases = match aliases {
                Ok(aliases) => aliases,
                // ansible-core asks for the aliases again, and complains again
                Err(message) => return self.errors.push(message.clone()),
            };
            let mut path = context.to_vec();
            path.push(text(&key.to_value()));
            let mut names: Vec<String> = spec.keys().map(|key| text(&key.to_value())).collect();
            let mut others = aliases.to_vec();
            names.sort_unstable();
            others.sort_unstable();
            let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
            self.unsupported.push((path.join("."), format!("{}{others}", names.join(", "))));
        }
    }

    fn exclusive(&mut self, rules: Option<&Dict>, arguments: &Dict, context: &[String]) {
        let clashes: Vec<String> = groups(rules, "mutually_exclusive")
            .iter()
            .filter(|group| group.iter().filter(|name| has(arguments, name)).count() > 1)
            .map(|group| group.join("|"))
            .collect();
        if !clashes.is_empty() {
            self.complain(&format!("parameters are mutually exclusive: {}", clashes.join(", ")), context);
        }
    }

    fn required(&mut self, spec: &Dict, arguments: &Dict, context: &[String]) {
        let wanted = spec.iter().filter(|(_, of)| of.as_dict().is_some_and(|of| flag(of, "required")));
        let mut missing: Vec<String> = wanted.filter(|(name, _)| !arguments.contains_key(*name)).map(|(name, _)| text(&name.to_value())).collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            self.complain(&format!("missing required arguments: {}", missing.join(", ")), context);
        }
    }

    fn types(&mut self, spec: &Dict, arguments: &mut Dict, context: &[String]) {
        let inside = if context.is_empty() { String::new() } else { format!(" found in '{}'.", context.join(" -> ")) };
        for (key, of) in spec {
            let (Some(of), Some(value)) = (of.as_dict(), arguments.get(key).cloned()) else { continue };
            if matches!(value, Value::Null) && !flag(of, "required") && attribute(of, "default").is_none() {
                continue;
            }
            let (name, wanted) = (text(&key.to_value()), attribute(of, "type").map_or_else(|| "str".to_string(), text));
            match self.convert(&wanted, &value) {
                Ok(converted) => {
                    let converted = match attribute(of, "elements") {
                        Some(elements) => self.elements(&name, &wanted, &text(elements), converted, context),
                        None => converted,
                    };
                    arguments.insert(key.clone(), converted);
                }
                Err(why) => {
                    let have = value.type_name();
                    self.errors.push(format!("argument '{name}' is of type {have}{inside} and we were unable to convert to {wanted}: {why}"));
                }
            }
        }
    }

    fn elements(&mut self, name: &str, of: &str, wanted: &str, value: Value, context: &[String]) -> Value {
        let Value::List(items) = &value else {
            let inside = if context.is_empty() { String::new() } else { format!(" found in '{}'.", context.join(" -> ")) };
            self.errors.push(format!("Invalid type {of} for option '{value}'{inside}, elements value check is supported only with 'list' type"));
            return value;
        };
        let inside = if context.is_empty() { String::new() } else { format!(" found in '{}'", context.join(" -> ")) };
        let mut converted = Vec::with_capacity(items.len());
        for item in items.iter() {
            match self.convert(wanted, item) {
                Ok(item) => converted.push(item),
                Err(why) => {
                    let have = item.type_name();
                    self.errors.push(format!("Elements value for option '{name}'{inside} is of type {have} and we were unable to convert to {wanted}: {why}"));
                }
            }
        }
        Value::list(converted)
    }

    /// A value as another type.
    fn convert(&self, wanted: &str, value: &Value) -> Result<Value, String> {
        let kind = match (wanted, value) {
            ("raw", _) | ("str", Value::Str(_)) | ("list", Value::List(_)) | ("dict", Value::Dict(_)) | ("int", Value::Int(_)) => return Ok(value.clone()),
            ("str", Value::Null) => return Ok("".into()),
            ("path", Value::Null) => return Ok("".into()),
            ("str", _) => Kind::Str,
            ("list", _) => Kind::List,
            ("dict", _) => Kind::Dict,
            ("bool", _) => Kind::Bool,
            ("int", _) => Kind::Int,
            ("float", _) => Kind::Float,
            ("path", _) => Kind::Path,
            ("json" | "jsonarg", _) => Kind::Json,
            ("bytes", _) => Kind::Bytes,
            ("bits", _) => return Err("rplay does not check this type".into()),
            _ => return Err("'NoneType' object is not callable".into()),
        };
        coerce::convert(kind, to_json(value), &Controller(self.env)).map(|json| from_json(&json))
    }

    fn choices(&mut self, spec: &Dict, arguments: &mut Dict, context: &[String]) {
        for (key, of) in spec {
            let Some(choices) = of.as_dict().and_then(|of| attribute(of, "choices")) else { continue };
            let name = text(&key.to_value());
            let Some(allowed) = choices.as_slice() else {
                self.complain(&format!("internal error: choices for argument {name} are not iterable: {choices}"), context);
                continue;
            };
            let Some(value) = arguments.get_mut(key) else { continue };
            let listed = allowed.iter().map(text).collect::<Vec<_>>().join(", ");
            if let Value::List(items) = value {
                let others: Vec<String> = items.iter().filter(|item| !allowed.contains(item)).map(text).collect();
                if !others.is_empty() {
                    self.complain(&format!("value of {name} must be one or more of: {listed}. Got no match for: {}", others.join(", ")), context);
                }
                continue;
            }
            if let Some(meant) = meant(value, allowed) {
                *value = meant;
            }
            if !allowed.contains(value) {
                let message = format!("value of {name} must be one of: {listed}, got: {value}");
                self.complain(&message, context);
            }
        }
    }

    fn together(&mut self, rules: Option<&Dict>, arguments: &Dict, context: &[String]) {
        let broken = |group: &&Vec<String>| {
            let given = group.iter().filter(|name| has(arguments, name)).count();
            given > 0 && given < group.len()
        };
        if let Some(group) = groups(rules, "required_together").iter().find(broken) {
            self.complain(&format!("parameters are required together: {}", group.join(", ")), context);
        }
    }

    fn one_of(&mut self, rules: Option<&Dict>, arguments: &Dict, context: &[String]) {
        if let Some(group) = groups(rules, "required_one_of").iter().find(|group| !group.iter().any(|name| has(arguments, name))) {
            self.complain(&format!("one of the following is required: {}", group.join(", ")), context);
        }
    }

    fn required_if(&mut self, rules: Option<&Dict>, arguments: &Dict, context: &[String]) {
        let all = rules.and_then(|rules| attribute(rules, "required_if")).and_then(Value::as_slice).unwrap_or_default();
        for rule in all {
            let Some([name, value, needs, rest @ ..]) = rule.as_slice() else { continue };
            let any = rest.first().is_some_and(Value::is_true);
            let (name, needs) = (text(name), texts(Some(needs)));
            let missing: Vec<&str> = needs.iter().map(String::as_str).filter(|need| !has(arguments, need)).collect();
            let enough = if any { missing.len() < needs.len() } else { missing.is_empty() };
            if arguments.get(name.as_str()) == Some(value) && !enough {
                let how = if any { "any" } else { "all" };
                self.complain(&format!("{name} is {value} but {how} of the following are missing: {}", missing.join(", ")), context);
                return;
            }
        }
    }

    fn required_by(&mut self, rules: Option<&Dict>, arguments: &Dict, context: &[String]) {
        let Some(all) = rules.and_then(|rules| attribute(rules, "required_by")).and_then(Value::as_dict) else { return };
        for (key, needs) in all {
            let name = text(&key.to_value());
            let missing: Vec<String> = texts(Some(needs)).into_iter().filter(|need| !filled(arguments, need)).collect();
            if filled(arguments, &name) && !missing.is_empty() {
                self.complain(&format!("missing parameter(s) required by '{name}': {}", missing.join(", ")), context);
                return;
            }
        }
    }

    fn nested(&mut self, spec: &Dict, arguments: &mut Dict, context: &mut Vec<String>) -> Result<(), Fault> {
        for (key, of) in spec {
            let Some(of) = of.as_dict().filter(|of| holds_dictionaries(of)) else { continue };
            let Some(inner) = attribute(of, "options").and_then(Value::as_dict) else { continue };
            if flag(of, "apply_defaults") && !filled_key(arguments, key) {
                arguments.insert(key.clone(), Value::dict(Dict::new()));
            }
            let Some(value) = arguments.get(key).filter(|value| !matches!(value, Value::Null)) else { continue };
            let elements = value.as_slice().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
            context.push(text(&key.to_value()));
            for element in elements {
                match element {
                    Value::Dict(dict) => self.level(inner, Some(of), &mut (*dict).clone(), context)?,
                    _ => self.errors.push(format!("value of '{}' must be of type dict or list of dicts", key.to_value())),
                }
            }
            context.pop();
        }
        Ok(())
    }

    /// The complaints without secrets.
    fn hidden(mut self) -> Vec<String> {
        self.secrets.retain(|secret| !secret.is_empty());
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let hide = |message: String| self.secrets.iter().fold(message, |message, secret| message.replace(secret.as_str(), "********"));
        self.errors.into_iter().map(hide).collect()
    }
}

fn filled_key(arguments: &Dict, key: &Key) -> bool {
    arguments.get(key).is_some_and(|value| !matches!(value, Value::Null))
}

/// An option that holds a dictionary or a list of them.
fn holds_dictionaries(of: &Dict) -> bool {
    let is = |name: &str, wanted: &str| attribute(of, name).and_then(Value::as_str) == Some(wanted);
    is("type", "dict") || is("type", "list") && is("elements", "dict")
}

/// Fills in defaults; at the end what has none becomes null.
fn defaults(spec: &Dict, arguments: &mut Dict, all: bool) {
    for (name, of) in spec {
        let default = of.as_dict().and_then(|of| attribute(of, "default")).cloned();
        if !arguments.contains_key(name) && (all || default.is_some()) {
            arguments.insert(name.clone(), default.unwrap_or(Value::Null));
        }
    }
}

/// YAML made a boolean of `yes`, `no`, `on`, `off`, and that became text: the only choice it can have been.
fn meant(value: &Value, allowed: &[Value]) -> Option<Value> {
    let (words, number): (&[&str], i128) = match value.as_str()? {
        "True" => (&["y", "yes", "on", "1", "true", "t"], 1),
        "False" => (&["n", "no", "off", "0", "false", "f"], 0),
        _ => return None,
    };
    if allowed.contains(value) {
        return None;
    }
    let fits = |choice: &&Value| choice.as_str().map_or_else(|| **choice == Value::Int(number), |word| words.contains(&word));
    let mut fitting = allowed.iter().filter(fits);
    let one = fitting.next()?;
    fitting.next().is_none().then(|| one.clone())
}

fn gather_secrets(spec: &Dict, arguments: &Dict, secrets: &mut Vec<String>) -> Result<(), String> {
    for (key, of) in spec {
        let (Some(of), Some(value)) = (of.as_dict(), arguments.get(key)) else { continue };
        if flag(of, "no_log") {
            leaves(value, secrets);
        }
        let Some(inner) = attribute(of, "options").and_then(Value::as_dict).filter(|_| holds_dictionaries(of)) else { continue };
        if matches!(value, Value::Null) {
            continue;
        }
        let elements = if let Value::List(items) = value { items.to_vec() } else { vec![value.clone()] };
        for element in elements {
            let element = match &element {
                Value::Str(_) => from_json(&coerce::convert(Kind::Dict, to_json(&element), &coerce::Nowhere)?),
                _ => element,
            };
            let Value::Dict(dict) = &element else {
                let wanted = attribute(of, "type").map_or_else(String::new, text);
                let (name, have) = (key.to_value(), element.type_name());
                return Err(format!("Value '{element}' in the sub parameter field '{name}' must be a {wanted}, not '{have}'"));
            };
            gather_secrets(inner, dict, secrets)?;
        }
    }
    Ok(())
}

/// The texts and numbers in a value.
fn leaves(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| leaves(item, out)),
        Value::Dict(dict) => dict.values().for_each(|item| leaves(item, out)),
        Value::Null | Value::Bool(_) => {}
        Value::Str(secret) => {
            out.push(secret.to_string());
            out.push(repr(value));
        }
        other => out.push(text(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(spec: &str, arguments: &str) -> Vec<String> {
        let read = |text: &str| match from_json(&serde_json::from_str(text).unwrap()) {
            Value::Dict(dict) => (*dict).clone(),
            other => panic!("{other}"),
        };
        let env = BTreeMap::from([("HOME".to_string(), "/home/me".to_string())]);
        errors(&read(spec), read(arguments), &env).unwrap()
    }

    #[test]
    fn good_arguments_pass() {
        let spec = r#"{"n": {"type": "int", "required": true}, "l": {"type": "list", "elements": "str"}, "p": {"type": "path"},
            "d": {"type": "dict", "options": {"x": {"type": "bool", "aliases": ["ex"]}}}}"#;
        assert!(complaints(spec, r#"{"n": "12", "l": "a,b", "p": "~/x", "d": {"ex": "yes"}}"#).is_empty());
    }

    #[test]
    fn all_complaints_come_in_order() {
        let spec = r#"{"a": {"type": "int", "required": true}, "b": {"choices": ["x", "y"]}, "c": {"type": "list", "elements": "int"},
            "d": {"type": "dict", "mutually_exclusive": [["p", "q"]], "options": {"p": {}, "q": {}, "r": {"required": true}}}}"#;
        let got = complaints(spec, r#"{"b": "z", "c": [1, "two"], "d": {"p": 1, "q": 2, "s": 3}, "e": 1}"#);
        assert_eq!(
            got,
            [
                "missing required arguments: a",
                "Elements value for option 'c' is of type str and we were unable to convert to int: \"'two'\" cannot be converted to an int",
                "value of b must be one of: x, y, got: z",
                "parameters are mutually exclusive: p|q found in d",
                "missing required arguments: r found in d",
                "d.s, e. Supported parameters include: p, q, r.",
            ]
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let spec = r#"{"pin": {"type": "int", "no_log": true}}"#;
        let shown = complaints(spec, r#"{"pin": "hunter2"}"#).join("");
        assert!(!shown.contains("hunter2") && shown.contains("********"), "{shown}");
    }
}
