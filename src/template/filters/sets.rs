//! Ansible's set theory. Python's sets have no order; ours keep that of the inputs.

use std::collections::HashSet;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::elements;
use crate::value::{Fault, Key, Value};

use super::ordering::distinct;

/// Two sequences, and membership in each: by hash where all elements are hashable.
struct Operands {
    a: Vec<Value>,
    b: Vec<Value>,
    keys: Option<(HashSet<Key>, HashSet<Key>)>,
}

impl Operands {
    fn new(input: &Value, args: Arguments, env: &dyn Env, function: &'static str) -> Result<Operands, Fault> {
        let [other] = args.bind(signature(function, 2, 1), ["b"])?;
        let other = other.unwrap_or(Value::Null);
        let a = elements(input, env)?;
        let b = elements(&other, env).map_err(|fault| {
            if fault.message.ends_with("not iterable") && function != "union" && !a.is_empty() {
                Fault::error(format!("argument of type '{}' is not iterable", other.type_name()))
            } else {
                fault
            }
        })?;
        Ok(Operands { keys: keys(&a).zip(keys(&b)), a, b })
    }

    fn in_a(&self, item: &Value) -> bool {
        self.keys.as_ref().map_or_else(|| self.a.contains(item), |(a, _)| Key::new(item).is_ok_and(|key| a.contains(&key)))
    }

    fn in_b(&self, item: &Value) -> bool {
        self.keys.as_ref().map_or_else(|| self.b.contains(item), |(_, b)| Key::new(item).is_ok_and(|key| b.contains(&key)))
    }

    fn distinct(&self, items: Vec<Value>) -> Value {
        if self.keys.is_none() {
            return Value::list(distinct(items));
        }
        let mut seen = HashSet::new();
        Value::list(items.into_iter().filter(|item| Key::new(item).map_or(true, |key| seen.insert(key))).collect())
    }
}

fn keys(items: &[Value]) -> Option<HashSet<Key>> {
    items.iter().map(|item| Key::new(item).ok()).collect()
}

/// `union`.
///
/// # Errors
/// Not iterable.
pub fn union(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let operands = Operands::new(&input, args, env, "union")?;
    Ok(operands.distinct(operands.a.iter().chain(&operands.b).cloned().collect()))
}

/// `intersect`.
///
/// # Errors
/// Not iterable.
pub fn intersect(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let operands = Operands::new(&input, args, env, "intersect")?;
    Ok(operands.distinct(operands.a.iter().filter(|item| operands.in_b(item)).cloned().collect()))
}

/// `difference`.
///
/// # Errors
/// Not iterable.
pub fn difference(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let operands = Operands::new(&input, args, env, "difference")?;
    Ok(operands.distinct(operands.a.iter().filter(|item| !operands.in_b(item)).cloned().collect()))
}

/// `symmetric_difference`.
///
/// # Errors
/// Not iterable.
pub fn symmetric_difference(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let operands = Operands::new(&input, args, env, "symmetric_difference")?;
    let only_a = operands.a.iter().filter(|item| !operands.in_b(item));
    let only_b = operands.b.iter().filter(|item| !operands.in_a(item));
    Ok(operands.distinct(only_a.chain(only_b).cloned().collect()))
}
