//! JSON as Python's `json` reads and writes it.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{flag_or, given, to_dict, to_index, to_list, to_text};
use crate::value::{Dict, Fault, Key, Value, float_text, text};

/// How `json.dumps` was asked to write.
struct Style {
    indent: Option<String>,
    item: String,
    key: String,
    sort: bool,
    ascii: bool,
    skip_keys: bool,
    allow_nan: bool,
}

impl Style {
    fn take(args: &mut Arguments, function: &str) -> Result<Style, Fault> {
        let indent = match given(args.take("indent")) {
            None => None,
            Some(Value::Str(text)) => Some(text.to_string()),
            Some(other) => Some(" ".repeat(to_index(&other)?.max(0) as usize)),
        };
        let mut style = Style {
            item: if indent.is_some() { ",".into() } else { ", ".into() },
            key: ": ".into(),
            indent,
            sort: flag_or(args.take("sort_keys").as_ref(), false)?,
            ascii: flag_or(args.take("ensure_ascii").as_ref(), true)?,
            skip_keys: flag_or(args.take("skipkeys").as_ref(), false)?,
            allow_nan: flag_or(args.take("allow_nan").as_ref(), true)?,
        };
        if let Some(separators) = given(args.take("separators")) {
            match to_list(&separators)?.as_deref() {
                Some([item, key]) => (style.item, style.key) = (to_text(item)?.to_string(), to_text(key)?.to_string()),
                _ => return Err(Fault::error("separators must be two texts")),
            }
        }
        for ignored in ["check_circular", "vault_to_text", "preprocess_unsafe", "profile"] {
            args.take(ignored);
        }
        match args.named.first() {
            Some((name, _)) => Err(Fault::error(format!("{function} got an unexpected keyword argument '{name}'"))),
            None => Ok(style),
        }
    }
}

/// `to_json`.
///
/// # Errors
/// A part has no value, or an unknown option.
pub fn to_json(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    if !args.positional.is_empty() {
        args.positional.remove(0);
    }
    let style = Style::take(&mut args, "JSONEncoder.__init__()")?;
    dumps(&input, &style).map(Value::from)
}

/// `to_nice_json`.
///
/// # Errors
/// A part has no value, or an unknown option.
pub fn to_nice_json(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let positional = std::mem::take(&mut args.positional);
    for (name, value) in ["indent", "sort_keys"].into_iter().zip(positional) {
        args.named.push((name.into(), value));
    }
    let has = |args: &Arguments, name: &str| args.named.iter().any(|(have, _)| have == name);
    if !has(&args, "indent") {
        args.named.push(("indent".into(), Value::Int(4)));
    }
    if !has(&args, "sort_keys") {
        args.named.push(("sort_keys".into(), true.into()));
    }
    args.take("separators");
    let mut style = Style::take(&mut args, "JSONEncoder.__init__()")?;
    style.item = ",".into();
    dumps(&input, &style).map(Value::from)
}

/// `tojson`: Jinja's, sorted, with `<`, `>`, `&` and `'` written so that HTML may hold it.
///
/// # Errors
/// A part has no value.
pub fn tojson(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [indent] = args.bind(signature("do_tojson", 2, 0), ["indent"])?;
    let mut options = Arguments::default();
    options.named.push(("sort_keys".into(), true.into()));
    options.named.extend(given(indent).map(|indent| ("indent".into(), indent)));
    let plain = dumps(&input, &Style::take(&mut options, "dumps()")?)?;
    Ok(plain.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027").into())
}

/// JSON without blanks, as `json.dumps(separators=(',', ':'))` writes it.
///
/// # Errors
/// A part has no value.
pub fn compact(value: &Value) -> Result<String, Fault> {
    let style = Style { indent: None, item: ",".into(), key: ":".into(), sort: false, ascii: true, skip_keys: false, allow_nan: true };
    dumps(value, &style)
}

fn dumps(value: &Value, style: &Style) -> Result<String, Fault> {
    let mut out = String::new();
    write(&mut out, value, style, 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, style: &Style, depth: usize) -> Result<(), Fault> {
    if let Some(dict) = to_dict(value)? {
        return write_dict(out, dict, style, depth);
    }
    if let Some(items) = to_list(value)? {
        let members = items.iter().map(|item| (None, item)).collect::<Vec<_>>();
        return write_members(out, &members, style, depth, '[', ']');
    }
    match value.resolve()? {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if b { "true" } else { "false" }),
        Value::Int(n) => out.push_str(&n.to_string()),
        Value::Float(f) => out.push_str(&float(f, style)?),
        Value::Date(date, offset) => quote(out, &text(&Value::Date(date, offset)).replacen(' ', "T", 1), style.ascii),
        Value::Bytes(bytes) => quote(out, &String::from_utf8_lossy(&bytes), style.ascii),
        other => quote(out, &text(&other), style.ascii),
    }
    Ok(())
}

fn float(f: f64, style: &Style) -> Result<String, Fault> {
    if !f.is_finite() && !style.allow_nan {
        return Err(Fault::error(format!("Out of range float values are not JSON compliant: {}", float_text(f))));
    }
    Ok(match f {
        f if f.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        f => float_text(f),
    })
}

fn write_dict(out: &mut String, dict: Dict, style: &Style, depth: usize) -> Result<(), Fault> {
    let mut members = Vec::new();
    for (key, value) in &dict {
        let name = match key {
            Key::Str(name) => name.to_string(),
            Key::Null => "null".into(),
            Key::Bool(b) => b.to_string(),
            Key::Int(n) => n.to_string(),
            Key::Float(f) => float(*f, style)?,
            Key::Tuple(_) | Key::Date(..) if style.skip_keys => continue,
            other => return Err(Fault::error(format!("Key of type '{}' is not JSON serializable by the 'tagless' profile.", other.to_value().type_name()))),
        };
        members.push((Some(name), value));
    }
    if style.sort {
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    write_members(out, &members, style, depth, '{', '}')
}

fn write_members(out: &mut String, members: &[(Option<String>, &Value)], style: &Style, depth: usize, open: char, close: char) -> Result<(), Fault> {
    out.push(open);
    let line = |out: &mut String, depth: usize| {
        if let Some(indent) = &style.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    };
    for (i, (name, value)) in members.iter().enumerate() {
        if i > 0 {
            out.push_str(&style.item);
        }
        line(out, depth + 1);
        if let Some(name) = name {
            quote(out, name, style.ascii);
            out.push_str(&style.key);
        }
        write(out, value, style, depth + 1)?;
    }
    if !members.is_empty() {
        line(out, depth);
    }
    out.push(close);
    Ok(())
}

fn quote(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 || (ascii && !(' '..='~').contains(&c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// `from_json`.
///
/// # Errors
/// Python's `JSONDecodeError`.
pub fn from_json(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.take("profile");
    if let Some((name, _)) = args.named.first() {
        return Err(Fault::error(format!("JSONDecoder.__init__() got an unexpected keyword argument '{name}'")));
    }
    match &input {
        Value::Str(text) => parse(text),
        Value::Bytes(bytes) => parse(&String::from_utf8_lossy(bytes)),
        other => Err(Fault::error(format!("the JSON object must be str, bytes or bytearray, not {}", other.type_name()))),
    }
}

/// Reads one JSON document with Python's leniency (`NaN`, `Infinity`) and Python's messages.
///
/// # Errors
/// Python's `JSONDecodeError`.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at < text.len() { Err(parser.fault("Extra data", parser.at)) } else { Ok(value) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn fault(&self, what: &str, at: usize) -> Fault {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Fault::error(format!("{what}: line {line} column {column} (char {})", before.chars().count()))
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Value, Fault> {
        if self.depth > 900 {
            return Err(Fault::error("maximum recursion depth exceeded while decoding a JSON array from a unicode string"));
        }
        self.depth += 1;
        let value = match self.rest().chars().next() {
            Some('"') => self.string().map(Value::from),
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number(),
            _ => {
                let words = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("NaN", Value::Float(f64::NAN)),
                    ("Infinity", Value::Float(f64::INFINITY)),
                ];
                words.into_iter().find(|(word, _)| self.take(word)).map(|(_, value)| value).ok_or_else(|| self.fault("Expecting value", self.at))
            }
        };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, Fault> {
        self.at += 1;
        let mut dict = Dict::new();
        self.space();
        if self.take("}") {
            return Ok(Value::dict(dict));
        }
        loop {
            if !self.rest().starts_with('"') {
                return Err(self.fault("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.fault("Expecting ':' delimiter", self.at));
            }
            self.space();
            let value = self.value()?;
            dict.insert(key.into(), value);
            self.space();
            if self.take("}") {
                return Ok(Value::dict(dict));
            }
            if !self.take(",") {
                return Err(self.fault("Expecting ',' delimiter", self.at));
            }
            self.space();
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.take("]") {
                return Ok(Value::list(items));
            }
            if !self.take(",") {
                return Err(self.fault("Expecting ',' delimiter", self.at));
            }
            self.space();
        }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        if self.take("-Infinity") {
            return Ok(Value::Float(f64::NEG_INFINITY));
        }
        let rest = self.rest();
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut end = usize::from(rest.starts_with('-'));
        let whole = if rest[end..].starts_with('0') { 1 } else { digits(end) };
        if whole == 0 {
            return Err(self.fault("Expecting value", self.at));
        }
        end += whole;
        let mut float = false;
        if rest[end..].starts_with('.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            float = true;
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
                float = true;
            }
        }
        let shown = &rest[..end];
        let value = match shown.parse::<i128>() {
            Ok(n) if !float => Value::Int(n),
            _ => Value::Float(shown.parse().unwrap_or(f64::NAN)),
        };
        self.at += end;
        Ok(value)
    }

    fn string(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else { return Err(self.fault("Unterminated string starting at", begin)) };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(out);
                }
                '\\' => self.escape(begin, &mut out)?,
                c if u32::from(c) < 0x20 => return Err(self.fault("Invalid control character at", self.at)),
                c => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self, begin: usize, out: &mut String) -> Result<(), Fault> {
        let at = self.at;
        let Some(c) = self.rest()[1..].chars().next() else { return Err(self.fault("Unterminated string starting at", begin)) };
        self.at += 1 + c.len_utf8();
        match c {
            '"' | '\\' | '/' => out.push(c),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let first = self.hex4().ok_or_else(|| self.fault("Invalid \\uXXXX escape", at + 1))?;
                let mut unit = u32::from(first);
                if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    let keep = self.at;
                    self.at += 2;
                    match self.hex4() {
                        Some(second) if (0xdc00..0xe000).contains(&second) => {
                            unit = 0x10000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(second) - 0xdc00)
                        }
                        _ => self.at = keep,
                    }
                }
                out.push(char::from_u32(unit).unwrap_or('\u{fffd}'));
            }
            _ => return Err(self.fault("Invalid \\escape", at)),
        }
        Ok(())
    }

    fn hex4(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        let value = parse(" {\"a\": [1, -2.5e3, NaN, \"\\u00e9\\ud83d\\ude00\\n\"], \"a\": null} ").unwrap();
        assert_eq!(text(&value), "{'a': None}");
        assert!(crate::value::compare(&parse("123456789012345678901").unwrap(), &Value::Int(123_456_789_012_345_678_901), "<").unwrap().is_eq());
    }

    #[test]
    fn complains_as_python_does() {
        for (source, message) in [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("{\"a\": 1,\n x}", "Expecting property name enclosed in double quotes: line 2 column 2 (char 10)"),
            ("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"),
            ("1 2", "Extra data: line 1 column 3 (char 2)"),
            ("\"ab", "Unterminated string starting at: line 1 column 1 (char 0)"),
            ("\"\\q\"", "Invalid \\escape: line 1 column 2 (char 1)"),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
        ] {
            assert_eq!(parse(source).unwrap_err().message, message, "{source}");
        }
    }
}
