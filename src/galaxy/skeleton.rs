//! New roles and collections to begin with.

use std::path::Path;

use super::unpack::{self, Content, Members};
use super::{Trouble, installed};

fn file(path: &str, text: String) -> (std::path::PathBuf, Content) {
    (path.into(), Content::File(text.into_bytes(), false))
}

fn folders(names: &[&str]) -> Members {
    names.iter().map(|name| (name.into(), Content::Folder)).collect()
}

/// A name that variables and folders can have.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A new role in a folder.
///
/// # Errors
/// The name is none, or something of that name is there.
pub fn role(folder: &Path, name: &str, force: bool) -> Result<(), Trouble> {
    let last = name.rsplit('.').next().unwrap_or(name);
    if !name.split('.').all(is_name) {
        return Err(Trouble::new(format!("`{name}` is no name for a role: it has letters, digits, `_` and `-`")));
    }
    let variable = last.replace('-', "_");
    let mut members = folders(&["files", "templates"]);
    members.push(file("README.md", format!("# {last}\n\nWhat this role does.\n\n## Variables\n\nSee `defaults/main.yml`.\n")));
    members.push(file("defaults/main.yml", format!("---\n# defaults for {last}; names begin with {variable}_\n")));
    members.push(file("vars/main.yml", format!("---\n# vars for {last}\n")));
    members.push(file("tasks/main.yml", format!("---\n# tasks for {last}\n")));
    members.push(file("handlers/main.yml", format!("---\n# handlers for {last}\n")));
    members.push(file(
        "meta/main.yml",
        format!("---\ngalaxy_info:\n  role_name: {variable}\n  author: your name\n  description: what this role does\n  license: license (MIT, Apache-2.0, ...)\n  min_ansible_version: \"2.15\"\n  galaxy_tags: []\ndependencies: []\n"),
    ));
    members.push(file("tests/inventory", "localhost ansible_connection=local\n".into()));
    members.push(file("tests/test.yml", format!("---\n- name: Test {last}\n  hosts: localhost\n  roles:\n    - {name}\n")));
    place(&members, &folder.join(name), "role", force)
}

/// A new collection in a folder: `FOLDER/NAMESPACE/NAME`.
///
/// # Errors
/// The name is none, or something of that name is there.
pub fn collection(folder: &Path, name: &str, force: bool) -> Result<(), Trouble> {
    let (namespace, last) = match name.split('.').collect::<Vec<_>>()[..] {
        [namespace, last] if is_name(namespace) && is_name(last) && !name.contains('-') => (namespace, last),
        _ => return Err(Trouble::new(format!("Invalid collection name '{name}', name must be in the format <namespace>.<collection>."))),
    };
    let mut members = folders(&["docs", "plugins", "roles"]);
    members.push(file(
        "galaxy.yml",
        format!("---\nnamespace: {namespace}\nname: {last}\nversion: 1.0.0\nreadme: README.md\nauthors:\n  - your name <example@domain.com>\ndescription: what this collection has\nlicense:\n  - MIT\ntags: []\ndependencies: {{}}\nrepository: http://example.com/repository\nbuild_ignore: []\n"),
    ));
    members.push(file("README.md", format!("# {name}\n")));
    members.push(file("meta/runtime.yml", "---\nrequires_ansible: \">=2.15.0\"\n".into()));
    place(&members, &folder.join(namespace).join(last), "collection", force)
}

fn place(members: &Members, target: &Path, what: &str, force: bool) -> Result<(), Trouble> {
    let there = std::fs::symlink_metadata(target);
    if there.as_ref().is_ok_and(|there| !there.is_dir()) {
        return Err(Trouble::new(format!("- the path {} already exists, but is a file - aborting", target.display())));
    }
    let used = there.is_ok() && std::fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some());
    if used && !force {
        return Err(Trouble::new(format!(
            "- the directory {} already exists.\nYou can use --force to re-initialize this directory,\nhowever it will reset any main.yml files that may have been modified there already.",
            target.display()
        )));
    }
    let ours = installed::is_role(target) || installed::collection_version(target).is_some();
    if used && !ours {
        return Err(Trouble::new(format!("- {} holds no {what}; it is not overwritten", target.display())));
    }
    unpack::place(members, target)
}
