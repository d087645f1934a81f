//! What a variable, an expression or a result is worth: data, never a template.
//!
//! A [`Value`] is what Python would hold: its order, equality, truth and text are Python's. Text that the user wrote and that may be a
//! template is not a `Value` before it was rendered.

use std::fmt;
use std::sync::Arc;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use indexmap::IndexMap;

mod compare;
mod fault;
mod json;
mod key;
mod text;

pub use compare::compare;
pub use fault::{Fault, FaultKind};
pub use json::{dumps, from_json, to_json};
pub use key::Key;
pub use text::{float_text, repr, text};

/// A dictionary; the order is the order of insertion.
pub type Dict = IndexMap<Key, Value>;

/// The time of day that stands for "no time of day": Python's times stop at microseconds.
pub const DAY: NaiveTime = match NaiveTime::from_hms_nano_opt(0, 0, 0, 1) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// A piece of data.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`.
    Null,
    /// `True`, `False`.
    Bool(bool),
    /// Whole numbers, to 128 bits.
    Int(i128),
    /// Floating point numbers.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// Bytes that are not text.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A tuple: a list in any output, but not equal to one.
    Tuple(Arc<Vec<Value>>),
    /// A dictionary.
    Dict(Arc<Dict>),
    /// A date with time, with or without an offset.
    Date(NaiveDateTime, Option<FixedOffset>),
    /// Something that makes its parts when they are asked for (hostvars, variables that hold templates).
    Object(Arc<dyn Object>),
    /// Not defined, with the message that a use of it fails with.
    Undefined(Arc<str>),
    /// Check mode cannot know it, with the reason. Using it makes the whole expression unknown.
    Unknown(Arc<str>),
    /// `omit`: the argument that gets it is left out.
    Omit,
}

/// A lazy mapping or sequence, or something callable that the template engine knows.
pub trait Object: fmt::Debug + Send + Sync {
    /// Python's name of the type it stands for: `dict`, `list`, `function`...
    fn type_name(&self) -> &'static str;

    /// The item or attribute of that name or index; `None` where there is none.
    ///
    /// # Errors
    /// The rendering of the element failed.
    fn get(&self, key: &Value) -> Result<Option<Value>, Fault>;

    /// The keys of a mapping, the elements of a sequence, in order; `None` when it cannot be iterated.
    ///
    /// # Errors
    /// The rendering of an element failed.
    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault>;

    /// How many elements it has; `None` when it has no length.
    fn len(&self) -> Option<usize>;

    /// True when it has no elements.
    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Plain data: everything in it rendered.
    ///
    /// # Errors
    /// The rendering of an element failed.
    fn resolve(&self) -> Result<Value, Fault>;

    /// For the layer that made it.
    fn as_any(&self) -> &dyn std::any::Any;
}

impl Value {
    /// A list of values.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// A dictionary.
    pub fn dict(dict: Dict) -> Value {
        Value::Dict(Arc::new(dict))
    }

    /// A calendar date without a time. It is midnight and one nanosecond, which no time of Python's can be.
    pub fn day(date: NaiveDate) -> Value {
        Value::Date(date.and_time(DAY), None)
    }

    /// The text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, when it is a list or a tuple.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The dictionary, when it is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The entry of that name of a plain dictionary.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_dict()?.get(name)
    }

    /// The whole number, also of a boolean or of a float without a fraction.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Bool(b) => Some(i128::from(*b)),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e30 => Some(*f as i128),
            _ => None,
        }
    }

    /// Python's truth. Lazy objects count as true when they have no length.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Null | Value::Undefined(_) => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(f) => *f != 0.0,
            Value::Str(s) => !s.is_empty(),
            Value::Bytes(b) => !b.is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.is_empty(),
            Value::Dict(dict) => !dict.is_empty(),
            Value::Object(object) => object.len() != Some(0),
            Value::Date(..) | Value::Unknown(_) | Value::Omit => true,
        }
    }

    /// Python's name of the type, as `type_debug` shows it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) | Value::Omit => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Date(date, _) if date.time() == DAY => "date",
            Value::Date(..) => "datetime",
            Value::Object(object) => object.type_name(),
            Value::Undefined(_) => "AnsibleUndefined",
            Value::Unknown(_) => "unknown",
        }
    }

    /// Plain data: lazy parts rendered, at any depth. Undefined parts fail, unknown parts make the whole unknown.
    ///
    /// # Errors
    /// A part is undefined, unknown or cannot be rendered.
    pub fn resolve(&self) -> Result<Value, Fault> {
        match self {
            Value::Object(object) => object.resolve(),
            Value::Undefined(message) => Err(Fault::undefined(message.to_string())),
            Value::Unknown(reason) => Err(Fault::unknown(reason.to_string())),
            Value::List(items) | Value::Tuple(items) => {
                if items.iter().all(Value::is_plain) && matches!(self, Value::List(_)) {
                    return Ok(self.clone());
                }
                Ok(Value::list(items.iter().map(Value::resolve).collect::<Result<_, _>>()?))
            }
            Value::Dict(dict) => {
                if dict.values().all(Value::is_plain) {
                    return Ok(self.clone());
                }
                let resolved = dict.iter().map(|(k, v)| Ok((k.clone(), v.resolve()?))).collect::<Result<Dict, Fault>>()?;
                Ok(Value::dict(resolved))
            }
            other => Ok(other.clone()),
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Value::Object(_) | Value::Undefined(_) | Value::Unknown(_) | Value::Tuple(_) => false,
            Value::List(items) => items.iter().all(Value::is_plain),
            Value::Dict(dict) => dict.values().all(Value::is_plain),
            _ => true,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n.into())
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Value {
        Value::Int(n as i128)
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(f)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::list(items)
    }
}

impl From<Dict> for Value {
    fn from(dict: Dict) -> Value {
        Value::dict(dict)
    }
}

impl FromIterator<(Key, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(entries: I) -> Value {
        Value::dict(entries.into_iter().collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self))
    }
}
