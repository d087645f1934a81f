//! YAML as ansible-core reads it (PyYAML over libyaml, YAML 1.1), with a span, a style and a tag on every node.
//!
//! [`load`] reads a file of the user's, [`load_value`] plain data, [`dump()`] writes as PyYAML does.

mod build;
mod dump;
mod events;
mod json;
mod mapping;
mod node;
mod panics;
mod problem;
mod resolve;
mod tags;

use std::sync::Arc;

pub use dump::{DumpOptions, dump};
pub use node::{Kind, Node, Pair, Style};

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::Value;
use build::{Builder, Trouble};

/// What a key that is there twice leads to (`duplicate_dict_key` of the configuration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicateKeys {
    /// The last one counts, with a warning.
    #[default]
    Warn,
    /// The file is refused.
    Error,
    /// The last one counts.
    Ignore,
}

/// How a text is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Keys that are there twice.
    pub duplicate_keys: DuplicateKeys,
    /// A text that is JSON as a whole is read as JSON.
    pub json: bool,
    /// `!unsafe`, `!vault` and `!vault-encrypted` are known.
    pub ansible_tags: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { duplicate_keys: DuplicateKeys::default(), json: true, ansible_tags: true }
    }
}

/// A document and what is to be said about it.
#[derive(Debug)]
pub struct Loaded {
    /// The document; null when the file holds none.
    pub node: Node,
    /// Warnings, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a text that holds one document (or nothing, which is null).
///
/// # Errors
/// The text is no YAML, holds several documents, unknown tags, keys that cannot be keys, values that do not exist (month 13).
pub fn load(source: &Arc<Source>, options: &Options) -> Result<Loaded, Diagnostic> {
    if options.json
        && let Some(node) = json::read(source, options.ansible_tags)
    {
        return Ok(Loaded { node, warnings: Vec::new() });
    }
    let events = events::read(&source.text);
    let built = Builder::new(source, options).one(events.list);
    first_trouble(source, built, events.problem)
}

/// Reads a text that holds any number of documents.
///
/// # Errors
/// As [`load`].
pub fn load_all(source: &Arc<Source>, options: &Options) -> Result<Vec<Node>, Diagnostic> {
    let events = events::read(&source.text);
    let built = Builder::new(source, options).all(events.list);
    first_trouble(source, built, events.problem)
}

/// Reads plain data, as the filter `from_yaml` does: text in it is no template, Ansible's own tags are unknown.
///
/// # Errors
/// As [`load`].
pub fn load_value(text: &str) -> Result<Value, Diagnostic> {
    let options = Options { duplicate_keys: DuplicateKeys::Ignore, json: false, ansible_tags: false };
    Ok(load(&Source::new("<text>", text), &options)?.node.to_value())
}

/// Reads every document of a text as plain data, as the filter `from_yaml_all` does.
///
/// # Errors
/// As [`load`].
pub fn load_all_values(text: &str) -> Result<Vec<Value>, Diagnostic> {
    let options = Options { duplicate_keys: DuplicateKeys::Ignore, json: false, ansible_tags: false };
    Ok(load_all(&Source::new("<text>", text), &options)?.iter().map(Node::to_value).collect())
}

/// PyYAML composes while it parses and constructs afterwards; the same of several errors is reported here.
fn first_trouble<T>(source: &Arc<Source>, built: Result<T, Trouble>, problem: Option<events::Problem>) -> Result<T, Diagnostic> {
    match (built, problem) {
        (Err(Trouble::Compose(first)), _) | (_, Some(first)) => Err(problem::explain(source, &first)),
        (Err(Trouble::Construct(diagnostic)), None) => Err(diagnostic),
        (Ok(value), None) => Ok(value),
    }
}
