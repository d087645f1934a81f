//! Python's `%` on text.

use crate::template::coerce::{as_float, parse_float, to_dict, to_text};
use crate::value::{Fault, Value, repr};

/// One conversion: flags, width, precision and letter.
#[derive(Default, Clone)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// What is left of the arguments.
struct Values<'v> {
    all: &'v Value,
    list: Option<&'v [Value]>,
    used: usize,
}

impl<'v> Values<'v> {
    fn next(&mut self) -> Result<&'v Value, Fault> {
        let found = match self.list {
            Some(list) => list.get(self.used),
            None => (self.used == 0).then_some(self.all),
        };
        self.used += 1;
        found.ok_or_else(|| Fault::error("not enough arguments for format string"))
    }

    fn done(&self, by_name: bool) -> bool {
        let total = self.list.map_or(1, <[Value]>::len);
        self.used >= total || by_name || (self.list.is_none() && matches!(self.all.type_name(), "dict" | "list"))
    }
}

/// `format % values`: a tuple gives the values one by one, a dictionary by name, anything else is the one value.
///
/// # Errors
/// Python's `TypeError` and `ValueError`.
pub fn percent(format: &str, values: &Value) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = Values { all: values, list: if let Value::Tuple(items) = values { Some(items) } else { None }, used: 0 };
    let mut by_name = false;
    let mut chars = format.chars().enumerate().peekable();
    while let Some((_, c)) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut named = None;
        if chars.next_if(|(_, c)| *c == '(').is_some() {
            named = Some(named_value(&mut chars, values)?);
            by_name = true;
        }
        let mut spec = flags(&mut chars);
        number(&mut chars, &mut rest, &mut spec)?;
        while chars.next_if(|(_, c)| matches!(c, 'l' | 'h' | 'L')).is_some() {}
        let Some((at, conversion)) = chars.next() else { return Err(Fault::error("incomplete format")) };
        if conversion == '%' {
            out.push('%');
            continue;
        }
        if !"diouxXeEfFgGcrsa".contains(conversion) {
            return Err(Fault::error(format!("unsupported format character '{conversion}' ({:#x}) at index {at}", u32::from(conversion))));
        }
        let value = match named {
            Some(value) => value,
            None => rest.next()?.clone(),
        };
        out.push_str(&convert(&value, conversion, &spec)?);
    }
    if rest.done(by_name) { Ok(out) } else { Err(Fault::error("not all arguments converted during string formatting")) }
}

type Chars<'c> = std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'c>>>;

fn named_value(chars: &mut Chars<'_>, values: &Value) -> Result<Value, Fault> {
    let mut name = String::new();
    let mut depth = 1;
    for (_, c) in chars.by_ref() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        name.push(c);
    }
    if depth > 0 {
        return Err(Fault::error("incomplete format key"));
    }
    let dict = to_dict(values)?.ok_or_else(|| Fault::error("format requires a mapping"))?;
    dict.get(name.as_str()).cloned().ok_or_else(|| Fault::error(repr(&name.into())))
}

fn flags(chars: &mut Chars<'_>) -> Spec {
    let mut spec = Spec::default();
    while let Some((_, c)) = chars.next_if(|(_, c)| "-+ 0#".contains(*c)) {
        match c {
            '-' => spec.left = true,
            '+' => spec.plus = true,
            ' ' => spec.space = true,
            '0' => spec.zero = true,
            _ => spec.alternate = true,
        }
    }
    spec
}

fn number(chars: &mut Chars<'_>, values: &mut Values<'_>, spec: &mut Spec) -> Result<(), Fault> {
    let mut digits = |chars: &mut Chars<'_>| -> Result<Option<i128>, Fault> {
        if chars.next_if(|(_, c)| *c == '*').is_some() {
            return match values.next()? {
                Value::Int(n) => Ok(Some(*n)),
                _ => Err(Fault::error("* wants int")),
            };
        }
        let mut n = None;
        while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
            n = Some(n.unwrap_or(0i128).saturating_mul(10).saturating_add(i128::from(c.to_digit(10).unwrap_or(0))).min(1_000_000));
        }
        Ok(n)
    };
    let width = digits(chars)?.unwrap_or(0);
    spec.left |= width < 0;
    spec.width = width.unsigned_abs() as usize;
    if chars.next_if(|(_, c)| *c == '.').is_some() {
        spec.precision = Some(digits(chars)?.unwrap_or(0).max(0) as usize);
    }
    Ok(())
}

fn convert(value: &Value, conversion: char, spec: &Spec) -> Result<String, Fault> {
    let cut = |text: &str| spec.precision.map_or_else(|| text.to_string(), |n| text.chars().take(n).collect());
    match conversion {
        's' => Ok(pad(&cut(&to_text(value)?), spec)),
        'r' | 'a' => Ok(pad(&cut(&repr(&value.resolve()?)), spec)),
        'c' => character(value).map(|c| pad(&c, spec)),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let f = as_float(value).ok_or_else(|| match value {
                Value::Str(text) if parse_float(text).is_none() => Fault::error("must be real number, not str"),
                other => Fault::error(format!("must be real number, not {}", other.type_name())),
            })?;
            let body = float(f.abs(), conversion, spec.precision.unwrap_or(6), spec.alternate);
            Ok(signed(f.is_sign_negative() && !f.is_nan(), "", &body, spec, f.is_finite()))
        }
        _ => whole(value, conversion, spec),
    }
}

fn whole(value: &Value, conversion: char, spec: &Spec) -> Result<String, Fault> {
    let n = match value {
        Value::Int(n) => *n,
        Value::Bool(b) => i128::from(*b),
        Value::Float(f) if matches!(conversion, 'd' | 'i' | 'u') && f.is_finite() => *f as i128,
        other if matches!(conversion, 'd' | 'i' | 'u') => {
            return Err(Fault::error(format!("%{conversion} format: a real number is required, not {}", other.type_name())));
        }
        other => return Err(Fault::error(format!("%{conversion} format: an integer is required, not {}", other.type_name()))),
    };
    let magnitude = n.unsigned_abs();
    let (prefix, digits) = match conversion {
        'o' => ("0o", format!("{magnitude:o}")),
        'x' => ("0x", format!("{magnitude:x}")),
        'X' => ("0X", format!("{magnitude:X}")),
        _ => ("", magnitude.to_string()),
    };
    let digits = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
    Ok(signed(n < 0, if spec.alternate { prefix } else { "" }, &digits, spec, true))
}

fn signed(negative: bool, prefix: &str, digits: &str, spec: &Spec, zeros: bool) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let used = sign.len() + prefix.len() + digits.chars().count();
    if spec.zero && !spec.left && zeros {
        return format!("{sign}{prefix}{}{digits}", "0".repeat(spec.width.saturating_sub(used)));
    }
    pad(&format!("{sign}{prefix}{digits}"), spec)
}

fn pad(text: &str, spec: &Spec) -> String {
    let fill = " ".repeat(spec.width.saturating_sub(text.chars().count()));
    if spec.left { format!("{text}{fill}") } else { format!("{fill}{text}") }
}

fn character(value: &Value) -> Result<String, Fault> {
    let wrong = || Fault::error("%c requires int or char");
    match value {
        Value::Str(text) if text.chars().count() == 1 => Ok(text.to_string()),
        Value::Int(n) => u32::try_from(*n).ok().and_then(char::from_u32).map(String::from).ok_or_else(|| Fault::error("%c arg not in range(0x110000)")),
        _ => Err(wrong()),
    }
}

/// A float that is not negative, as `%e`, `%f` or `%g` write it.
pub fn float(f: f64, conversion: char, precision: usize, alternate: bool) -> String {
    let text = match conversion.to_ascii_lowercase() {
        _ if f.is_nan() => "nan".to_string(),
        _ if f.is_infinite() => "inf".to_string(),
        'e' => exponent(&format!("{f:.precision$e}")),
        'f' => format!("{f:.precision$}"),
        _ => general(f, precision.max(1), alternate),
    };
    if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

/// Rust's exponent in C's dress: a sign and two digits.
fn exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

fn general(f: f64, precision: usize, alternate: bool) -> String {
    let scientific = format!("{f:.*e}", precision - 1);
    let exp: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let trim = |text: &str| if alternate || !text.contains('.') { text.to_string() } else { text.trim_end_matches('0').trim_end_matches('.').to_string() };
    if exp < -4 || exp >= precision as i32 {
        let (digits, e) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{e}", trim(digits)));
    }
    trim(&format!("{f:.*}", (precision as i32 - 1 - exp).max(0) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_writes_what_python_writes() {
        let tuple = |items: Vec<Value>| Value::Tuple(items.into());
        let cases: Vec<(&str, Value, &str)> = vec![
            ("%s-%03d", tuple(vec!["a".into(), Value::Int(7)]), "a-007"),
            ("%5.2f|%-6s|%+d", tuple(vec![Value::Float(2.345), "x".into(), Value::Int(3)]), " 2.35|x     |+3"),
            ("%x %#X %o", tuple(vec![Value::Int(255), Value::Int(255), Value::Int(8)]), "ff 0XFF 10"),
            ("%(a)s%%", [("a".into(), Value::Null)].into_iter().collect(), "None%"),
            ("%r", "it's".into(), "\"it's\""),
            ("%g %g %e", tuple(vec![Value::Float(0.0001), Value::Float(1e7), Value::Int(5)]), "0.0001 1e+07 5.000000e+00"),
            ("%05d|%*d", tuple(vec![Value::Int(-42), Value::Int(4), Value::Int(1)]), "-0042|   1"),
        ];
        for (format, values, expected) in cases {
            assert_eq!(percent(format, &values).as_deref(), Ok(expected), "{format}");
        }
        for (format, values, message) in [
            ("%d", Value::from("x"), "%d format: a real number is required, not str"),
            ("%s %s", "x".into(), "not enough arguments for format string"),
            ("x", Value::Int(1), "not all arguments converted during string formatting"),
            ("%y", Value::Int(1), "unsupported format character 'y' (0x79) at index 1"),
            ("%", Value::Int(1), "incomplete format"),
        ] {
            assert_eq!(percent(format, &values).unwrap_err().message, message, "{format}");
        }
    }
}
