//! What a filter, test or lookup may ask of the evaluation it runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::env::Env;
use super::evaluate::Evaluator;
use super::filters::named as named_fault;
use super::lazy::settle;
use super::lower::{filter_op, test_op};
use super::place::Place;
use super::tree::{FilterOp, TestOp};
use super::unit::Unit;
use super::{Arguments, attribute, file, operators};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Fault, Value};

/// The evaluation over one context.
pub(super) struct Surroundings<'c> {
    pub cx: &'c Arc<Context>,
}

impl Env for Surroundings<'_> {
    fn variable(&self, name: &str) -> Result<Option<Value>, Fault> {
        self.cx.get(name)
    }

    fn variable_names(&self) -> Vec<Arc<str>> {
        self.cx.names()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        self.cx.scope().search_path()
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.cx.scope().environment(name)
    }

    fn setting(&self, name: &str) -> Option<(Value, String)> {
        self.cx.scope().setting(name)
    }

    fn warn(&self, warning: Diagnostic) {
        self.cx.warn(warning);
    }

    fn check_mode(&self) -> bool {
        self.cx.scope().check_mode()
    }

    fn decrypt(&self, vaulted: &str) -> Result<String, Fault> {
        self.cx.scope().decrypt(vaulted).map_err(Fault::error)
    }

    fn apply_filter(&self, name: &str, input: Value, args: Arguments) -> Result<Value, Fault> {
        if let Value::Unknown(reason) = &input {
            return Err(Fault::unknown(reason.to_string()));
        }
        match (filter_op(name), &input) {
            (FilterOp::Default, _) => {
                let boolean = args.positional.get(1).or_else(|| named(&args, "boolean")).is_some_and(Value::is_true);
                let take = matches!(input, Value::Undefined(_)) || (boolean && !input.is_true());
                let fallback = args.positional.first().or_else(|| named(&args, "default_value")).cloned();
                Ok(if take { fallback.unwrap_or_else(|| "".into()) } else { input })
            }
            (FilterOp::Mandatory, Value::Undefined(_)) => Err(Fault::error("Mandatory variable not defined.")),
            (_, Value::Undefined(message)) => Err(self.cx.undefined_fault(message)),
            (FilterOp::Mandatory, _) => Ok(input),
            (FilterOp::Length, _) => operators::length(&input).map(Value::from),
            (FilterOp::Function(filter), _) => filter(settle(input)?, args, self).map_err(|fault| named_fault("filter", name, fault)),
            (FilterOp::AsTest(test), _) => test(settle(input)?, args, self).map(Value::Bool),
            (FilterOp::Missing, _) => Err(Fault::error(format!("No filter named '{name}'."))),
        }
    }

    fn apply_test(&self, name: &str, input: Value, args: Arguments) -> Result<bool, Fault> {
        match (test_op(name), &input) {
            (_, Value::Unknown(reason)) => Err(Fault::unknown(reason.to_string())),
            (TestOp::Defined, _) => Ok(!matches!(input, Value::Undefined(_))),
            (TestOp::Undefined, _) => Ok(matches!(input, Value::Undefined(_))),
            (TestOp::Missing, _) => Err(Fault::error(format!("No test named '{name}'."))),
            (_, Value::Undefined(message)) => Err(self.cx.undefined_fault(message)),
            (TestOp::Function(test), _) => test(settle(input)?, args, self).map_err(|fault| named_fault("test", name, fault)),
        }
    }

    fn attribute(&self, value: &Value, name: &Value) -> Result<Value, Fault> {
        attribute::item(value, name)
    }

    fn iterate(&self, value: &Value) -> Result<Vec<Value>, Fault> {
        operators::iterate(value)
    }

    fn call(&self, callee: &Value, args: Arguments) -> Result<Value, Fault> {
        let unit = Arc::new(Unit::inline("", Place::Inner(None)));
        Evaluator::new(self.cx, unit).call_value(callee, args)
    }

    fn render_file(&self, path: &Path, extra: Dict, options: &[(String, Value)]) -> Result<String, Fault> {
        let text = std::fs::read_to_string(path).map_err(|error| Fault::error(format!("the template {} cannot be read: {error}", path.display())))?;
        let source = crate::source::Source::new(path, text);
        let mut settings = file::FileOptions { vars: extra, ..file::FileOptions::default() };
        for (name, value) in options {
            settings.set(name, &value.to_string()).map_err(Fault::error)?;
        }
        file::render_file(&source, self.cx, &settings)
    }
}

fn named<'a>(args: &'a Arguments, name: &str) -> Option<&'a Value> {
    args.named.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
