//! Bodies of requests: as they are, JSON, forms.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::coerce::text;
use crate::outcome::Failure;

/// The body's bytes and the content type that goes with them.
pub(super) fn encode(format: &str, body: &Value) -> Result<(Vec<u8>, Option<String>), Failure> {
    Ok(match (format, body) {
        ("json", Value::String(text)) => (text.clone().into_bytes(), Some("application/json".into())),
        ("json", other) => (python_json(other).into_bytes(), Some("application/json".into())),
        ("form-urlencoded", Value::String(text)) => (text.clone().into_bytes(), Some("application/x-www-form-urlencoded".into())),
        ("form-urlencoded", other) => (form(other)?.into_bytes(), Some("application/x-www-form-urlencoded".into())),
        ("form-multipart", Value::Object(_)) => multipart(body)?,
        ("form-multipart", _) => return Err("failed to parse body as form-multipart: Mapping is required".into()),
        (_, Value::String(text)) => (text.clone().into_bytes(), None),
        (_, other) => (python_json(other).into_bytes(), None),
    })
}

/// JSON with the blanks of Python's `json.dumps`.
fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(python_json).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{}: {}", Value::String(key.clone()), python_json(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

fn form(body: &Value) -> Result<String, Failure> {
    let pairs: Vec<(String, &Value)> = match body {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().filter_map(|item| Some((text(item.get(0)?), item.get(1)?))).collect(),
        _ => return Err("failed to parse body as form_urlencoded: cannot form-urlencode body, expect list or dict".into()),
    };
    let mut out = vec![];
    for (key, values) in pairs {
        let values = match values {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        };
        out.extend(values.into_iter().filter(|value| !value.is_null()).map(|value| format!("{}={}", quote(&key), quote(&text(value)))));
    }
    Ok(out.join("&"))
}

fn quote(plain: &str) -> String {
    let mut out = String::new();
    for byte in plain.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn multipart(body: &Value) -> Result<(Vec<u8>, Option<String>), Failure> {
    let boundary = format!("=============={:019}==", std::process::id());
    let mut out = vec![];
    for (name, value) in body.as_object().into_iter().flatten() {
        let get = |key: &str| value.get(key).and_then(Value::as_str);
        let (content, file, kind) = match value {
            Value::Object(_) => {
                let content = match (get("content"), get("filename")) {
                    (Some(content), _) => content.as_bytes().to_vec(),
                    (None, Some(path)) => {
                        std::fs::read(path).map_err(|error| Failure::new(format!("failed to parse body as form-multipart: {path}: {error}")))?
                    }
                    (None, None) => return Err("failed to parse body as form-multipart: at least one of filename or content must be provided".into()),
                };
                let content = if get("multipart_encoding") == Some("base64") { STANDARD.encode(content).into_bytes() } else { content };
                (content, get("filename"), get("mime_type"))
            }
            other => (text(other).into_bytes(), None, None),
        };
        let file = file.map(|path| format!("; filename=\"{}\"", path.rsplit('/').next().unwrap_or(path))).unwrap_or_default();
        let kind = kind.map(str::to_owned).unwrap_or_else(|| if file.is_empty() { "text/plain".into() } else { "application/octet-stream".into() });
        let encoding = if get("multipart_encoding") == Some("base64") { "Content-Transfer-Encoding: base64\r\n" } else { "" };
        out.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\nContent-Type: {kind}\r\n{encoding}\r\n").bytes());
        out.extend(content);
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").bytes());
    Ok((out, Some(format!("multipart/form-data; boundary=\"{boundary}\""))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies() {
        assert_eq!(python_json(&json!({"a": [1, "é"], "b": null})), "{\"a\": [1, \"é\"], \"b\": null}");
        assert_eq!(form(&json!({"a b": ["1", 2], "c": "ü&"})).unwrap(), "a+b=1&a+b=2&c=%C3%BC%26");
        assert_eq!(form(&json!([["k", "v"]])).unwrap(), "k=v");
        let (bytes, kind) = encode("form-multipart", &json!({"f": {"filename": "x.txt", "content": "hi"}})).unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains("name=\"f\"; filename=\"x.txt\""));
        assert!(kind.unwrap().starts_with("multipart/form-data; boundary="));
    }
}
