//! From events to nodes: anchors, types of scalars, tags. Iterative, so that no input can exhaust the stack.

use std::collections::HashMap;
use std::sync::Arc;

use libyaml_safer::EventData;
use libyaml_safer::ScalarStyle;

use super::events::{Event, Problem};
use super::mapping::{Entry, Role};
use super::node::{Kind, Node, Style};
use super::resolve::{self, Type};
use super::tags::{self, Container};
use super::{Loaded, Options};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// Why the events make no tree. The composer's problems come before later problems of the parser, the others after.
pub(super) enum Trouble {
    /// Anchors, aliases and the number of documents.
    Compose(Problem),
    /// Types, tags and keys.
    Construct(Diagnostic),
}

impl Trouble {
    fn compose<T>(problem: Problem) -> Result<T, Trouble> {
        Err(Trouble::Compose(problem))
    }
}

/// An unfinished list or dictionary.
struct Frame {
    start: usize,
    anchor: Option<String>,
    tag: Option<String>,
    flow: bool,
    /// Inside of `!unsafe` from here on.
    marks_unsafe: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<(Node, Role)>),
}

/// What an anchor stands for: nothing yet while its own content is read.
type Anchors = HashMap<String, (usize, Option<Node>)>;

pub(super) struct Builder<'a> {
    source: &'a Arc<Source>,
    options: &'a Options,
    anchors: Anchors,
    stack: Vec<Frame>,
    unsafe_depth: usize,
    merged: usize,
    warnings: Vec<Diagnostic>,
    document: Option<(Node, usize)>,
    document_start: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Arc<Source>, options: &'a Options) -> Builder<'a> {
        Builder {
            source,
            options,
            anchors: HashMap::new(),
            stack: Vec::new(),
            unsafe_depth: 0,
            merged: 0,
            warnings: Vec::new(),
            document: None,
            document_start: 0,
        }
    }

    /// The one document, or null when there is none.
    pub(super) fn one(mut self, events: Vec<Event>) -> Result<Loaded, Trouble> {
        let mut root = None;
        for event in events {
            if let (EventData::DocumentStart { .. }, Some(_)) = (&event.data, &root) {
                let problem = Problem::new("expected a single document, found another one", event.start);
                return Trouble::compose(problem.context("the first document is here", self.document_start));
            }
            if let Some(node) = self.event(event)? {
                root = Some(node);
            }
        }
        let nothing = Node { kind: Kind::Scalar(crate::value::Value::Null), span: Span::new(self.source, 0, 0) };
        Ok(Loaded { node: root.unwrap_or(nothing), warnings: self.warnings })
    }

    /// Every document.
    pub(super) fn all(mut self, events: Vec<Event>) -> Result<Vec<Node>, Trouble> {
        let mut roots = Vec::new();
        for event in events {
            roots.extend(self.event(event)?);
        }
        Ok(roots)
    }

    /// Takes one event; gives the document when it ends.
    fn event(&mut self, event: Event) -> Result<Option<Node>, Trouble> {
        let (start, end) = (event.start, event.end);
        match event.data {
            EventData::DocumentStart { .. } => {
                self.anchors.clear();
                self.document_start = start;
                Ok(None)
            }
            EventData::DocumentEnd { .. } => Ok(self.document.take().map(|(node, _)| node)),
            EventData::Alias { anchor } => {
                let node = self.alias(&anchor, start, end)?;
                self.add(node, Role::Key)?;
                Ok(None)
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                self.declare(&anchor, start)?;
                let (node, role) = self.scalar(tag.as_deref(), value, plain_implicit, style, Span::new(self.source, start, end))?;
                self.finish_anchor(anchor, &node);
                self.add(node, role)?;
                Ok(None)
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let flow = style == libyaml_safer::SequenceStyle::Flow;
                self.open(start, anchor, tag, flow, Content::List(Vec::new()))
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let flow = style == libyaml_safer::MappingStyle::Flow;
                self.open(start, anchor, tag, flow, Content::Map(Vec::new(), None))
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(end),
            EventData::StreamStart { .. } | EventData::StreamEnd => Ok(None),
        }
    }

    fn open(&mut self, start: usize, anchor: Option<String>, tag: Option<String>, flow: bool, content: Content) -> Result<Option<Node>, Trouble> {
        self.declare(&anchor, start)?;
        let marks_unsafe = self.options.ansible_tags && tag.as_deref() == Some("!unsafe");
        self.unsafe_depth += usize::from(marks_unsafe);
        self.stack.push(Frame { start, anchor, tag, flow, marks_unsafe, content });
        Ok(None)
    }

    fn close(&mut self, end: usize) -> Result<Option<Node>, Trouble> {
        let Some(frame) = self.stack.pop() else { return Ok(None) };
        let last = match &frame.content {
            Content::List(items) => items.last().map(|node| node.span.end),
            Content::Map(entries, _) => entries.last().map(|entry| entry.value.span.end.max(entry.key.span.end)),
        };
        // A block collection ends where its last element ends, not where the next token begins.
        let end = if frame.flow { end } else { last.unwrap_or(end).max(frame.start).min(end) };
        let span = Span::new(self.source, frame.start, end);
        let content = match frame.content {
            Content::List(items) => Container::List(items),
            Content::Map(entries, _) => Container::Map(entries),
        };
        let made = tags::container(frame.tag.as_deref(), content, span, self.options, &mut self.warnings, &mut self.merged);
        let node = made.map_err(Trouble::Construct)?;
        self.unsafe_depth -= usize::from(frame.marks_unsafe);
        self.finish_anchor(frame.anchor, &node);
        self.add(node, Role::Key)?;
        Ok(None)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, role: Role) -> Result<(), Trouble> {
        let as_value = |node: &Node, role: Role| match role {
            Role::Merge => Err(Trouble::Construct(tags::no_constructor("tag:yaml.org,2002:merge", &node.span))),
            Role::Default => Err(Trouble::Construct(tags::no_constructor("tag:yaml.org,2002:value", &node.span))),
            Role::Key => Ok(()),
        };
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => {
                as_value(&node, role)?;
                self.document = Some((node, self.document_start));
            }
            Some(Content::List(items)) => {
                as_value(&node, role)?;
                items.push(node);
            }
            Some(Content::Map(entries, key)) => match key.take() {
                None => *key = Some((node, role)),
                Some((key, key_role)) => {
                    as_value(&node, role)?;
                    entries.push(Entry { key, value: node, role: key_role });
                }
            },
        }
        Ok(())
    }

    fn declare(&mut self, anchor: &Option<String>, at: usize) -> Result<(), Trouble> {
        let Some(name) = anchor else { return Ok(()) };
        if let Some((first, _)) = self.anchors.get(name) {
            let problem = Problem::new(format!("the anchor `&{name}` exists already"), at);
            return Trouble::compose(problem.context("it was first defined here", *first));
        }
        self.anchors.insert(name.clone(), (at, None));
        Ok(())
    }

    fn finish_anchor(&mut self, anchor: Option<String>, node: &Node) {
        if let Some(slot) = anchor.and_then(|name| self.anchors.get_mut(&name)) {
            slot.1 = Some(node.clone());
        }
    }

    fn alias(&self, name: &str, start: usize, end: usize) -> Result<Node, Trouble> {
        match self.anchors.get(name) {
            Some((_, Some(node))) => Ok(node.clone()),
            Some((at, None)) => {
                let span = Span::new(self.source, start, end);
                let inside = Span::new(self.source, *at, *at);
                Err(Trouble::Construct(Diagnostic::error(format!("`*{name}` refers to what it stands in")).at(&span).note_at("the anchor is here", &inside)))
            }
            None => Trouble::compose(Problem::new(format!("found undefined alias `*{name}`"), start)),
        }
    }

    fn scalar(&self, tag: Option<&str>, value: String, plain: bool, style: ScalarStyle, span: Span) -> Result<(Node, Role), Trouble> {
        let style = match style {
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
            _ => Style::Plain,
        };
        let mut role = Role::Key;
        let kind = match tag {
            None | Some("!") if plain => match resolve::resolve(&value) {
                Type::Str => self.text(value, style),
                Type::Merge => {
                    role = Role::Merge;
                    self.text(value, style)
                }
                Type::Default => {
                    role = Role::Default;
                    self.text(value, style)
                }
                kind => {
                    let made = resolve::construct(kind, &value).map_err(|message| Trouble::Construct(Diagnostic::error(message).at(&span)))?;
                    Kind::Scalar(made)
                }
            },
            None | Some("!") => self.text(value, style),
            Some("tag:yaml.org,2002:merge") => {
                role = Role::Merge;
                self.text(value, style)
            }
            Some(tag) => tags::scalar(tag, value, style, &span, self.options, self.unsafe_depth > 0).map_err(Trouble::Construct)?,
        };
        Ok((Node { kind, span }, role))
    }

    fn text(&self, value: String, style: Style) -> Kind {
        if self.unsafe_depth > 0 { Kind::Unsafe(value.into()) } else { Kind::Text(value.into(), style) }
    }
}
