//! Writes YAML as `to_yaml` and `to_nice_yaml` do: PyYAML's representation, libyaml's emitter.
//!
//! PyYAML writes an anchor where one object stands twice; here a value is written out each time.

use libyaml_safer::{Break, Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};

use super::panics;
use super::resolve::{self, Type};
use crate::value::{Dict, Fault, Key, Value, compare, float_text, text};

/// How it is written; the defaults are `to_yaml`'s.
#[derive(Debug, Clone)]
pub struct DumpOptions {
    /// Columns of one level; 2 unless it is between 2 and 9. `to_nice_yaml` takes 4.
    pub indent: Option<i32>,
    /// Where lines are folded; 80 unless given, negative for never.
    pub width: Option<i32>,
    /// `true`: all in brackets. `false`: nothing. `None`: what holds only scalars. `to_nice_yaml` takes `false`.
    pub default_flow_style: Option<bool>,
    /// Keys in order, if they can be ordered.
    pub sort_keys: bool,
    /// Characters beyond ASCII stand as they are.
    pub allow_unicode: bool,
    /// `---` at the beginning.
    pub explicit_start: bool,
    /// `...` at the end.
    pub explicit_end: bool,
    /// Everything with its tag.
    pub canonical: bool,
    /// `"`, `'`, `|` or `>` for every scalar.
    pub default_style: Option<char>,
}

impl Default for DumpOptions {
    fn default() -> DumpOptions {
        DumpOptions {
            indent: None,
            width: None,
            default_flow_style: None,
            sort_keys: true,
            allow_unicode: true,
            explicit_start: false,
            explicit_end: false,
            canonical: false,
            default_style: None,
        }
    }
}

impl DumpOptions {
    /// What `to_nice_yaml` begins with.
    pub fn nice() -> DumpOptions {
        DumpOptions { indent: Some(4), default_flow_style: Some(false), ..DumpOptions::default() }
    }
}

/// The YAML of a value.
///
/// # Errors
/// A part is undefined, unknown or cannot be rendered; text that YAML has no way to write.
pub fn dump(value: &Value, options: &DumpOptions) -> Result<String, Fault> {
    let resolved = value.resolve()?;
    let mut out = Vec::new();
    let mut astral = Vec::new();
    let written = panics::quietly(|| write(&resolved, options, &mut out, &mut astral));
    match written {
        Ok(Ok(())) => String::from_utf8(out).map(|out| with_escapes(&out, &astral)).map_err(|_| Fault::error("the value cannot be written as YAML")),
        Ok(Err(error)) => Err(Fault::error(format!("the value cannot be written as YAML: {error}"))),
        Err(_) => Err(Fault::error("the value cannot be written as YAML")),
    }
}

fn write(value: &Value, options: &DumpOptions, out: &mut Vec<u8>, astral: &mut Vec<char>) -> Result<(), libyaml_safer::Error> {
    let mut emitter = Emitter::new();
    emitter.set_output_string(out);
    emitter.set_canonical(options.canonical);
    emitter.set_unicode(options.allow_unicode);
    emitter.set_break(Break::Ln);
    if let Some(indent) = options.indent {
        emitter.set_indent(indent);
    }
    if let Some(width) = options.width {
        emitter.set_width(width);
    }
    emitter.emit(Event::stream_start(Encoding::Utf8))?;
    emitter.emit(Event::document_start(None, &[], !options.explicit_start))?;
    Dumper { emitter: &mut emitter, options, astral }.node(value)?;
    emitter.emit(Event::document_end(!options.explicit_end))?;
    emitter.emit(Event::stream_end())?;
    emitter.flush()
}

struct Dumper<'a, 'w> {
    emitter: &'a mut Emitter<'w>,
    options: &'a DumpOptions,
    /// Characters beyond the basic plane, in the order in which they are written.
    astral: &'a mut Vec<char>,
}

/// libyaml takes characters beyond the basic plane for unprintable and escapes them, the crate does not. So the emitter gets a sequence that
/// it escapes too, to the same ten columns, and the right escape is put in afterwards.
const STAND_IN: &str = "\u{fffe}\u{7}\u{8}";
const STAND_IN_ESCAPED: &str = "\\uFFFE\\a\\b";

fn with_escapes(out: &str, astral: &[char]) -> String {
    if astral.is_empty() {
        return out.to_string();
    }
    let mut parts = out.split(STAND_IN_ESCAPED);
    let mut whole = parts.next().unwrap_or_default().to_string();
    for (part, c) in parts.zip(astral) {
        whole.push_str(&format!("\\U{:08X}", u32::from(*c)));
        whole.push_str(part);
    }
    whole
}

type Emitted = Result<(), libyaml_safer::Error>;

impl Dumper<'_, '_> {
    fn node(&mut self, value: &Value) -> Emitted {
        match value {
            Value::List(items) | Value::Tuple(items) => self.list(items),
            Value::Dict(dict) => self.dict(dict),
            Value::Null => self.scalar("null", "null", None),
            Value::Bool(b) => self.scalar("bool", if *b { "true" } else { "false" }, None),
            Value::Int(n) => self.scalar("int", &n.to_string(), None),
            Value::Float(f) => self.scalar("float", &float(*f), None),
            Value::Str(s) => self.scalar("str", s, None),
            Value::Bytes(bytes) => self.scalar("binary", &base64_lines(bytes), Some(ScalarStyle::Literal)),
            Value::Date(..) => self.scalar("timestamp", &text(value), None),
            Value::Object(_) | Value::Undefined(_) | Value::Unknown(_) | Value::Omit => self.scalar("str", &text(value), None),
        }
    }

    fn list(&mut self, items: &[Value]) -> Emitted {
        let flow = self.options.default_flow_style.unwrap_or_else(|| items.iter().all(|item| self.is_bare(item)));
        let style = if flow { SequenceStyle::Flow } else { SequenceStyle::Block };
        self.emitter.emit(Event::sequence_start(None, Some("tag:yaml.org,2002:seq"), true, style))?;
        for item in items {
            self.node(item)?;
        }
        self.emitter.emit(Event::sequence_end())
    }

    fn dict(&mut self, dict: &Dict) -> Emitted {
        let bare = |(key, value): (&Key, &Value)| !matches!(key, Key::Tuple(_)) && self.is_bare(value);
        let flow = self.options.default_flow_style.unwrap_or_else(|| self.options.default_style.is_none() && dict.iter().all(bare));
        let style = if flow { MappingStyle::Flow } else { MappingStyle::Block };
        self.emitter.emit(Event::mapping_start(None, Some("tag:yaml.org,2002:map"), true, style))?;
        let mut entries: Vec<(Value, &Value)> = dict.iter().map(|(key, value)| (key.to_value(), value)).collect();
        if self.options.sort_keys {
            sort(&mut entries);
        }
        for (key, value) in entries {
            self.node(&key)?;
            self.node(value)?;
        }
        self.emitter.emit(Event::mapping_end())
    }

    /// A scalar without a style of its own.
    fn is_bare(&self, value: &Value) -> bool {
        self.options.default_style.is_none() && !matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Bytes(_))
    }

    fn scalar(&mut self, tag: &str, value: &str, style: Option<ScalarStyle>) -> Emitted {
        let style = style.unwrap_or(match self.options.default_style {
            Some('\'') => ScalarStyle::SingleQuoted,
            Some('"') => ScalarStyle::DoubleQuoted,
            Some('|') => ScalarStyle::Literal,
            Some('>') => ScalarStyle::Folded,
            _ => ScalarStyle::Plain,
        });
        let plain = match resolve::resolve(value) {
            Type::Bool => "bool",
            Type::Float => "float",
            Type::Int => "int",
            Type::Merge => "merge",
            Type::Null => "null",
            Type::Timestamp => "timestamp",
            Type::Default => "value",
            Type::Str => "str",
        };
        let swapped = self.without_astral(value);
        let value = swapped.as_deref().unwrap_or(value);
        let full = format!("tag:yaml.org,2002:{tag}");
        self.emitter.emit(Event::scalar(None, Some(&full), value, plain == tag, tag == "str", style))
    }
}

impl Dumper<'_, '_> {
    fn without_astral(&mut self, value: &str) -> Option<String> {
        if value.contains('\u{fffe}') || !value.chars().any(|c| c > '\u{ffff}') {
            return None;
        }
        let mut swapped = String::with_capacity(value.len());
        for c in value.chars() {
            if c > '\u{ffff}' {
                self.astral.push(c);
                swapped.push_str(STAND_IN);
            } else {
                swapped.push(c);
            }
        }
        Some(swapped)
    }
}

/// In order, unless two keys have none; then as they are, as PyYAML leaves them.
fn sort(entries: &mut [(Value, &Value)]) {
    let comparable = entries.iter().all(|(key, _)| entries.first().is_none_or(|(first, _)| compare(first, key, "<").is_ok()));
    if comparable {
        entries.sort_by(|(a, _), (b, _)| compare(a, b, "<").unwrap_or(std::cmp::Ordering::Equal));
    }
}

fn float(f: f64) -> String {
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let shown = float_text(f);
    if shown.contains('.') { shown } else { shown.replacen('e', ".0e", 1) }
}

/// Python's `base64.encodebytes`: lines of 76 characters, each with its end.
fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let lines = bytes.chunks(57).map(|chunk| base64::engine::general_purpose::STANDARD.encode(chunk) + "\n");
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::load_value;

    #[test]
    fn it_looks_as_pyyaml_writes_it() {
        for (source, options, shown) in [
            ("{b: [1, 2], a: {c: x}}", DumpOptions::default(), "a: {c: x}\nb: [1, 2]\n"),
            ("{b: [1, 2], a: {c: x}}", DumpOptions::nice(), "a:\n    c: x\nb:\n- 1\n- 2\n"),
            ("[{a: 1, b: 2}]", DumpOptions::nice(), "-   a: 1\n    b: 2\n"),
            ("['yes', '0644', '', null, 1.0e+20, \"a\\nb\"]", DumpOptions::nice(), "- 'yes'\n- '0644'\n- ''\n- null\n- 1.0e+20\n- 'a\n\n    b'\n"),
            ("é \u{1f600}", DumpOptions::default(), "\"é \\U0001F600\"\n"),
            ("plain", DumpOptions::default(), "plain\n"),
            ("2001-12-14", DumpOptions { explicit_start: true, ..DumpOptions::default() }, "--- 2001-12-14\n"),
        ] {
            assert_eq!(dump(&load_value(source).unwrap(), &options).unwrap(), shown, "{source}");
        }
    }
}
