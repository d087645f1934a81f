//! What an author's text compiles to: data, templates, and containers of both.

use std::sync::Arc;

use indexmap::IndexMap;

use super::context::Context;
use super::evaluate;
use super::finalize::finalize;
use super::lazy;
use super::place::Place;
use super::unit::{Unit, is_template};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Dict, Fault, Key, Value};
use crate::yaml::{Kind, Node};

/// What an author's text compiles to. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Templated {
    /// Holds no template.
    Value(Value, Option<Span>),
    /// Text that is a template.
    Text(Arc<Text>),
    /// Encrypted text, decrypted when it is rendered; what comes out is the author's text too.
    Vault(Arc<str>, Span),
    /// A list, some of whose elements are templates.
    List(Arc<Sequence>),
    /// A dictionary, some of whose values are templates.
    Map(Arc<Mapping>),
}

/// A compiled template and the text it was compiled from.
#[derive(Debug)]
pub struct Text {
    pub(super) unit: Arc<Unit>,
    pub(super) text: Arc<str>,
    pub(super) span: Span,
}

/// A list of which some elements are templates.
#[derive(Debug)]
pub struct Sequence {
    pub(super) items: Vec<Templated>,
    pub(super) span: Span,
}

/// A dictionary of which some values are templates.
#[derive(Debug)]
pub struct Mapping {
    pub(super) entries: IndexMap<Key, Templated>,
    pub(super) span: Span,
}

impl Templated {
    /// Compiles what the author wrote. It never fails: a syntax error is kept, and raised when the text is rendered.
    pub fn compile(node: &Node) -> Templated {
        match &node.kind {
            Kind::Text(text, _) => Templated::text(text, &node.span),
            Kind::Unsafe(text) => Templated::Value(Value::Str(text.clone()), Some(node.span.clone())),
            Kind::Vault(text) => Templated::Vault(text.clone(), node.span.clone()),
            Kind::Scalar(value) => Templated::Value(value.clone(), Some(node.span.clone())),
            Kind::List(items) => Templated::list(items.iter().map(Templated::compile).collect(), &node.span),
            Kind::Map(pairs) => Templated::map(pairs.iter().map(|p| (key_of(&p.key), Templated::compile(&p.value))).collect(), &node.span),
        }
    }

    /// Compiles the author's text that is no node: a joined argument, a part of a line.
    pub fn text(text: &Arc<str>, span: &Span) -> Templated {
        if !is_template(text) {
            return Templated::Value(Value::Str(text.clone()), Some(span.clone()));
        }
        let place = Place::Scalar { text: text.clone(), skipped: 0, span: span.clone() };
        let unit = Arc::new(Unit::inline(text, place));
        Templated::Text(Arc::new(Text { unit, text: text.clone(), span: span.clone() }))
    }

    /// A list; data when all its elements are.
    pub fn list(items: Vec<Templated>, span: &Span) -> Templated {
        let plain = items.iter().map(|item| item.plain().cloned()).collect::<Option<Vec<_>>>();
        match plain {
            Some(values) => Templated::Value(Value::list(values), Some(span.clone())),
            None => Templated::List(Arc::new(Sequence { items, span: span.clone() })),
        }
    }

    /// A dictionary; data when all its values are.
    pub fn map(entries: IndexMap<Key, Templated>, span: &Span) -> Templated {
        let plain = entries.iter().map(|(key, value)| Some((key.clone(), value.plain()?.clone()))).collect::<Option<Dict>>();
        match plain {
            Some(dict) => Templated::Value(Value::dict(dict), Some(span.clone())),
            None => Templated::Map(Arc::new(Mapping { entries, span: span.clone() })),
        }
    }

    /// Data: never rendered.
    pub fn value(value: Value) -> Templated {
        Templated::Value(value, None)
    }

    /// The data, when it holds no template.
    pub fn plain(&self) -> Option<&Value> {
        match self {
            Templated::Value(value, _) => Some(value),
            _ => None,
        }
    }

    /// True when it holds no template.
    pub fn is_static(&self) -> bool {
        matches!(self, Templated::Value(..))
    }

    /// Where it was written; data inside a container that is all data has no place of its own.
    pub fn span(&self) -> Option<&Span> {
        match self {
            Templated::Value(_, span) => span.as_ref(),
            Templated::Text(text) => Some(&text.span),
            Templated::Vault(_, span) => Some(span),
            Templated::List(list) => Some(&list.span),
            Templated::Map(map) => Some(&map.span),
        }
    }

    /// The author's text, when it is text and not encrypted.
    pub fn source_text(&self) -> Option<&str> {
        match self {
            Templated::Value(value, _) => value.as_str(),
            Templated::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The value of a dictionary's key, unrendered.
    pub fn get(&self, name: &str) -> Option<Templated> {
        match self {
            Templated::Value(value, _) => value.get(name).cloned().map(Templated::value),
            Templated::Map(map) => map.entries.get(name).cloned(),
            _ => None,
        }
    }

    /// The entries of a dictionary, unrendered, when it is one.
    pub fn as_map(&self) -> Option<Vec<(Key, Templated)>> {
        match self {
            Templated::Value(Value::Dict(dict), _) => Some(dict.iter().map(|(k, v)| (k.clone(), Templated::value(v.clone()))).collect()),
            Templated::Map(map) => Some(map.entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
            _ => None,
        }
    }

    /// The elements of a list, unrendered, when it is one.
    pub fn as_list(&self) -> Option<Vec<Templated>> {
        match self {
            Templated::Value(Value::List(items), _) => Some(items.iter().cloned().map(Templated::value).collect()),
            Templated::List(list) => Some(list.items.clone()),
            _ => None,
        }
    }

    /// Syntax errors, and warnings about filters and tests that do not exist, found without rendering.
    pub fn syntax_errors(&self) -> Vec<Diagnostic> {
        match self {
            Templated::Value(..) | Templated::Vault(..) => Vec::new(),
            Templated::Text(text) => text.unit.complaints(),
            Templated::List(list) => list.items.iter().flat_map(Templated::syntax_errors).collect(),
            Templated::Map(map) => map.entries.values().flat_map(Templated::syntax_errors).collect(),
        }
    }

    /// Plain data, rendered at any depth; elements that are `omit` are left out, a whole that is `omit` is [`Value::Omit`].
    ///
    /// # Errors
    /// Something used is undefined, unknown, or fails.
    pub fn render(&self, context: &Arc<Context>) -> Result<Value, Fault> {
        match self {
            // compiled from text: nothing in it is left to do
            Templated::Value(value, Some(_)) => return Ok(value.clone()),
            Templated::Value(value, None) => return finalize(value),
            _ => {}
        }
        match self.render_lazy(context)? {
            Value::Undefined(message) => Err(context.undefined_fault(&message)),
            value => finalize(&value).map_err(|fault| match self.span() {
                Some(span) => fault.at(span),
                None => fault,
            }),
        }
    }

    /// As [`Templated::render`], but the elements of a list are unknown each by itself: those stay [`Value::Unknown`].
    ///
    /// # Errors
    /// As there; unknown only when the list itself is.
    pub fn render_elements(&self, context: &Arc<Context>) -> Result<Value, Fault> {
        match self.render(context) {
            Err(fault) if fault.is_unknown() => elements(&self.render_lazy(context)?).unwrap_or(Err(fault)),
            rendered => rendered,
        }
    }

    /// The value, containers with elements that render themselves when they are read. It must not outlive the context.
    ///
    /// # Errors
    /// Something used is undefined, unknown, or fails.
    pub fn render_lazy(&self, context: &Arc<Context>) -> Result<Value, Fault> {
        match self {
            Templated::Value(value, _) => Ok(value.clone()),
            Templated::Text(text) => evaluate::unit(&text.unit, context),
            Templated::Vault(vaulted, span) => decrypted(vaulted, span, context),
            Templated::List(list) => Ok(lazy::list(list, context)),
            Templated::Map(map) => Ok(lazy::map(map, context)),
        }
    }
}

/// The elements of a list, unknown ones kept; `None` for what is no list.
fn elements(value: &Value) -> Option<Result<Value, Fault>> {
    let element = |found: Result<Value, Fault>| match found.and_then(|value| finalize(&value)) {
        Err(fault) if fault.is_unknown() => Ok(Value::Unknown(fault.message.into())),
        other => other,
    };
    let all: Result<Vec<Value>, Fault> = match value {
        Value::List(items) | Value::Tuple(items) => items.iter().map(|item| element(Ok(item.clone()))).collect(),
        Value::Object(object) if object.type_name() == "list" => {
            let get = |index: usize| object.get(&Value::from(index)).map(|found| found.unwrap_or(Value::Null));
            (0..object.len()?).map(|index| element(get(index))).collect()
        }
        _ => return None,
    };
    Some(all.map(Value::list))
}

fn decrypted(vaulted: &str, span: &Span, context: &Arc<Context>) -> Result<Value, Fault> {
    let text = context.scope().decrypt(vaulted).map_err(|message| Fault::error(message).at(span))?;
    crate::mask::remember(&text);
    if !is_template(&text) {
        return Ok(Value::Str(text.into()));
    }
    let unit = Arc::new(Unit::inline(&text, Place::Inner(Some(span.clone()))));
    evaluate::unit(&unit, context)
}

/// A key as it is: keys are never rendered.
fn key_of(node: &Node) -> Key {
    match &node.kind {
        Kind::Text(text, _) | Kind::Unsafe(text) | Kind::Vault(text) => Key::Str(text.clone()),
        Kind::Scalar(value) => Key::new(value).unwrap_or_else(|_| Key::from(value.to_string())),
        Kind::List(_) | Kind::Map(_) => Key::from(node.span.text()),
    }
}
