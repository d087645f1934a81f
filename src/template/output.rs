//! What a template has emitted: pieces, which are one native value or are written one after the other.

use std::sync::Arc;

use super::context::Context;
use super::evaluate::NO_ELSE;
use super::finalize::finalize;
use crate::value::{Fault, Value, text};

/// The pieces emitted so far.
pub(super) struct Output {
    pieces: Vec<Value>,
    newline: &'static str,
}

impl Output {
    pub(super) fn new(newline: &'static str) -> Output {
        Output { pieces: Vec::new(), newline }
    }

    pub(super) fn newline(&self) -> &'static str {
        self.newline
    }

    /// The template's own text.
    pub(super) fn text(&mut self, text: &Arc<str>) {
        let text = if self.newline == "\n" { text.clone() } else { text.replace('\n', self.newline).into() };
        self.pieces.push(Value::Str(text));
    }

    /// The value of an expression; `None` is nothing.
    pub(super) fn value(&mut self, value: Value) {
        if !matches!(value, Value::Null) {
            self.pieces.push(value);
        }
    }

    /// All that another output holds.
    pub(super) fn append(&mut self, other: Output) {
        self.pieces.extend(other.pieces);
    }

    /// One piece is its value, none is `None`, more are text.
    ///
    /// # Errors
    /// A piece is undefined or cannot be rendered.
    pub(super) fn native(mut self, cx: &Context) -> Result<Value, Fault> {
        match self.pieces.len() {
            0 => Ok(Value::Null),
            1 => Ok(self.pieces.remove(0)),
            _ => self.joined(cx).map(Value::from),
        }
    }

    /// All pieces as text.
    ///
    /// # Errors
    /// A piece is undefined or cannot be rendered.
    pub(super) fn joined(&self, cx: &Context) -> Result<String, Fault> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Value::Str(text) => out.push_str(text),
                Value::Undefined(message) if &**message == NO_ELSE => {}
                Value::Undefined(message) => return Err(cx.undefined_fault(message)),
                Value::Int(_) | Value::Bool(_) | Value::Float(_) => out.push_str(&text(piece)),
                other => out.push_str(&text(&finalize(other)?)),
            }
        }
        Ok(out)
    }
}
