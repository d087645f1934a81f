//! Which scenarios a project has, and which of them are meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::failure::{Complaint, Failure, Place, Result};
use crate::node;

/// A scenario's file and the name it has by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The scenario's name unless its file says another.
    pub name: String,
    /// `molecule.yml`, complete.
    pub file: PathBuf,
    /// A file of Molecule 1, at the root of the project.
    pub first_version: bool,
}

/// Where a project keeps its scenarios.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `molecule`, or `extensions/molecule` in a collection.
    pub root: PathBuf,
    /// Scenarios may lie deeper, as `group/name`.
    pub nested: bool,
}

/// The layout of the project in `dir`: a collection (`galaxy.yml` with namespace and name) keeps scenarios in its extensions.
pub fn layout(dir: &Path) -> Layout {
    let galaxy = std::fs::read_to_string(dir.join("galaxy.yml")).ok().and_then(|text| node::read(&text, Path::new("galaxy.yml")).ok());
    let collection = galaxy.is_some_and(|node| node.get("namespace").is_some() && node.get("name").is_some());
    if collection && !dir.join("molecule").exists() {
        return Layout { root: dir.join("extensions/molecule"), nested: true };
    }
    Layout { root: dir.join("molecule"), nested: false }
}

/// All scenarios of a project, by their folders' names; a root `molecule.yml` of 2016 is one more, named `default` when there is no other.
pub fn all(dir: &Path) -> Result<Vec<Found>> {
    let layout = layout(dir);
    let mut found = Vec::new();
    collect(&layout.root, &layout.root, layout.nested, &mut found);
    let old = dir.join("molecule.yml");
    if old.is_file() && is_first_version(&old)? && !found.iter().any(|other| other.name == "default") {
        found.push(Found { name: "default".into(), file: old, first_version: true });
    }
    found.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(found)
}

fn collect(dir: &Path, root: &Path, nested: bool, found: &mut Vec<Found>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let file = entry.join("molecule.yml");
        if file.is_file() {
            let name = entry.strip_prefix(root).unwrap_or(&entry).to_string_lossy().into_owned();
            found.push(Found { name, file, first_version: false });
        }
        if nested {
            collect(&entry, root, nested, found);
        }
    }
}

/// True for a file of Molecule 1: it has a section that only that had.
fn is_first_version(file: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io("read", file, &error))?;
    let node = crate::interpolate::interpolate(&text, &BTreeMap::new(), None).ok().and_then(|text| node::read(&text, file).ok());
    Ok(node.is_some_and(|node| node.get("vagrant").is_some() || node.get("ansible").is_some_and(|ansible| ansible.get("playbook").is_some())))
}

/// Those that are named (patterns with `*`, `?` and `{a,b}` allowed), in the order of the names; without names all, but for the excluded.
pub fn select(found: Vec<Found>, names: Option<&[String]>, excluded: &[String]) -> Result<Vec<Found>> {
    let kept: Vec<Found> = found.into_iter().filter(|scenario| !excluded.iter().any(|pattern| matches(pattern, &scenario.name))).collect();
    let Some(names) = names else { return Ok(kept) };
    let mut chosen: Vec<Found> = Vec::new();
    for name in names.iter().filter(|name| !excluded.contains(name)) {
        let hits: Vec<&Found> = kept.iter().filter(|scenario| matches(name, &scenario.name)).collect();
        if hits.is_empty() {
            let known: Vec<&str> = kept.iter().map(|scenario| scenario.name.as_str()).collect();
            let complaint = Complaint::new(format!("there is no scenario `{name}`"));
            return Err(complaint
                .help(if known.is_empty() { "no molecule/*/molecule.yml here".into() } else { format!("there are {}", known.join(", ")) })
                .into());
        }
        for hit in hits {
            if !chosen.contains(hit) {
                chosen.push(hit.clone());
            }
        }
    }
    Ok(chosen)
}

/// Two scenarios of one name cannot be told apart.
pub fn distinct<'a>(names: impl Iterator<Item = (&'a str, &'a Path)>) -> Result<()> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for (name, file) in names {
        if let Some(first) = seen.insert(name, file) {
            let place = Place { file: file.to_path_buf(), line: 1, column: 1 };
            return Err(Complaint::at(place, format!("a second scenario named `{name}`")).help(format!("the first is {}", first.display())).into());
        }
    }
    Ok(())
}

/// Shell patterns as `-s` takes them.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.find('{').and_then(|open| Some((open, open + pattern[open..].find('}')?))) {
        Some((open, close)) => pattern[open + 1..close].split(',').any(|word| matches(&format!("{}{word}{}", &pattern[..open], &pattern[close + 1..]), name)),
        None => glob(pattern.as_bytes(), name.as_bytes()),
    }
}

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => glob(&pattern[1..], name) || !name.is_empty() && glob(pattern, &name[1..]),
        (Some(b'?'), Some(_)) => glob(&pattern[1..], &name[1..]),
        (Some(one), Some(other)) if one == other => glob(&pattern[1..], &name[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str) -> Found {
        Found { name: name.into(), file: format!("molecule/{name}/molecule.yml").into(), first_version: false }
    }

    #[test]
    fn names_patterns_and_exclusions_choose() {
        let all = || ["default", "ha", "web-a", "web-b"].into_iter().map(scenario).collect::<Vec<_>>();
        let chosen = |names: Option<&[&str]>, excluded: &[&str]| {
            let names: Option<Vec<String>> = names.map(|names| names.iter().map(ToString::to_string).collect());
            let excluded: Vec<String> = excluded.iter().map(ToString::to_string).collect();
            select(all(), names.as_deref(), &excluded).map(|found| found.into_iter().map(|one| one.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(chosen(None, &["web-*"]).unwrap(), "default ha");
        assert_eq!(chosen(Some(&["ha", "default"]), &[]).unwrap(), "ha default");
        assert_eq!(chosen(Some(&["web-{a,b}", "web-a"]), &[]).unwrap(), "web-a web-b");
        let failure = chosen(Some(&["nope"]), &[]).unwrap_err();
        assert_eq!((failure.to_string().as_str(), failure.code), ("there is no scenario `nope` (there are default, ha, web-a, web-b)", 1));
    }
}
