//! Roles: entries of `roles`, and roles as they lie on disk.

use std::path::{Path, PathBuf};

use super::files::{self, Place};
use super::keywords::{self, ROLE};
use super::reader::{Reader, is_variable_name};
use super::{Keywords, Loaded, Names, Role, RoleEntry, task};
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use crate::yaml::{Kind, Node, Pair, Style};

/// Which role, where to look for it, and which of its files.
#[derive(Debug, Clone, Default)]
pub struct RoleRequest<'a> {
    /// A name, a qualified name (`namespace.collection.role`) or a path.
    pub name: &'a str,
    /// Folders that hold roles, in order: `roles` beside the playbook, the configured roles path, the folder of the role that asks, the playbook's own.
    pub search: &'a [PathBuf],
    /// Folders that hold `ansible_collections`.
    pub collection_paths: &'a [PathBuf],
    /// Collections that a short name is looked for in first (`collections`).
    pub collections: &'a [String],
    /// `tasks_from`, otherwise `main`.
    pub tasks_from: Option<&'a str>,
    /// `vars_from`, otherwise `main`.
    pub vars_from: Option<&'a str>,
    /// `defaults_from`, otherwise `main`.
    pub defaults_from: Option<&'a str>,
    /// `handlers_from`, otherwise `main`.
    pub handlers_from: Option<&'a str>,
}

/// A list of roles.
pub(super) fn entries(reader: &mut Reader, name: &str, node: &Node) -> Vec<RoleEntry> {
    let items = reader.list(name, node);
    items.iter().filter_map(|item| entry(reader, item)).collect()
}

fn entry(reader: &mut Reader, node: &Node) -> Option<RoleEntry> {
    let bare = |name: Node| RoleEntry { name, keywords: Keywords::default(), params: Vec::new(), span: node.span.clone() };
    match &node.kind {
        Kind::Text(text, _) if text.contains(',') => {
            let found = Diagnostic::error("a role with commas is the old style, which Ansible no longer reads").at(&node.span);
            reader.report(found.help("write `role: name` with its parameters below it"));
            None
        }
        Kind::Text(..) => Some(bare(node.clone())),
        Kind::Scalar(Value::Int(number)) => Some(bare(Node { kind: Kind::Text(number.to_string().into(), Style::Plain), span: node.span.clone() })),
        Kind::Map(pairs) => from_map(reader, node, pairs),
        _ => {
            reader.error(format!("a role is a name or a dictionary, this is {}", node.described()), &node.span);
            None
        }
    }
}

fn from_map(reader: &mut Reader, node: &Node, pairs: &[Pair]) -> Option<RoleEntry> {
    let name = node.get("role").or_else(|| node.get("name")).cloned().or_else(|| galaxy_name(node));
    let Some(name) = name.filter(|name| name.as_str().is_some_and(|text| !text.is_empty())) else {
        reader.report(Diagnostic::error("the role has no name").at(&node.span).help("write `role: name`"));
        return None;
    };
    let mut entry = RoleEntry { name, keywords: Keywords::default(), params: Vec::new(), span: node.span.clone() };
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        match keywords::find(key) {
            _ if matches!(key, "role" | "name") => {}
            Some(row) if row.places & ROLE != 0 => {
                if reader.fits(row, &pair.value) {
                    reader.shared(&mut entry.keywords, key, pair);
                }
            }
            None if matches!(key, "sudo" | "sudo_user" | "su" | "su_user") => drop(reader.shared(&mut entry.keywords, key, pair)),
            _ => entry.params.push(pair.clone()),
        }
    }
    Some(entry)
}

/// `src: name,version,other` or a repository's address, as `ansible-galaxy` reads it.
fn galaxy_name(node: &Node) -> Option<Node> {
    let source = node.get("src")?;
    let mut parts = source.as_str()?.split(',').map(str::trim);
    let address = parts.next()?;
    let name = match parts.nth(1) {
        Some(name) => name,
        None if address.contains("://") || address.contains('@') => {
            let last = address.rsplit('/').next().unwrap_or(address);
            last.strip_suffix(".git").or_else(|| last.strip_suffix(".tar.gz")).unwrap_or(last)
        }
        None => address,
    };
    Some(Node { kind: Kind::Text(name.into(), Style::Plain), span: source.span.clone() })
}

/// Where a role lies: its name (a path's last part), its folder, its collection.
pub fn find_role(request: &RoleRequest) -> Option<(String, PathBuf, Option<String>)> {
    let name = request.name;
    let in_collection = |collection: &str, role: &str| {
        let (namespace, collection_name) = collection.split_once('.')?;
        let inner = Path::new("ansible_collections").join(namespace).join(collection_name).join("roles").join(role.replace('.', "/"));
        let path = request.collection_paths.iter().map(|root| root.join(&inner)).find(|path| path.is_dir())?;
        Some((role.to_string(), path, Some(collection.to_string())))
    };
    let parts: Vec<&str> = name.splitn(3, '.').collect();
    let qualified = match parts[..] {
        [namespace, collection, role] if parts.iter().all(|part| part.split('.').all(is_variable_name)) => {
            in_collection(&format!("{namespace}.{collection}"), role)
        }
        _ => request.collections.iter().filter(|_| !name.contains('/')).find_map(|collection| in_collection(collection, name)),
    };
    if qualified.is_some() {
        return qualified;
    }
    let here = request.search.iter().map(|folder| folder.join(name)).find(|path| path.exists());
    if let Some(path) = here {
        return Some((name.to_string(), path, None));
    }
    let path = PathBuf::from(name);
    let last = path.file_name()?.to_string_lossy().into_owned();
    path.exists().then_some((last, path, None))
}

fn not_found(request: &RoleRequest) -> Diagnostic {
    let mut found = Diagnostic::error(format!("the role `{}` was not found", request.name));
    let mut neighbours = Vec::new();
    for folder in request.search {
        found = found.note(format!("looked in {}", folder.display()));
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
        neighbours.extend(names.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    }
    neighbours.sort();
    found.did_you_mean(request.name, neighbours.iter().map(String::as_str))
}

/// Reads a role.
///
/// # Errors
/// It is not there, a file that was asked for is missing, or its files hold what Ansible refuses while loading.
pub fn load_role(request: &RoleRequest, names: &dyn Names) -> Result<Loaded<Role>, Vec<Diagnostic>> {
    let Some((name, path, collection)) = find_role(request) else { return Err(vec![not_found(request)]) };
    let mut reader = Reader::new(names, vec![path.join("library")]);
    let defaults = variables(&mut reader, &path.join("defaults"), request.defaults_from);
    let vars = variables(&mut reader, &path.join("vars"), request.vars_from);
    let meta = single(&mut reader, &path.join("meta"), "main", None).map(|(_, node)| node).filter(|node| !node.is_null());
    let specs = single(&mut reader, &path.join("meta"), "argument_specs", None).and_then(|(_, node)| node.get("argument_specs").cloned());
    let mut role = Role {
        name,
        path: path.clone(),
        collection,
        collections: None,
        defaults,
        vars,
        tasks: Vec::new(),
        tasks_file: None,
        handlers: Vec::new(),
        dependencies: Vec::new(),
        allow_duplicates: false,
        argument_specs: specs,
    };
    if let Some(meta) = meta {
        metadata(&mut reader, &mut role, &meta);
    }
    if let Some((file, node)) = single(&mut reader, &path.join("tasks"), "main", request.tasks_from) {
        role.tasks = tasks(&mut reader, &node, false);
        role.tasks_file = Some(file);
    }
    if let Some((_, node)) = single(&mut reader, &path.join("handlers"), "main", request.handlers_from) {
        role.handlers = tasks(&mut reader, &node, true);
    }
    reader.finish(Some(role))
}

fn tasks(reader: &mut Reader, node: &Node, handlers: bool) -> Vec<super::TaskEntry> {
    if node.as_list().is_none() && !node.is_null() {
        reader.error(format!("this file holds a list of tasks, not {}", node.described()), &node.span);
        return Vec::new();
    }
    task::list(reader, "tasks", node, handlers)
}

/// The one file of a folder that counts, read.
fn single(reader: &mut Reader, folder: &Path, main: &str, asked: Option<&str>) -> Option<(PathBuf, Node)> {
    let place = Place { folder, main, asked, directories: false };
    match files::find(&place) {
        Ok(files) => {
            let file = files.into_iter().next()?;
            let node = reader.file(&file)?;
            Some((file, node))
        }
        Err(diagnostic) => {
            reader.report(diagnostic);
            None
        }
    }
}

fn variables(reader: &mut Reader, folder: &Path, asked: Option<&str>) -> Vec<Node> {
    let files = files::find(&Place { folder, main: "main", asked, directories: true }).unwrap_or_else(|diagnostic| {
        reader.report(diagnostic);
        Vec::new()
    });
    let mut found = Vec::new();
    for file in files {
        let Some(node) = reader.file(&file) else { continue };
        if node.as_map().is_some() {
            found.push(node);
        } else if !node.is_null() {
            reader.error(format!("this file holds a dictionary of variables, not {}", node.described()), &node.span);
        }
    }
    found
}

const META: [&str; 5] = ["dependencies", "allow_duplicates", "argument_specs", "galaxy_info", "collections"];

fn metadata(reader: &mut Reader, role: &mut Role, meta: &Node) {
    let Some(pairs) = meta.as_map() else {
        return reader.error(format!("a role's metadata is a dictionary, this is {}", meta.described()), &meta.span);
    };
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        match key {
            "dependencies" => role.dependencies = entries(reader, key, &pair.value),
            "allow_duplicates" => role.allow_duplicates = is_yes(&pair.value),
            "argument_specs" => drop(role.argument_specs.get_or_insert_with(|| pair.value.clone())),
            "collections" => role.collections = Some(pair.value.clone()),
            "galaxy_info" => {}
            _ if keywords::find(key).is_some_and(|row| row.places & keywords::IMPORT != 0 && !matches!(key, "when" | "tags")) => {
                reader.report(Diagnostic::warning(format!("`{key}` has no effect in a role's metadata")).at(&pair.key.span));
            }
            _ => {
                let found = Diagnostic::error(format!("`{key}` is not a keyword of a role's metadata")).at(&pair.key.span);
                reader.report(found.did_you_mean(key, META));
            }
        }
    }
}

fn is_yes(node: &Node) -> bool {
    match node.to_value() {
        Value::Bool(b) => b,
        Value::Str(text) => matches!(text.to_lowercase().as_str(), "y" | "yes" | "on" | "1" | "true" | "t"),
        _ => false,
    }
}
