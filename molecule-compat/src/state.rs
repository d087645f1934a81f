//! What is known of a scenario's hosts between two commands: `state.yml` in its working folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::{dump, node};

/// The facts that are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    file: PathBuf,
    /// Hosts were made.
    pub created: bool,
    /// Hosts were prepared.
    pub prepared: bool,
    /// The role was applied without failure.
    pub converged: bool,
    /// The driver that made the hosts.
    pub driver: Option<String>,
    /// When `molecule.yml` was last changed, in seconds.
    pub modified: Option<u64>,
    /// What a driver keeps for itself: a lab's network, for example.
    pub kept: Value,
}

impl State {
    /// Reads the file, or begins anew.
    pub fn read(folder: &Path) -> Result<State> {
        let file = folder.join("state.yml");
        let mut state = State { file, created: false, prepared: false, converged: false, driver: None, modified: None, kept: json!({}) };
        let Ok(text) = std::fs::read_to_string(&state.file) else { return Ok(state) };
        let written = node::read(&text, &state.file)?.to_value();
        let flag = |key: &str| written.get(key).and_then(Value::as_bool).unwrap_or(false);
        (state.created, state.prepared, state.converged) = (flag("created"), flag("prepared"), flag("converged"));
        state.driver = written.get("driver").and_then(Value::as_str).map(str::to_string);
        state.modified = written.get("molecule_yml_date_modified").and_then(Value::as_u64);
        state.kept = written.get("kept").filter(|kept| kept.is_object()).cloned().unwrap_or_else(|| json!({}));
        Ok(state)
    }

    /// Where it is kept.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Nothing is there any more.
    pub fn forget(&mut self) {
        let file = std::mem::take(&mut self.file);
        *self = State { file, created: false, prepared: false, converged: false, driver: None, modified: None, kept: json!({}) };
    }

    /// Writes the file.
    pub fn write(&self) -> Result<()> {
        let data = json!({
            "converged": self.converged,
            "created": self.created,
            "driver": self.driver,
            "prepared": self.prepared,
            "molecule_yml_date_modified": self.modified,
            "kept": self.kept,
        });
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let failed = |error: std::io::Error| Failure::io("write", &self.file, &error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(dump::document(&data).as_bytes()).map_err(failed)?;
        file.persist(&self.file).map(|_| ()).map_err(|error| failed(error.error))
    }
}
