//! From minijinja's syntax tree to ours: expressions.

use std::sync::Arc;

use minijinja::machinery::{Span, ast};
use minijinja::value::{Value as Parsed, ValueKind};

use super::filters::{self, short_name};
use super::scan::Scan;
use super::tree::{Arg, At, Binary, Call, Choice, Comparison, Expr, ExprKind, FilterCall, FilterOp, Slice, TestCall, TestOp};
use super::unit::{self, Dialect, Unit};
use super::{literal, tests};
use crate::value::Value;

/// What does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Filter,
    Test,
}

/// What the lowering of one text knows.
pub(super) struct Lowering<'s> {
    pub source: &'s str,
    pub scan: &'s Scan,
    pub dialect: Dialect,
    /// Names of filters and tests that do not exist, with their places.
    pub missing: Vec<(Missing, Arc<str>, At)>,
    /// The blocks met so far.
    pub blocks: Vec<(Arc<str>, Arc<Vec<super::tree::Stmt>>)>,
    /// Names that were read, to see whether a body reads `loop` or `varargs`.
    pub names: Vec<Arc<str>>,
}

pub(super) fn at(span: Span) -> At {
    At { start: span.start_offset, end: span.end_offset }
}

impl Lowering<'_> {
    pub(super) fn expr(&mut self, expr: &ast::Expr<'_>) -> Expr {
        let span = at(expr.span());
        match expr {
            ast::Expr::Var(var) => self.variable(var.id, span),
            ast::Expr::Const(constant) => self.constant(&constant.value, span),
            ast::Expr::Slice(slice) => self.slice(slice, span),
            ast::Expr::UnaryOp(op) => self.unary(op, span),
            ast::Expr::BinOp(op) => self.binary(op),
            ast::Expr::Compare(compare) => self.compare(compare),
            ast::Expr::IfExpr(choice) => self.choice(choice),
            ast::Expr::Filter(filter) => self.filter(filter, span),
            ast::Expr::Test(test) => self.test(test, span),
            ast::Expr::GetAttr(get) => {
                let of = self.expr(&get.expr);
                let at = of.at.to(span);
                Expr { kind: ExprKind::Attr(Box::new(of), get.name.into()), at }
            }
            ast::Expr::GetItem(get) => {
                let of = self.expr(&get.expr);
                let at = of.at.to(span);
                let item = self.expr(&get.subscript_expr);
                Expr { kind: ExprKind::Item(Box::new(of), Box::new(item)), at }
            }
            ast::Expr::Call(call) => {
                let call = self.call(call);
                let at = call.callee.at.to(span);
                Expr { kind: ExprKind::Call(Box::new(call)), at }
            }
            ast::Expr::List(list) => self.collection(&list.items, span, Value::list, ExprKind::List),
            ast::Expr::Tuple(tuple) => self.collection(&tuple.items, span, |items| Value::Tuple(Arc::new(items)), ExprKind::Tuple),
            ast::Expr::Map(map) => {
                let entries = map.keys.iter().zip(&map.values).map(|(k, v)| (self.expr(k), self.expr(v))).collect();
                Expr { kind: ExprKind::Dict(entries), at: span }
            }
        }
    }

    fn variable(&mut self, name: &str, at: At) -> Expr {
        let name: Arc<str> = name.into();
        if !self.names.contains(&name) {
            self.names.push(name.clone());
        }
        Expr { kind: ExprKind::Var(name), at }
    }

    fn constant(&mut self, value: &Parsed, at: At) -> Expr {
        let value = match value.kind() {
            ValueKind::Bool => Value::Bool(value.is_true()),
            ValueKind::Number => number(value),
            ValueKind::String => return self.string(at),
            _ => Value::Null,
        };
        Expr { kind: ExprKind::Const(value), at }
    }

    /// Text constants are read from the author's own text: the parser saw them masked.
    fn string(&mut self, at: At) -> Expr {
        let raw = self.source.get(at.start as usize..at.end as usize).unwrap_or("");
        let in_variable = self.scan.variables.iter().any(|(start, end)| *start <= at.start && at.end <= *end);
        let escapes = match self.dialect {
            Dialect::Inline => !in_variable,
            Dialect::Expression | Dialect::Condition | Dialect::File => true,
        };
        let text: Arc<str> = literal::value(raw, escapes).into();
        let kind = if unit::is_template(&text) {
            let inner = Unit::inner(&text, self.dialect);
            ExprKind::Embedded(Value::Str(text), Arc::new(inner))
        } else {
            ExprKind::Const(Value::Str(text))
        };
        Expr { kind, at }
    }

    fn slice(&mut self, slice: &ast::Slice<'_>, span: At) -> Expr {
        let of = self.expr(&slice.expr);
        let at = of.at.to(span);
        let mut part = |part: &Option<ast::Expr<'_>>| part.as_ref().map(|e| self.expr(e));
        let slice = Slice { start: part(&slice.start), stop: part(&slice.stop), step: part(&slice.step), of };
        Expr { kind: ExprKind::Slice(Box::new(slice)), at }
    }

    fn unary(&mut self, op: &ast::UnaryOp<'_>, at: At) -> Expr {
        let inner = self.expr(&op.expr);
        let kind = match op.op {
            ast::UnaryOpKind::Not => return negate(inner, at),
            ast::UnaryOpKind::Neg if self.scan.plus.contains(&at.start) => ExprKind::Pos(Box::new(inner)),
            ast::UnaryOpKind::Neg => match inner.kind {
                ExprKind::Const(Value::Int(n)) => ExprKind::Const(Value::Int(-n)),
                ExprKind::Const(Value::Float(f)) => ExprKind::Const(Value::Float(-f)),
                _ => ExprKind::Neg(Box::new(inner)),
            },
        };
        Expr { kind, at }
    }

    fn binary(&mut self, op: &ast::BinOp<'_>) -> Expr {
        let left = self.expr(&op.left);
        let right = self.expr(&op.right);
        let at = left.at.to(right.at);
        let compare = |left, op, right| ExprKind::Compare(Box::new(left), vec![(op, right)]);
        let plain = |op, left, right| ExprKind::Binary(op, Box::new(left), Box::new(right));
        let kind = match op.op {
            ast::BinOpKind::Eq => compare(left, Comparison::Eq, right),
            ast::BinOpKind::Ne => compare(left, Comparison::Ne, right),
            ast::BinOpKind::Lt => compare(left, Comparison::Lt, right),
            ast::BinOpKind::Lte => compare(left, Comparison::Le, right),
            ast::BinOpKind::Gt => compare(left, Comparison::Gt, right),
            ast::BinOpKind::Gte => compare(left, Comparison::Ge, right),
            ast::BinOpKind::In => compare(left, Comparison::In, right),
            ast::BinOpKind::ScAnd => ExprKind::And(Box::new(left), Box::new(right)),
            ast::BinOpKind::ScOr => ExprKind::Or(Box::new(left), Box::new(right)),
            ast::BinOpKind::Add => plain(Binary::Add, left, right),
            ast::BinOpKind::Sub => plain(Binary::Sub, left, right),
            ast::BinOpKind::Mul => plain(Binary::Mul, left, right),
            ast::BinOpKind::Div => plain(Binary::Div, left, right),
            ast::BinOpKind::FloorDiv => plain(Binary::FloorDiv, left, right),
            ast::BinOpKind::Rem => plain(Binary::Rem, left, right),
            ast::BinOpKind::Pow => plain(Binary::Pow, left, right),
            ast::BinOpKind::Concat => plain(Binary::Concat, left, right),
        };
        Expr { kind, at }
    }

    fn compare(&mut self, compare: &ast::Compare<'_>) -> Expr {
        let left = self.expr(&compare.expr);
        let ops: Vec<_> = compare.ops.iter().map(|op| (comparison(op.op), self.expr(&op.expr))).collect();
        let at = ops.last().map_or(left.at, |(_, last)| left.at.to(last.at));
        Expr { kind: ExprKind::Compare(Box::new(left), ops), at }
    }

    fn choice(&mut self, choice: &ast::IfExpr<'_>) -> Expr {
        let yes = self.expr(&choice.true_expr);
        let test = self.expr(&choice.test_expr);
        let no = choice.false_expr.as_ref().map(|e| self.expr(e));
        let at = yes.at.to(no.as_ref().map_or(test.at, |no| no.at));
        Expr { kind: ExprKind::If(Box::new(Choice { test, yes, no })), at }
    }

    fn filter(&mut self, filter: &ast::Filter<'_>, span: At) -> Expr {
        let input = filter.expr.as_ref().map(|e| self.expr(e));
        let args = self.args(&filter.args);
        let name: Arc<str> = filter.name.into();
        let op = filter_op(&name);
        if matches!(op, FilterOp::Missing) {
            self.missing.push((Missing::Filter, name.clone(), span));
        }
        let at = input.as_ref().map_or(span, |input| input.at.to(span));
        Expr { kind: ExprKind::Filter(Box::new(FilterCall { name, input, args, op })), at }
    }

    fn test(&mut self, test: &ast::Test<'_>, span: At) -> Expr {
        let input = self.expr(&test.expr);
        let args = self.args(&test.args);
        let name: Arc<str> = test.name.into();
        let op = test_op(&name);
        if matches!(op, TestOp::Missing) {
            self.missing.push((Missing::Test, name.clone(), span));
        }
        let at = input.at.to(span);
        Expr { kind: ExprKind::Test(Box::new(TestCall { name, input, args, op })), at }
    }

    pub(super) fn call(&mut self, call: &ast::Call<'_>) -> Call {
        Call { callee: self.expr(&call.expr), args: self.args(&call.args) }
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> Vec<Arg> {
        let lowered = args.iter().map(|arg| match arg {
            ast::CallArg::Pos(e) => Arg::Positional(self.expr(e)),
            ast::CallArg::Kwarg(name, e) => Arg::Named((*name).to_string(), self.expr(e)),
            ast::CallArg::PosSplat(e) => Arg::Spread(self.expr(e)),
            ast::CallArg::KwargSplat(e) => Arg::SpreadNamed(self.expr(e)),
        });
        lowered.collect()
    }

    /// A list or tuple; made once when all its elements are constants.
    fn collection(&mut self, items: &[ast::Expr<'_>], at: At, make: fn(Vec<Value>) -> Value, build: fn(Vec<Expr>) -> ExprKind) -> Expr {
        let items: Vec<Expr> = items.iter().map(|e| self.expr(e)).collect();
        let constant = |e: &Expr| match &e.kind {
            ExprKind::Const(value) => Some(value.clone()),
            _ => None,
        };
        let kind = match items.iter().map(constant).collect::<Option<Vec<_>>>() {
            Some(values) => ExprKind::Const(make(values)),
            None => build(items),
        };
        Expr { kind, at }
    }
}

fn negate(inner: Expr, at: At) -> Expr {
    match inner.kind {
        // `a not in b` reaches us as `not (a in b)`
        ExprKind::Compare(left, mut ops) if ops.len() == 1 && ops[0].0 == Comparison::In => {
            ops[0].0 = Comparison::NotIn;
            Expr { kind: ExprKind::Compare(left, ops), at: inner.at }
        }
        kind => Expr { kind: ExprKind::Not(Box::new(Expr { kind, at: inner.at })), at },
    }
}

fn number(value: &Parsed) -> Value {
    match (value.is_integer(), i128::try_from(value.clone())) {
        (true, Ok(n)) => Value::Int(n),
        _ => Value::Float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
    }
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Eq,
        ast::CompareOpKind::Ne => Comparison::Ne,
        ast::CompareOpKind::Lt => Comparison::Lt,
        ast::CompareOpKind::Lte => Comparison::Le,
        ast::CompareOpKind::Gt => Comparison::Gt,
        ast::CompareOpKind::Gte => Comparison::Ge,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}

/// How a filter of that name is applied.
pub(super) fn filter_op(name: &str) -> FilterOp {
    let short = short_name(name);
    match short {
        "default" | "d" => FilterOp::Default,
        "mandatory" => FilterOp::Mandatory,
        "length" | "count" => FilterOp::Length,
        _ => match (filters::find(name), old_test(short)) {
            (Some(filter), _) => FilterOp::Function(filter),
            (None, Some(test)) => FilterOp::AsTest(test),
            (None, None) => FilterOp::Missing,
        },
    }
}

/// Tests that Ansible before 2.9 also had as filters.
fn old_test(name: &str) -> Option<super::Test> {
    let known = ["failed", "changed", "success", "succeeded", "skipped", "change", "failure", "skip", "version_compare"];
    known.contains(&name).then(|| tests::find(name)).flatten()
}

/// How a test of that name is applied.
pub(super) fn test_op(name: &str) -> TestOp {
    let short = short_name(name);
    match short {
        "defined" => TestOp::Defined,
        "undefined" => TestOp::Undefined,
        _ => tests::find(name).map_or(TestOp::Missing, TestOp::Function),
    }
}
