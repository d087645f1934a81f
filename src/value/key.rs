//! Keys of dictionaries: Python's equality and hash, so that 1, 1.0 and True are one key and "1" is another.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::Equivalent;

use super::{Fault, Value};

/// A key.
#[derive(Clone, Debug)]
pub enum Key {
    /// Text, the usual one.
    Str(Arc<str>),
    /// A whole number.
    Int(i128),
    /// A boolean, equal to 0 or 1.
    Bool(bool),
    /// A floating point number.
    Float(f64),
    /// `None`.
    Null,
    /// A tuple.
    Tuple(Vec<Key>),
    /// A date, by its text.
    Date(chrono::NaiveDateTime, Option<chrono::FixedOffset>),
}

impl Key {
    /// The key for a value.
    ///
    /// # Errors
    /// Lists and dictionaries are not hashable.
    pub fn new(value: &Value) -> Result<Key, Fault> {
        Ok(match value {
            Value::Str(text) => Key::Str(text.clone()),
            Value::Int(n) => Key::Int(*n),
            Value::Bool(b) => Key::Bool(*b),
            Value::Float(f) => Key::Float(*f),
            Value::Null => Key::Null,
            Value::Date(date, offset) => Key::Date(*date, *offset),
            Value::Tuple(items) => Key::Tuple(items.iter().map(Key::new).collect::<Result<_, _>>()?),
            Value::Undefined(message) => return Err(Fault::undefined(message.to_string())),
            Value::Unknown(reason) => return Err(Fault::unknown(reason.to_string())),
            other => return Err(Fault::error(format!("unhashable type: '{}'", other.type_name()))),
        })
    }

    /// The value that the key is.
    pub fn to_value(&self) -> Value {
        match self {
            Key::Str(text) => Value::Str(text.clone()),
            Key::Int(n) => Value::Int(*n),
            Key::Bool(b) => Value::Bool(*b),
            Key::Float(f) => Value::Float(*f),
            Key::Null => Value::Null,
            Key::Date(date, offset) => Value::Date(*date, *offset),
            Key::Tuple(items) => Value::Tuple(Arc::new(items.iter().map(Key::to_value).collect())),
        }
    }

    /// The text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Key::Str(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Key::Float(f) => Some(*f),
            Key::Int(n) => Some(*n as f64),
            Key::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => None,
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Key::Int(n) => Some(*n),
            Key::Bool(b) => Some(i128::from(*b)),
            Key::Float(f) if f.fract() == 0.0 && f.abs() < 1e30 => Some(*f as i128),
            _ => None,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::Str(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Key {
        Key::Str(text.into())
    }
}

impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Key {
        Key::Str(text)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Str(a), Key::Str(b)) => a == b,
            (Key::Null, Key::Null) => true,
            (Key::Tuple(a), Key::Tuple(b)) => a == b,
            (Key::Date(a, x), Key::Date(b, y)) => a == b && x == y,
            (a, b) => match (a.whole(), b.whole()) {
                (Some(m), Some(n)) => m == n,
                (None, None) => a.number().is_some() && a.number() == b.number(),
                _ => false,
            },
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Key::Str(text) => text.hash(state),
            Key::Null => 0u8.hash(state),
            Key::Tuple(items) => items.hash(state),
            Key::Date(date, _) => date.hash(state),
            number => match number.whole() {
                Some(n) => n.hash(state),
                None => number.number().unwrap_or(0.0).to_bits().hash(state),
            },
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Dict;

    #[test]
    fn keys_compare_as_in_python() {
        let mut dict = Dict::new();
        dict.insert(Key::Int(1), "int".into());
        dict.insert(Key::Bool(true), "bool".into());
        dict.insert(Key::Float(1.0), "float".into());
        dict.insert("1".into(), "text".into());
        assert_eq!(dict.len(), 2);
        assert_eq!(dict.get("1").and_then(Value::as_str), Some("text"));
        assert_eq!(dict.get(&Key::Int(1)).and_then(Value::as_str), Some("float"));
    }
}
