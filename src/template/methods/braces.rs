//! Python's `str.format`.

use crate::template::Env;
use crate::template::coerce::{as_float, to_text};
use crate::value::{Fault, Value, float_text, repr};

use super::printf;

/// `format.format(*positional, **named)`.
///
/// # Errors
/// As Python's.
pub fn format(format: &str, positional: &[Value], named: &[(String, Value)], env: &dyn Env) -> Result<String, Fault> {
    let mut auto = 0;
    Formatter { positional, named, env }.run(format, &mut auto)
}

struct Formatter<'a> {
    positional: &'a [Value],
    named: &'a [(String, Value)],
    env: &'a dyn Env,
}

impl Formatter<'_> {
    fn run(&self, format: &str, auto: &mut usize) -> Result<String, Fault> {
        let mut out = String::new();
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let doubled = &rest[at..].get(..2);
            if matches!(doubled, Some("{{" | "}}")) {
                out.push_str(&rest[at..=at]);
                rest = &rest[at + 2..];
                continue;
            }
            if rest[at..].starts_with('}') {
                return Err(Fault::error("Single '}' encountered in format string"));
            }
            let (field, after) = field(&rest[at + 1..])?;
            out.push_str(&self.field(field, auto)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&self, field: &str, auto: &mut usize) -> Result<String, Fault> {
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = head.split_once('!').map_or((head, None), |(name, conversion)| (name, Some(conversion)));
        let value = self.lookup(name, auto)?;
        let spec = self.run(spec, auto)?;
        let value = match conversion {
            None => value,
            Some("s") => Value::Str(to_text(&value)?),
            Some("r" | "a") => repr(&value.resolve()?).into(),
            Some(other) => return Err(Fault::error(format!("Unknown conversion specifier '{other}'"))),
        };
        formatted(&value, &spec)
    }

    fn lookup(&self, name: &str, auto: &mut usize) -> Result<Value, Fault> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let missing = || Fault::error("Replacement index is out of range for positional args tuple");
        let mut value = if first.is_empty() {
            *auto += 1;
            self.positional
                .get(*auto - 1)
                .cloned()
                .ok_or_else(|| Fault::error(format!("Replacement index {} out of range for positional args tuple", *auto - 1)))?
        } else if let Ok(index) = first.parse::<usize>() {
            self.positional.get(index).cloned().ok_or_else(missing)?
        } else {
            let found = self.named.iter().find(|(have, _)| have == first);
            found.map(|(_, value)| value.clone()).ok_or_else(|| Fault::error(repr(&first.into())))?
        };
        while !path.is_empty() {
            let key = match path.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
                Some((key, after)) => {
                    path = after;
                    key
                }
                None => {
                    if matches!(value.type_name(), "dict" | "list" | "str" | "int") {
                        let end = path[1..].find(['.', '[']).map_or(path.len(), |at| at + 1);
                        return Err(Fault::error(format!("'{}' object has no attribute '{}'", value.type_name(), &path[1..end])));
                    }
                    let inside = &path[1..];
                    let end = inside.find(['.', '[']).unwrap_or(inside.len());
                    path = &inside[end..];
                    &inside[..end]
                }
            };
            let key = key.parse().map_or_else(|_| key.into(), Value::Int);
            value = self.env.attribute(&value, &key)?;
        }
        crate::template::coerce::defined(&value)?;
        Ok(value)
    }
}

/// The field up to its closing brace, nested fields included, and what follows.
fn field(text: &str) -> Result<(&str, &str), Fault> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((&text[..at], &text[at + 1..]));
        }
    }
    Err(Fault::error(if text.is_empty() { "Single '{' encountered in format string" } else { "expected '}' before end of string" }))
}

/// `[[fill]align][sign][#][0][width][,][.precision][type]`.
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Option<Spec> {
        let mut chars = text.chars().peekable();
        let mut ahead = text.chars();
        let (first, second) = (ahead.next(), ahead.next());
        let is_align = |c: Option<char>| c.is_some_and(|c| "<>=^".contains(c));
        let (mut fill, mut align) = (' ', None);
        if is_align(second) {
            fill = chars.next()?;
            align = chars.next();
        } else if is_align(first) {
            align = chars.next();
        }
        let sign = chars.next_if(|c| "+- ".contains(*c)).unwrap_or('-');
        let alternate = chars.next_if_eq(&'#').is_some();
        if chars.next_if_eq(&'0').is_some() && align.is_none() {
            (fill, align) = ('0', Some('='));
        }
        let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut n = None;
            while let Some(c) = chars.next_if(char::is_ascii_digit) {
                n = Some((n.unwrap_or(0usize) * 10 + c as usize - '0' as usize).min(1_000_000));
            }
            n
        };
        let width = digits(&mut chars).unwrap_or(0);
        let grouping = chars.next_if(|c| ",_".contains(*c));
        let precision = if chars.next_if_eq(&'.').is_some() { Some(digits(&mut chars)?) } else { None };
        let kind = chars.next();
        chars.next().is_none().then_some(Spec { fill, align, sign, alternate, width, grouping, precision, kind })
    }

    fn pad(&self, sign: &str, body: &str, default: char) -> String {
        let missing = self.width.saturating_sub(sign.chars().count() + body.chars().count());
        let fill = |n: usize| self.fill.to_string().repeat(n);
        match self.align.unwrap_or(default) {
            '<' => format!("{sign}{body}{}", fill(missing)),
            '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", fill(missing)),
            _ => format!("{}{sign}{body}", fill(missing)),
        }
    }
}

/// `format(value, spec)`.
fn formatted(value: &Value, spec: &str) -> Result<String, Fault> {
    if spec.is_empty() {
        return Ok(to_text(value)?.to_string());
    }
    if let Value::Date(..) = value {
        return super::dates::strftime(value, spec);
    }
    let Some(spec) = Spec::parse(spec) else {
        return Err(Fault::error(format!("Invalid format specifier '{spec}' for object of type '{}'", value.type_name())));
    };
    match value {
        Value::Str(text) if matches!(spec.kind, None | Some('s')) => {
            let cut: String = spec.precision.map_or_else(|| text.to_string(), |n| text.chars().take(n).collect());
            Ok(spec.pad("", &cut, '<'))
        }
        Value::Int(_) | Value::Bool(_) | Value::Float(_) => number(value, &spec),
        other => {
            let kind = spec.kind.map_or_else(String::new, String::from);
            match other {
                Value::Str(_) => Err(Fault::error(format!("Unknown format code '{kind}' for object of type 'str'"))),
                other => Err(Fault::error(format!("unsupported format string passed to {}.__format__", other.type_name()))),
            }
        }
    }
}

fn number(value: &Value, spec: &Spec) -> Result<String, Fault> {
    let whole = match value {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(i128::from(*b)),
        _ => None,
    };
    let unknown = |kind: char| Fault::error(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name()));
    let (negative, mut body) = match (spec.kind, whole) {
        (None | Some('d' | 'n'), Some(n)) => (n < 0, n.unsigned_abs().to_string()),
        (Some('x'), Some(n)) => (n < 0, format!("{}{:x}", if spec.alternate { "0x" } else { "" }, n.unsigned_abs())),
        (Some('X'), Some(n)) => (n < 0, format!("{}{:X}", if spec.alternate { "0X" } else { "" }, n.unsigned_abs())),
        (Some('o'), Some(n)) => (n < 0, format!("{}{:o}", if spec.alternate { "0o" } else { "" }, n.unsigned_abs())),
        (Some('b'), Some(n)) => (n < 0, format!("{}{:b}", if spec.alternate { "0b" } else { "" }, n.unsigned_abs())),
        (Some('c'), Some(n)) => {
            (false, u32::try_from(n).ok().and_then(char::from_u32).map(String::from).ok_or_else(|| Fault::error("%c arg not in range(0x110000)"))?)
        }
        (kind, _) => {
            let f = as_float(value).unwrap_or(f64::NAN);
            let precision = spec.precision.unwrap_or(6);
            let body = match kind {
                None if spec.precision.is_none() => float_text(f.abs()),
                None => printf::float(f.abs(), 'g', precision, spec.alternate),
                Some('%') => format!("{}%", printf::float(f.abs() * 100.0, 'f', precision, false)),
                Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')) => printf::float(f.abs(), kind, precision, spec.alternate),
                Some(kind) => return Err(unknown(kind)),
            };
            (f.is_sign_negative() && !f.is_nan(), body)
        }
    };
    if let Some(separator) = spec.grouping {
        body = grouped(&body, separator);
    }
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (_, '+') => "+",
        (_, ' ') => " ",
        _ => "",
    };
    Ok(spec.pad(sign, &body, '>'))
}

fn grouped(body: &str, separator: char) -> String {
    let end = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
    let (digits, rest) = body.split_at(end);
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(c);
    }
    out + rest
}
