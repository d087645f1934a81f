//! One layer of variables, as written in one place.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::template::Templated;
use crate::value::Value;
use crate::yaml::{Node, Pair};

/// Variables of one origin, each compiled once.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    entries: IndexMap<Arc<str>, (Templated, Option<Span>)>,
}

impl Layer {
    /// The layer that a dictionary of variables is; null is an empty one.
    ///
    /// # Errors
    /// The node is no dictionary.
    pub fn from_node(node: &Node) -> Result<Layer, Diagnostic> {
        if node.is_null() {
            return Ok(Layer::default());
        }
        match node.as_map() {
            Some(pairs) => Ok(Layer::from_pairs(pairs)),
            None => Err(Diagnostic::error(format!("variables must be a dictionary, not a {}", node.type_name())).at(&node.span)),
        }
    }

    /// The layer that some entries of a dictionary are.
    pub fn from_pairs(pairs: &[Pair]) -> Layer {
        let mut layer = Layer::default();
        for pair in pairs {
            let name: Arc<str> = match pair.key.as_str() {
                Some(text) => text.into(),
                None => pair.key.span.text().trim().into(),
            };
            layer.insert(name, Templated::compile(&pair.value), Some(pair.key.span.clone()));
        }
        layer
    }

    /// The layer that variables of the inventory are.
    pub fn from_vars(vars: &crate::inventory::Vars) -> Layer {
        let mut layer = Layer::default();
        for (name, node) in vars {
            layer.insert(name.clone(), Templated::compile(node), Some(node.span.clone()));
        }
        layer
    }

    /// Adds a variable; a later one of the same name wins.
    pub fn insert(&mut self, name: Arc<str>, value: Templated, span: Option<Span>) {
        self.entries.insert(name, (value, span));
    }

    /// Adds a piece of data.
    pub fn insert_value(&mut self, name: &str, value: Value) {
        self.insert(name.into(), Templated::value(value), None);
    }

    /// A variable of this layer and where it is defined.
    pub fn get(&self, name: &str) -> Option<&(Templated, Option<Span>)> {
        self.entries.get(name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.keys()
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &(Templated, Option<Span>))> {
        self.entries.iter()
    }

    /// True when it defines nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds all of another layer, which wins.
    pub fn extend(&mut self, other: &Layer) {
        for (name, entry) in &other.entries {
            self.entries.insert(name.clone(), entry.clone());
        }
    }
}
