//! What an expression is worth for a host: Jinja as ansible-core 2.19 evaluates it.
//!
//! minijinja's parser gives the syntax tree; it is lowered once to our own ([`Templated`], [`Condition`]) and walked many times over
//! [`crate::value::Value`], which knows undefined, unknown, lazy and mutable values.

mod active;
mod arguments;
mod attribute;
mod call;
pub mod clock;
mod coerce;
mod condition;
mod context;
mod env;
mod evaluate;
mod file;
pub mod filters;
mod finalize;
mod functions;
mod lazy;
mod literal;
mod lookup;
pub mod lookups;
mod lower;
mod lower_stmt;
pub mod methods;
mod mutate;
mod objects;
mod operators;
mod options;
mod output;
mod place;
mod scan;
mod scope;
mod statements;
mod surroundings;
mod templated;
pub mod tests;
mod tree;
mod unit;

pub use active::reading;
pub use arguments::{Arguments, Signature, signature};
pub use condition::{Condition, evaluate, evaluate_at};
pub use context::Context;
pub use env::{Env, Filter, Lookup, Test};
pub use file::{FileTemplate, render_file};
pub use lookup::run_lookup;
pub use options::FileOptions;
pub use scope::{Scope, Variable};
pub use templated::{Mapping, Sequence, Templated, Text};

#[cfg(test)]
mod context_tests;
