//! Checks a call's arguments against the table and coerces them as AnsibleModule does, with its messages.

use serde_json::{Map, Number, Value, json};

use crate::spec::{Arg, Kind, Preset, RequiredIf, Spec};

/// What `~` and `$NAME` in paths are worth; without it (pre-flight on the controller) paths stay as written.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// The home directory of a user; `""` is the own one.
    fn home(&self, user: &str) -> Option<String>;
}

/// No surroundings: paths are not expanded.
pub struct Nowhere;

impl Surroundings for Nowhere {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
    fn home(&self, _: &str) -> Option<String> {
        None
    }
}

/// Validates arguments without looking at a target: the coerced arguments, or the first message AnsibleModule would fail with.
///
/// # Errors
/// The message.
pub fn validate(spec: &Spec, args: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    validate_in(spec, args, &Nowhere)
}

/// As [`validate`], with `~` and variables in paths expanded.
///
/// # Errors
/// The message.
pub fn validate_in(spec: &Spec, args: &Map<String, Value>, around: &dyn Surroundings) -> Result<Map<String, Value>, String> {
    let table: Vec<&Arg> = spec.arguments().collect();
    let mut given = Map::new();
    let mut unknown = vec![];
    for (key, value) in args.iter().filter(|(_, value)| !value.is_null()) {
        if key.starts_with("_rplay_") {
            given.insert(key.clone(), value.clone());
        } else if let Some(arg) = find(&table, key) {
            // an alias after the name wins, as AnsibleModule copies aliases over
            if key != arg.name || !given.contains_key(arg.name) {
                given.insert(arg.name.to_owned(), value.clone());
            }
        } else if spec.open {
            given.insert(key.clone(), value.clone());
        } else {
            unknown.push(key.as_str());
        }
    }
    rules_before(spec, &given)?;
    let mut done = coerce_all(&table, given, around, &[])?;
    rules_after(spec, &done)?;
    if !unknown.is_empty() {
        return Err(unsupported(spec, &table, unknown));
    }
    fill_defaults(&table, &mut done);
    Ok(done)
}

fn find<'a>(table: &[&'a Arg], key: &str) -> Option<&'a Arg> {
    table.iter().find(|arg| arg.name == key || arg.aliases.contains(&key)).copied()
}

fn unsupported(spec: &Spec, table: &[&Arg], mut unknown: Vec<&str>) -> String {
    unknown.sort_unstable();
    let mut names: Vec<&str> = table.iter().map(|arg| arg.name).collect();
    let mut aliases: Vec<&str> = table.iter().flat_map(|arg| arg.aliases).copied().collect();
    names.sort_unstable();
    aliases.sort_unstable();
    let aliases = if aliases.is_empty() { String::new() } else { format!(" ({})", aliases.join(", ")) };
    format!("Unsupported parameters for ({}) module: {}. Supported parameters include: {}{aliases}.", spec.name, unknown.join(", "), names.join(", "))
}

fn rules_before(spec: &Spec, given: &Map<String, Value>) -> Result<(), String> {
    for group in spec.mutually_exclusive {
        if count(group, given) > 1 {
            return Err(format!("parameters are mutually exclusive: {}", group.join("|")));
        }
    }
    let mut missing: Vec<&str> = spec.arguments().filter(|arg| arg.required && !given.contains_key(arg.name)).map(|arg| arg.name).collect();
    missing.sort_unstable();
    if missing.is_empty() { Ok(()) } else { Err(format!("missing required arguments: {}", missing.join(", "))) }
}

fn rules_after(spec: &Spec, given: &Map<String, Value>) -> Result<(), String> {
    for group in spec.required_together {
        let n = count(group, given);
        if n > 0 && n < group.len() {
            return Err(format!("parameters are required together: {}", group.join(", ")));
        }
    }
    for group in spec.required_one_of {
        if count(group, given) == 0 {
            return Err(format!("one of the following is required: {}", group.join(", ")));
        }
    }
    for rule in spec.required_if {
        required_if(spec, rule, given)?;
    }
    for (argument, needs) in spec.required_by {
        let missing: Vec<&str> = needs.iter().copied().filter(|name| !given.contains_key(*name)).collect();
        if given.contains_key(*argument) && !missing.is_empty() {
            return Err(format!("missing parameter(s) required by '{argument}': {}", missing.join(", ")));
        }
    }
    Ok(())
}

fn count(group: &[&str], given: &Map<String, Value>) -> usize {
    group.iter().filter(|name| given.contains_key(**name)).count()
}

fn required_if(spec: &Spec, rule: &RequiredIf, given: &Map<String, Value>) -> Result<(), String> {
    let value = given.get(rule.argument).cloned().or_else(|| spec.argument(rule.argument).and_then(|arg| preset(arg.default)));
    let (same, shown) = match &value {
        Some(Value::Bool(b)) => (b.to_string() == rule.value, if *b { "True".to_owned() } else { "False".to_owned() }),
        Some(value) => (text(value) == rule.value, text(value)),
        None => (false, String::new()),
    };
    let missing: Vec<&str> = rule.needs.iter().copied().filter(|name| !given.contains_key(*name)).collect();
    let enough = if rule.any { missing.len() < rule.needs.len() } else { missing.is_empty() };
    if !same || enough {
        return Ok(());
    }
    let how = if rule.any { "any" } else { "all" };
    Err(format!("{} is {shown} but {how} of the following are missing: {}", rule.argument, missing.join(", ")))
}

/// The default as a value.
pub fn preset(default: Preset) -> Option<Value> {
    Some(match default {
        Preset::Absent => return None,
        Preset::Str(text) => json!(text),
        Preset::Bool(b) => json!(b),
        Preset::Int(n) => json!(n),
        Preset::List(items) => json!(items),
        Preset::Ints(items) => json!(items),
        Preset::Dict => json!({}),
    })
}

fn fill_defaults(table: &[&Arg], args: &mut Map<String, Value>) {
    for arg in table {
        if let (false, Some(value)) = (args.contains_key(arg.name), preset(arg.default)) {
            args.insert(arg.name.to_owned(), value);
        }
    }
}

fn coerce_all(table: &[&Arg], given: Map<String, Value>, around: &dyn Surroundings, context: &[&str]) -> Result<Map<String, Value>, String> {
    let mut done = Map::new();
    let inside = if context.is_empty() { String::new() } else { format!(" found in '{}'.", context.join(" -> ")) };
    for (key, value) in given {
        let Some(arg) = find(table, &key) else {
            done.insert(key, value);
            continue;
        };
        let kind_of = type_name(&value);
        let mut value = convert(arg.kind, value, around)
            .map_err(|why| format!("argument '{key}' is of type {kind_of}{inside} and we were unable to convert to {}: {why}", arg.kind.name()))?;
        if let (Some(kind), Value::Array(items)) = (arg.elements, &mut value) {
            for item in items.iter_mut() {
                let kind_of = type_name(item);
                *item = convert(kind, item.take(), around)
                    .map_err(|why| format!("Elements value for option '{key}' is of type {kind_of} and we were unable to convert to {}: {why}", kind.name()))?;
            }
        }
        check_choices(arg, &mut value, context)?;
        if !arg.options.is_empty() {
            value = nested(arg, value, around, context)?;
        }
        done.insert(key, value);
    }
    Ok(done)
}

fn nested(arg: &Arg, value: Value, around: &dyn Surroundings, context: &[&str]) -> Result<Value, String> {
    let table: Vec<&Arg> = arg.options.iter().collect();
    let mut path = context.to_vec();
    path.push(arg.name);
    let one = |value: Value| -> Result<Value, String> {
        let Value::Object(map) = value else {
            return Err(format!("value of '{}' must be of type dict or list of dicts", arg.name));
        };
        let given: Map<String, Value> = map.into_iter().filter(|(_, value)| !value.is_null()).collect();
        if let Some(key) = given.keys().find(|key| find(&table, key).is_none()) {
            let names: Vec<&str> = table.iter().map(|arg| arg.name).collect();
            return Err(format!("Unsupported parameters: {}.{key}. Supported parameters include: {}.", path.join("."), names.join(", ")));
        }
        if let Some(missing) = table.iter().find(|arg| arg.required && !given.contains_key(arg.name)) {
            return Err(format!("missing required arguments: {} found in {}", missing.name, path.join(" -> ")));
        }
        let mut done = coerce_all(&table, given, around, &path)?;
        fill_defaults(&table, &mut done);
        Ok(Value::Object(done))
    };
    match value {
        Value::Array(items) => items.into_iter().map(one).collect::<Result<Vec<_>, _>>().map(Value::Array),
        value => one(value),
    }
}

fn check_choices(arg: &Arg, value: &mut Value, context: &[&str]) -> Result<(), String> {
    if arg.choices.is_empty() {
        return Ok(());
    }
    let inside = if context.is_empty() { String::new() } else { format!(" found in {}", context.join(" -> ")) };
    let allowed = arg.choices.join(", ");
    if let Value::Array(items) = value {
        let other: Vec<String> = items.iter().map(text).filter(|item| !arg.choices.contains(&item.as_str())).collect();
        if !other.is_empty() {
            return Err(format!("value of {} must be one or more of: {allowed}. Got no match for: {}{inside}", arg.name, other.join(", ")));
        }
        return Ok(());
    }
    let have = text(value);
    if arg.choices.contains(&have.as_str()) {
        return Ok(());
    }
    // YAML made a boolean of `yes`, `no`, `on`, `off`: take the only choice it can have been
    let words: &[&str] = match have.as_str() {
        "True" => &["yes", "on", "true", "y", "t", "1"],
        "False" => &["no", "off", "false", "n", "f", "0"],
        _ => &[],
    };
    let meant: Vec<&&str> = arg.choices.iter().filter(|choice| words.contains(choice)).collect();
    if let [one] = meant[..] {
        *value = json!(one);
        return Ok(());
    }
    Err(format!("value of {} must be one of: {allowed}, got: {have}{inside}", arg.name))
}

/// A value as Python's `str()` prints it.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// A value as Python's `repr()` prints it.
pub fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => repr_str(text),
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{}: {}", repr_str(key), repr(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

fn repr_str(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if (c as u32) < 32 || c as u32 == 127 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// A type's name in Python.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// One value as another type.
///
/// # Errors
/// It cannot be; the message is AnsibleModule's.
pub fn convert(kind: Kind, value: Value, around: &dyn Surroundings) -> Result<Value, String> {
    Ok(match kind {
        Kind::Raw => value,
        Kind::Str => Value::String(text(&value)),
        Kind::Path => Value::String(expand(&text(&value), around)),
        Kind::Bool => Value::Bool(boolean(&value)?),
        Kind::Int => integer(value)?,
        Kind::Float => float(&value)?,
        Kind::List => list(value)?,
        Kind::Dict => dict(value)?,
        Kind::Json => match value {
            Value::String(text) => json!(text.trim()),
            Value::Array(_) | Value::Object(_) => json!(value.to_string()),
            other => return Err(format!("<class '{}'> cannot be converted to a json string", type_name(&other))),
        },
        Kind::Bytes => json!(bytes(&text(&value)).ok_or_else(|| format!("<class '{}'> cannot be converted to a Byte value", type_name(&value)))?),
    })
}

/// A boolean by Ansible's words.
///
/// # Errors
/// The value is none of them.
pub fn boolean(value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(b) => return Ok(*b),
        Value::String(text) => text.trim().to_lowercase(),
        Value::Number(n) => match n.as_f64() {
            Some(1.0) => "1".into(),
            Some(0.0) => "0".into(),
            _ => n.to_string(),
        },
        other => return Err(format!("<class '{}'> cannot be converted to a bool", type_name(other))),
    };
    match word.as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false),
        _ => Err(format!(
            "The value '{}' is not a valid boolean.  Valid booleans include: 'y', 'yes', 'on', '1', 'true', 't', 1, 1.0, True, 'n', 'no', 'off', '0', 'false', 'f', 0, 0.0, False",
            text(value)
        )),
    }
}

fn integer(value: Value) -> Result<Value, String> {
    let wrong = || format!("\"{}\" cannot be converted to an int", repr(&value));
    match &value {
        Value::Number(n) if !n.is_f64() => Ok(value),
        Value::Bool(b) => Ok(json!(i64::from(*b))),
        Value::Number(_) | Value::String(_) => {
            let text = text(&value);
            let text = text.trim().replace('_', "");
            if let Ok(n) = text.parse::<i64>() {
                return Ok(json!(n));
            }
            match text.parse::<f64>() {
                Ok(n) if n.fract() == 0.0 && n.abs() < 9e15 => Ok(json!(n as i64)),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

fn float(value: &Value) -> Result<Value, String> {
    let wrong = || format!("<class '{}'> cannot be converted to a float", type_name(value));
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.and_then(Number::from_f64).map(Value::Number).ok_or_else(wrong)
}

fn list(value: Value) -> Result<Value, String> {
    match value {
        Value::Array(_) => Ok(value),
        Value::String(text) => Ok(json!(text.split(',').collect::<Vec<_>>())),
        Value::Number(_) | Value::Bool(_) => Ok(json!([text(&value)])),
        other => Err(format!("<class '{}'> cannot be converted to a list", type_name(&other))),
    }
}

fn dict(value: Value) -> Result<Value, String> {
    let source = match value {
        Value::Object(_) => return Ok(value),
        Value::String(text) => text,
        other => return Err(format!("<class '{}'> cannot be converted to a dict", type_name(&other))),
    };
    if source.starts_with('{') {
        let quoted = || serde_json::from_str(&source.replace('\'', "\""));
        return serde_json::from_str(&source).or_else(|_| quoted()).map_err(|_| "unable to evaluate string as dictionary".into());
    }
    if !source.contains('=') {
        return Err("dictionary requested, could not parse JSON or key=value".into());
    }
    let mut map = Map::new();
    for field in fields(source.trim()) {
        let Some((key, value)) = field.split_once('=') else {
            return Err("unable to evaluate string in the \"key=value\" format as dictionary".into());
        };
        map.insert(key.to_owned(), json!(value));
    }
    Ok(Value::Object(map))
}

/// Splits `a=1, b="x y"` at commas and spaces outside quotes; quotes and backslashes go.
fn fields(source: &str) -> Vec<String> {
    let (mut out, mut field) = (vec![], String::new());
    let (mut quote, mut escaped) = (None, false);
    for c in source.chars() {
        match c {
            c if escaped => {
                field.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            c if quote == Some(c) => quote = None,
            ',' | ' ' if quote.is_none() => {
                if !field.is_empty() {
                    out.push(std::mem::take(&mut field));
                }
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() {
        out.push(field);
    }
    out
}

/// A size such as `1.5G` or `10MB` in bytes.
pub fn bytes(source: &str) -> Option<i64> {
    let source = source.trim();
    let split = source.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(source.len());
    let (number, unit) = source.split_at(split);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim().to_ascii_uppercase();
    let unit = unit.strip_suffix("YTES").or(unit.strip_suffix("YTE")).unwrap_or(&unit);
    let power = match unit.trim_end_matches('B') {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    Some((number * 1024f64.powi(power)).round() as i64)
}

/// Replaces `~`, `~user`, `$NAME` and `${NAME}` as Python's expanduser and expandvars do.
pub fn expand(path: &str, around: &dyn Surroundings) -> String {
    let path = expand_variables(path, around);
    let Some(rest) = path.strip_prefix('~') else { return path };
    let (user, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match around.home(user) {
        Some(home) => {
            let joined = format!("{}{tail}", home.trim_end_matches('/'));
            if joined.is_empty() { "/".into() } else { joined }
        }
        None => path,
    }
}

/// Replaces `$NAME` and `${NAME}`; unknown ones stay.
pub fn expand_variables(source: &str, around: &dyn Surroundings) -> String {
    let mut out = String::new();
    let mut rest = source;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let (name, length) = match tail.strip_prefix('{') {
            Some(inner) => match inner.find('}') {
                Some(end) => (&inner[..end], end + 2),
                None => ("", 0),
            },
            None => {
                let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
                (&tail[..end], end)
            }
        };
        match around.variable(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..=at + length]),
        }
        rest = &tail[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["src", "content"]],
        required_if: &[RequiredIf { argument: "state", value: "link", needs: &["src"], any: false }],
        ..Spec::new(
            "demo",
            "",
            &[
                Arg::path("path", "").alias(&["dest"]).required(),
                Arg::str("state", "").choices(&["file", "link", "no"]).default(Preset::Str("file")),
                Arg::flag("force", false, ""),
                Arg::int("n", ""),
                Arg::list("names", Kind::Str, ""),
                Arg::dict("d", ""),
                Arg::str("src", ""),
                Arg::str("content", ""),
                Arg::of("size", Kind::Bytes, ""),
            ],
        )
    };

    fn run(args: Value) -> Result<Value, String> {
        let Value::Object(map) = args else { panic!("a dictionary") };
        validate(&SPEC, &map).map(Value::Object)
    }

    #[test]
    fn values_are_coerced() {
        let out = run(json!({"dest": "/x", "force": "yes", "n": "7", "names": "a,b", "d": "k=v l='x y'", "content": 5, "size": "1K"})).unwrap();
        let expected = json!({"path": "/x", "force": true, "n": 7, "names": ["a", "b"], "d": {"k": "v", "l": "x y"},
            "content": "5", "size": 1024, "state": "file"});
        assert_eq!(out, expected);
        assert_eq!(run(json!({"path": "/x", "n": null})).unwrap(), json!({"path": "/x", "state": "file", "force": false}));
        assert_eq!(run(json!({"path": "/x", "state": false})).unwrap()["state"], "no");
    }

    #[test]
    fn messages_are_ansibles() {
        let error = |args| run(args).unwrap_err();
        assert_eq!(error(json!({"state": "file"})), "missing required arguments: path");
        assert_eq!(
            error(json!({"path": "/x", "zz": 1, "b": 2})),
            "Unsupported parameters for (demo) module: b, zz. Supported parameters include: content, d, force, n, names, path, size, src, state (dest)."
        );
        assert_eq!(error(json!({"path": "/x", "state": "dir"})), "value of state must be one of: file, link, no, got: dir");
        assert_eq!(error(json!({"path": "/x", "state": "link"})), "state is link but all of the following are missing: src");
        assert_eq!(error(json!({"path": "/x", "src": "a", "content": "b"})), "parameters are mutually exclusive: src|content");
        assert_eq!(
            error(json!({"path": "/x", "n": "abc"})),
            "argument 'n' is of type str and we were unable to convert to int: \"'abc'\" cannot be converted to an int"
        );
        assert!(error(json!({"path": "/x", "force": "maybe"})).contains("The value 'maybe' is not a valid boolean."));
    }

    struct Home;
    impl Surroundings for Home {
        fn variable(&self, name: &str) -> Option<String> {
            (name == "X").then(|| "ex".into())
        }
        fn home(&self, user: &str) -> Option<String> {
            user.is_empty().then(|| "/root".into())
        }
    }

    #[test]
    fn paths_are_expanded() {
        assert_eq!(expand("~/a/$X/${X}b/$Y", &Home), "/root/a/ex/exb/$Y");
        assert_eq!(expand("~nobody/a", &Home), "~nobody/a");
        assert_eq!(expand("/a$", &Home), "/a$");
    }
}
