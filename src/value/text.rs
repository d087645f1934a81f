//! How Python writes values: `str()` and `repr()`.

use std::fmt::Write as _;

use super::Value;

/// Python's `str(value)`. Undefined parts show as nothing; use [`Value::resolve`] first where that must be an error.
pub fn text(value: &Value) -> String {
    match value {
        Value::Str(s) => s.to_string(),
        Value::Undefined(_) => String::new(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Date(date, offset) => date_text(date, *offset),
        other => repr(other),
    }
}

/// Python's `repr(value)`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(n) => drop(write!(out, "{n}")),
        Value::Float(f) => out.push_str(&float_text(*f)),
        Value::Str(s) => write_quoted(out, s),
        Value::Bytes(bytes) => {
            out.push('b');
            write_quoted(out, &String::from_utf8_lossy(bytes));
        }
        Value::List(items) => write_sequence(out, items, '[', "]"),
        Value::Tuple(items) => write_sequence(out, items, '(', if items.len() == 1 { ",)" } else { ")" }),
        Value::Dict(dict) => {
            out.push('{');
            for (i, (key, value)) in dict.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &key.to_value());
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push('}');
        }
        Value::Date(date, offset) => drop(write!(out, "'{}'", date_text(date, *offset))),
        Value::Object(object) => match object.resolve() {
            Ok(value) => write_repr(out, &value),
            Err(fault) => drop(write!(out, "<< error 1 - {} >>", fault.message)),
        },
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::Unknown(reason) => drop(write!(out, "<unknown: {reason}>")),
        Value::Omit => out.push_str("<<Omit>>"),
    }
}

fn write_sequence(out: &mut String, items: &[Value], open: char, close: &str) {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_repr(out, item);
    }
    out.push_str(close);
}

fn write_quoted(out: &mut String, s: &str) {
    let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => drop(write!(out, "\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// Python's `str(date)`.
fn date_text(date: &chrono::NaiveDateTime, offset: Option<chrono::FixedOffset>) -> String {
    if date.time() == super::DAY {
        return date.date().to_string();
    }
    let fraction = date.and_utc().timestamp_subsec_micros();
    let mut out = date.format("%Y-%m-%d %H:%M:%S").to_string();
    if fraction > 0 {
        let _ = write!(out, ".{fraction:06}");
    }
    if let Some(offset) = offset {
        let _ = write!(out, "{offset}");
    }
    out
}

/// Python's `repr` of a float: the shortest text that reads back, `1e+16` from 16 digits on, `1e-05` below 0.0001.
pub fn float_text(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let magnitude = f.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let shown = format!("{f:e}");
        let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let shown = format!("{f}");
    if shown.contains('.') { shown } else { format!("{shown}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text_look_as_in_python() {
        for (f, shown) in [(1.0, "1.0"), (1e16, "1e+16"), (1.5e-7, "1.5e-07"), (0.1, "0.1"), (-2.5, "-2.5"), (123456789012345680.0, "1.2345678901234568e+17")] {
            assert_eq!(float_text(f), shown);
        }
        let list = Value::list(vec!["a'b".into(), Value::Null, true.into(), "x\n".into()]);
        assert_eq!(text(&list), r#"["a'b", None, True, 'x\n']"#);
        assert_eq!(text(&"plain".into()), "plain");
    }
}
