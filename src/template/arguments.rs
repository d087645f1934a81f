//! Arguments of filters, tests, functions and methods.

use crate::value::Value;

/// Positional and named arguments of one call.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// Positional ones, in order (without the filter's input).
    pub positional: Vec<Value>,
    /// Named ones, in order.
    pub named: Vec<(String, Value)>,
}
