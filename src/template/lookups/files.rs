//! Lookups that read or find files: file, template, unvault, fileglob, first_found.

use std::path::Path;
use std::sync::Arc;

use crate::template::coerce::{ansible_bool, to_dict, to_list, to_text};
use crate::template::filters::path::{glob, join, normal};
use crate::template::{Arguments, Env};
use crate::value::{Dict, Fault, Key, Value, repr};

use super::inline::Options;
use super::search;

/// `file`.
///
/// # Errors
/// A file is missing or cannot be read.
pub fn file(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let options = Options::new("file", &["rstrip", "lstrip"], &args);
    let (rstrip, lstrip) = (options.flag("rstrip", true)?, options.flag("lstrip", false)?);
    let mut out = Vec::new();
    for term in &terms {
        let name = search::term(term)?;
        let unable = |why: &str| Fault::error(format!("Unable to access the file {}: {why}", repr(&Value::Str(name.clone()))));
        let path = search::find(env, Some("files"), &name).ok_or_else(|| unable("File not found. Use -vvvvv to see paths searched."))?;
        let text = search::read(env, &path).map_err(|fault| unable(&fault.message))?;
        let text = if lstrip { text.trim_start() } else { &text };
        out.push(if rstrip { text.trim_end() } else { text }.into());
    }
    Ok(out)
}

/// `unvault`: the text of a file, decrypted where it is a vault.
///
/// # Errors
/// A file is missing or cannot be read.
pub fn unvault(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in &terms {
        let name = search::term(term)?;
        let path = search::find(env, Some("files"), &name).ok_or_else(|| Fault::error(format!("Unable to find file matching \"{name}\" ")))?;
        out.push(search::read(env, &path)?.into());
    }
    Ok(out)
}

/// `template`.
///
/// # Errors
/// A file is missing or cannot be rendered.
pub fn template(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let extra: Dict = match args.named.iter().find(|(name, _)| name == "template_vars") {
        Some((_, vars)) => to_dict(vars)?.ok_or_else(|| Fault::error("The option 'template_vars' of the lookup 'template' wants a dictionary"))?,
        None => Dict::new(),
    };
    let known = [
        "variable_start_string",
        "variable_end_string",
        "comment_start_string",
        "comment_end_string",
        "block_start_string",
        "block_end_string",
        "trim_blocks",
        "lstrip_blocks",
    ];
    let options: Vec<(String, Value)> = args.named.iter().filter(|(name, _)| known.contains(&name.as_str())).cloned().collect();
    let mut out = Vec::new();
    for term in &terms {
        let name = search::term(term)?;
        let path =
            search::find(env, Some("templates"), &name).ok_or_else(|| Fault::error(format!("the template file {name} could not be found for the lookup")))?;
        out.push(env.render_file(&path, extra.clone(), &options)?.into());
    }
    Ok(out)
}

/// `fileglob`: sorted, so that runs agree; Ansible gives the order of the directory.
///
/// # Errors
/// A term has no value.
pub fn fileglob(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in &terms {
        let pattern = search::term(term)?;
        let (folder, name) = pattern.rsplit_once('/').map_or(("", &*pattern), |(folder, name)| (if folder.is_empty() { "/" } else { folder }, name));
        let folders: Vec<String> = if folder.is_empty() {
            env.search_path().iter().flat_map(|place| [place.join("files"), place.clone()]).map(|path| path.to_string_lossy().into_owned()).collect()
        } else {
            search::find(env, Some("files"), folder).into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
        };
        let found = folders
            .iter()
            .map(|folder| glob(&join(&[folder.as_str(), name])))
            .map(|paths| paths.into_iter().filter(|path| Path::new(path).is_file()).collect::<Vec<_>>())
            .find(|paths| !paths.is_empty());
        out.extend(found.unwrap_or_default().into_iter().map(Value::from));
    }
    Ok(out)
}

/// What `first_found` was asked: where to look and whether nothing is an answer.
#[derive(Clone, Default)]
struct Wanted {
    files: Vec<Arc<str>>,
    paths: Vec<Arc<str>>,
    skip: bool,
}

impl Wanted {
    fn set(&mut self, name: &str, value: &Value) -> Result<(), Fault> {
        match name {
            "files" => self.files = names(value, &[',', ';'])?,
            "paths" => self.paths = names(value, &[',', ':', ';'])?,
            "skip" => self.skip = ansible_bool(value).unwrap_or_else(|| value.is_true()),
            _ => {}
        }
        Ok(())
    }

    fn searched(&self, files: &[Arc<str>]) -> Vec<String> {
        if self.paths.is_empty() {
            return files.iter().map(|file| file.to_string()).collect();
        }
        self.paths.iter().flat_map(|path| files.iter().map(move |file| join(&[path, file]))).collect()
    }
}

/// A list of names; text is split at separators, as playbooks of old rely on.
fn names(value: &Value, separators: &[char]) -> Result<Vec<Arc<str>>, Fault> {
    let mut out = Vec::new();
    match to_list(value)? {
        Some(items) => {
            for item in items.iter().filter(|item| !matches!(item, Value::Undefined(_))) {
                out.extend(names(item, separators)?);
            }
        }
        None => out.extend(to_text(value)?.split(separators).map(Arc::from)),
    }
    Ok(out)
}

fn wanted_files(terms: &[Value], wanted: &mut Wanted) -> Result<Vec<String>, Fault> {
    let mut out = Vec::new();
    for term in terms {
        if let Value::Undefined(_) = term {
            continue;
        }
        if let Some(dict) = to_dict(term)? {
            *wanted = Wanted::default();
            for (name, value) in &dict {
                wanted.set(name.as_str().unwrap_or_default(), value)?;
            }
            out.extend(wanted.searched(&wanted.files));
        } else if let Some(items) = to_list(term)? {
            out.extend(wanted_files(&items, wanted)?);
        } else if let Value::Str(_) = term {
            out.extend(wanted.searched(&names(term, &[',', ';'])?));
        } else {
            return Err(Fault::error(format!("Invalid term supplied. A string, dict or list is required, not '{}').", term.type_name())));
        }
    }
    Ok(out)
}

/// `first_found`. Undefined terms are left out. What kind of file the task wants is not known here, so `files`, `templates` and `vars` are all searched, after the place itself.
///
/// # Errors
/// Nothing was found, and `skip` was not asked.
pub fn first_found(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut wanted = Wanted::default();
    for (name, value) in &args.named {
        wanted.set(name, value)?;
    }
    let files = if terms.is_empty() { wanted.searched(&wanted.files) } else { wanted_files(&terms, &mut wanted)? };
    for file in &files {
        let kinds = [None, Some("files"), Some("templates"), Some("vars")];
        if let Some(path) = kinds.into_iter().find_map(|kind| search::find(env, kind, file)) {
            return Ok(vec![normal(&path.to_string_lossy()).into()]);
        }
    }
    if wanted.skip { Ok(Vec::new()) } else { Err(Fault::error("No file was found when using first_found.")) }
}

/// `filetree` of community.general: every file below the folders, with what `stat` says.
///
/// # Errors
/// A term has no value.
pub fn filetree(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in &terms {
        let name = search::term(term)?;
        if let Some(root) = search::find(env, Some("files"), name.trim_end_matches('/')) {
            walk(&root, &root, &mut out);
        }
    }
    Ok(out)
}

fn walk(root: &Path, folder: &Path, out: &mut Vec<Value>) {
    use std::os::unix::fs::MetadataExt as _;
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Ok(stat) = std::fs::symlink_metadata(&path) else { continue };
        let state = if stat.is_symlink() {
            "link"
        } else if stat.is_dir() {
            "directory"
        } else {
            "file"
        };
        let text = |path: &Path| Value::from(path.to_string_lossy().into_owned());
        let mut entry: Dict = [
            ("root", text(root)),
            ("path", text(path.strip_prefix(root).unwrap_or(&path))),
            ("state", state.into()),
            ("src", text(&if stat.is_symlink() { std::fs::read_link(&path).unwrap_or_default() } else { path.clone() })),
            ("mode", format!("{:04o}", stat.mode() & 0o7777).into()),
            ("uid", i64::from(stat.uid()).into()),
            ("gid", i64::from(stat.gid()).into()),
            ("size", (stat.len() as i64).into()),
            ("mtime", Value::Float(stat.mtime() as f64 + stat.mtime_nsec() as f64 / 1e9)),
            ("ctime", Value::Float(stat.ctime() as f64 + stat.ctime_nsec() as f64 / 1e9)),
        ]
        .into_iter()
        .map(|(name, value)| (Key::from(name), value))
        .collect();
        if stat.is_dir() {
            entry.shift_remove("src");
        }
        out.push(Value::dict(entry));
        if stat.is_dir() {
            walk(root, &path, out);
        }
    }
}
