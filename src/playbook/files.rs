//! Which files Ansible takes: `main` with the endings it knows, folders of variables, included files.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

const ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Where a role's file is looked for.
pub(super) struct Place<'a> {
    /// `tasks`, `vars`... of the role.
    pub folder: &'a Path,
    /// The name without an ending.
    pub main: &'a str,
    /// What `tasks_from` and its like ask for instead.
    pub asked: Option<&'a str>,
    /// A folder of that name counts too, with all its files.
    pub directories: bool,
}

/// The files that count, in order. None when nothing was asked for and nothing is there.
pub(super) fn find(place: &Place) -> Result<Vec<PathBuf>, Diagnostic> {
    let name = place.asked.unwrap_or(place.main);
    // A name that was asked for may have its ending already.
    let order: Vec<&str> = match place.asked {
        Some(_) => std::iter::once("").chain(ENDINGS).collect(),
        None => ENDINGS.into_iter().chain([""]).collect(),
    };
    for ending in order {
        let path = place.folder.join(format!("{name}{ending}"));
        if path.is_dir() && !place.directories {
            continue;
        }
        if !path.exists() {
            continue;
        }
        if !is_below(&path, place.folder) {
            return Err(Diagnostic::error(format!("{} lies outside of {}", path.display(), place.folder.display())));
        }
        return Ok(if path.is_dir() { folder(&path) } else { vec![path] });
    }
    match place.asked {
        Some(asked) if place.folder.is_dir() => Err(Diagnostic::error(format!("the role has no file `{asked}` in {}", place.folder.display()))),
        _ => Ok(Vec::new()),
    }
}

fn is_below(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

/// The files of a folder, sorted by name, folders in it too; hidden and backup files do not count.
fn folder(path: &Path) -> Vec<PathBuf> {
    let mut names: Vec<String> =
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
        let inner = path.join(name);
        let ending = Path::new(name).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
        if inner.is_dir() {
            if ending.is_none() {
                found.extend(folder(&inner));
            }
        } else if ending.is_none_or(|ending| ENDINGS.contains(&ending.as_str())) {
            found.push(inner);
        }
    }
    found
}

/// The first of `search` that has the file; an absolute path is itself.
///
/// # Errors
/// It is nowhere; the places that were looked at are noted.
pub fn resolve_include(file: &str, search: &[PathBuf]) -> Result<PathBuf, Diagnostic> {
    let path = Path::new(file);
    let candidates = if path.is_absolute() { vec![path.to_path_buf()] } else { search.iter().map(|folder| folder.join(path)).collect() };
    if let Some(found) = candidates.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let mut missing = Diagnostic::error(format!("the file `{file}` was not found"));
    for candidate in &candidates {
        missing = missing.note(format!("looked for {}", candidate.display()));
    }
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut neighbours = Vec::new();
    for folder in candidates.iter().filter_map(|path| path.parent()) {
        neighbours.extend(std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()));
    }
    neighbours.sort();
    Err(missing.did_you_mean(&wanted, neighbours.iter().map(String::as_str)))
}

/// Folders with modules of the playbook's own.
pub(super) fn libraries(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut found = vec![folder.join("library")];
    found.extend(folder.parent().map(|above| above.join("library")));
    found
}
