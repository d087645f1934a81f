//! Equality and order, as Python has them.

use std::cmp::Ordering;

use super::{Fault, Value};

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Omit, Value::Omit) => true,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::Dict(a), Value::Dict(b)) => a == b,
            (Value::Date(a, x), Value::Date(b, y)) => match (x, y) {
                (Some(x), Some(y)) => *a - *x == *b - *y,
                _ => a == b && x == y,
            },
            (Value::Undefined(_), Value::Undefined(_)) => true,
            (Value::Unknown(a), Value::Unknown(b)) => a == b,
            (Value::Object(a), b) => a.resolve().is_ok_and(|a| a == *b),
            (a, Value::Object(b)) => b.resolve().is_ok_and(|b| *a == b),
            (Value::Float(a), Value::Float(b)) => a == b,
            (a, b) => match (number(a), number(b)) {
                (Some(Number::Int(a)), Some(Number::Int(b))) => a == b,
                (Some(a), Some(b)) => a.float() == b.float(),
                _ => false,
            },
        }
    }
}

enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    fn float(&self) -> f64 {
        match self {
            Number::Int(n) => *n as f64,
            Number::Float(f) => *f,
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Int(n) => Some(Number::Int(*n)),
        Value::Bool(b) => Some(Number::Int(i128::from(*b))),
        Value::Float(f) => Some(Number::Float(*f)),
        _ => None,
    }
}

/// Python's `<`: numbers with numbers, text with text, lists with lists; anything else is its error, in its words (`op` is the operator shown).
///
/// # Errors
/// Types that Python does not order.
pub fn compare(a: &Value, b: &Value, op: &str) -> Result<Ordering, Fault> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Ok(a.cmp(b)),
        (Value::Date(a, x), Value::Date(b, y)) if x.is_some() == y.is_some() => match (x, y) {
            (Some(x), Some(y)) => Ok((*a - *x).cmp(&(*b - *y))),
            _ => Ok(a.cmp(b)),
        },
        (Value::List(x), Value::List(y)) | (Value::Tuple(x), Value::Tuple(y)) => {
            for (a, b) in x.iter().zip(y.iter()) {
                if a != b {
                    return compare(a, b, op);
                }
            }
            Ok(x.len().cmp(&y.len()))
        }
        (Value::Object(object), other) => compare(&object.resolve()?, other, op),
        (other, Value::Object(object)) => compare(other, &object.resolve()?, op),
        (Value::Undefined(message), _) | (_, Value::Undefined(message)) => Err(Fault::undefined(message.to_string())),
        (Value::Unknown(reason), _) | (_, Value::Unknown(reason)) => Err(Fault::unknown(reason.to_string())),
        _ => match (number(a), number(b)) {
            (Some(Number::Int(a)), Some(Number::Int(b))) => Ok(a.cmp(&b)),
            (Some(a), Some(b)) => Ok(a.float().partial_cmp(&b.float()).unwrap_or(Ordering::Greater)),
            _ => Err(Fault::error(format!("'{op}' not supported between instances of '{}' and '{}'", a.type_name(), b.type_name()))),
        },
    }
}
