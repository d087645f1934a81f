//! Containers that render an element when it is first read.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use super::active::{self, Reads};
use super::context::{Context, alive, lock};
use super::finalize::finalize;
use super::templated::{Mapping, Sequence, Templated};
use crate::value::{Fault, FaultKind, Key, Object, Value};

/// A dictionary or list of an author, some of whose elements are templates.
pub(super) struct Lazy {
    elements: Elements,
    /// The elements that were rendered, by position.
    done: Mutex<HashMap<usize, (Value, Reads)>>,
    /// Weak, because the context's cache holds this value.
    context: Weak<Context>,
    /// What it is called: names its elements in errors.
    path: Arc<str>,
}

enum Elements {
    Map(Arc<Mapping>),
    List(Arc<Sequence>),
}

/// A lazy dictionary.
pub(super) fn map(entries: &Arc<Mapping>, context: &Arc<Context>) -> Value {
    lazy(Elements::Map(entries.clone()), context)
}

/// A lazy list.
pub(super) fn list(items: &Arc<Sequence>, context: &Arc<Context>) -> Value {
    lazy(Elements::List(items.clone()), context)
}

fn lazy(elements: Elements, context: &Arc<Context>) -> Value {
    let context = Arc::downgrade(context);
    Value::Object(Arc::new(Lazy { elements, done: Mutex::default(), context, path: active::path() }))
}

/// True when a value has parts that render themselves later in the context they were made in.
pub(super) fn is_lazy(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.as_any().is::<Lazy>(),
        Value::List(items) | Value::Tuple(items) => items.iter().any(is_lazy),
        Value::Dict(dict) => dict.values().any(is_lazy),
        _ => false,
    }
}

/// A lazy container as a plain one whose elements are rendered; nested ones stay lazy, undefined ones stay undefined.
///
/// # Errors
/// The rendering of an element failed.
pub(super) fn settle(value: Value) -> Result<Value, Fault> {
    let Value::Object(object) = &value else { return Ok(value) };
    let Some(lazy) = object.as_any().downcast_ref::<Lazy>() else { return Ok(value) };
    match &lazy.elements {
        Elements::Map(map) => {
            let entries = map.entries.iter().enumerate().map(|(i, (key, element))| Ok((key.clone(), lazy.element(i, element)?)));
            Ok(Value::dict(entries.collect::<Result<_, Fault>>()?))
        }
        Elements::List(list) => Ok(Value::list(lazy.items(list)?)),
    }
}

impl Lazy {
    fn element(&self, index: usize, element: &Templated) -> Result<Value, Fault> {
        if let Templated::Value(value, _) = element {
            return Ok(value.clone());
        }
        if let Some((value, reads)) = lock(&self.done).get(&index).cloned() {
            active::note_all(&reads);
            return Ok(value);
        }
        let context = alive(&self.context)?;
        let path = self.path_of(index);
        let (result, reads, _) = active::rendering(context.identity(), &path, element.span(), || element.render_lazy(&context));
        let value = match result {
            Ok(value) => value,
            Err(fault) if fault.kind == FaultKind::Undefined => context.undefined_by(fault.through(&path, element.span())),
            Err(fault) => return Err(fault.through(&path, element.span())),
        };
        lock(&self.done).insert(index, (value.clone(), reads));
        Ok(value)
    }

    fn path_of(&self, index: usize) -> String {
        match &self.elements {
            Elements::Map(map) => match map.entries.get_index(index) {
                Some((Key::Str(key), _)) if self.path.is_empty() => key.to_string(),
                Some((Key::Str(key), _)) => format!("{}.{key}", self.path),
                _ => format!("{}[...]", self.path),
            },
            Elements::List(_) => format!("{}[{index}]", self.path),
        }
    }

    fn items(&self, list: &Sequence) -> Result<Vec<Value>, Fault> {
        list.items.iter().enumerate().map(|(i, element)| self.element(i, element)).collect()
    }

    /// The error of an undefined element, with what made it so.
    fn finished(&self, value: &Value) -> Result<Value, Fault> {
        match (value, self.context.upgrade()) {
            (Value::Undefined(message), Some(context)) => Err(context.undefined_fault(message)),
            _ => finalize(value),
        }
    }
}

impl Object for Lazy {
    fn type_name(&self) -> &'static str {
        match self.elements {
            Elements::Map(_) => "dict",
            Elements::List(_) => "list",
        }
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        let found = match &self.elements {
            Elements::Map(map) => match key {
                Value::Str(name) => map.entries.get_full::<str>(name),
                other => match Key::new(other) {
                    Ok(key) => map.entries.get_full(&key),
                    Err(_) => None,
                },
            }
            .map(|(i, _, element)| (i, element)),
            Elements::List(list) => match key {
                Value::Int(n) => {
                    let index = if *n < 0 { *n + list.items.len() as i128 } else { *n };
                    usize::try_from(index).ok().and_then(|i| Some((i, list.items.get(i)?)))
                }
                _ => None,
            },
        };
        found.map(|(index, element)| self.element(index, element)).transpose()
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        match &self.elements {
            Elements::Map(map) => Ok(Some(map.entries.keys().map(Key::to_value).collect())),
            Elements::List(list) => self.items(list).map(Some),
        }
    }

    fn len(&self) -> Option<usize> {
        Some(match &self.elements {
            Elements::Map(map) => map.entries.len(),
            Elements::List(list) => list.items.len(),
        })
    }

    fn resolve(&self) -> Result<Value, Fault> {
        match &self.elements {
            Elements::Map(map) => {
                let mut dict = crate::value::Dict::with_capacity(map.entries.len());
                for (i, (key, element)) in map.entries.iter().enumerate() {
                    let value = self.finished(&self.element(i, element)?)?;
                    if !matches!(value, Value::Omit) {
                        dict.insert(key.clone(), value);
                    }
                }
                Ok(Value::dict(dict))
            }
            Elements::List(list) => {
                let items = self.items(list)?;
                let items = items.iter().map(|item| self.finished(item)).filter(|item| !matches!(item, Ok(Value::Omit)));
                Ok(Value::list(items.collect::<Result<_, _>>()?))
            }
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<lazy {} {}>", self.type_name(), self.path)
    }
}
