//! `when`, `until`, `changed_when`, `failed_when`, `that`: an expression that must be true or false.

use std::sync::Arc;

use super::context::Context;
use super::evaluate::unit as rendered;
use super::place::Place;
use super::scope::Variable;
use super::tree::ExprKind;
use super::unit::{Body, Dialect, Unit};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Fault, Value};
use crate::yaml::{Kind, Node};

/// A condition, compiled.
#[derive(Debug, Clone)]
pub struct Condition {
    kind: Test,
    text: Arc<str>,
    span: Span,
}

#[derive(Debug, Clone)]
enum Test {
    Bool(bool),
    /// Nothing, a number, a list: true or false as Python has it, with a warning.
    Data(Value),
    Expression(Arc<Unit>),
    /// `{{ x }}`: the expression that it stands for, or that its text is.
    Template(Arc<Unit>),
    /// Braces inside an expression, taken as parentheses.
    Braces(Arc<Unit>),
}

const BRACES: &str = "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.";

impl Condition {
    /// Compiles a condition. It never fails: a syntax error is kept, and raised when it is evaluated.
    pub fn compile(node: &Node) -> Condition {
        let span = node.span.clone();
        let (kind, text) = match &node.kind {
            Kind::Scalar(Value::Bool(b)) => (Test::Bool(*b), Arc::from(node.span.text())),
            Kind::Text(text, _) => (Test::of_text(text, &span), text.clone()),
            Kind::Unsafe(text) | Kind::Vault(text) => (Test::Data(Value::Str(text.clone())), text.clone()),
            Kind::Scalar(value) => (Test::Data(value.clone()), Arc::from(node.span.text())),
            Kind::List(_) | Kind::Map(_) => {
                let data = if node.as_list().is_some_and(<[_]>::is_empty) || node.as_map().is_some_and(<[_]>::is_empty) {
                    Value::Null
                } else {
                    Value::list(vec![Value::Null])
                };
                (Test::Data(data), Arc::from(node.span.text()))
            }
        };
        Condition { kind, text, span }
    }

    /// Compiles several, which must all be true.
    pub fn compile_all(nodes: &[Node]) -> Vec<Condition> {
        nodes.iter().map(Condition::compile).collect()
    }

    /// Compiles a condition from text that is no node.
    pub fn from_text(text: &Arc<str>, span: &Span) -> Condition {
        Condition { kind: Test::of_text(text, span), text: text.clone(), span: span.clone() }
    }

    /// The conditions that an argument such as `that` holds: one, or a list of them.
    pub fn of_templated(templated: &super::Templated, outer: &Span) -> Vec<Condition> {
        let one = |part: &super::Templated| {
            let span = part.span().unwrap_or(outer).clone();
            match (part.source_text(), part.plain()) {
                (Some(text), _) => Condition::from_text(&Arc::from(text), &span),
                (None, Some(Value::Bool(b))) => Condition { kind: Test::Bool(*b), text: Arc::from(if *b { "true" } else { "false" }), span },
                (None, plain) => Condition { kind: Test::Data(plain.cloned().unwrap_or(Value::Null)), text: Arc::from(span.text()), span },
            }
        };
        match templated.as_list() {
            Some(parts) => parts.iter().map(one).collect(),
            None => vec![one(templated)],
        }
    }

    /// As results show it: the text, or the boolean.
    pub fn value(&self) -> Value {
        match &self.kind {
            Test::Bool(b) => Value::Bool(*b),
            Test::Data(value) => value.clone(),
            Test::Template(_) => self.text.trim().trim_start_matches("{{").trim_end_matches("}}").trim().into(),
            Test::Expression(_) | Test::Braces(_) => Value::Str(self.text.clone()),
        }
    }

    /// Where it was written.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self.kind, Test::Bool(true))
    }

    /// Syntax errors, and warnings about filters and tests that do not exist.
    pub fn syntax_errors(&self) -> Vec<Diagnostic> {
        match &self.kind {
            Test::Bool(_) | Test::Data(_) => Vec::new(),
            Test::Expression(unit) | Test::Template(unit) | Test::Braces(unit) => unit.complaints(),
        }
    }

    /// Whether it holds. What Ansible before 2.19 accepted is accepted, with a warning.
    ///
    /// # Errors
    /// Something used is undefined or fails; of kind unknown where check mode cannot tell.
    pub fn eval(&self, cx: &Arc<Context>, warn: &mut dyn FnMut(Diagnostic)) -> Result<bool, Fault> {
        let result = match &self.kind {
            Test::Bool(b) => return Ok(*b),
            Test::Data(Value::Null) => return Ok(self.empty(warn)),
            Test::Data(value) => Ok(value.clone()),
            Test::Expression(unit) => self.expression(unit, cx, warn),
            Test::Braces(unit) => {
                warn(Diagnostic::warning(BRACES).at(&self.span));
                self.expression(unit, cx, warn)
            }
            Test::Template(unit) => self.template(unit, cx, warn),
        };
        for warning in cx.take_warnings() {
            warn(warning);
        }
        match result.map_err(|fault| fault.at(&self.span))? {
            Value::Bool(b) => Ok(b),
            other => Ok(self.judged(&other, warn)),
        }
    }

    fn empty(&self, warn: &mut dyn FnMut(Diagnostic)) -> bool {
        warn(Diagnostic::warning("Empty conditional expression was evaluated as True.").at(&self.span));
        true
    }

    fn judged(&self, value: &Value, warn: &mut dyn FnMut(Diagnostic)) -> bool {
        let truth = value.is_true();
        let (shown, kind) = (Value::Bool(truth), value.type_name());
        let text = format!("Conditional result ({shown}) was derived from value of type '{kind}'. Conditionals must have a boolean result.");
        let help = match kind {
            "str" | "list" | "dict" | "tuple" => format!("write `{} | length > 0`, or `| bool` where the text says yes or no", self.text.trim()),
            "int" | "float" => format!("write `{} != 0`", self.text.trim()),
            _ => format!("write `{} is not none`", self.text.trim()),
        };
        warn(Diagnostic::warning(text).at(&self.span).help(help));
        truth
    }

    fn expression(&self, unit: &Arc<Unit>, cx: &Arc<Context>, warn: &mut dyn FnMut(Diagnostic)) -> Result<Value, Fault> {
        let value = used(rendered(unit, cx)?, cx)?;
        let (Value::Str(text), Body::Expression(expr)) = (&value, &unit.body) else { return Ok(value) };
        match &expr.kind {
            ExprKind::Var(name) => self.indirect(name, text, cx, warn).unwrap_or(Ok(value)),
            _ => Ok(value),
        }
    }

    /// A variable whose text is an expression; only the author's own text is evaluated.
    fn indirect(&self, name: &str, text: &str, cx: &Arc<Context>, warn: &mut dyn FnMut(Diagnostic)) -> Option<Result<Value, Fault>> {
        let Some(Variable::Template(written, defined)) = cx.scope().variable(name) else { return None };
        written.source_text()?;
        if text.trim().is_empty() {
            return None;
        }
        let span = defined.or_else(|| written.span().cloned());
        let unit = Arc::new(Unit::expression(text.trim(), Place::Inner(span), Dialect::Condition));
        let note = format!("the text of `{name}` was evaluated as a condition; Ansible 2.19 refuses this");
        warn(Diagnostic::warning(note).at(&self.span).help("make the variable a boolean, or write its expression here"));
        Some(rendered(&unit, cx).and_then(|value| used(value, cx)))
    }

    fn template(&self, unit: &Arc<Unit>, cx: &Arc<Context>, warn: &mut dyn FnMut(Diagnostic)) -> Result<Value, Fault> {
        let value = used(rendered(unit, cx)?, cx)?;
        warn(Diagnostic::warning(BRACES).at(&self.span));
        let Value::Str(text) = &value else { return Ok(value) };
        if let Some(name) = unit.single_variable()
            && let Some(result) = self.indirect(name, text, cx, warn)
        {
            return result;
        }
        match text.trim() {
            "" => Ok(Value::Bool(self.empty(warn))),
            "True" | "true" | "yes" => Ok(Value::Bool(true)),
            "False" | "false" | "no" => Ok(Value::Bool(false)),
            _ => Err(Fault::error("a condition in braces gave a text that is no boolean, and only the author's own text is evaluated")),
        }
    }
}

impl Test {
    fn of_text(text: &Arc<str>, span: &Span) -> Test {
        let trimmed = text.trim();
        match trimmed {
            "" => return Test::Data(Value::Null),
            "true" | "True" | "yes" | "Yes" | "on" => return Test::Bool(true),
            "false" | "False" | "no" | "No" | "off" => return Test::Bool(false),
            _ => {}
        }
        let skipped = text.len() - text.trim_start().len();
        let place = Place::Scalar { text: text.clone(), skipped, span: span.clone() };
        let opens = ["{{", "{%", "{#"].iter().any(|mark| trimmed.starts_with(mark));
        let closes = ["}}", "%}", "#}"].iter().any(|mark| trimmed.ends_with(mark));
        if opens && closes {
            let unit = Unit::inline(trimmed, place.clone());
            // `{{ a }} == {{ b }}` begins and ends with braces, and is no template of one value
            if trimmed.matches("{{").count() > 1 && unit.single().is_none() && !trimmed.contains("{%") {
                return Test::braces(trimmed, place).unwrap_or_else(|| Test::Template(Arc::new(unit)));
            }
            return Test::Template(Arc::new(unit));
        }
        let unit = Unit::expression(trimmed, place.clone(), Dialect::Condition);
        if matches!(unit.body, Body::Broken(..))
            && let Some(test) = Test::braces(trimmed, place)
        {
            return test;
        }
        Test::Expression(Arc::new(unit))
    }

    /// `{{ a }} == 1` as `( a ) == 1`, of the same length.
    fn braces(text: &str, place: Place) -> Option<Test> {
        if !text.contains("{{") || text.contains("{%") {
            return None;
        }
        let text = text.replace("{{", "( ").replace("}}", " )");
        let unit = Unit::expression(&text, place, Dialect::Condition);
        (!matches!(unit.body, Body::Broken(..))).then(|| Test::Braces(Arc::new(unit)))
    }
}

fn used(value: Value, cx: &Context) -> Result<Value, Fault> {
    match value {
        Value::Undefined(message) => Err(cx.undefined_fault(&message)),
        Value::Unknown(reason) => Err(Fault::unknown(reason.to_string())),
        value => Ok(value),
    }
}

/// Evaluates a bare expression, such as the `var` of `debug`.
///
/// # Errors
/// It cannot be compiled; or something used is undefined, unknown, or fails.
pub fn evaluate(expression: &str, cx: &Arc<Context>) -> Result<Value, Fault> {
    let span = Span::synthetic("<expression>", expression);
    let place = Place::Scalar { text: expression.into(), skipped: 0, span };
    let unit = Arc::new(Unit::expression(expression, place, Dialect::Expression));
    let value = used(rendered(&unit, cx)?, cx)?;
    super::finalize::finalize(&value)
}

/// What an author's text is worth as [`Templated`] when it is a bare expression: `loop: items`, `with_items: items`.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_at(expression: &str, span: &Span, cx: &Arc<Context>) -> Result<Value, Fault> {
    let place = Place::Scalar { text: expression.into(), skipped: 0, span: span.clone() };
    let unit = Arc::new(Unit::expression(expression.trim(), place, Dialect::Expression));
    let value = used(rendered(&unit, cx)?, cx).map_err(|fault| fault.at(span))?;
    super::finalize::finalize(&value).map_err(|fault| fault.at(span))
}
