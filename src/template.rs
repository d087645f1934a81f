//! What an expression is worth for a host: Jinja as ansible-core 2.19 evaluates it.
//!
//! minijinja's parser gives the syntax tree; it is lowered once to our own ([`Templated`], [`Condition`]) and walked many times over
//! [`crate::value::Value`], which knows undefined, unknown, lazy and mutable values.

mod arguments;
mod env;
mod scope;

pub use arguments::Arguments;
pub use env::{Env, Filter, Lookup, Test};
pub use scope::{Scope, Variable};
