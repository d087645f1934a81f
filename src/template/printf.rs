//! Python's `%` formatting of text.

use crate::value::{Fault, Value, repr, text};

/// `format % operand`
///
/// # Errors
/// Too few or too many arguments, a wrong type, an unknown conversion.
pub(super) fn format(format: &str, operand: &Value) -> Result<String, Fault> {
    let resolved = match operand {
        Value::Object(object) => object.resolve()?,
        other => other.clone(),
    };
    let mut args = match &resolved {
        Value::Tuple(items) => Args { items, next: 0, single: false, named: &resolved },
        other => Args { items: std::slice::from_ref(other), next: 0, single: true, named: other },
    };
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (spec, after) = Spec::parse(&rest[at + 1..], &mut args)?;
        rest = after;
        if spec.conversion == '%' {
            out.push('%');
            continue;
        }
        let value = match &spec.name {
            Some(name) => args.by_name(name)?,
            None => args.take()?,
        };
        out.push_str(&spec.written(&value)?);
    }
    out.push_str(rest);
    if !args.all_used() {
        return Err(Fault::error("not all arguments converted during string formatting"));
    }
    Ok(out)
}

struct Args<'v> {
    items: &'v [Value],
    next: usize,
    single: bool,
    named: &'v Value,
}

impl Args<'_> {
    fn take(&mut self) -> Result<Value, Fault> {
        let value = self.items.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| Fault::error("not enough arguments for format string"))
    }

    fn by_name(&mut self, name: &str) -> Result<Value, Fault> {
        self.next = self.items.len();
        match self.named {
            Value::Dict(dict) => dict.get(name).cloned().ok_or_else(|| Fault::error(format!("'{name}'"))),
            _ => Err(Fault::error("format requires a mapping")),
        }
    }

    fn all_used(&self) -> bool {
        self.next >= self.items.len() || (self.single && matches!(self.named, Value::Dict(_) | Value::List(_)) && self.next == 0)
    }
}

#[derive(Default)]
struct Spec {
    name: Option<String>,
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Spec {
    fn parse<'t>(text: &'t str, args: &mut Args<'_>) -> Result<(Spec, &'t str), Fault> {
        let mut spec = Spec::default();
        let mut rest = text;
        if let Some(inner) = rest.strip_prefix('(') {
            let Some(end) = inner.find(')') else { return Err(Fault::error("incomplete format key")) };
            spec.name = Some(inner[..end].to_string());
            rest = &inner[end + 1..];
        }
        while let Some(flag) = rest.chars().next().filter(|c| "-0+ #".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.alternate = true,
            }
            rest = &rest[1..];
        }
        let (width, after) = number(rest, args)?;
        if width.is_some_and(|width| width < 0) {
            spec.left = true;
        }
        spec.width = width.map_or(0, |width| width.unsigned_abs() as usize).min(1_000_000);
        rest = after;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = number(after, args)?;
            spec.precision = Some(precision.unwrap_or(0).clamp(0, 1_000_000) as usize);
            rest = after;
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let Some(conversion) = rest.chars().next() else { return Err(Fault::error("incomplete format")) };
        spec.conversion = conversion;
        Ok((spec, &rest[conversion.len_utf8()..]))
    }

    fn written(&self, value: &Value) -> Result<String, Fault> {
        let (sign, digits) = match self.conversion {
            's' | 'r' | 'a' => {
                let shown = if self.conversion == 's' { text(value) } else { repr(value) };
                let cut = self.precision.map_or(shown.clone(), |n| shown.chars().take(n).collect());
                return Ok(self.padded("", &cut, false));
            }
            'c' => return Ok(self.padded("", &character(value)?, false)),
            'd' | 'i' | 'u' => self.integer(value, |n| n.to_string(), "")?,
            'o' => self.integer(value, |n| format!("{n:o}"), "0o")?,
            'x' => self.integer(value, |n| format!("{n:x}"), "0x")?,
            'X' => self.integer(value, |n| format!("{n:X}"), "0X")?,
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => self.float(value)?,
            other => {
                let code = other as u32;
                return Err(Fault::error(format!("unsupported format character '{other}' (0x{code:x})")));
            }
        };
        Ok(self.padded(&sign, &digits, true))
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    fn integer(&self, value: &Value, digits: fn(u128) -> String, prefix: &str) -> Result<(String, String), Fault> {
        let whole = match value {
            Value::Int(n) => *n,
            Value::Bool(b) => i128::from(*b),
            Value::Float(f) if prefix.is_empty() && f.is_finite() => *f as i128,
            other => {
                let need = if prefix.is_empty() { "a real number" } else { "an integer" };
                return Err(Fault::error(format!("%{} format: {need} is required, not {}", self.conversion, other.type_name())));
            }
        };
        let mut shown = digits(whole.unsigned_abs());
        if let Some(precision) = self.precision {
            shown = format!("{shown:0>precision$}");
        }
        let prefix = if self.alternate { prefix } else { "" };
        Ok((format!("{}{prefix}", self.sign(whole < 0)), shown))
    }

    fn float(&self, value: &Value) -> Result<(String, String), Fault> {
        let f = match value {
            Value::Float(f) => *f,
            Value::Int(n) => *n as f64,
            Value::Bool(b) => f64::from(u8::from(*b)),
            other => return Err(Fault::error(format!("must be real number, not {}", other.type_name()))),
        };
        let precision = self.precision.unwrap_or(6);
        let magnitude = f.abs();
        let shown = match self.conversion.to_ascii_lowercase() {
            _ if !f.is_finite() => if f.is_nan() { "nan".to_string() } else { "inf".to_string() },
            'f' => format!("{magnitude:.precision$}"),
            'e' => exponent(magnitude, precision),
            _ => general(magnitude, precision.max(1), self.alternate),
        };
        let shown = if self.conversion.is_ascii_uppercase() { shown.to_uppercase() } else { shown };
        Ok((self.sign(f.is_sign_negative() && !f.is_nan()).to_string(), shown))
    }

    fn padded(&self, sign: &str, shown: &str, numeric: bool) -> String {
        let length = sign.chars().count() + shown.chars().count();
        let missing = self.width.saturating_sub(length);
        if self.left {
            format!("{sign}{shown}{}", " ".repeat(missing))
        } else if self.zero && numeric {
            format!("{sign}{}{shown}", "0".repeat(missing))
        } else {
            format!("{}{sign}{shown}", " ".repeat(missing))
        }
    }
}

fn number<'t>(text: &'t str, args: &mut Args<'_>) -> Result<(Option<i64>, &'t str), Fault> {
    if let Some(rest) = text.strip_prefix('*') {
        return match args.take()? {
            Value::Int(n) => Ok((Some(n as i64), rest)),
            _ => Err(Fault::error("* wants int")),
        };
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Ok((text[..end].parse().ok(), &text[end..]))
}

fn character(value: &Value) -> Result<String, Fault> {
    let wrong = || Fault::error("%c requires int or char");
    match value {
        Value::Str(s) if s.chars().count() == 1 => Ok(s.to_string()),
        Value::Int(n) => u32::try_from(*n).ok().and_then(char::from_u32).map(String::from).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// `1.5e+03`
fn exponent(f: f64, precision: usize) -> String {
    let shown = format!("{f:.precision$e}");
    let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`: the shorter of both, without zeros at the end.
fn general(f: f64, precision: usize, keep_zeros: bool) -> String {
    let scientific = exponent(f, precision - 1);
    let power: i32 = scientific.rsplit('e').next().and_then(|e| e.parse().ok()).unwrap_or(0);
    let trim = |digits: &str| {
        if keep_zeros || !digits.contains('.') {
            return digits.to_string();
        }
        digits.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    if f != 0.0 && (power < -4 || power >= precision as i32) {
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{exponent}", trim(digits));
    }
    let decimals = (precision as i32 - 1 - power).max(0) as usize;
    trim(&format!("{f:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python() {
        let tuple = |items: Vec<Value>| Value::Tuple(std::sync::Arc::new(items));
        for (spec, value, shown) in [
            ("%s-%5.1f|", tuple(vec!["a".into(), 2.25.into()]), "a-  2.2|"),
            ("%05d", Value::Int(-42), "-0042"),
            ("%#x %o", tuple(vec![Value::Int(255), Value::Int(8)]), "0xff 10"),
            ("%-4s|%r", tuple(vec![Value::Null, "x".into()]), "None|'x'"),
            ("%g %g %e", tuple(vec![1e10.into(), 0.5.into(), 1500.0.into()]), "1e+10 0.5 1.500000e+03"),
            ("%(k)s%%", [("k".into(), Value::Int(1))].into_iter().collect(), "1%"),
            ("%s", Value::list(vec![Value::Int(1)]), "[1]"),
        ] {
            assert_eq!(format(spec, &value).unwrap(), shown);
        }
        assert_eq!(format("%s %s", &"a".into()).unwrap_err().message, "not enough arguments for format string");
        assert_eq!(format("x", &"a".into()).unwrap_err().message, "not all arguments converted during string formatting");
        assert_eq!(format("%d", &"a".into()).unwrap_err().message, "%d format: a real number is required, not str");
    }
}
