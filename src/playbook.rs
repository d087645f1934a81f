//! Playbooks, roles and task files as a typed syntax tree; nothing is rendered, no host is reached.

mod ast;

pub use ast::*;
