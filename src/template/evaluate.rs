//! Walks the syntax tree: expressions.

use std::sync::Arc;

use super::attribute;
use super::context::Context;
use super::lazy::settle;
use super::operators;
use super::output::Output;
use super::surroundings::Surroundings;
use super::tree::{Arg, At, Choice, Comparison, Expr, ExprKind, FilterCall, FilterOp, Slice, TestCall, TestOp};
use super::unit::{Body, Dialect, Unit};
use super::{Arguments, filters, functions};
use crate::diagnostic::Diagnostic;
use crate::value::{Fault, FaultKind, Key, Value};

/// What `a if b` is without an `else` when `b` is false: empty where it is used or written, and no value by itself.
pub(super) const NO_ELSE: &str = "the inline if-expression evaluated to false and no else section was defined.";

/// One rendering: the variables, the text, and the names that the text itself has bound.
pub(super) struct Evaluator<'c> {
    pub cx: &'c Arc<Context>,
    pub unit: Arc<Unit>,
    /// Names bound by `set`, `for`, macros...; the last frame is the innermost.
    pub frames: Vec<Vec<(Arc<str>, Value)>>,
    /// The blocks of the templates that extend one another, the most derived definition first.
    pub blocks: Vec<Block>,
    /// The template that this one extends, once `extends` was met.
    pub parent: Option<Arc<Unit>>,
    /// The block that is being rendered and which of its definitions, for `super()`.
    pub block: Option<(Arc<str>, usize)>,
    /// Reads no variables: an import without context.
    pub isolated: bool,
    /// Variables that a call has changed in place.
    pub touched: Vec<Arc<str>>,
    /// Calls inside calls.
    pub depth: usize,
}

/// All definitions of one block.
#[derive(Clone)]
pub(super) struct Block {
    pub name: Arc<str>,
    pub bodies: Vec<(Arc<Unit>, Arc<Vec<super::tree::Stmt>>)>,
}

/// Renders a compiled text.
///
/// # Errors
/// It cannot be compiled, or something in it fails.
pub(super) fn unit(unit: &Arc<Unit>, cx: &Arc<Context>) -> Result<Value, Fault> {
    let mut evaluator = Evaluator::new(cx, unit.clone());
    match &unit.body {
        Body::Broken(message, at) => Err(unit.syntax_fault(message, *at)),
        Body::Expression(expr) => evaluator.expr(expr),
        Body::Template(body) => {
            let mut out = Output::new(unit.newline);
            evaluator.template(body, &mut out)?;
            let value = out.native(cx)?;
            Ok(with_line_ends(value, unit))
        }
    }
}

/// Gives a text result the line ends back that the template ends with.
pub(super) fn with_line_ends(value: Value, unit: &Unit) -> Value {
    match &value {
        Value::Str(text) if unit.line_ends > 0 => {
            let has = text.len() - text.trim_end_matches('\n').len();
            if has >= unit.line_ends {
                return value;
            }
            let missing = unit.newline.repeat(unit.line_ends - has);
            Value::Str(format!("{text}{missing}").into())
        }
        _ => value,
    }
}

impl<'c> Evaluator<'c> {
    pub(super) fn new(cx: &'c Arc<Context>, unit: Arc<Unit>) -> Evaluator<'c> {
        Evaluator { cx, unit, frames: Vec::new(), blocks: Vec::new(), parent: None, block: None, isolated: false, touched: Vec::new(), depth: 0 }
    }

    pub(super) fn env(&self) -> Surroundings<'c> {
        Surroundings { cx: self.cx }
    }

    /// Adds the place of a part of this text to an error that has none.
    pub(super) fn place(&self, fault: Fault, at: At) -> Fault {
        if fault.span.is_some() {
            return fault;
        }
        match self.unit.place.part(at) {
            Some(span) => fault.at(&span),
            None => fault,
        }
    }

    /// A value that is used: neither undefined nor unknown.
    pub(super) fn used(&self, value: Value, at: At) -> Result<Value, Fault> {
        match value {
            // Jinja's own undefined: nothing, wherever it is used
            Value::Undefined(message) if &*message == NO_ELSE => Ok(Value::from("")),
            Value::Undefined(message) => Err(self.place(self.cx.undefined_fault(&message), at)),
            Value::Unknown(reason) => Err(self.place(Fault::unknown(reason.to_string()), at)),
            value => Ok(value),
        }
    }

    /// Evaluates an expression whose value is used.
    pub(super) fn operand(&mut self, expr: &Expr) -> Result<Value, Fault> {
        let value = self.expr(expr)?;
        self.used(value, expr.at)
    }

    /// Evaluates an expression whose truth is used.
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<bool, Fault> {
        Ok(self.operand(expr)?.is_true())
    }

    /// Evaluates an expression; what is not defined gives [`Value::Undefined`], which fails where it is used.
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Value, Fault> {
        match &expr.kind {
            ExprKind::Const(value) => Ok(value.clone()),
            ExprKind::Var(name) => self.variable(name).map_err(|fault| self.place(fault, expr.at)),
            ExprKind::Attr(of, name) => {
                let of = self.expr(of)?;
                attribute::attribute(&of, name).map_err(|fault| self.place(fault, expr.at))
            }
            ExprKind::Item(of, key) => self.item(of, key, expr.at),
            ExprKind::And(left, right) => {
                let value = self.operand(left)?;
                if value.is_true() { self.expr(right) } else { Ok(value) }
            }
            ExprKind::Or(left, right) => {
                let value = self.operand(left)?;
                if value.is_true() { Ok(value) } else { self.expr(right) }
            }
            ExprKind::Not(inner) => Ok(Value::Bool(!self.truth(inner)?)),
            ExprKind::Neg(inner) => self.unary(inner, expr.at, operators::negative),
            ExprKind::Pos(inner) => self.unary(inner, expr.at, operators::positive),
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                operators::binary(*op, &left, &right).map_err(|fault| self.place(fault, expr.at))
            }
            ExprKind::Compare(left, rest) => self.comparison(left, rest, expr.at),
            ExprKind::If(choice) => self.choice(choice),
            ExprKind::Filter(filter) => self.filter(filter, None, expr.at),
            ExprKind::Test(test) => self.test(test, expr.at),
            ExprKind::Call(call) => self.call(call, expr.at),
            ExprKind::Slice(slice) => self.slice(slice, expr.at),
            ExprKind::List(items) => Ok(Value::list(items.iter().map(|e| self.expr(e)).collect::<Result<_, _>>()?)),
            ExprKind::Tuple(items) => Ok(Value::Tuple(Arc::new(items.iter().map(|e| self.expr(e)).collect::<Result<_, _>>()?))),
            ExprKind::Dict(entries) => self.dict(entries),
            ExprKind::Embedded(text, inner) => self.embedded(text, inner, expr.at),
        }
    }

    pub(super) fn variable(&mut self, name: &Arc<str>) -> Result<Value, Fault> {
        if let Some(value) = self.bound(name) {
            return Ok(value.clone());
        }
        if !self.isolated
            && let Some(value) = self.cx.get(name)?
        {
            return Ok(value);
        }
        Ok(functions::global(name, self.cx).unwrap_or_else(|| Value::Undefined(format!("'{name}' is undefined").into())))
    }

    /// A name that the text itself has bound.
    pub(super) fn bound(&self, name: &str) -> Option<&Value> {
        self.frames.iter().rev().find_map(|frame| frame.iter().rev().find(|(bound, _)| &**bound == name).map(|(_, value)| value))
    }

    fn item(&mut self, of: &Expr, key: &Expr, at: At) -> Result<Value, Fault> {
        let of = self.expr(of)?;
        let key = self.operand(key)?;
        attribute::item(&of, &key).map_err(|fault| self.place(fault, at))
    }

    fn unary(&mut self, inner: &Expr, at: At, apply: fn(&Value) -> Result<Value, Fault>) -> Result<Value, Fault> {
        let value = self.operand(inner)?;
        apply(&value).map_err(|fault| self.place(fault, at))
    }

    fn comparison(&mut self, left: &Expr, rest: &[(Comparison, Expr)], at: At) -> Result<Value, Fault> {
        let mut left = self.operand(left)?;
        for (op, right) in rest {
            let right = self.operand(right)?;
            if !operators::compared(*op, &left, &right).map_err(|fault| self.place(fault, at))? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn choice(&mut self, choice: &Choice) -> Result<Value, Fault> {
        if self.truth(&choice.test)? {
            return self.expr(&choice.yes);
        }
        match &choice.no {
            Some(no) => self.expr(no),
            None => Ok(Value::Undefined(NO_ELSE.into())),
        }
    }

    fn dict(&mut self, entries: &[(Expr, Expr)]) -> Result<Value, Fault> {
        let mut dict = crate::value::Dict::with_capacity(entries.len());
        for (key, value) in entries {
            let name = self.operand(key)?;
            let name = Key::new(&name).map_err(|fault| self.place(fault, key.at))?;
            dict.insert(name, self.expr(value)?);
        }
        Ok(Value::dict(dict))
    }

    fn slice(&mut self, slice: &Slice, at: At) -> Result<Value, Fault> {
        let of = self.expr(&slice.of)?;
        if matches!(of, Value::Undefined(_) | Value::Unknown(_)) {
            return Ok(of);
        }
        let mut bounds = [None, None, None];
        for (bound, expr) in bounds.iter_mut().zip([&slice.start, &slice.stop, &slice.step]) {
            *bound = expr.as_ref().map(|e| self.operand(e)).transpose()?;
        }
        let [start, stop, step] = &bounds;
        operators::slice(&settle(of)?, start.as_ref(), stop.as_ref(), step.as_ref()).map_err(|fault| self.place(fault, at))
    }

    /// A constant that looks like a template: conditions still render it.
    fn embedded(&mut self, text: &Value, inner: &Arc<Unit>, at: At) -> Result<Value, Fault> {
        if self.unit.dialect != Dialect::Condition {
            return Ok(text.clone());
        }
        self.render_constant(inner, at)
    }

    /// Renders a constant that is a template, with the warning that it should not be one.
    pub(super) fn render_constant(&mut self, inner: &Arc<Unit>, at: At) -> Result<Value, Fault> {
        let warning = Diagnostic::warning("Jinja constant strings should not contain embedded templates")
            .help("use the expression itself: `a_var == 42` instead of `\"{{ a_var }}\" == 42`");
        self.cx.warn(match self.unit.place.part(at) {
            Some(span) => warning.at(&span),
            None => warning,
        });
        unit(inner, self.cx).map_err(|fault| self.place(fault, at))
    }

    /// Applies a filter; `block` is the input of a filter block.
    pub(super) fn filter(&mut self, filter: &FilterCall, block: Option<Value>, at: At) -> Result<Value, Fault> {
        let input = match (&filter.input, block) {
            (Some(Expr { kind: ExprKind::Filter(inner), at }), Some(block)) => self.filter(inner, Some(block), *at)?,
            (Some(input), _) => self.expr(input)?,
            (None, block) => block.unwrap_or_else(|| Value::from("")),
        };
        let input_at = filter.input.as_ref().map_or(at, |input| input.at);
        match filter.op {
            FilterOp::Default => self.default(input, &filter.args, at),
            FilterOp::Mandatory => self.mandatory(input, &filter.args, at),
            FilterOp::Length => self.length(input, input_at, at),
            FilterOp::Missing => Err(self.place(Fault::error(format!("The filter plugin '{}' was not found.", filter.name)), at)),
            FilterOp::AsTest(test) => {
                let input = self.used(input, input_at)?;
                self.warn_old_filter(&filter.name, at);
                let args = self.arguments(&filter.args)?.unwrap_or_default();
                test(settle(input)?, args, &self.env()).map(Value::Bool).map_err(|fault| self.place(fault, at))
            }
            FilterOp::Function(function) => {
                let input = match input {
                    Value::Undefined(message) if &*message != NO_ELSE => return Ok(Value::Undefined(message)),
                    input => self.used(input, input_at)?,
                };
                let args = match self.arguments(&filter.args)? {
                    Ok(args) => settled(args)?,
                    Err(_) if filters::takes_undefined(&filter.name) => settled(self.any_arguments(&filter.args)?)?,
                    Err(undefined) => return Ok(undefined),
                };
                let result = function(settle(input)?, args, &self.env()).map_err(|fault| filters::named("filter", &filter.name, fault));
                self.outcome(result, at)
            }
        }
    }

    /// The result of a filter or call: undefined inside it is undefined outside.
    pub(super) fn outcome(&self, result: Result<Value, Fault>, at: At) -> Result<Value, Fault> {
        match result {
            Err(fault) if fault.kind == FaultKind::Undefined => Ok(self.cx.undefined_by(self.place(fault, at))),
            result => result.map_err(|fault| self.place(fault, at)),
        }
    }

    fn warn_old_filter(&self, name: &str, at: At) {
        let modern = match name {
            "success" => "succeeded",
            "change" => "changed",
            "failure" => "failed",
            "skip" => "skipped",
            "version_compare" => "version",
            other => other,
        };
        let warning = Diagnostic::warning(format!("using the test `{name}` as a filter is no longer possible in Ansible"))
            .help(format!("write `x is {modern}` instead of `x | {name}`"));
        self.cx.warn(match self.unit.place.part(at) {
            Some(span) => warning.at(&span),
            None => warning,
        });
    }

    /// `default(value='', boolean=false)`
    fn default(&mut self, input: Value, args: &[Arg], at: At) -> Result<Value, Fault> {
        let mut fallback = None;
        let mut boolean = None;
        for (i, arg) in args.iter().enumerate() {
            match (arg, i) {
                (Arg::Positional(e), 0) => fallback = Some(e),
                (Arg::Positional(e), 1) => boolean = Some(e),
                (Arg::Named(name, e), _) if name == "default_value" => fallback = Some(e),
                (Arg::Named(name, e), _) if name == "boolean" => boolean = Some(e),
                _ => return Err(self.place(Fault::error("default takes a value and `boolean`"), at)),
            }
        }
        let take = match &input {
            Value::Undefined(_) => true,
            Value::Unknown(reason) => return Err(self.place(Fault::unknown(reason.to_string()), at)),
            value => match boolean {
                Some(e) => self.truth(e)? && !value.is_true(),
                None => false,
            },
        };
        match (take, fallback) {
            (false, _) => Ok(input),
            (true, Some(e)) => self.expr(e),
            (true, None) => Ok(Value::from("")),
        }
    }

    fn mandatory(&mut self, input: Value, args: &[Arg], at: At) -> Result<Value, Fault> {
        let Value::Undefined(message) = &input else { return self.used(input, at) };
        let args = self.arguments(args)?.unwrap_or_default();
        let given = args.positional.first().or_else(|| args.named.iter().find(|(name, _)| name == "msg").map(|(_, value)| value));
        let text = match (given, undefined_name(message)) {
            (Some(given), _) => given.to_string(),
            (None, Some(name)) => format!("Mandatory variable '{name}' not defined."),
            (None, None) => "Mandatory variable not defined.".to_string(),
        };
        Err(self.place(filters::named("filter", "mandatory", Fault::error(text)), at))
    }

    fn length(&mut self, input: Value, input_at: At, at: At) -> Result<Value, Fault> {
        if let Value::Undefined(message) = &input
            && &**message != NO_ELSE
        {
            return Ok(input);
        }
        let input = self.used(input, input_at)?;
        operators::length(&input).map(Value::from).map_err(|fault| self.place(filters::named("filter", "length", fault), at))
    }

    fn test(&mut self, test: &TestCall, at: At) -> Result<Value, Fault> {
        let input = self.expr(&test.input)?;
        match test.op {
            TestOp::Defined | TestOp::Undefined => {
                if let Value::Unknown(reason) = &input {
                    return Err(self.place(Fault::unknown(reason.to_string()), at));
                }
                let undefined = matches!(input, Value::Undefined(_));
                Ok(Value::Bool(undefined == matches!(test.op, TestOp::Undefined)))
            }
            TestOp::Missing => Err(self.place(Fault::error(format!("The test plugin '{}' was not found.", test.name)), at)),
            TestOp::Function(function) => {
                let input = settle(self.used(input, test.input.at)?)?;
                let args = match self.arguments(&test.args)? {
                    Ok(args) => settled(args)?,
                    Err(undefined) => return self.used(undefined, at),
                };
                let result = function(input, args, &self.env()).map_err(|fault| filters::named("test", &test.name, fault));
                result.map(Value::Bool).map_err(|fault| self.place(fault, at))
            }
        }
    }

    /// Arguments of a call; the inner `Err` is the first that is undefined.
    pub(super) fn arguments(&mut self, args: &[Arg]) -> Result<Result<Arguments, Value>, Fault> {
        let arguments = self.any_arguments(args)?;
        let values = arguments.positional.iter().chain(arguments.named.iter().map(|(_, value)| value));
        for value in values {
            match value {
                Value::Undefined(message) if &**message != NO_ELSE => return Ok(Err(value.clone())),
                Value::Unknown(reason) => return Err(Fault::unknown(reason.to_string())),
                _ => {}
            }
        }
        Ok(Ok(arguments))
    }

    /// Arguments of a call, undefined ones among them.
    pub(super) fn any_arguments(&mut self, args: &[Arg]) -> Result<Arguments, Fault> {
        let mut out = Arguments::default();
        for arg in args {
            match arg {
                Arg::Positional(e) => out.positional.push(self.expr(e)?),
                Arg::Named(name, e) => out.named.push((name.clone(), self.expr(e)?)),
                Arg::Spread(e) => {
                    let value = self.operand(e)?;
                    out.positional.extend(operators::iterate(&value).map_err(|fault| self.place(fault, e.at))?);
                }
                Arg::SpreadNamed(e) => {
                    let value = settle(self.operand(e)?)?;
                    let Value::Dict(dict) = &value else {
                        let text = format!("argument after ** must be a mapping, not {}", value.type_name());
                        return Err(self.place(Fault::error(text), e.at));
                    };
                    out.named.extend(dict.iter().map(|(key, value)| (key.to_value().to_string(), value.clone())));
                }
            }
        }
        Ok(out)
    }
}

/// The name that an undefined value was asked for by.
fn undefined_name(message: &str) -> Option<&str> {
    let before = message.strip_suffix("' is undefined").and_then(|m| m.strip_prefix('\''));
    before.or_else(|| message.split_once(" has no attribute '").and_then(|(_, name)| name.strip_suffix('\'')))
}

/// Arguments whose lazy containers are plain ones.
pub(super) fn settled(args: Arguments) -> Result<Arguments, Fault> {
    Ok(Arguments {
        positional: args.positional.into_iter().map(settle).collect::<Result<_, _>>()?,
        named: args.named.into_iter().map(|(name, value)| Ok((name, settle(value)?))).collect::<Result<_, Fault>>()?,
    })
}
