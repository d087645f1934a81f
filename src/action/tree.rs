//! `copy` of a folder: every directory and file in it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::content::file;
use super::module::{call, to_map};
use super::{Reaction, Request};
use crate::runner::NoContent;
use crate::value::{Dict, Value, text};

/// Copies `root` below `dest`; without a final slash the folder itself, with one what is in it.
pub(super) fn copy(request: &Request, root: &Path, content_only: bool) -> Reaction {
    let dest = request.args.get("dest").map(text).unwrap_or_default();
    let base = match content_only {
        true => PathBuf::from(&dest),
        false => Path::new(&dest).join(root.file_name().unwrap_or_default()),
    };
    let mut entries = Vec::new();
    if let Err(error) = walk(root, Path::new(""), &mut entries) {
        return Reaction::failed(format!("cannot read {}: {error}", root.display()));
    }
    let mut sum = Sum::default();
    for (relative, is_dir) in entries {
        let target = base.join(&relative);
        let reaction = match is_dir {
            true => call(request, "file", directory(request, &target), &NoContent, None),
            false => {
                let mut args = to_map(&request.args);
                args.insert("dest".into(), target.display().to_string().into());
                args.shift_remove("src");
                args.shift_remove("directory_mode");
                file(request, args, &root.join(&relative))
            }
        };
        if sum.add(reaction) {
            return sum.failed();
        }
    }
    sum.finish(&dest, root)
}

fn directory(request: &Request, path: &Path) -> Map<String, Json> {
    let mut args = Map::new();
    args.insert("path".into(), path.display().to_string().into());
    args.insert("state".into(), "directory".into());
    if let Some(mode) = request.args.get("directory_mode") {
        args.insert("mode".into(), crate::value::to_json(mode));
    }
    for key in ["owner", "group"] {
        if let Some(value) = request.args.get(key) {
            args.insert(key.into(), crate::value::to_json(value));
        }
    }
    args
}

/// Folders before what is in them; in order of names.
fn walk(root: &Path, relative: &Path, entries: &mut Vec<(PathBuf, bool)>) -> std::io::Result<()> {
    entries.push((relative.to_path_buf(), true));
    let mut names: Vec<_> = std::fs::read_dir(root.join(relative))?.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect();
    names.sort();
    for name in names {
        let path = relative.join(name);
        if root.join(&path).is_dir() {
            walk(root, &path, entries)?;
        } else {
            entries.push((path, false));
        }
    }
    Ok(())
}

/// What the single results add up to.
#[derive(Default)]
struct Sum {
    changed: bool,
    diffs: Vec<Value>,
    changes: Vec<Json>,
    failure: Option<Reaction>,
}

impl Sum {
    /// Takes one result in; true when it failed.
    fn add(&mut self, mut reaction: Reaction) -> bool {
        let has = |key: &str| reaction.result.get(key).is_some_and(Value::is_true);
        self.changed |= has("changed");
        if has("failed") || has("unreachable") {
            self.failure = Some(reaction);
            return true;
        }
        self.changes.append(&mut reaction.changes);
        if has("changed") {
            self.diffs.extend(reaction.result.get("diff").cloned());
        }
        false
    }

    fn failed(self) -> Reaction {
        let mut reaction = self.failure.unwrap_or_default();
        reaction.result.insert("changed".into(), self.changed.into());
        reaction.changes = self.changes;
        reaction
    }

    fn finish(self, dest: &str, src: &Path) -> Reaction {
        let mut result = Dict::new();
        result.insert("changed".into(), self.changed.into());
        result.insert("dest".into(), format!("{}/", dest.trim_end_matches('/')).into());
        result.insert("src".into(), src.display().to_string().into());
        let diffs = self.diffs.into_iter().flat_map(|diff| diff.as_slice().map_or_else(|| vec![diff.clone()], <[Value]>::to_vec)).collect::<Vec<_>>();
        result.insert("diff".into(), Value::list(diffs));
        Reaction { changes: self.changes, ..Reaction::of(result) }
    }
}
