//! YAML as ansible-core reads it (PyYAML over libyaml, YAML 1.1), with a span, a style and a tag on every node.

mod node;

pub use node::{Kind, Node, Pair, Style};
