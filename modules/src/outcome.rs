//! What a module hands back: an outcome or a failure, both with Ansible's keys.

use std::io;

use serde_json::{Map, Value, json};

use crate::system::unknown_reason;

/// A module's result that is not a failure.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Whether the target changed (or would).
    pub changed: bool,
    /// The other keys.
    pub fields: Map<String, Value>,
}

impl Outcome {
    /// An outcome without other keys.
    pub fn new(changed: bool) -> Outcome {
        Outcome { changed, fields: Map::new() }
    }

    /// With one more key.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Outcome {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// With one more key where there is a value.
    pub fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Outcome {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With the keys of a dictionary.
    pub fn merge(mut self, fields: Map<String, Value>) -> Outcome {
        self.fields.extend(fields);
        self
    }

    /// With `msg`.
    pub fn msg(self, text: impl Into<String>) -> Outcome {
        self.with("msg", text.into())
    }

    /// The result is not known in check mode; the reason is said to the user.
    pub fn unknown(self, reason: &str) -> Outcome {
        self.with("_rplay_unknown", reason)
    }
}

/// A module that failed.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// Ansible's `msg`.
    pub msg: String,
    /// The other keys: `rc`, `stdout`, `path`...
    pub fields: Map<String, Value>,
    /// In check mode nobody can know: not a failure, the reason.
    pub unknown: Option<String>,
}

impl Failure {
    /// A failure with its message.
    pub fn new(msg: impl Into<String>) -> Failure {
        Failure { msg: msg.into(), fields: Map::new(), unknown: None }
    }

    /// What cannot be known in check mode.
    pub fn unknown(reason: impl Into<String>) -> Failure {
        Failure { unknown: Some(reason.into()), ..Failure::default() }
    }

    /// With one more key.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Failure {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// The result that is sent.
    pub fn into_result(self) -> Map<String, Value> {
        let mut result = Map::new();
        if let Some(reason) = self.unknown {
            result.insert("changed".into(), json!(false));
            result.extend(self.fields);
            result.insert("_rplay_unknown".into(), json!(reason));
            return result;
        }
        result.insert("changed".into(), json!(false));
        result.extend(self.fields);
        result.insert("failed".into(), json!(true));
        result.insert("msg".into(), json!(self.msg));
        result
    }
}

impl From<String> for Failure {
    fn from(msg: String) -> Failure {
        Failure::new(msg)
    }
}

impl From<&str> for Failure {
    fn from(msg: &str) -> Failure {
        Failure::new(msg)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match unknown_reason(&error) {
            Some(reason) => Failure::unknown(reason),
            None => Failure::new(describe(&error)),
        }
    }
}

/// Adds what was tried to an I/O error.
pub trait Tried<T> {
    /// `error` becomes a failure that begins with `what`.
    ///
    /// # Errors
    /// The failure.
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| match unknown_reason(&error) {
            Some(reason) => Failure::unknown(reason),
            None => Failure::new(format!("{}: {}", what(), describe(&error))),
        })
    }
}

/// An I/O error in Python's words: `[Errno 2] No such file or directory`.
pub fn describe(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            format!("[Errno {code}] {text}")
        }
        None => error.to_string(),
    }
}
