//! The compiler: what it reads files with, and what it needs to settle names and tags.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Inherited, Instruction, Program, TagFilter, block};
use crate::action::catalog;
use crate::diagnostic::Diagnostic;
use crate::playbook::{self, Names, Role, RoleRequest, TaskEntry};
use crate::source::Span;
use crate::template::{Context, Templated};
use crate::value::{Value, text};
use crate::vars::Layer;
use crate::yaml::{Kind, Node, Pair};

/// Files of tasks and roles, each read once in a run.
pub struct Library {
    /// Which actions exist.
    pub names: Box<dyn Names + Send + Sync>,
    /// `roles_path` and the folders where a role of this name may lie, best first; the playbook's come before.
    pub roles_path: Vec<PathBuf>,
    /// `collections_path`.
    pub collections_path: Vec<PathBuf>,
    tasks: Mutex<HashMap<(PathBuf, bool), Arc<Vec<TaskEntry>>>>,
    roles: Mutex<HashMap<String, Arc<Role>>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Library {
    /// A library that searches these folders.
    pub fn new(names: Box<dyn Names + Send + Sync>, roles_path: Vec<PathBuf>, collections_path: Vec<PathBuf>) -> Library {
        Library { names, roles_path, collections_path, tasks: Mutex::default(), roles: Mutex::default(), warnings: Mutex::default() }
    }

    /// The tasks of a file.
    ///
    /// # Errors
    /// What is wrong in the file; several at once.
    pub fn tasks(&self, path: &Path, handlers: bool) -> Result<Arc<Vec<TaskEntry>>, Vec<Diagnostic>> {
        let key = (path.to_path_buf(), handlers);
        if let Some(found) = lock(&self.tasks).get(&key) {
            return Ok(found.clone());
        }
        let loaded = playbook::load_tasks(path, handlers, &*self.names)?;
        lock(&self.warnings).extend(loaded.warnings);
        let entries = Arc::new(loaded.value);
        lock(&self.tasks).insert(key, entries.clone());
        Ok(entries)
    }

    /// A role.
    ///
    /// # Errors
    /// It cannot be found (with the folders that were searched), or what is wrong in its files.
    pub fn role(&self, request: &RoleRequest) -> Result<Arc<Role>, Vec<Diagnostic>> {
        let key = format!("{request:?}");
        if let Some(found) = lock(&self.roles).get(&key) {
            return Ok(found.clone());
        }
        let loaded = playbook::load_role(request, &*self.names)?;
        lock(&self.warnings).extend(loaded.warnings);
        let role = Arc::new(loaded.value);
        lock(&self.roles).insert(key, role.clone());
        Ok(role)
    }

    /// Warnings since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut lock(&self.warnings))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What compiling a play gathers beside the instructions.
pub struct Compiler<'a> {
    /// Reads files.
    pub library: &'a Library,
    /// For names, files and tags that are templates: variables that are known before hosts are reached.
    pub cx: Arc<Context>,
    /// Which tasks are kept.
    pub filter: &'a TagFilter,
    /// Folder of the playbook.
    pub playbook_dir: PathBuf,
    /// Handlers of roles, in order.
    pub handlers: Program,
    /// Public vars of roles, lowest first.
    pub role_vars: Vec<Arc<Layer>>,
    /// Public defaults of roles, lowest first.
    pub role_defaults: Vec<Arc<Layer>>,
    /// Names of the roles named in `roles:`.
    pub roles: Vec<Arc<str>>,
    /// Names of roles that are dependencies.
    pub dependencies: Vec<Arc<str>>,
    /// Complaints that do not stop anything.
    pub warnings: Vec<Diagnostic>,
    /// Roles compiled already, to run each once.
    pub(super) seen_roles: Vec<String>,
    /// Ids of tasks begin with this.
    pub id_prefix: String,
    pub(super) next_id: usize,
    /// Depth of imports, against files that import themselves.
    pub(super) depth: usize,
}

/// Files that import each other deeper than this are taken for a circle.
pub(super) const MAX_DEPTH: usize = 100;

impl<'a> Compiler<'a> {
    /// A compiler for one play or one include.
    pub fn new(library: &'a Library, cx: Arc<Context>, filter: &'a TagFilter, playbook_dir: &Path, id_prefix: String) -> Compiler<'a> {
        Compiler {
            library,
            cx,
            filter,
            playbook_dir: playbook_dir.to_path_buf(),
            handlers: Program::default(),
            role_vars: Vec::new(),
            role_defaults: Vec::new(),
            roles: Vec::new(),
            dependencies: Vec::new(),
            warnings: Vec::new(),
            seen_roles: Vec::new(),
            id_prefix,
            next_id: 0,
            depth: 0,
        }
    }

    /// Compiles a list of tasks to the end of `out`.
    ///
    /// # Errors
    /// What is wrong with it; several at once.
    pub fn entries(&mut self, entries: &[TaskEntry], inherited: &Inherited, handlers: bool, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        for entry in entries {
            let done = match entry {
                TaskEntry::Block(inner) => block::compile(self, inner, inherited, handlers, out),
                TaskEntry::Task(task) => self.task(task, inherited, handlers, out),
            };
            if let Err(more) = done {
                errors.extend(more);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn task(&mut self, task: &crate::playbook::Task, outer: &Inherited, handlers: bool, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
        let canonical = catalog::canonical(&task.action.value);
        match canonical.as_str() {
            "import_tasks" => return super::imports::tasks(self, task, outer, handlers, out),
            "import_role" => return super::imports::role(self, task, outer, out),
            _ => {}
        }
        let mut inherited = self.descend(outer, &task.keywords)?;
        if task.local_action {
            let span = task.action.span.clone();
            inherited.set(super::Opt::DelegateTo, Templated::compile(&Node::text("localhost", span)));
        }
        if !handlers && !self.filter.selects(&inherited.tags) {
            return Ok(());
        }
        let dynamic = matches!(canonical.as_str(), "include_tasks" | "include_role" | "include");
        if dynamic && task.keywords.vars.is_some() {
            inherited.vars.pop();
            if let Some(vars) = &task.keywords.vars {
                inherited.include_vars.push(Arc::new(super::inherit::vars_layer(vars).map_err(one)?));
            }
        }
        let id = self.id();
        let mut def = super::task::compile_task(task, id, canonical, handlers, inherited).map_err(one)?;
        if dynamic {
            def.outer = Some(Arc::new(outer.clone()));
            def.apply = apply_keywords(task, &*self.library.names)?;
        }
        out.instructions.push(Instruction::Task(Arc::new(def)));
        Ok(())
    }

    /// What is handed on below these keywords.
    pub(super) fn descend(&mut self, outer: &Inherited, keywords: &crate::playbook::Keywords) -> Result<Inherited, Vec<Diagnostic>> {
        let cx = self.cx.clone();
        outer.descend(keywords, &mut |node| tag_list(node, &cx)).map_err(one)
    }

    pub(super) fn id(&mut self) -> String {
        self.next_id += 1;
        format!("{}-{:04}", self.id_prefix, self.next_id)
    }

    /// A file name or role name that must be known before hosts are reached.
    pub(super) fn static_text(&self, node: &Node, what: &str) -> Result<String, Vec<Diagnostic>> {
        let value = Templated::compile(node).render(&self.cx).map_err(|fault| {
            let place = fault.span.clone().unwrap_or_else(|| node.span.clone());
            let error = Diagnostic::error(format!("{what} cannot be rendered: {}", fault.message)).at(&place);
            one(error.help("an import is settled before any host is reached: use variables of the command line or the play, or include instead"))
        })?;
        match value {
            Value::Null => Err(one(Diagnostic::error(format!("{what} is empty")).at(&node.span))),
            other => Ok(text(&other)),
        }
    }
}

/// What is handed on below these keywords, with tags rendered by `cx`.
///
/// # Errors
/// Tags cannot be rendered.
pub fn descend(outer: &Inherited, keywords: &crate::playbook::Keywords, cx: &Arc<Context>) -> Result<Inherited, Diagnostic> {
    outer.descend(keywords, &mut |node| tag_list(node, cx))
}

/// `apply:` of an include, read as the keywords of a block.
fn apply_keywords(task: &crate::playbook::Task, names: &dyn Names) -> Result<Option<crate::playbook::Keywords>, Vec<Diagnostic>> {
    let Some(node) = super::imports::arg(task, "apply") else { return Ok(None) };
    let Some(pairs) = node.as_map() else { return Err(one(Diagnostic::error("Expected a dict for apply").at(&node.span))) };
    let empty = Node { kind: Kind::List(Arc::default()), span: node.span.clone() };
    let mut block = pairs.to_vec();
    block.push(Pair { key: Node::text("block", node.span.clone()), value: empty });
    let block = Node { kind: Kind::Map(Arc::new(block)), span: node.span.clone() };
    let list = Node { kind: Kind::List(Arc::new(vec![block])), span: node.span.clone() };
    let parsed = playbook::parse_tasks(&list, false, names)?;
    Ok(parsed.value.into_iter().find_map(|entry| match entry {
        TaskEntry::Block(block) => Some(block.keywords),
        TaskEntry::Task(_) => None,
    }))
}

pub(super) fn one(diagnostic: Diagnostic) -> Vec<Diagnostic> {
    vec![diagnostic]
}

/// `tags:` as a list: `a,b`, a list, numbers; templates of what is known before hosts are reached.
pub(super) fn tag_list(node: &Node, cx: &Arc<Context>) -> Result<Vec<String>, Diagnostic> {
    let value = match &node.kind {
        Kind::Text(..) | Kind::List(_) | Kind::Scalar(_) => {
            Templated::compile(node).render(cx).map_err(|fault| Diagnostic::error(format!("`tags` cannot be rendered: {}", fault.message)).at(&node.span))?
        }
        _ => return Err(Diagnostic::error("tags must be specified as a list").at(&node.span)),
    };
    let mut tags = Vec::new();
    push_tags(&value, &mut tags);
    Ok(tags)
}

fn push_tags(value: &Value, tags: &mut Vec<String>) {
    match value.as_slice() {
        Some(items) => items.iter().for_each(|item| push_tags(item, tags)),
        None if matches!(value, Value::Null) => {}
        None => tags.extend(text(value).split(',').map(|tag| tag.trim().to_string()).filter(|tag| !tag.is_empty())),
    }
}

/// The file that a span lies in, as a folder for relative names.
pub(crate) fn dir_of(span: &Span) -> PathBuf {
    let file = std::path::absolute(span.path()).unwrap_or_else(|_| span.path().to_path_buf());
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}
