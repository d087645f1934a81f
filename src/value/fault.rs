//! Why a value cannot be had.

use std::fmt;

use crate::source::Span;

/// The three ways in which an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Something undefined was used: `default` swallows it.
    Undefined,
    /// Check mode cannot know: the expression is unknown, which is no failure.
    Unknown,
    /// Anything else: never swallowed.
    Error,
}

/// Why a value cannot be had, and on which way it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Which of the three.
    pub kind: FaultKind,
    /// Ansible's words where it has some.
    pub message: String,
    /// Where in the text the innermost cause lies.
    pub span: Option<Span>,
    /// The variables that were being rendered, innermost first, and where each is defined.
    pub trail: Vec<(String, Option<Span>)>,
}

impl Fault {
    /// A use of something undefined.
    pub fn undefined(message: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Undefined, message: message.into(), span: None, trail: Vec::new() }
    }

    /// A use of something that check mode cannot know.
    pub fn unknown(reason: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Unknown, ..Fault::undefined(reason) }
    }

    /// Any other failure.
    pub fn error(message: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Error, ..Fault::undefined(message) }
    }

    /// Adds the place, unless it has one.
    pub fn at(mut self, span: &Span) -> Fault {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Adds the variable that was being rendered.
    pub fn through(mut self, variable: &str, defined: Option<&Span>) -> Fault {
        self.trail.push((variable.to_string(), defined.cloned()));
        self
    }

    /// True when something undefined was used.
    pub fn is_undefined(&self) -> bool {
        self.kind == FaultKind::Undefined
    }

    /// True when check mode cannot know.
    pub fn is_unknown(&self) -> bool {
        self.kind == FaultKind::Unknown
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
