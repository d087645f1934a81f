//! What the reader of playbooks must know of the rest: which actions there are, and how a file is read.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::yaml;

/// The actions and modules that exist, and the way to files.
pub trait Names {
    /// True when a task may use this name, short or qualified.
    fn contains(&self, name: &str) -> bool;

    /// Every name, for "did you mean".
    fn all(&self) -> Vec<&str>;

    /// True when the text behind the name is a command line (`command`, `shell`, `raw`, `script`...), in which `key=value` is no option.
    fn free_form(&self, name: &str) -> bool;

    /// The text of a file. Whoever wants files cached or vaulted files decrypted does it here.
    ///
    /// # Errors
    /// The file cannot be read or is not UTF-8.
    fn read(&self, path: &Path) -> Result<Arc<Source>, Diagnostic> {
        let bytes = std::fs::read(path).map_err(|error| Diagnostic::error(format!("cannot read {}: {error}", path.display())))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(path, text)),
            Err(_) => Err(Diagnostic::error(format!("{} is not UTF-8", path.display()))),
        }
    }

    /// How YAML is read.
    fn yaml(&self) -> yaml::Options {
        yaml::Options::default()
    }
}

/// The command modules: what follows their name is a command line.
const FREE_FORM: [&str; 6] = ["command", "shell", "raw", "script", "win_command", "win_shell"];

/// True for the modules whose text is a command line, by any of their names.
pub fn is_free_form(name: &str) -> bool {
    FREE_FORM.contains(&short_name(name)) || matches!(name, "ansible.windows.win_command" | "ansible.windows.win_shell")
}

/// The name without `ansible.builtin.` or `ansible.legacy.`.
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}
