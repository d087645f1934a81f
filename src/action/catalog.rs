//! Names of all actions: what runs on the controller, and the modules that run on targets.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::{self, Names};
use crate::source::Source;
use crate::vault::{self, Secrets};
use crate::yaml;

/// Actions that the controller runs itself or prepares before a module runs.
pub const ACTIONS: &[&str] = &[
    "add_host",
    "assert",
    "async_status",
    "copy",
    "debug",
    "fail",
    "fetch",
    "gather_facts",
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "pause",
    "raw",
    "reboot",
    "script",
    "set_fact",
    "set_stats",
    "synchronize",
    "template",
    "unarchive",
    "validate_argument_spec",
    "wait_for_connection",
];

/// Every short name.
pub fn all() -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().copied().chain(rplay_modules::all().map(|entry| entry.spec.name))
}

/// Collections of which the short names are ours.
const COLLECTIONS: &[&str] = &["ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general.", "kubernetes.core."];

/// The short name of an action (`copy` for `ansible.builtin.copy`); other names stay as they are.
pub fn canonical(name: &str) -> String {
    if let Some(entry) = rplay_modules::find(name) {
        return entry.spec.name.into();
    }
    let short = COLLECTIONS.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if is_known(short) { short.into() } else { name.into() }
}

/// True when rplay has an action or module of this canonical name.
pub fn is_known(short: &str) -> bool {
    ACTIONS.contains(&short) || rplay_modules::find(short).is_some()
}

/// What the reader of playbooks asks: our names, and files that may be vaulted.
pub struct Catalog {
    /// Opens vaulted files.
    pub secrets: Arc<Secrets>,
    /// How YAML is read.
    pub yaml: yaml::Options,
}

impl Names for Catalog {
    fn contains(&self, name: &str) -> bool {
        is_known(&canonical(name))
    }

    fn all(&self) -> Vec<&str> {
        all().collect()
    }

    fn free_form(&self, name: &str) -> bool {
        playbook::is_free_form(name)
    }

    fn read(&self, path: &Path) -> Result<Arc<Source>, Diagnostic> {
        let failed = |why: String| Diagnostic::error(format!("cannot read {}: {why}", path.display()));
        let mut bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        if vault::is_encrypted(&bytes) {
            bytes = self.secrets.decrypt_bytes(&bytes).map_err(|error| failed(error.to_string()))?;
        }
        let text = String::from_utf8(bytes).map_err(|_| Diagnostic::error(format!("{} is not UTF-8", path.display())))?;
        Ok(Source::new(path, text))
    }

    fn yaml(&self) -> yaml::Options {
        self.yaml.clone()
    }
}
