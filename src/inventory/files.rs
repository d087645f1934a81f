//! `group_vars` and `host_vars`: read when a group or host first needs them, and kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::data::{self, Vars};
use super::{Options, read};
use crate::diagnostic::Diagnostic;
use crate::vault::Secrets;
use crate::yaml;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Groups,
    Hosts,
}

type Known = HashMap<(Of, Box<str>), Arc<Vars>>;

/// The files with variables beside an inventory source or a playbook.
#[derive(Debug)]
pub struct VarFiles {
    folder: PathBuf,
    /// Names in `group_vars` and `host_vars`, each folder read once.
    groups: OnceLock<Vec<String>>,
    hosts: OnceLock<Vec<String>>,
    options: Arc<Options>,
    secrets: Arc<Secrets>,
    known: Mutex<Known>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl VarFiles {
    pub(super) fn new(folder: PathBuf, options: Arc<Options>, secrets: Arc<Secrets>) -> VarFiles {
        VarFiles { folder, groups: OnceLock::new(), hosts: OnceLock::new(), options, secrets, known: Mutex::default(), warnings: Mutex::default() }
    }

    /// The folder that holds `group_vars` and `host_vars`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Variables of a group from `group_vars`.
    ///
    /// # Errors
    /// A file cannot be read, decrypted or understood, or is no dictionary.
    pub fn for_group(&self, name: &str) -> Result<Arc<Vars>, Diagnostic> {
        self.vars(Of::Groups, name)
    }

    /// Variables of a host from `host_vars`.
    ///
    /// # Errors
    /// As [`VarFiles::for_group`].
    pub fn for_host(&self, name: &str) -> Result<Arc<Vars>, Diagnostic> {
        self.vars(Of::Hosts, name)
    }

    /// The warnings of the files read since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn vars(&self, of: Of, name: &str) -> Result<Arc<Vars>, Diagnostic> {
        let place = (of, name.into());
        if let Some(vars) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Ok(vars.clone());
        }
        let mut vars = Vars::new();
        // a host that is a path (chroot) has no files
        if !name.starts_with('/') {
            for file in self.files(of, name) {
                self.read(&file, &mut vars)?;
            }
        }
        let vars = Arc::new(vars);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place, vars.clone());
        Ok(vars)
    }

    fn read(&self, file: &Path, vars: &mut Vars) -> Result<(), Diagnostic> {
        let source = read::text(file, &self.secrets)?;
        let options = yaml::Options { duplicate_keys: self.options.duplicate_keys, ..yaml::Options::default() };
        let loaded = yaml::load(&source, &options)?;
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(loaded.warnings);
        let Some(pairs) = loaded.node.as_map() else {
            if !loaded.node.to_value().is_true() {
                return Ok(());
            }
            let message = format!("{} must be a dictionary of variables, but is a {}", file.display(), loaded.node.type_name());
            return Err(Diagnostic::error(message).at(&loaded.node.span));
        };
        for pair in pairs {
            data::set(vars, &pair.key.to_value().to_string(), pair.value.clone(), self.options.merge);
        }
        Ok(())
    }

    fn files(&self, of: Of, name: &str) -> Vec<PathBuf> {
        let (cell, inside) = match of {
            Of::Groups => (&self.groups, "group_vars"),
            Of::Hosts => (&self.hosts, "host_vars"),
        };
        let folder = self.folder.join(inside);
        let names = cell.get_or_init(|| sorted(&folder));
        let extensions = &self.options.extensions;
        let candidates = std::iter::once(name.to_string()).chain(extensions.iter().map(|extension| format!("{name}{extension}")));
        let exists = |candidate: &String| names.binary_search(candidate).is_ok() || (candidate.contains('/') && folder.join(candidate).exists());
        let found = candidates.into_iter().find(exists);
        found.map(|found| expand(&folder.join(found), extensions)).unwrap_or_default()
    }
}

/// The file itself, or the files of a folder at any depth.
fn expand(path: &Path, extensions: &[String]) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    let mut found = Vec::new();
    for name in sorted(path).into_iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
        let entry = path.join(&name);
        let extension = entry.extension().map(|e| format!(".{}", e.to_string_lossy()));
        if entry.is_dir() && extension.is_none() {
            found.extend(expand(&entry, extensions));
        } else if entry.is_file() && extension.is_none_or(|e| extensions.contains(&e)) {
            found.push(entry);
        }
    }
    found
}

/// Names in a folder; none when there is no such folder.
fn sorted(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
