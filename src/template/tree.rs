//! Our own syntax tree of a template: what minijinja's parser gives, owned, with names resolved and constants made.

use std::sync::Arc;

use super::env::{Filter, Test};
use super::unit::Unit;
use crate::value::Value;

/// A stretch of a template's text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct At {
    pub start: u32,
    pub end: u32,
}

impl At {
    /// From the beginning of this one to the end of the other one.
    pub(super) fn to(self, other: At) -> At {
        At { start: self.start, end: other.end.max(self.start) }
    }
}

/// An expression and where it stands.
#[derive(Debug)]
pub(super) struct Expr {
    pub kind: ExprKind,
    pub at: At,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum ExprKind {
    Const(Value),
    /// A text constant that is itself a template: still rendered in conditions and in the terms of lookups, with a warning.
    Embedded(Value, Arc<Unit>),
    Var(Arc<str>),
    Attr(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Slice>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Pos(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<Choice>),
    Filter(Box<FilterCall>),
    Test(Box<TestCall>),
    Call(Box<Call>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
}

/// `a[start:stop:step]`.
#[derive(Debug)]
pub(super) struct Slice {
    pub of: Expr,
    pub start: Option<Expr>,
    pub stop: Option<Expr>,
    pub step: Option<Expr>,
}

/// `yes if test else no`.
#[derive(Debug)]
pub(super) struct Choice {
    pub test: Expr,
    pub yes: Expr,
    pub no: Option<Expr>,
}

/// Operators with two operands that are always both evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// `input | name(args)`; without an input in `{% filter %}` and `{% set x | filter %}`, where the block's text is the input.
#[derive(Debug)]
pub(super) struct FilterCall {
    pub name: Arc<str>,
    pub input: Option<Expr>,
    pub args: Vec<Arg>,
    pub op: FilterOp,
}

/// How a filter is applied.
#[derive(Debug, Clone, Copy)]
pub(super) enum FilterOp {
    /// `default`, `d`: swallows undefined.
    Default,
    /// `mandatory`: fails on undefined with its own message.
    Mandatory,
    /// `length`, `count`: need no element.
    Length,
    /// One of the registry.
    Function(Filter),
    /// A test by its old filter form (`x | failed`).
    AsTest(Test),
    /// Not known.
    Missing,
}

/// `input is name(args)`.
#[derive(Debug)]
pub(super) struct TestCall {
    pub name: Arc<str>,
    pub input: Expr,
    pub args: Vec<Arg>,
    pub op: TestOp,
}

/// How a test is applied.
#[derive(Debug, Clone, Copy)]
pub(super) enum TestOp {
    Defined,
    Undefined,
    Function(Test),
    Missing,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub callee: Expr,
    pub args: Vec<Arg>,
}

/// One argument of a call.
#[derive(Debug)]
pub(super) enum Arg {
    Positional(Expr),
    Named(String, Expr),
    Spread(Expr),
    SpreadNamed(Expr),
}

/// What is assigned to.
#[derive(Debug)]
pub(super) enum Target {
    Name(Arc<str>),
    /// `ns.attribute`
    Attr(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

/// A statement.
#[derive(Debug)]
pub(super) enum Stmt {
    Text(Arc<str>),
    Emit(Expr),
    For(Arc<ForLoop>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Set(Target, Expr),
    SetBlock(Target, Option<Expr>, Vec<Stmt>),
    Scoped(Vec<Stmt>),
    FilterBlock(Expr, Vec<Stmt>),
    Block(Arc<str>),
    Extends(Expr),
    Include(Box<Include>),
    Import(Box<Import>),
    FromImport(Box<FromImport>),
    Macro(Arc<Macro>),
    CallBlock(Call, At, Arc<Macro>),
    Do(Expr),
    Break,
    Continue,
}

/// `{% for %}`.
#[derive(Debug)]
pub(super) struct ForLoop {
    pub target: Target,
    pub iter: Expr,
    pub filter: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
    /// The body or the filter reads `loop`.
    pub reads_loop: bool,
}

/// `{% include %}`.
#[derive(Debug)]
pub(super) struct Include {
    pub name: Expr,
    pub ignore_missing: bool,
    pub with_context: bool,
}

/// `{% import x as y %}`.
#[derive(Debug)]
pub(super) struct Import {
    pub file: Expr,
    pub name: Arc<str>,
    pub with_context: bool,
}

/// `{% from x import y as z %}`.
#[derive(Debug)]
pub(super) struct FromImport {
    pub file: Expr,
    pub names: Vec<(Arc<str>, Arc<str>)>,
    pub with_context: bool,
}

/// `{% macro %}`, and the body of `{% call %}`.
#[derive(Debug)]
pub(super) struct Macro {
    pub name: Arc<str>,
    pub params: Vec<Arc<str>>,
    /// Defaults of the last parameters.
    pub defaults: Vec<Expr>,
    pub body: Vec<Stmt>,
    pub reads_varargs: bool,
    pub reads_kwargs: bool,
    pub reads_caller: bool,
}
