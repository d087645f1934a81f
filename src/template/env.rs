//! What a filter, test, lookup or function may ask of the evaluation it runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Arguments;
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Fault, Value};

/// The evaluation that calls a filter, test, lookup or function.
pub trait Env {
    /// The value of a variable, rendered (lazily for containers); `None` when nothing of that name is defined.
    ///
    /// # Errors
    /// Its rendering failed.
    fn variable(&self, name: &str) -> Result<Option<Value>, Fault>;

    /// Names of all variables.
    fn variable_names(&self) -> Vec<Arc<str>>;

    /// Folders in which relative files are searched, best first.
    fn search_path(&self) -> Vec<PathBuf>;

    /// A variable of the controller's environment.
    fn environment(&self, name: &str) -> Option<String>;

    /// A setting by the name that it has in the table of settings, and who decided it; `None` for one that is not there.
    fn setting(&self, name: &str) -> Option<(Value, String)>;

    /// Complains about something that goes on.
    fn warn(&self, warning: Diagnostic);

    /// Check mode.
    fn check_mode(&self) -> bool;

    /// Decrypts vault text.
    ///
    /// # Errors
    /// No password fits.
    fn decrypt(&self, vaulted: &str) -> Result<String, Fault>;

    /// Applies a filter by name (also of `map`).
    ///
    /// # Errors
    /// No such filter, or it failed.
    fn apply_filter(&self, name: &str, input: Value, args: Arguments) -> Result<Value, Fault>;

    /// Applies a test by name (also of `select`).
    ///
    /// # Errors
    /// No such test, or it failed.
    fn apply_test(&self, name: &str, input: Value, args: Arguments) -> Result<bool, Fault>;

    /// Attribute or item of a value with Jinja's rules; undefined where there is none.
    ///
    /// # Errors
    /// The rendering of a lazy element failed.
    fn attribute(&self, value: &Value, name: &Value) -> Result<Value, Fault>;

    /// The elements of anything that can be iterated (dictionaries give keys, text gives characters).
    ///
    /// # Errors
    /// It cannot be iterated, is undefined or unknown.
    fn iterate(&self, value: &Value) -> Result<Vec<Value>, Fault>;

    /// Calls a macro or other callable.
    ///
    /// # Errors
    /// It is not callable, or failed.
    fn call(&self, callee: &Value, args: Arguments) -> Result<Value, Fault>;

    /// Renders a template file with additional variables, with the file's own `#jinja2:` header honoured; for `lookup('template')`.
    ///
    /// # Errors
    /// It cannot be read or rendered.
    fn render_file(&self, path: &Path, extra: Dict, options: &[(String, Value)]) -> Result<String, Fault>;
}

/// A filter: its input, its arguments, and the evaluation it runs in.
pub type Filter = fn(Value, Arguments, &dyn Env) -> Result<Value, Fault>;

/// A test: its input, its arguments, and the evaluation it runs in.
pub type Test = fn(Value, Arguments, &dyn Env) -> Result<bool, Fault>;

/// A lookup: its terms, its options, and the evaluation it runs in; gives a list, which `lookup` joins and `query` keeps.
pub type Lookup = fn(Vec<Value>, Arguments, &dyn Env) -> Result<Vec<Value>, Fault>;
