//! What all formats of inventories do: make groups and hosts, set variables, complain.

use std::path::Path;
use std::sync::Arc;

use super::address;
use super::data::Data;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{Kind, Node};

/// Takes what a reader of a source finds.
pub(super) struct Builder<'a> {
    pub data: &'a mut Data,
    /// `always`, `never`, `ignore` or `silently` replace odd letters in names of groups.
    pub group_names: &'a str,
    /// The source, for hosts that are new.
    pub source: Option<Arc<Path>>,
    pub warnings: &'a mut Vec<Diagnostic>,
}

impl Builder<'_> {
    /// A warning; each text is kept once.
    pub fn warn(&mut self, warning: Diagnostic) {
        if self.warnings.iter().all(|w| w.message != warning.message) {
            self.warnings.push(warning);
        }
    }

    /// The name that a group gets.
    pub fn group_name(&mut self, name: &str, span: &Span) -> String {
        let odd = |(at, c): (usize, char)| !(c.is_alphanumeric() || c == '_') || (at == 0 && c.is_ascii_digit());
        if !name.char_indices().any(odd) {
            return name.to_string();
        }
        let replace = matches!(self.group_names, "always" | "silently");
        if matches!(self.group_names, "always" | "never") {
            let what = if replace { "automatically replaced" } else { "not replaced" };
            let warning = Diagnostic::warning(format!("Invalid characters were found in group names {} {what}", if replace { "and" } else { "but" }));
            self.warn(warning.at(span).help("names of groups are made of letters, digits and `_`, and do not begin with a digit"));
        }
        if replace { name.char_indices().map(|(at, c)| if odd((at, c)) { '_' } else { c }).collect() } else { name.to_string() }
    }

    /// The group of that name, new or not.
    pub fn group(&mut self, name: &str, span: &Span) -> Result<usize, Diagnostic> {
        if name.is_empty() {
            return Err(Diagnostic::error("invalid empty group name provided").at(span));
        }
        let name = self.group_name(name, span);
        Ok(self.data.add_group(&name))
    }

    /// The hosts that a pattern stands for, put into a group.
    pub fn hosts(&mut self, pattern: &str, group: usize, span: &Span) -> Result<Vec<usize>, Diagnostic> {
        let (names, port) = address::expand(pattern).map_err(|why| Diagnostic::error(why).at(span))?;
        names.iter().map(|name| self.host(name, group, port, span)).collect()
    }

    /// The host of that name, new or not, put into a group.
    pub fn host(&mut self, name: &str, group: usize, port: Option<u16>, span: &Span) -> Result<usize, Diagnostic> {
        if name.is_empty() {
            return Err(Diagnostic::error("invalid empty host name provided").at(span));
        }
        let (host, new) = self.data.add_host(name, self.source.as_ref());
        if let (Some(port), true) = (port, new) {
            let port = Node { kind: Kind::Scalar(Value::Int(port.into())), span: span.clone() };
            self.data.set_host_var(host, "ansible_port", port);
        }
        self.data.join(group, host);
        Ok(host)
    }

    /// Sets a variable of a host.
    pub fn host_var(&mut self, host: usize, name: &str, value: Node, span: &Span) {
        self.check_name(name, span);
        self.data.set_host_var(host, name, value);
    }

    /// Sets a variable of a group.
    pub fn group_var(&mut self, group: usize, name: &str, value: Node, span: &Span) -> Result<(), Diagnostic> {
        self.check_name(name, span);
        self.data.set_group_var(group, name, value)
    }

    fn check_name(&mut self, name: &str, span: &Span) {
        if !is_variable_name(name) {
            self.warn(Diagnostic::warning(format!("accepting inventory variable with invalid name '{name}'")).at(span));
        }
    }
}

/// True for what can be the name of a variable: letters, digits and `_`, no digit first, none of Python's keywords.
pub fn is_variable_name(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letters && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && !KEYWORDS.contains(&name)
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for",
    "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
