//! Where variables come from: the layer of variables implements it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::source::Span;
use crate::value::Value;

/// A variable as a scope knows it.
#[derive(Debug, Clone)]
pub enum Variable<T> {
    /// Data: never rendered.
    Value(Value),
    /// What the author wrote, compiled, and where.
    Template(T, Option<Span>),
}

/// The variables of one task on one host. `T` is what authors' text compiles to ([`crate::template::Templated`]).
pub trait Scope<T>: fmt::Debug + Send + Sync {
    /// The variable of that name with the highest precedence.
    fn variable(&self, name: &str) -> Option<Variable<T>>;

    /// Names of all variables, in order of precedence layers, each once.
    fn names(&self) -> Vec<Arc<str>>;

    /// Folders in which relative files are searched, best first (role's, task file's, playbook's), without `files` or `templates`.
    fn search_path(&self) -> Vec<PathBuf>;

    /// Decrypts inline vault text.
    ///
    /// # Errors
    /// No password fits; the message is for the user.
    fn decrypt(&self, vaulted: &str) -> Result<String, String>;

    /// True in check mode.
    fn check_mode(&self) -> bool;

    /// The controller's environment as it was when rplay started, for `lookup('env')`.
    fn environment(&self, name: &str) -> Option<String>;

    /// A setting by the name that it has in the table of settings, and who decided it (`default`, `env: NAME`, a file), for `lookup('config')`.
    fn setting(&self, name: &str) -> Option<(Value, String)>;
}
