//! Keywords handed down from play to role, block and task: which are replaced and which add up.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::Keywords;
use crate::template::{Condition, Templated};
use crate::vars::{Layer, RoleVars};
use crate::yaml::{Kind, Node};

/// Keywords of which the nearest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Opt {
    Become,
    BecomeUser,
    BecomeMethod,
    BecomeFlags,
    BecomeExe,
    Connection,
    Port,
    RemoteUser,
    NoLog,
    RunOnce,
    IgnoreErrors,
    IgnoreUnreachable,
    CheckMode,
    Diff,
    AnyErrorsFatal,
    Throttle,
    Timeout,
    Debugger,
    DelegateTo,
    DelegateFacts,
    Notify,
    Collections,
}

const OPTS: usize = Opt::Collections as usize + 1;

/// Everything that a task gets from above, and what its own keywords add.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    pub(super) opts: [Option<Templated>; OPTS],
    /// `when` of blocks, roles and includes, outermost first.
    pub when: Vec<Condition>,
    /// All tags, in order of first mention.
    pub tags: Vec<String>,
    /// `environment`, outermost first.
    pub environment: Vec<Templated>,
    /// `module_defaults`, outermost first.
    pub module_defaults: Vec<Templated>,
    /// `vars` of blocks and the task, outermost first.
    pub vars: Vec<Arc<Layer>>,
    /// `vars` of dynamic includes, outermost first.
    pub include_vars: Vec<Arc<Layer>>,
    /// The role that the task belongs to.
    pub role: Option<Arc<RoleVars>>,
    /// Folders of the files that brought the task, innermost first.
    pub dirs: Vec<std::path::PathBuf>,
}

impl Inherited {
    /// The nearest value of a keyword.
    pub fn opt(&self, opt: Opt) -> Option<&Templated> {
        self.opts[opt as usize].as_ref()
    }

    /// Sets a keyword, for example from `local_action`.
    pub fn set(&mut self, opt: Opt, value: Templated) {
        self.opts[opt as usize] = Some(value);
    }

    /// What is handed on below an element with these keywords. `vars` are added by the caller where they mean something else.
    ///
    /// # Errors
    /// `vars` is no dictionary; tags that cannot be rendered.
    pub fn descend(&self, keywords: &Keywords, tags: &mut dyn FnMut(&Node) -> Result<Vec<String>, Diagnostic>) -> Result<Inherited, Diagnostic> {
        let mut below = self.clone();
        for (opt, node) in rows(keywords) {
            if let Some(node) = node {
                below.opts[opt as usize] = Some(Templated::compile(node));
            }
        }
        below.when.extend(Condition::compile_all(&keywords.when));
        if let Some(node) = &keywords.tags {
            below.add_tags(tags(node)?);
        }
        below.environment.extend(several(keywords.environment.as_ref()));
        below.module_defaults.extend(several(keywords.module_defaults.as_ref()));
        if let Some(vars) = &keywords.vars {
            below.vars.push(Arc::new(vars_layer(vars)?));
        }
        Ok(below)
    }

    /// Adds tags, each once.
    pub fn add_tags(&mut self, tags: Vec<String>) {
        for tag in tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }
}

fn rows(k: &Keywords) -> [(Opt, &Option<Node>); OPTS] {
    [
        (Opt::Become, &k.become_),
        (Opt::BecomeUser, &k.become_user),
        (Opt::BecomeMethod, &k.become_method),
        (Opt::BecomeFlags, &k.become_flags),
        (Opt::BecomeExe, &k.become_exe),
        (Opt::Connection, &k.connection),
        (Opt::Port, &k.port),
        (Opt::RemoteUser, &k.remote_user),
        (Opt::NoLog, &k.no_log),
        (Opt::RunOnce, &k.run_once),
        (Opt::IgnoreErrors, &k.ignore_errors),
        (Opt::IgnoreUnreachable, &k.ignore_unreachable),
        (Opt::CheckMode, &k.check_mode),
        (Opt::Diff, &k.diff),
        (Opt::AnyErrorsFatal, &k.any_errors_fatal),
        (Opt::Throttle, &k.throttle),
        (Opt::Timeout, &k.timeout),
        (Opt::Debugger, &k.debugger),
        (Opt::DelegateTo, &k.delegate_to),
        (Opt::DelegateFacts, &k.delegate_facts),
        (Opt::Notify, &k.notify),
        (Opt::Collections, &k.collections),
    ]
}

fn several(node: Option<&Node>) -> Vec<Templated> {
    match node.map(|node| &node.kind) {
        None => Vec::new(),
        Some(Kind::List(items)) => items.iter().map(Templated::compile).collect(),
        Some(_) => node.map(Templated::compile).into_iter().collect(),
    }
}

/// `vars` as a layer; the old list of dictionaries is merged.
pub(super) fn vars_layer(node: &Node) -> Result<Layer, Diagnostic> {
    let Some(items) = node.as_list() else { return Layer::from_node(node) };
    let mut layer = Layer::default();
    for item in items {
        layer.extend(&Layer::from_node(item)?);
    }
    Ok(layer)
}
