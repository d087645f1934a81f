//! A compiled task: self-contained, with no parent pointers.

use std::path::PathBuf;
use std::sync::Arc;

use super::Inherited;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Mark, Task};
use crate::source::Span;
use crate::template::{Condition, Templated};
use crate::vars::TaskVars;
use crate::yaml::{Kind, Node, Pair};

/// A task, handler, include or meta, ready to run for any host.
#[derive(Debug)]
pub struct TaskDef {
    /// Unique within the run.
    pub id: String,
    /// Where it stands.
    pub span: Span,
    /// `name`.
    pub name: Option<Templated>,
    /// The action as written.
    pub action: String,
    /// Its canonical short name (`copy` for `ansible.builtin.copy`), or as written where rplay has no such action.
    pub canonical: String,
    /// Where the action's name stands.
    pub action_span: Span,
    /// Arguments by name.
    pub args: Vec<(String, Templated)>,
    /// Free-form argument.
    pub free_form: Option<Templated>,
    /// All arguments as one template.
    pub args_template: Option<Templated>,
    /// `args` as Ansible shows them in verbose modes: not rendered.
    pub when: Vec<Condition>,
    /// The loop.
    pub loop_: Option<LoopDef>,
    /// `loop_control`.
    pub loop_control: Vec<(String, Templated)>,
    /// `until`.
    pub until: Vec<Condition>,
    /// `retries`.
    pub retries: Option<Templated>,
    /// `delay`, seconds.
    pub delay: Option<Templated>,
    /// `changed_when`.
    pub changed_when: Option<Vec<Condition>>,
    /// `failed_when`.
    pub failed_when: Option<Vec<Condition>>,
    /// `register`.
    pub register: Option<String>,
    /// `async`, seconds.
    pub async_: Option<Templated>,
    /// `poll`, seconds.
    pub poll: Option<Templated>,
    /// Handlers: what they listen to.
    pub listen: Vec<Templated>,
    /// It stands among handlers.
    pub handler: bool,
    /// Keywords, its own and inherited ones.
    pub inherited: Inherited,
    /// The part of its scope that does not depend on the host.
    pub vars: Arc<TaskVars>,
    /// Its own `vars`, for includes (they become include variables).
    pub own_vars: Option<Node>,
    /// Name of the role that it belongs to.
    pub role: Option<Arc<str>>,
    /// File it stands in.
    pub file: PathBuf,
    /// For dynamic includes: what the included tasks inherit.
    pub outer: Option<Arc<Inherited>>,
    /// For dynamic includes: keywords of `apply`.
    pub apply: Option<crate::playbook::Keywords>,
    /// Comments to rplay.
    pub marks: Vec<Mark>,
}

/// How a task loops.
#[derive(Debug)]
pub enum LoopDef {
    /// `loop:`
    Loop(Templated),
    /// `with_NAME:`
    With(String, Templated),
}

impl TaskDef {
    /// Line of the task in its file.
    pub fn line(&self) -> usize {
        self.span.position().line
    }

    /// An argument by name.
    pub fn arg(&self, name: &str) -> Option<&Templated> {
        self.args.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The mark of that word.
    pub fn mark(&self, word: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.word == word)
    }

    /// True for `include_tasks`, `include_role` and the old `include`.
    pub fn is_include(&self) -> bool {
        matches!(self.canonical.as_str(), "include_tasks" | "include_role" | "include")
    }
}

/// Compiles the parts of a task that do not depend on where it stands. `inherited` holds its own keywords already.
pub(super) fn compile_task(task: &Task, id: String, canonical: String, handler: bool, inherited: Inherited) -> Result<TaskDef, Diagnostic> {
    let file = task.span.path().to_path_buf();
    let vars = task_vars(&inherited);
    Ok(TaskDef {
        id,
        span: task.span.clone(),
        name: task.name.as_ref().map(Templated::compile),
        action: task.action.value.clone(),
        canonical,
        action_span: task.action.span.clone(),
        args: named(&task.args),
        free_form: task.free_form.as_ref().map(Templated::compile),
        args_template: task.args_template.as_ref().map(Templated::compile),
        when: inherited.when.clone(),
        loop_: loop_of(task),
        loop_control: loop_control(task)?,
        until: Condition::compile_all(&task.only.until),
        retries: task.only.retries.as_ref().map(Templated::compile),
        delay: task.only.delay.as_ref().map(Templated::compile),
        changed_when: conditions(&task.only.changed_when),
        failed_when: conditions(&task.only.failed_when),
        register: task.only.register.as_ref().and_then(|node| node.as_str().map(str::to_string)),
        async_: task.only.async_.as_ref().map(Templated::compile),
        poll: task.only.poll.as_ref().map(Templated::compile),
        listen: listen(task.only.listen.as_ref()),
        handler,
        role: inherited.role.as_ref().map(|role| role.name.clone()),
        own_vars: task.keywords.vars.clone(),
        vars,
        inherited,
        file,
        outer: None,
        apply: None,
        marks: task.marks.clone(),
    })
}

/// The scope's task part for these keywords.
pub fn task_vars(inherited: &Inherited) -> Arc<TaskVars> {
    Arc::new(TaskVars {
        vars: inherited.vars.clone(),
        include_vars: inherited.include_vars.clone(),
        role: inherited.role.clone(),
        search_path: search_path(inherited),
    })
}

/// Role's folder first, then the role's tasks, then the folders of the including files, the playbook's last.
fn search_path(inherited: &Inherited) -> Vec<PathBuf> {
    let mut path: Vec<PathBuf> = Vec::new();
    if let Some(role) = &inherited.role {
        path.push(role.path.clone());
    }
    for dir in &inherited.dirs {
        if !path.contains(dir) {
            path.push(dir.clone());
        }
    }
    path
}

fn named(pairs: &[Pair]) -> Vec<(String, Templated)> {
    pairs.iter().map(|pair| (pair.key.as_str().unwrap_or_default().to_string(), Templated::compile(&pair.value))).collect()
}

fn conditions(nodes: &[Node]) -> Option<Vec<Condition>> {
    (!nodes.is_empty()).then(|| Condition::compile_all(nodes))
}

fn loop_of(task: &Task) -> Option<LoopDef> {
    if let Some((name, value)) = &task.only.with {
        return Some(LoopDef::With(name.value.clone(), Templated::compile(value)));
    }
    task.only.loop_.as_ref().map(|node| LoopDef::Loop(Templated::compile(node)))
}

fn loop_control(task: &Task) -> Result<Vec<(String, Templated)>, Diagnostic> {
    let Some(node) = &task.only.loop_control else { return Ok(Vec::new()) };
    match node.as_map() {
        Some(pairs) => Ok(named(pairs)),
        None => Err(Diagnostic::error("`loop_control` must be a dictionary").at(&node.span)),
    }
}

fn listen(node: Option<&Node>) -> Vec<Templated> {
    match node.map(|node| &node.kind) {
        None => Vec::new(),
        Some(Kind::List(items)) => items.iter().map(Templated::compile).collect(),
        Some(_) => node.map(Templated::compile).into_iter().collect(),
    }
}
