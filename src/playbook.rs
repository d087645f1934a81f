//! Playbooks, roles and task files as a typed syntax tree; nothing is rendered, no host is reached.
//!
//! What Ansible refuses while loading is an error here, all of a file's together; what is old but clear is accepted with a warning that
//! shows the modern form. An action that nobody knows is left to whoever runs it, unless it looks like a known one misspelled.

mod action;
mod ast;
mod files;
mod include;
mod keywords;
mod kv;
mod marks;
mod names;
mod play;
mod reader;
mod role;
mod spelling;
mod task;

use std::path::Path;

pub use ast::*;
pub use files::resolve_include;
pub use kv::{Arguments, parse as parse_key_values};
pub use marks::{Mark, marks};
pub use names::{Names, is_free_form, short_name};
pub use reader::is_variable_name;
pub use role::{RoleRequest, find_role, load_role};

use crate::diagnostic::Diagnostic;
use crate::yaml::Node;
use reader::Reader;

/// A tree and the warnings about it.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The tree.
    pub value: T,
    /// Warnings, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a playbook.
///
/// # Errors
/// Everything in the file that is wrong, with the warnings among it.
pub fn load_playbook(path: &Path, names: &dyn Names) -> Result<Loaded<Vec<PlaybookEntry>>, Vec<Diagnostic>> {
    let mut reader = Reader::new(names, files::libraries(path));
    let entries = reader.file(path).and_then(|node| play::playbook(&mut reader, &node, path));
    reader.finish(entries)
}

/// A playbook that is read already; `path` is the file that it stands for.
///
/// # Errors
/// Everything that is wrong with it, with the warnings among it.
pub fn parse_playbook(node: &Node, path: &Path, names: &dyn Names) -> Result<Loaded<Vec<PlaybookEntry>>, Vec<Diagnostic>> {
    let mut reader = Reader::new(names, files::libraries(path));
    let entries = play::playbook(&mut reader, node, path);
    reader.finish(entries)
}

/// Reads a file of tasks (or handlers); an empty file holds none.
///
/// # Errors
/// Everything in the file that is wrong, with the warnings among it.
pub fn load_tasks(path: &Path, handlers: bool, names: &dyn Names) -> Result<Loaded<Vec<TaskEntry>>, Vec<Diagnostic>> {
    let mut reader = Reader::new(names, files::libraries(path));
    let tasks = reader.file(path).map(|node| tasks(&mut reader, &node, handlers));
    reader.finish(tasks)
}

/// Tasks that are read already.
///
/// # Errors
/// Everything that is wrong with them, with the warnings among it.
pub fn parse_tasks(node: &Node, handlers: bool, names: &dyn Names) -> Result<Loaded<Vec<TaskEntry>>, Vec<Diagnostic>> {
    let mut reader = Reader::new(names, Vec::new());
    let tasks = tasks(&mut reader, node, handlers);
    reader.finish(Some(tasks))
}

fn tasks(reader: &mut Reader, node: &Node, handlers: bool) -> Vec<TaskEntry> {
    if node.as_list().is_none() && !node.is_null() {
        let found = Diagnostic::error(format!("a file of tasks holds a list, this is {}", node.described())).at(&node.span);
        let is_play = node.get("hosts").is_some() || node.get("tasks").is_some();
        reader.report(if is_play { found.help("this is a play: `import_playbook` reads plays") } else { found.help("begin each task with `- `") });
        return Vec::new();
    }
    task::list(reader, "tasks", node, handlers)
}
