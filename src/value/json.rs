//! To and from JSON: the wire, results, `to_json`.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use super::{Key, Value, text};

/// The value that a piece of JSON is.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => from_number(n),
        Json::String(s) => Value::Str(s.as_str().into()),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(map) => Value::Dict(Arc::new(map.iter().map(|(k, v)| (Key::from(k.as_str()), from_json(v))).collect())),
    }
}

fn from_number(number: &Number) -> Value {
    if let Some(n) = number.as_i64() {
        return Value::Int(n.into());
    }
    let shown = number.to_string();
    match shown.parse::<i128>() {
        Ok(n) => Value::Int(n),
        Err(_) => Value::Float(shown.parse().unwrap_or(f64::NAN)),
    }
}

/// The JSON of a value. Keys become text as Python's `json.dumps` makes them; lazy parts are rendered, parts without a value become null.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Undefined(_) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::Number(int_number(*n)),
        Value::Float(f) => Number::from_f64(*f).map_or(Json::Null, Json::Number),
        Value::Str(s) => Json::String(s.to_string()),
        Value::List(items) | Value::Tuple(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Dict(dict) => Json::Object(dict.iter().map(|(k, v)| (key_text(k), to_json(v))).collect::<Map<_, _>>()),
        Value::Object(object) => object.resolve().map_or(Json::Null, |value| to_json(&value)),
        Value::Date(date, offset) => Json::String(iso(date, *offset)),
        other @ (Value::Bytes(_) | Value::Omit) => Json::String(text(other)),
        Value::Unknown(reason) => Json::String(format!("<unknown: {reason}>")),
    }
}

fn int_number(n: i128) -> Number {
    Number::from_i128(n).unwrap_or_else(|| Number::from(0))
}

fn iso(date: &chrono::NaiveDateTime, offset: Option<chrono::FixedOffset>) -> String {
    text(&Value::Date(*date, offset)).replacen(' ', "T", 1)
}

/// A key as `json.dumps` writes it.
pub(crate) fn key_text(key: &Key) -> String {
    match key {
        Key::Str(s) => s.to_string(),
        Key::Null => "null".into(),
        Key::Bool(b) => b.to_string(),
        other => text(&other.to_value()),
    }
}

/// JSON as Python's `json.dumps(ensure_ascii=False)` writes it: `, ` and `: ` between, or indented by four.
pub fn dumps(value: &Value, pretty: bool) -> String {
    let mut out = String::new();
    write(&mut out, &to_json(value), pretty, 0);
    out
}

fn write(out: &mut String, value: &Json, pretty: bool, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        if pretty {
            out.push('\n');
            out.push_str(&" ".repeat(depth * 4));
        }
    };
    let comma = if pretty { "," } else { ", " };
    match value {
        Json::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(comma);
                }
                line(out, depth + 1);
                write(out, item, pretty, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Json::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(comma);
                }
                line(out, depth + 1);
                out.push_str(&Json::String(key.clone()).to_string());
                out.push_str(": ");
                write(out, item, pretty, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_the_way_there_and_back() {
        let source = r#"{"b":[1,-2.5,null,true,"x"],"a":{"n":123456789012345678901234567890}}"#;
        let json: Json = serde_json::from_str(source).unwrap();
        assert_eq!(to_json(&from_json(&json)).to_string(), source);
    }
}
