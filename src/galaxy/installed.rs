//! What stands in the folders of roles and collections.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::Source;
use crate::value::text;
use crate::yaml;

/// A role in a folder of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Name of its folder.
    pub name: String,
    /// The version that was installed, if it was installed and not written there.
    pub version: Option<String>,
    /// It has `meta/main.yml`: lists of all roles leave out others.
    pub described: bool,
}

/// A collection in a folder of collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// `namespace.name`.
    pub name: String,
    /// Its version; `*` where nothing says it.
    pub version: String,
    /// Its folder.
    pub path: PathBuf,
}

/// Where the installation of a role is noted.
pub(super) const ROLE_NOTE: &str = "meta/.galaxy_install_info";

/// The roles of a folder, by name. A folder is a role when it has `meta/main.yml` or was installed.
///
/// # Errors
/// The folder cannot be read.
pub fn roles_in(folder: &Path) -> io::Result<Vec<Role>> {
    Ok(folders(folder)?
        .into_iter()
        .filter(|(_, path)| is_role(path))
        .map(|(name, path)| Role { version: role_version(&path), described: is_described(&path), name })
        .collect())
}

fn is_described(path: &Path) -> bool {
    ["meta/main.yml", "meta/main.yaml"].iter().any(|file| path.join(file).is_file())
}

/// True for a folder with `meta/main.yml`, or where a role was installed.
pub(super) fn is_role(path: &Path) -> bool {
    is_described(path) || path.join(ROLE_NOTE).is_file()
}

fn role_version(role: &Path) -> Option<String> {
    field(&role.join(ROLE_NOTE), &["version"]).filter(|version| !version.is_empty())
}

/// Takes a role out of a folder of roles; false when it is not there.
///
/// # Errors
/// It cannot be removed.
pub fn remove_role(folder: &Path, name: &str) -> io::Result<bool> {
    let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    let path = folder.join(name);
    if !plain || !is_role(&path) {
        return Ok(false);
    }
    // a link is somebody's own folder elsewhere
    if path.is_symlink() {
        std::fs::remove_file(&path)?
    } else {
        std::fs::remove_dir_all(&path)?
    }
    Ok(true)
}

/// The collections below `FOLDER/ansible_collections`, by name; none when that is not there.
///
/// # Errors
/// A folder cannot be read.
pub fn collections_in(folder: &Path) -> io::Result<Vec<Collection>> {
    let root = collections_root(folder);
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (namespace, path) in folders(&root)? {
        for (name, path) in folders(&path)? {
            let named = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if named(&namespace) && named(&name) {
                found.push(Collection { name: format!("{namespace}.{name}"), version: collection_version(&path).unwrap_or_else(|| "*".into()), path });
            }
        }
    }
    Ok(found)
}

/// The folder that holds the namespaces.
pub fn collections_root(folder: &Path) -> PathBuf {
    if folder.file_name().is_some_and(|name| name == "ansible_collections") { folder.to_path_buf() } else { folder.join("ansible_collections") }
}

/// The version of the collection in a folder: of `MANIFEST.json`, else of `galaxy.yml`.
pub(super) fn collection_version(path: &Path) -> Option<String> {
    field(&path.join("MANIFEST.json"), &["collection_info", "version"]).or_else(|| field(&path.join("galaxy.yml"), &["version"]))
}

/// Folders in a folder, by name; those with a point in front are nobody's.
fn folders(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() && !name.starts_with('.') {
            found.push((name.to_string(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// A text in a YAML or JSON file, by its keys.
pub(super) fn field(path: &Path, keys: &[&str]) -> Option<String> {
    let content = std::fs::read_to_string(path).ok()?;
    let source: Arc<Source> = Source::new(path, content);
    let mut node = yaml::load(&source, &yaml::Options::default()).ok()?.node;
    for key in keys {
        node = node.get(key)?.clone();
    }
    Some(text(&node.to_value())).filter(|text| text != "None")
}
