//! A whole play, compiled.

use std::path::Path;
use std::sync::Arc;

use super::compile::{Compiler, Library, one, tag_list};
use super::inherit::vars_layer;
use super::{Inherited, Instruction, Opt, Program, TagFilter, block, roles};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Play, Task, TaskEntry, TaskKeywords};
use crate::source::Spanned;
use crate::template::{Condition, Context, Templated};
use crate::value::{Value, text};
use crate::vars::{Layer, PlayVars, TaskScope, World};
use crate::yaml::Node;

/// A play, ready to run.
#[derive(Debug)]
pub struct CompiledPlay {
    /// `name`, else the hosts pattern.
    pub name: String,
    /// `name` was given.
    pub named: bool,
    /// The play as written.
    pub source: Arc<Play>,
    /// Keywords of the play itself.
    pub inherited: Inherited,
    /// Tags of the play, for lists.
    pub tags: Vec<String>,
    /// The play's own part of variables (hosts are filled in when it runs).
    pub vars: PlayVars,
    /// Fact gathering, before everything else.
    pub gather: Option<Arc<super::TaskDef>>,
    /// Everything in order, without fact gathering.
    pub main: Program,
    /// Handlers in order of definition: those of roles, then the play's.
    pub handlers: Program,
}

/// What `import_playbook` hands to a play.
#[derive(Debug, Clone, Default)]
pub struct FromImport {
    /// `vars`, outermost first.
    pub vars: Vec<Arc<Layer>>,
    /// `when`, outermost first.
    pub when: Vec<Node>,
    /// `tags`.
    pub tags: Vec<Node>,
}

/// Compiles a play. `world` gives the variables that are known before hosts are reached.
///
/// # Errors
/// What is wrong with it; several at once.
pub fn compile_play(
    play: &Arc<Play>,
    from: &FromImport,
    library: &Library,
    world: &World,
    filter: &TagFilter,
    id: &str,
) -> Result<(CompiledPlay, Vec<Diagnostic>), Vec<Diagnostic>> {
    let vars = play_vars(play, from).map_err(one)?;
    let cx = static_context(world, &vars);
    let mut c = Compiler::new(library, cx.clone(), filter, &absolute_dir(play), id.to_string());
    let inherited = play_inherited(&mut c, play, from)?;
    let name = play_name(play, &cx);
    let gather = gather_task(&mut c, play, &inherited)?;
    let main = sections(&mut c, play, &inherited)?;
    let mut handlers = std::mem::take(&mut c.handlers);
    c.entries(&play.handlers, &inherited, true, &mut handlers)?;
    let vars = PlayVars {
        name: name.clone(),
        role_vars: std::mem::take(&mut c.role_vars),
        role_defaults: std::mem::take(&mut c.role_defaults),
        roles: std::mem::take(&mut c.roles),
        dependencies: std::mem::take(&mut c.dependencies),
        ..vars
    };
    let mut warnings = std::mem::take(&mut c.warnings);
    warnings.extend(library.take_warnings());
    let tags = inherited.tags.clone();
    Ok((CompiledPlay { name, named: play.name.is_some(), source: play.clone(), inherited, tags, vars, gather, main, handlers }, warnings))
}

/// Folder of the file that the play stands in.
fn absolute_dir(play: &Play) -> std::path::PathBuf {
    let file = std::path::absolute(&play.file).unwrap_or_else(|_| play.file.clone());
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Variables of the command line and the play, without any host.
pub fn static_context(world: &World, vars: &PlayVars) -> Arc<Context> {
    let mut world = world.clone();
    world.play = Some(Arc::new(vars.clone()));
    Context::new(TaskScope::new(&Arc::new(world), &Arc::from("localhost"), None, false))
}

fn play_vars(play: &Play, from: &FromImport) -> Result<PlayVars, Diagnostic> {
    let mut layer = Layer::default();
    for imported in &from.vars {
        layer.extend(imported);
    }
    if let Some(node) = &play.keywords.vars {
        let own = vars_layer(node)?;
        let mut both = own.clone();
        both.extend(&layer);
        layer = both;
    }
    Ok(PlayVars { vars: Arc::new(layer), ..PlayVars::default() })
}

fn play_inherited(c: &mut Compiler, play: &Play, from: &FromImport) -> Result<Inherited, Vec<Diagnostic>> {
    let mut keywords = play.keywords.clone();
    keywords.vars = None;
    let mut base = Inherited { dirs: vec![c.playbook_dir.clone()], ..Inherited::default() };
    base.when = Condition::compile_all(&from.when);
    for node in &from.tags {
        base.add_tags(tag_list(node, &c.cx).map_err(one)?);
    }
    c.descend(&base, &keywords)
}

fn play_name(play: &Play, cx: &Arc<Context>) -> String {
    let shown = |node: &Node| match Templated::compile(node).render(cx) {
        Ok(value) => match value.as_slice() {
            Some(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
            None => text(&value),
        },
        Err(_) => node.as_str().unwrap_or_default().to_string(),
    };
    play.name.as_ref().map(shown).filter(|name| !name.is_empty()).unwrap_or_else(|| shown(&play.hosts))
}

/// `gather_facts: yes` (the default; whether it runs depends on `gathering`, which the engine knows).
fn gather_task(c: &mut Compiler, play: &Play, inherited: &Inherited) -> Result<Option<Arc<super::TaskDef>>, Vec<Diagnostic>> {
    let mut own = inherited.clone();
    own.add_tags(vec!["always".into()]);
    own.when = Vec::new();
    if !c.filter.selects(&own.tags) {
        return Ok(None);
    }
    let span = play.gather_facts.as_ref().map_or(&play.span, |node| &node.span);
    let mut args = Vec::new();
    for (key, node) in [("gather_subset", &play.gather_subset), ("gather_timeout", &play.gather_timeout), ("fact_path", &play.fact_path)] {
        if let Some(node) = node {
            args.push(crate::yaml::Pair { key: Node::text(key, node.span.clone()), value: node.clone() });
        }
    }
    let task = Task {
        span: span.clone(),
        name: Some(Node::text("Gathering Facts", span.clone())),
        action: Spanned { value: "ansible.builtin.gather_facts".into(), span: span.clone() },
        args,
        free_form: None,
        args_template: None,
        local_action: false,
        marks: Vec::new(),
        keywords: Default::default(),
        only: TaskKeywords::default(),
    };
    let id = c.id();
    let def = super::task::compile_task(&task, id, "gather_facts".into(), false, own).map_err(one)?;
    Ok(Some(Arc::new(def)))
}

fn sections(c: &mut Compiler, play: &Play, inherited: &Inherited) -> Result<Program, Vec<Diagnostic>> {
    let force = play.force_handlers.as_ref().is_some_and(|node| node.span.text() != "false" && node.span.text() != "no");
    let mut main = Program::default();
    let mut errors = Vec::new();
    let mut pre = Program::default();
    errors.extend(c.entries(&play.pre_tasks, inherited, false, &mut pre).err().into_iter().flatten());
    section(pre, force, &mut main);
    let mut middle = Program::default();
    for entry in &play.roles {
        errors.extend(roles::entry(c, entry, inherited, false, &mut middle).err().into_iter().flatten());
    }
    errors.extend(c.entries(&play.tasks, inherited, false, &mut middle).err().into_iter().flatten());
    section(middle, force, &mut main);
    let mut post = Program::default();
    errors.extend(c.entries(&play.post_tasks, inherited, false, &mut post).err().into_iter().flatten());
    section(post, force, &mut main);
    if errors.is_empty() { Ok(main) } else { Err(errors) }
}

/// A section ends with a flush; under `force_handlers` also when it failed.
fn section(body: Program, force: bool, main: &mut Program) {
    let flush = Program { instructions: vec![Instruction::Flush] };
    if force && !body.instructions.is_empty() {
        block::lay(body, Program::default(), flush, main);
    } else {
        block::append(main, body);
        block::append(main, flush);
    }
}

impl CompiledPlay {
    /// A keyword of the play that is a number or text, rendered with what is known before hosts are reached.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn static_value(&self, node: Option<&Node>, world: &World) -> Result<Option<Value>, Diagnostic> {
        let Some(node) = node else { return Ok(None) };
        let cx = static_context(world, &self.vars);
        Templated::compile(node).render(&cx).map(Some).map_err(|fault| Diagnostic::error(fault.message).at(&node.span))
    }

    /// The nearest value of an inheritable keyword of the play.
    pub fn opt(&self, opt: Opt) -> Option<&Templated> {
        self.inherited.opt(opt)
    }

    /// Entries of the play's own lists, for counting.
    pub fn is_empty(&self) -> bool {
        let play = &self.source;
        let none = |entries: &[TaskEntry]| entries.is_empty();
        play.roles.is_empty() && none(&play.tasks) && none(&play.pre_tasks) && none(&play.post_tasks)
    }

    /// Folder of the play's file.
    pub fn dir(&self) -> std::path::PathBuf {
        absolute_dir(&self.source)
    }
}
