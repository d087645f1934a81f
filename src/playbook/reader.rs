//! What all parts of the reader share: the diagnostics collected so far, keywords, lists, variables.

use std::path::PathBuf;

use super::keywords::{self, Row};
use super::{Keywords, Loaded, Names};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::yaml::{Kind, Node, Pair, Style};

/// Collects what is wrong while the tree is built, so that one run shows every mistake.
pub(super) struct Reader<'a> {
    pub names: &'a dyn Names,
    /// Folders with modules of the playbook's or role's own (`library`).
    pub libraries: Vec<PathBuf>,
    found: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(names: &'a dyn Names, libraries: Vec<PathBuf>) -> Reader<'a> {
        Reader { names, libraries, found: Vec::new() }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    pub(super) fn error(&mut self, message: impl Into<String>, span: &Span) {
        self.report(Diagnostic::error(message).at(span));
    }

    /// An old form that works, with the modern one.
    pub(super) fn old(&mut self, message: impl Into<String>, span: &Span, modern: impl Into<String>) {
        self.report(Diagnostic::warning(message).at(span).help(modern));
    }

    /// The value with its warnings, or everything that was said when there is an error among it.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<Loaded<T>, Vec<Diagnostic>> {
        let failed = self.found.iter().any(|found| found.severity == Severity::Error);
        match value {
            Some(value) if !failed => Ok(Loaded { value, warnings: self.found }),
            _ => Err(self.found),
        }
    }

    /// Reads a YAML file; what is wrong with it is reported.
    pub(super) fn file(&mut self, path: &std::path::Path) -> Option<Node> {
        let source = self.names.read(path).map_err(|error| self.report(error)).ok()?;
        let loaded = crate::yaml::load(&source, &self.names.yaml()).map_err(|error| self.report(error)).ok()?;
        self.found.extend(loaded.warnings);
        Some(loaded.node)
    }

    /// The text of a key; anything else is reported.
    pub(super) fn key<'n>(&mut self, pair: &'n Pair) -> Option<&'n str> {
        let key = pair.key.as_str();
        if key.is_none() {
            self.error(format!("a keyword is a text, this is {}", pair.key.described()), &pair.key.span);
        }
        key
    }

    /// A keyword that this place does not know.
    pub(super) fn unknown(&mut self, place: &str, places: u8, key: &Node) {
        let name = key.as_str().unwrap_or_default();
        let found = Diagnostic::error(format!("`{name}` is not a keyword of {place}")).at(&key.span);
        self.report(found.did_you_mean(name, keywords::names(places)));
    }

    /// Checks a keyword's value; a misfit is reported.
    pub(super) fn fits(&mut self, row: &Row, value: &Node) -> bool {
        match keywords::misfit(row.shape, value) {
            None => true,
            Some(wanted) => {
                self.error(format!("`{}` takes {wanted}, this is {}", row.name, value.described()), &value.span);
                false
            }
        }
    }

    /// Takes a keyword that plays, blocks, tasks and roles share, also in its old names; false when it is none of these.
    pub(super) fn shared(&mut self, into: &mut Keywords, name: &str, pair: &Pair) -> bool {
        let name = match name {
            "when" => {
                into.when.extend(conditions(&pair.value));
                return true;
            }
            "vars" => {
                if let Some(vars) = self.variables(&pair.value) {
                    into.vars = Some(vars);
                }
                return true;
            }
            "sudo" | "su" => self.old_become(name, "become", pair),
            "sudo_user" | "su_user" => self.old_become(name, "become_user", pair),
            name => name,
        };
        match keywords::slot(into, name) {
            Some(slot) => {
                *slot = Some(pair.value.clone());
                true
            }
            None => false,
        }
    }

    fn old_become(&mut self, old: &str, modern: &'static str, pair: &Pair) -> &'static str {
        let value = pair.value.span.text();
        self.old(format!("`{old}` is now `{modern}`"), &pair.key.span, format!("write `{modern}: {value}`"));
        modern
    }

    /// `vars`: a dictionary with names that can be names. A list of dictionaries is the old form.
    pub(super) fn variables(&mut self, node: &Node) -> Option<Node> {
        match &node.kind {
            Kind::Map(pairs) => {
                for pair in pairs.iter() {
                    self.variable_name(&pair.key);
                }
                Some(node.clone())
            }
            Kind::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                self.old("`vars` as a list of dictionaries is deprecated", &node.span, "write one dictionary");
                let mut merged: Vec<Pair> = Vec::new();
                for pair in items.iter().filter_map(Node::as_map).flatten() {
                    self.variable_name(&pair.key);
                    replace(&mut merged, pair.clone());
                }
                Some(Node { kind: Kind::Map(merged.into()), span: node.span.clone() })
            }
            Kind::Scalar(_) if node.is_null() => None,
            _ => {
                self.error(format!("`vars` takes a dictionary, this is {}", node.described()), &node.span);
                None
            }
        }
    }

    pub(super) fn variable_name(&mut self, key: &Node) {
        match key.as_str() {
            Some(name) if is_variable_name(name) => {}
            Some(name) => {
                let message = format!("`{name}` cannot be the name of a variable");
                self.report(Diagnostic::error(message).at(&key.span).help("letters, digits and `_`, no digit first, no word of Python's"));
            }
            None => self.error(format!("the name of a variable is a text, this is {}", key.described()), &key.span),
        }
    }

    /// A list; null is an empty one.
    pub(super) fn list<'n>(&mut self, name: &str, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.error(format!("`{name}` takes a list, this is {}", node.described()), &node.span);
                &[]
            }
        }
    }
}

/// One condition or several.
pub(super) fn conditions(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::List(items) => items.to_vec(),
        _ if node.is_null() => Vec::new(),
        _ => vec![node.clone()],
    }
}

/// Puts a pair in, replacing one of the same name.
pub(super) fn replace(pairs: &mut Vec<Pair>, pair: Pair) {
    match pairs.iter_mut().find(|old| old.key.to_key() == pair.key.to_key()) {
        Some(old) => *old = pair,
        None => pairs.push(pair),
    }
}

/// Text at the place of `node`, narrowed to where the word stands in it when that can be seen.
pub(super) fn part(node: &Node, word: &str) -> Span {
    let span = &node.span;
    match span.text().find(word.trim()) {
        Some(at) if !word.trim().is_empty() => Span::new(&span.source, span.start + at, span.start + at + word.trim().len()),
        _ => span.clone(),
    }
}

/// Text with the trust of the node that it comes from.
pub(super) fn text_like(node: &Node, text: &str) -> Node {
    let kind = match &node.kind {
        Kind::Unsafe(_) => Kind::Unsafe(text.into()),
        _ => Kind::Text(text.into(), Style::Plain),
    };
    Node { kind, span: part(node, text) }
}

/// True when the text can hold a template.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

const PYTHON_WORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for",
    "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// True for what Ansible lets be a variable: an identifier of Python's that is no word of the language.
pub fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !PYTHON_WORDS.contains(&name)
}
