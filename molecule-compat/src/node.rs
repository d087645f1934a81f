//! YAML with places: what was written in `molecule.yml`, as PyYAML reads it.

use std::collections::HashMap;
use std::path::Path;

use libyaml_safer::{EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};

use crate::failure::{Complaint, Failure, Place, Result};

/// Deeper nesting is refused.
const MAX_DEPTH: usize = 60;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Line and column, from one.
    pub at: (usize, usize),
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A scalar, already typed.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; a later duplicate takes the earlier one's place.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The place in a file.
    pub fn place(&self, file: &Path) -> Place {
        Place { file: file.to_path_buf(), line: self.at.0, column: self.at.1 }
    }

    /// The text of a scalar, also of a number or boolean, as Python prints it.
    pub fn text(&self) -> Option<String> {
        match &self.kind {
            Kind::Scalar(value) => Some(text(value)),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub fn pairs(&self) -> Option<&[(Node, Node)]> {
        if let Kind::Map(pairs) = &self.kind { Some(pairs) } else { None }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs()?.iter().find(|(name, _)| name.text().as_deref() == Some(key)).map(|(_, value)| value)
    }

    /// As plain data; keys become texts.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Kind::Map(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| (key.text().unwrap_or_else(|| key.to_value().to_string()), value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// What it is, in words.
    pub fn described(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing",
            Kind::Scalar(Value::Bool(_)) => "a boolean",
            Kind::Scalar(Value::Number(_)) => "a number",
            Kind::Scalar(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}

/// A scalar as Python's `str` shows it.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads one document; an empty one is an empty mapping.
pub fn read(text: &str, file: &Path) -> Result<Node> {
    let mut reader = Reader { file, open: Vec::new(), anchors: HashMap::new(), root: None };
    let text = if text.ends_with('\n') { text.to_string() } else { format!("{text}\n") };
    // the parser is another's; what would end the program becomes a complaint
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.run(&text)));
    run.unwrap_or_else(|_| Err(Failure::new(format!("{}: the YAML reader has a fault with this file", file.display()))))?;
    Ok(reader.root.unwrap_or(Node { at: (1, 1), kind: Kind::Map(Vec::new()) }))
}

/// A collection that is not closed yet.
struct Open {
    at: (usize, usize),
    anchor: Option<String>,
    items: Vec<Node>,
    map: bool,
}

struct Reader<'a> {
    file: &'a Path,
    open: Vec<Open>,
    anchors: HashMap<String, Node>,
    root: Option<Node>,
}

impl Reader<'_> {
    fn run(&mut self, text: &str) -> Result<()> {
        let mut bytes = text.as_bytes();
        let mut parser = Parser::new();
        parser.set_input_string(&mut bytes);
        loop {
            let event = parser.parse().map_err(|error| self.bad_yaml(&error))?;
            let mark = event.start_mark;
            let at = (usize::try_from(mark.line).unwrap_or(0) + 1, usize::try_from(mark.column).unwrap_or(0) + 1);
            match event.data {
                EventData::StreamEnd => return Ok(()),
                EventData::DocumentStart { .. } if self.root.is_some() => {
                    return Err(self.complaint(at, "a second document; Molecule reads files of one").into());
                }
                EventData::Scalar { anchor, tag, value, style, .. } => {
                    let typed = scalar(tag.as_deref(), &value, style == ScalarStyle::Plain);
                    self.add(Node { at, kind: Kind::Scalar(typed) }, anchor)?;
                }
                EventData::Alias { anchor } => {
                    let node = self.anchors.get(&anchor).cloned().ok_or_else(|| self.complaint(at, format!("no anchor `{anchor}` before this alias")))?;
                    self.add(Node { at, ..node }, None)?;
                }
                EventData::SequenceStart { anchor, .. } => self.open(at, anchor, false)?,
                EventData::MappingStart { anchor, .. } => self.open(at, anchor, true)?,
                EventData::SequenceEnd | EventData::MappingEnd => self.close()?,
                _ => {}
            }
        }
    }

    fn bad_yaml(&self, error: &libyaml_safer::Error) -> Failure {
        let at = error.problem_mark().map_or((1, 1), |mark| (usize::try_from(mark.line).unwrap_or(0) + 1, usize::try_from(mark.column).unwrap_or(0) + 1));
        self.complaint(at, format!("no YAML: {}", error.problem())).into()
    }

    fn complaint(&self, at: (usize, usize), message: impl Into<String>) -> Complaint {
        Complaint::at(Place { file: self.file.to_path_buf(), line: at.0, column: at.1 }, message)
    }

    fn open(&mut self, at: (usize, usize), anchor: Option<String>, map: bool) -> Result<()> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.complaint(at, format!("more than {MAX_DEPTH} levels")).into());
        }
        self.open.push(Open { at, anchor, items: Vec::new(), map });
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = if open.map { Kind::Map(self.pairs(open.items)?) } else { Kind::List(open.items) };
        self.add(Node { at: open.at, kind }, open.anchor)
    }

    fn add(&mut self, node: Node, anchor: Option<String>) -> Result<()> {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node).filter(|node| node.kind != Kind::Scalar(Value::Null)),
        }
        Ok(())
    }

    /// Keys and values in turn become pairs; `<<` is merged.
    fn pairs(&self, items: Vec<Node>) -> Result<Vec<(Node, Node)>> {
        let (mut pairs, mut merged) = (Vec::new(), Vec::new());
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if key.text().as_deref() == Some("<<") {
                self.merge(value, &mut merged)?;
            } else {
                put(&mut pairs, key, value);
            }
        }
        for (key, value) in merged {
            if !pairs.iter().any(|(other, _): &(Node, Node)| other.text() == key.text()) {
                pairs.push((key, value));
            }
        }
        Ok(pairs)
    }

    fn merge(&self, value: Node, merged: &mut Vec<(Node, Node)>) -> Result<()> {
        let at = value.at;
        let maps = match value.kind {
            Kind::List(items) => items,
            kind => vec![Node { at, kind }],
        };
        for map in maps {
            let Kind::Map(pairs) = map.kind else { return Err(self.complaint(map.at, "`<<` merges mappings").into()) };
            for (key, value) in pairs {
                if !merged.iter().any(|(other, _)| other.text() == key.text()) {
                    merged.push((key, value));
                }
            }
        }
        Ok(())
    }
}

fn put(pairs: &mut Vec<(Node, Node)>, key: Node, value: Node) {
    match pairs.iter_mut().find(|(other, _)| other.text().is_some() && other.text() == key.text()) {
        Some(earlier) => *earlier = (key, value),
        None => pairs.push((key, value)),
    }
}

/// A scalar's value by its tag, else, if plain, by YAML 1.1's rules.
fn scalar(tag: Option<&str>, text: &str, plain: bool) -> Value {
    match tag {
        Some("tag:yaml.org,2002:str" | "!") => Value::String(text.into()),
        _ if plain => crate::resolve::plain(text),
        _ => Value::String(text.into()),
    }
}
