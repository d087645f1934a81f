//! What a plain scalar of YAML 1.1 is: `yes` a boolean, `0644` octal, `1:30` sexagesimal, as PyYAML has it.
//!
//! Dates stay texts: nothing in Molecule's files takes one.

use serde_json::{Number, Value};

/// The value of a plain scalar.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.into())),
    }
}

/// True if the text, written plain, is read as this text again.
pub fn stays_text(text: &str) -> bool {
    let first = text.chars().next();
    let like_a_date = text.len() >= 8 && text.bytes().take(4).all(|byte| byte.is_ascii_digit()) && text.as_bytes()[4] == b'-';
    matches!(plain(text), Value::String(_))
        && !like_a_date
        && !text.is_empty()
        && first.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '$'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-$+@,=()".contains(c))
        && !text.ends_with('=')
        && !matches!(text, "y" | "Y" | "n" | "N")
}

fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let signed = |value: i64| Value::from(if negative { -value } else { value });
    if let Some(value) = integer(digits) {
        return Some(signed(value));
    }
    if digits.contains(':') {
        return sixties(digits).map(signed);
    }
    float(digits).and_then(|value| Number::from_f64(if negative { -value } else { value })).map(Value::Number)
}

fn integer(digits: &str) -> Option<i64> {
    let radix = |prefix: &str, base: u32| digits.strip_prefix(prefix).and_then(|rest| i64::from_str_radix(&rest.replace('_', ""), base).ok());
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if digits == "0" {
        return Some(0);
    }
    if digits.starts_with("0x") {
        return radix("0x", 16);
    }
    if digits.starts_with("0b") {
        return radix("0b", 2);
    }
    if digits.starts_with('0') {
        return radix("0", 8);
    }
    digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_').then(|| digits.replace('_', "").parse().ok()).flatten()
}

fn sixties(digits: &str) -> Option<i64> {
    let mut parts = digits.split(':');
    let first: i64 = parts.next().filter(|part| !part.starts_with('0'))?.replace('_', "").parse().ok()?;
    parts.try_fold(first, |total, part| {
        let short = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let value: i64 = part.parse().ok().filter(|value| short && *value < 60)?;
        total.checked_mul(60)?.checked_add(value)
    })
}

/// A point is needed, and a sign in the exponent.
fn float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let signed = exponent.is_none_or(|exponent| exponent.starts_with(['+', '-']) && exponent.len() > 1);
    if !plain(whole) || !plain(fraction) || (whole.is_empty() && fraction.is_empty()) || !signed {
        return None;
    }
    digits.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_are_yaml_1_1() {
        for (text, value) in [
            ("no", json!(false)),
            ("On", json!(true)),
            ("y", json!("y")),
            ("0644", json!(420)),
            ("0x1f", json!(31)),
            ("1_000", json!(1000)),
            ("1:30", json!(90)),
            ("1:75", json!("1:75")),
            ("-5", json!(-5)),
            ("~", Value::Null),
            ("1.5", json!(1.5)),
            ("1e3", json!("1e3")),
            ("10.0.0.1", json!("10.0.0.1")),
            ("09", json!("09")),
            ("-", json!("-")),
            ("v1.2", json!("v1.2")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn what_would_change_its_type_is_quoted() {
        for text in ["yes", "0644", "1:30", "2026-11-21", "", "n", "a: b", "- x", "#x", "{{ x }}", "x ", "="] {
            assert!(!stays_text(text), "{text}");
        }
        for text in ["web-1", "/etc/ansible", "10.0.0.1", "a_b.c"] {
            assert!(stays_text(text), "{text}");
        }
    }
}
