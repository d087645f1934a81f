//! One compiled text: an inline template, a bare expression, or a template file.

use std::sync::Arc;

use minijinja::machinery::{ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::lower::{Lowering, Missing};
use super::options::FileOptions;
use super::place::Place;
use super::scan::{self, Scan};
use super::tree::{At, Expr, Stmt};
use super::{filters, tests};
use crate::diagnostic::Diagnostic;
use crate::value::Fault;

/// Which rules a text follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A template in YAML: backslashes in `{{ }}` mean themselves.
    Inline,
    /// A bare expression.
    Expression,
    /// A bare expression in `when` and its like, where constants that look like templates are rendered.
    Condition,
    /// A template file.
    File,
}

/// A compiled text.
#[derive(Debug)]
pub(super) struct Unit {
    pub body: Body,
    pub blocks: Vec<(Arc<str>, Arc<Vec<Stmt>>)>,
    pub place: Place,
    pub dialect: Dialect,
    pub newline: &'static str,
    /// How many line ends the text ends with: a text result gets them back.
    pub line_ends: usize,
    /// Filters and tests that do not exist.
    missing: Vec<(Missing, Arc<str>, At)>,
}

/// What was compiled.
#[derive(Debug)]
pub(super) enum Body {
    Template(Vec<Stmt>),
    Expression(Expr),
    /// A syntax error, raised when it is rendered.
    Broken(String, At),
}

/// True when a text may hold a template.
pub(super) fn is_template(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#')) || text.starts_with(HEADER)
}

/// The word that begins a line of overrides.
pub(super) const HEADER: &str = "#jinja2:";

impl Unit {
    /// Compiles a template that stands in YAML.
    pub(super) fn inline(text: &str, place: Place) -> Unit {
        Unit::template(text, place, Dialect::Inline, &FileOptions::default())
    }

    /// Compiles a constant of another template.
    pub(super) fn inner(text: &str, outer: Dialect) -> Unit {
        let dialect = if outer == Dialect::File { Dialect::File } else { Dialect::Inline };
        Unit::template(text, Place::Inner(None), dialect, &FileOptions::default())
    }

    /// Compiles a template; a `#jinja2:` line at its beginning changes the options.
    pub(super) fn template(text: &str, place: Place, dialect: Dialect, options: &FileOptions) -> Unit {
        let line_ends = text.len() - text.trim_end_matches('\n').len();
        let (skipped, options) = match options.with_header(text) {
            Ok(found) => found,
            Err(message) => return Unit::broken(message, At::default(), place, dialect),
        };
        let place = if skipped == 0 { place } else { moved(place, skipped) };
        let text = &text[skipped..];
        let scan = scan::template(text, &options.delimiters());
        let syntax = match options.syntax() {
            Ok(syntax) => syntax,
            Err(message) => return Unit::broken(message, At::default(), place, dialect),
        };
        let mut unit = Unit::parsed(text, &scan, syntax, place, dialect);
        unit.newline = options.newline_sequence;
        unit.line_ends = line_ends;
        unit
    }

    fn parsed(text: &str, scan: &Scan, syntax: SyntaxConfig, place: Place, dialect: Dialect) -> Unit {
        let clean = String::from_utf8_lossy(&scan.text);
        let mut lowering = Unit::lowering(text, scan, dialect);
        match parse(&clean, "template", syntax) {
            Ok(ast::Stmt::Template(template)) => {
                let body = lowering.body(&template.children);
                Unit::finish(lowering, Body::Template(body), place)
            }
            Ok(_) => Unit::broken("the parser gave no template".into(), At::default(), place, dialect),
            Err(error) => Unit::broken(message_of(&error), place_of(&error, text), place, dialect),
        }
    }

    /// Compiles a bare expression.
    pub(super) fn expression(text: &str, place: Place, dialect: Dialect) -> Unit {
        let scan = scan::expression(text);
        let clean = String::from_utf8_lossy(&scan.text);
        let mut lowering = Unit::lowering(text, &scan, dialect);
        match parse_expr(&clean) {
            Ok(expr) => {
                let body = Body::Expression(lowering.expr(&expr));
                Unit::finish(lowering, body, place)
            }
            Err(error) => Unit::broken(message_of(&error), place_of(&error, text), place, dialect),
        }
    }

    fn lowering<'s>(source: &'s str, scan: &'s Scan, dialect: Dialect) -> Lowering<'s> {
        Lowering { source, scan, dialect, missing: Vec::new(), blocks: Vec::new(), names: Vec::new() }
    }

    fn finish(lowering: Lowering<'_>, body: Body, place: Place) -> Unit {
        let Lowering { dialect, missing, blocks, .. } = lowering;
        Unit { body, blocks, place, dialect, newline: "\n", line_ends: 0, missing }
    }

    fn broken(message: String, at: At, place: Place, dialect: Dialect) -> Unit {
        let body = Body::Broken(message, at);
        Unit { body, blocks: Vec::new(), place, dialect, newline: "\n", line_ends: 0, missing: Vec::new() }
    }

    /// What can be said against it without rendering it: syntax errors, and filters and tests that do not exist.
    pub(super) fn complaints(&self) -> Vec<Diagnostic> {
        let mut complaints = Vec::new();
        if let Body::Broken(message, at) = &self.body {
            complaints.push(self.complain(Diagnostic::error(self.syntax_message(message)), *at));
        }
        for (what, name, at) in &self.missing {
            let warning = match what {
                Missing::Filter => Diagnostic::warning(format!("no filter named '{name}'")).did_you_mean(name, filters::all_names()),
                Missing::Test => Diagnostic::warning(format!("no test named '{name}'")).did_you_mean(name, tests::all_names()),
            };
            complaints.push(self.complain(warning, *at));
        }
        complaints
    }

    fn complain(&self, diagnostic: Diagnostic, at: At) -> Diagnostic {
        match self.place.part(at) {
            Some(span) => diagnostic.at(&span),
            None => diagnostic,
        }
    }

    fn syntax_message(&self, message: &str) -> String {
        let what = match self.dialect {
            Dialect::Inline | Dialect::File => "template",
            Dialect::Expression | Dialect::Condition => "expression",
        };
        format!("Syntax error in {what}: {message}")
    }

    /// The error that a broken text raises.
    pub(super) fn syntax_fault(&self, message: &str, at: At) -> Fault {
        let fault = Fault::error(self.syntax_message(message));
        match self.place.part(at) {
            Some(span) => fault.at(&span),
            None => fault,
        }
    }
}

fn moved(place: Place, by: usize) -> Place {
    match place {
        Place::File(source, base) => Place::File(source, base + by),
        Place::Scalar { text, skipped, span } => Place::Scalar { text, skipped: skipped + by, span },
        inner @ Place::Inner(_) => inner,
    }
}

fn message_of(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_string)
}

fn place_of(error: &minijinja::Error, text: &str) -> At {
    let range = error.range().unwrap_or(0..text.len());
    At { start: range.start as u32, end: range.end.max(range.start + 1).min(text.len().max(1)) as u32 }
}

impl Unit {
    /// The one expression that the whole text is.
    pub(super) fn single(&self) -> Option<&Expr> {
        match &self.body {
            Body::Expression(expr) => Some(expr),
            Body::Template(body) => match &body[..] {
                [Stmt::Emit(expr)] => Some(expr),
                _ => None,
            },
            Body::Broken(..) => None,
        }
    }

    /// The one variable that the whole text is.
    pub(super) fn single_variable(&self) -> Option<&str> {
        match &self.single()?.kind {
            super::tree::ExprKind::Var(name) => Some(name),
            _ => None,
        }
    }
}
