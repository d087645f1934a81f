//! Results as they are shown: without what is internal, as JSON or YAML.

use crate::value::{Dict, Value, dumps};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// YAML instead of JSON.
    pub yaml: bool,
    /// Indented.
    pub pretty: bool,
    /// Number of `-v`.
    pub verbosity: u8,
}

/// The entries of a result that people see.
pub(super) fn visible(result: &Dict, verbosity: u8) -> Dict {
    let hidden = |key: &str| {
        key.starts_with("_ansible_")
            || key.starts_with("_rplay_")
            || matches!(key, "failed" | "skipped" | "exception" | "warnings" | "deprecations" | "unreachable")
            || (verbosity < 3 && matches!(key, "invocation" | "diff"))
    };
    result.iter().filter(|(key, _)| key.as_str().is_none_or(|key| !hidden(key))).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A result as text, keys sorted.
pub(super) fn dump(result: &Dict, format: Format, debug: bool) -> String {
    let mut shown = visible(result, format.verbosity);
    let pretty = format.pretty || result.get("_ansible_verbose_always").is_some_and(Value::is_true) || format.verbosity > 2;
    if debug {
        match shown.contains_key("msg") {
            true => shown.retain(|key, _| key.as_str() == Some("msg")),
            false => shown.retain(|key, _| {
                !matches!(key.as_str(), Some("changed" | "invocation" | "skip_reason" | "ansible_loop_var" | "ansible_index_var" | "ansible_loop"))
            }),
        }
    }
    if result.get("unreachable").is_some_and(Value::is_true) {
        shown.insert("unreachable".into(), true.into());
    }
    if format.yaml {
        let text = crate::yaml::dump(&sorted(&Value::dict(shown)), &crate::yaml::DumpOptions { indent: Some(2), ..crate::yaml::DumpOptions::nice() })
            .unwrap_or_default();
        let indented = text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
        return format!("\n{}", indented.trim_end());
    }
    json(&Value::dict(shown), pretty)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Dict(dict) => {
            let mut entries: Vec<_> = dict.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by_key(|(key, _)| key.to_value().to_string());
            entries.into_iter().collect()
        }
        Value::List(items) | Value::Tuple(items) => Value::list(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// JSON as Python's `json.dumps(sort_keys=True, ensure_ascii=False)` writes it.
pub(super) fn json(value: &Value, pretty: bool) -> String {
    dumps(&sorted(value), pretty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_looks_as_python_writes_it() {
        let value = Value::from_iter([("b".into(), Value::list(vec![Value::Int(1), "ä".into()])), ("a".into(), Value::dict(Dict::new()))]);
        assert_eq!(json(&value, false), r#"{"a": {}, "b": [1, "ä"]}"#);
        assert_eq!(json(&value, true), "{\n    \"a\": {},\n    \"b\": [\n        1,\n        \"ä\"\n    ]\n}");
    }
}
