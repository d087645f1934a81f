//! Python's methods of text, lists and dictionaries.

use super::{Arguments, Env};
use crate::value::{Fault, Value};

/// Calls a method of a value; `None` when there is none of that name.
///
/// # Errors
/// Its arguments do not fit.
pub fn call_method(_target: &Value, _name: &str, _args: Arguments, _env: &dyn Env) -> Result<Option<Value>, Fault> {
    Ok(None)
}
