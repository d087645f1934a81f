//! Finding and reading the controller's files, the way Ansible's lookups search for them.

use std::path::{Path, PathBuf};

use crate::template::Env;
use crate::template::coerce::to_text;
use crate::template::filters::path::{expand_user, normal};
use crate::value::{Fault, Value};

/// The existing file that a name means: absolute, or in the folder of its kind (`files`, `templates`, `vars`) of each place of the search path, or in the place itself.
pub fn find(env: &dyn Env, kind: Option<&str>, name: &str) -> Option<PathBuf> {
    candidates(env, kind, name).into_iter().find(|path| path.exists())
}

fn candidates(env: &dyn Env, kind: Option<&str>, name: &str) -> Vec<PathBuf> {
    let name = expand_user(name, env);
    let clean = |path: PathBuf| PathBuf::from(normal(&path.to_string_lossy()));
    if name.starts_with('/') {
        return vec![clean(PathBuf::from(name))];
    }
    let kind = kind.filter(|kind| name.split('/').next() != Some(kind));
    let mut paths = Vec::new();
    for place in env.search_path() {
        let parent = place.parent().unwrap_or(Path::new("/"));
        if let (Some(kind), true) = (kind, parent.ends_with("tasks")) {
            paths.push(parent.parent().unwrap_or(parent).join(kind).join(&name));
            paths.push(parent.join(&name));
        }
        paths.extend(kind.map(|kind| place.join(kind).join(&name)));
        paths.push(place.join(&name));
    }
    paths.into_iter().map(clean).collect()
}

/// The text of a file; a vault is decrypted.
///
/// # Errors
/// It cannot be read, is no text, or no password fits.
pub fn read(env: &dyn Env, path: &Path) -> Result<String, Fault> {
    let bytes = std::fs::read(path).map_err(|error| Fault::error(format!("an error occurred while trying to read the file '{}': {error}", path.display())))?;
    let text = String::from_utf8(bytes).map_err(|_| Fault::error(format!("The file '{}' is not UTF-8 text", path.display())))?;
    if text.starts_with("$ANSIBLE_VAULT;") { env.decrypt(&text) } else { Ok(text) }
}

/// Where relative things of the play are: `playbook_dir`, else the last place of the search path.
///
/// # Errors
/// The variable cannot be rendered.
pub fn base_folder(env: &dyn Env) -> Result<PathBuf, Fault> {
    if let Some(folder) = env.variable("playbook_dir")? {
        return Ok(PathBuf::from(&*to_text(&folder)?));
    }
    Ok(env.search_path().pop().unwrap_or_else(|| PathBuf::from(".")))
}

/// A term that must be text.
///
/// # Errors
/// It is not.
pub fn term(value: &Value) -> Result<std::sync::Arc<str>, Fault> {
    to_text(value)
}
