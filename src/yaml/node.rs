//! The tree that the loader gives.

use std::sync::Arc;

use crate::source::Span;
use crate::value::{Key, Value};

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'...'`
    Single,
    /// `"..."`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A node: what it is and where it stands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it was written.
    pub span: Span,
}

/// What a node is, after YAML 1.1's rules for plain scalars.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text that may be a template.
    Text(Arc<str>, Style),
    /// `!unsafe` text: never a template.
    Unsafe(Arc<str>),
    /// `!vault` text: still encrypted.
    Vault(Arc<str>),
    /// Null, boolean, number or date: never text, list or dictionary.
    Scalar(Value),
    /// A list.
    List(Arc<Vec<Node>>),
    /// A dictionary: keys in order of first appearance, values of the last, merges (`<<`) done.
    Map(Arc<Vec<Pair>>),
}

/// One entry of a dictionary.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The key, a scalar or text.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Text from elsewhere than a file (command line, INI inventory), at a given place.
    pub fn text(text: impl Into<Arc<str>>, span: Span) -> Node {
        Node { kind: Kind::Text(text.into(), Style::Plain), span }
    }

    /// The text, when it is text (also unsafe text).
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) | Kind::Unsafe(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, when it is a dictionary.
    pub fn as_map(&self) -> Option<&[Pair]> {
        match &self.kind {
            Kind::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The elements, when it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a dictionary's key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|pair| pair.key.as_str() == Some(name)).map(|pair| &pair.value)
    }

    /// True for `null`, `~` and nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }

    /// Python's name of the type.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Text(..) | Kind::Unsafe(_) | Kind::Vault(_) => "str",
            Kind::Scalar(value) => value.type_name(),
            Kind::List(_) => "list",
            Kind::Map(_) => "dict",
        }
    }

    /// What it is, in words: `a text`, `a list`, `nothing`...
    pub fn described(&self) -> &'static str {
        match &self.kind {
            Kind::Text(..) | Kind::Unsafe(_) => "a text",
            Kind::Vault(_) => "a vaulted text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a dictionary",
            Kind::Scalar(Value::Null) => "nothing",
            Kind::Scalar(Value::Bool(_)) => "a boolean",
            Kind::Scalar(Value::Date(..)) => "a date",
            Kind::Scalar(Value::Bytes(_)) => "binary data",
            Kind::Scalar(_) => "a number",
        }
    }

    /// Plain data: text as it stands, templates unrendered, vaulted text still encrypted.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Text(text, _) | Kind::Unsafe(text) | Kind::Vault(text) => Value::Str(text.clone()),
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Kind::Map(pairs) => pairs.iter().map(|pair| (pair.key.to_key(), pair.value.to_value())).collect(),
        }
    }

    /// The key that a scalar is. The loader lets no other node be a key; of any other it is the text.
    pub fn to_key(&self) -> Key {
        let value = self.to_value();
        Key::new(&value).unwrap_or_else(|_| Key::from(value.to_string()))
    }
}
