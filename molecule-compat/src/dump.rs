//! Writes data as YAML that every reader of YAML 1.1 and 1.2 takes for the same.

use std::fmt::Write as _;

use serde_json::Value;

use crate::resolve;

/// A document with `---`.
pub fn document(value: &Value) -> String {
    let mut out = String::from("---\n");
    match value {
        Value::Object(map) if !map.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        other => {
            let _ = writeln!(out, "{}", flat(other));
        }
    }
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let _ = write!(out, "{indent}{}:", text(key));
                below(out, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(out, "{indent}-");
                below(out, item, depth);
            }
        }
        other => {
            let _ = writeln!(out, "{indent}{}", flat(other));
        }
    }
}

fn below(out: &mut String, value: &Value, depth: usize) {
    let empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if empty {
        let _ = writeln!(out, " {}", flat(value));
    } else {
        out.push('\n');
        block(out, value, depth + 1);
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::String(value) => text(value),
        other => other.to_string(),
    }
}

/// Plain where it stays this text, else quoted as JSON, which is YAML's double quotes.
fn text(text: &str) -> String {
    if resolve::stays_text(text) {
        return text.into();
    }
    // these three break lines in YAML 1.1 and not in JSON
    Value::String(text.into()).to_string().replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({"a": {"b": [1, "0644", {"c": [[], {}]}], "yes": "no"}, "e": null, "t": "x: \"y\"\n\u{e9} # \u{85}", "l": [[1, 2], ["a"]], "f": 1.5});
        let text = document(&value);
        assert_eq!(crate::node::read(&text, Path::new("x")).unwrap().to_value(), value, "{text}");
    }
}
