//! Static imports: `import_tasks` and `import_role` are laid in place.

use std::path::PathBuf;

use super::compile::{Compiler, MAX_DEPTH, dir_of, one};
use super::roles::{self, RoleUse};
use super::{Inherited, Program};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Task, resolve_include};
use crate::yaml::Node;

/// `import_tasks: FILE`.
pub(super) fn tasks(c: &mut Compiler, task: &Task, outer: &Inherited, handlers: bool, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
    if task.only.loop_.is_some() || task.only.with.is_some() {
        let error = Diagnostic::error("you cannot use loops on `import_tasks` statements").at(&task.span);
        return Err(one(error.help("use `include_tasks` instead")));
    }
    let Some(file) = task.free_form.as_ref().or_else(|| arg(task, "file")) else {
        return Err(one(Diagnostic::error("no file specified for import_tasks").at(&task.span)));
    };
    let inherited = c.descend(outer, &task.keywords)?;
    let name = c.static_text(file, "the file of `import_tasks`")?;
    let dirs = include_dirs(&inherited, &dir_of(&task.span), handlers);
    let path = resolve_include(&name, &dirs).map_err(|error| one(error.at(&file.span)))?;
    deeper(c, &task.span, |c| {
        let entries = c.library.tasks(&path, handlers)?;
        let inner = below_file(inherited, &path);
        c.entries(&entries, &inner, handlers, out)
    })
}

/// `import_role: name=...`.
pub(super) fn role(c: &mut Compiler, task: &Task, outer: &Inherited, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
    if task.only.loop_.is_some() || task.only.with.is_some() {
        let error = Diagnostic::error("you cannot use loops on `import_role` statements").at(&task.span);
        return Err(one(error.help("use `include_role` instead")));
    }
    let Some(name) = arg(task, "name").or_else(|| arg(task, "role")) else {
        return Err(one(Diagnostic::error("'name' is a required field for import_role").at(&task.span)));
    };
    let inherited = c.descend(outer, &task.keywords)?;
    let from = |key: &str| arg(task, key).map(|node| c.static_text(node, key)).transpose();
    let [tasks_from, vars_from, defaults_from, handlers_from] = [from("tasks_from")?, from("vars_from")?, from("defaults_from")?, from("handlers_from")?];
    let public = arg(task, "public").is_none_or(|node| c.static_text(node, "public").is_ok_and(|text| text != "False"));
    let validate = arg(task, "rolespec_validate").is_none_or(|node| c.static_text(node, "rolespec_validate").is_ok_and(|text| text != "False"));
    let name_text = c.static_text(name, "the role's name")?;
    let span = name.span.clone();
    let use_ = RoleUse { name: name_text, tasks_from, vars_from, defaults_from, handlers_from, public, validate, ..RoleUse::default_at(&span) };
    deeper(c, &task.span, |c| roles::compile(c, use_, &inherited, out).map(drop))
}

pub(super) fn arg<'a>(task: &'a Task, name: &str) -> Option<&'a Node> {
    task.args.iter().find(|pair| pair.key.as_str() == Some(name)).map(|pair| &pair.value)
}

/// Where a relative include is searched: beside the including file, in the role, beside the files that include that one.
pub(crate) fn include_dirs(inherited: &Inherited, own: &std::path::Path, handlers: bool) -> Vec<PathBuf> {
    let section = if handlers { "handlers" } else { "tasks" };
    let mut dirs = vec![own.to_path_buf()];
    if let Some(role) = &inherited.role {
        dirs.push(role.path.join(section));
        dirs.push(role.path.clone());
    }
    for dir in &inherited.dirs {
        dirs.push(dir.join(section));
        dirs.push(dir.clone());
    }
    let mut unique = Vec::new();
    dirs.into_iter().for_each(|dir| {
        if !unique.contains(&dir) {
            unique.push(dir)
        }
    });
    unique
}

/// What tasks of an included file inherit: its folder comes first.
pub(crate) fn below_file(mut inherited: Inherited, path: &std::path::Path) -> Inherited {
    if let Some(dir) = path.parent() {
        inherited.dirs.retain(|known| known != dir);
        inherited.dirs.insert(0, dir.to_path_buf());
    }
    inherited
}

fn deeper(c: &mut Compiler, span: &crate::source::Span, then: impl FnOnce(&mut Compiler) -> Result<(), Vec<Diagnostic>>) -> Result<(), Vec<Diagnostic>> {
    if c.depth >= MAX_DEPTH {
        return Err(one(Diagnostic::error(format!("imports are nested more than {MAX_DEPTH} deep: does a file import itself?")).at(span)));
    }
    c.depth += 1;
    let done = then(c);
    c.depth -= 1;
    done
}
