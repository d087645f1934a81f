//! YAML 1.1 documents as data, by PyYAML's rules for plain scalars: kubeconfig files and manifests on the target.
//!
//! No places, no tags of our own: what playbooks are written in is read by the controller.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{EventData, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Deeper nesting is refused.
const MAX_DEPTH: usize = 200;
/// Aliases that make a document larger than this many nodes are refused.
const MAX_NODES: usize = 2_000_000;

/// All documents of a text; empty ones are null.
///
/// # Errors
/// What is wrong with it, with its line.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    // the parser may panic on text that is no YAML at all
    let events = catch_unwind(AssertUnwindSafe(|| events(&text))).unwrap_or_else(|_| Err("it is no YAML".into()))?;
    let mut builder = Builder { events: events.into_iter(), anchors: HashMap::new(), nodes: 0 };
    let mut all = vec![];
    while let Some((event, line)) = builder.events.next() {
        if matches!(event, EventData::DocumentStart { .. }) {
            builder.anchors.clear();
            let first = builder.next()?;
            all.push(builder.node(first, 0).map_err(|why| if why.starts_with("line ") { why } else { format!("line {line}: {why}") })?);
        }
    }
    Ok(all)
}

type Event = (EventData, u64);

fn events(text: &str) -> Result<Vec<Event>, String> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut list = vec![];
    loop {
        let event = parser.parse().map_err(|error| error.to_string())?;
        let end = matches!(event.data, EventData::StreamEnd);
        list.push((event.data, event.start_mark.line + 1));
        if end {
            return Ok(list);
        }
    }
}

struct Builder {
    events: std::vec::IntoIter<Event>,
    anchors: HashMap<String, (Value, usize)>,
    nodes: usize,
}

impl Builder {
    fn next(&mut self) -> Result<Event, String> {
        self.events.next().ok_or_else(|| "the text ends too early".to_owned())
    }

    fn count(&mut self, nodes: usize, line: u64) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(format!("line {line}: too much data")) } else { Ok(()) }
    }

    fn node(&mut self, (event, line): Event, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("line {line}: nested too deeply"));
        }
        self.count(1, line)?;
        let before = self.nodes;
        let (value, anchor) = match event {
            EventData::Alias { anchor } => {
                let (value, nodes) = self.anchors.get(&anchor).cloned().ok_or_else(|| format!("line {line}: found undefined alias {anchor}"))?;
                self.count(nodes, line)?;
                return Ok(value);
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let plain = style == ScalarStyle::Plain;
                (scalar(value, tag.as_deref(), plain).map_err(|why| format!("line {line}: {why}"))?, anchor)
            }
            EventData::SequenceStart { anchor, .. } => (self.sequence(depth)?, anchor),
            EventData::MappingStart { anchor, .. } => (self.mapping(depth)?, anchor),
            other => return Err(format!("line {line}: unexpected {other:?}")),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (value.clone(), self.nodes - before));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = vec![];
        loop {
            let event = self.next()?;
            if matches!(event.0, EventData::SequenceEnd) {
                return Ok(Value::Array(items));
            }
            items.push(self.node(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, String> {
        let (mut map, mut merged) = (Map::new(), vec![]);
        loop {
            let event = self.next()?;
            if matches!(event.0, EventData::MappingEnd) {
                break;
            }
            let line = event.1;
            let is_merge = matches!(&event.0, EventData::Scalar { value, style: ScalarStyle::Plain, .. } if value == "<<");
            let key = self.node(event, depth + 1)?;
            let first = self.next()?;
            let value = self.node(first, depth + 1)?;
            if is_merge {
                merged.push((value, line));
            } else {
                map.insert(key_text(&key).ok_or_else(|| format!("line {line}: a key is a list or mapping"))?, value);
            }
        }
        for (value, line) in merged {
            merge(&mut map, value).ok_or_else(|| format!("line {line}: `<<` needs a mapping or a list of mappings"))?;
        }
        Ok(Value::Object(map))
    }
}

/// `<<`: what the mapping has already stays.
fn merge(map: &mut Map<String, Value>, value: Value) -> Option<()> {
    let all = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    for item in all {
        let Value::Object(item) = item else { return None };
        for (key, value) in item {
            map.entry(key).or_insert(value);
        }
    }
    Some(())
}

/// A key as JSON has it: text.
fn key_text(key: &Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

fn scalar(text: String, tag: Option<&str>, plain: bool) -> Result<Value, String> {
    match tag {
        None if plain => Ok(resolve(text)),
        None | Some("!" | "tag:yaml.org,2002:str" | "tag:yaml.org,2002:binary") => Ok(Value::String(text)),
        Some("tag:yaml.org,2002:int" | "tag:yaml.org,2002:float" | "tag:yaml.org,2002:bool" | "tag:yaml.org,2002:null") => Ok(resolve(text)),
        Some(tag) => Err(format!("could not determine a constructor for the tag '{tag}'")),
    }
}

/// A plain scalar's value. Dates stay text: JSON has none.
fn resolve(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Value::String(text);
    }
    integer(&text).or_else(|| float(&text)).unwrap_or(Value::String(text))
}

fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = digits.replace('_', "");
    let magnitude = if let Some(bits) = plain.strip_prefix("0b") {
        i128::from_str_radix(bits, 2).ok()?
    } else if let Some(hex) = plain.strip_prefix("0x") {
        i128::from_str_radix(hex, 16).ok()?
    } else if plain.len() > 1 && plain.starts_with('0') {
        i128::from_str_radix(&plain, 8).ok()?
    } else if plain.contains(':') {
        sixties(&plain)?
    } else {
        plain.parse::<i128>().ok()?
    };
    let value = if negative { -magnitude } else { magnitude };
    i64::try_from(value).map(Value::from).or_else(|_| u64::try_from(value).map(Value::from)).ok()
}

/// Base 60: `1:30` is 90.
fn sixties(text: &str) -> Option<i128> {
    let mut sum = 0i128;
    for (index, part) in text.split(':').enumerate() {
        let digits: i128 = part.parse().ok()?;
        if index > 0 && (part.len() > 2 || digits > 59) {
            return None;
        }
        sum = sum.checked_mul(60)?.checked_add(digits)?;
    }
    Some(sum)
}

/// A float has a point, and a sign in its exponent.
fn float(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    let unsigned = plain.trim_start_matches(['+', '-']);
    let well_formed = match unsigned.split_once(['e', 'E']) {
        Some((_, exponent)) => exponent.starts_with(['+', '-']),
        None => true,
    };
    if !well_formed || !unsigned.contains('.') || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || plain.len() > unsigned.len() + 1 {
        return None;
    }
    Number::from_f64(plain.parse().ok()?).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_are_pyyamls() {
        let text = "[yes, 'yes', 0644, 0o17, 0x1f, 1:30, 1e3, 1.5, 1.0e+3, ~, 1.2.3, -7, 2001-12-14, 1_000, 08, 100m, 10.0.0.1, -, +x, .5]";
        let wanted =
            json!([true, "yes", 420, "0o17", 31, 90, "1e3", 1.5, 1000.0, null, "1.2.3", -7, "2001-12-14", 1000, "08", "100m", "10.0.0.1", "-", "+x", 0.5]);
        assert_eq!(documents(text.replace("-, ", "'-', ").as_str()).unwrap(), [wanted]);
    }

    #[test]
    fn documents_anchors_and_merges() {
        let text = "---\na: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: [*x]\n---\n# nothing\n---\ntext: |\n  one\n  two";
        assert_eq!(
            documents(text).unwrap(),
            [json!({"a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}, "c": [{"p": 1, "q": 2}]}), Value::Null, json!({"text": "one\ntwo\n"})]
        );
        assert_eq!(documents("").unwrap(), Vec::<Value>::new());
        assert_eq!(documents("1: x\ntrue: y").unwrap(), [json!({"1": "x", "true": "y"})]);
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        for text in ["a: [", "a: b: c", "*x", "{[a]: b}", "a: !mine b", "<<: 1"] {
            assert!(documents(text).is_err(), "{text}");
        }
        assert!(documents("a: 1\nb: !mine 2").unwrap_err().contains("line 2"));
        let bomb = (1..9).fold("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned(), |text, n| {
            let many = vec![format!("*a{}", n - 1); 10].join(",");
            format!("{text}a{n}: &a{n} [{many}]\n")
        });
        assert!(documents(&bomb).unwrap_err().contains("too much"));
    }
}
