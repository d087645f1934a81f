//! Roles: dependencies first, then the role's own tasks, with its variables around them.

use std::path::PathBuf;
use std::sync::Arc;

use super::compile::{Compiler, MAX_DEPTH, one};
use super::{Inherited, Instruction, Program, argument_specs};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Role, RoleEntry, RoleRequest};
use crate::source::Span;
use crate::vars::{Layer, RoleVars};
use crate::yaml::Pair;

/// One use of a role: in `roles:`, as a dependency, by import or include.
#[derive(Debug, Clone)]
pub struct RoleUse {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Other files than `main`.
    pub tasks_from: Option<String>,
    /// See `tasks_from`.
    pub vars_from: Option<String>,
    /// See `tasks_from`.
    pub defaults_from: Option<String>,
    /// See `tasks_from`.
    pub handlers_from: Option<String>,
    /// Its vars and defaults are seen by the whole play.
    pub public: bool,
    /// Run it only once with the same parameters.
    pub once: bool,
    /// Role parameters.
    pub params: Vec<Pair>,
    /// `vars` of the entry.
    pub vars: Option<crate::yaml::Node>,
    /// It is a dependency.
    pub dependency: bool,
    /// Its arguments are checked against its specification, where it has one.
    pub validate: bool,
}

impl RoleUse {
    /// A use without anything special.
    pub fn default_at(span: &Span) -> RoleUse {
        RoleUse {
            name: String::new(),
            span: span.clone(),
            tasks_from: None,
            vars_from: None,
            defaults_from: None,
            handlers_from: None,
            public: true,
            once: false,
            params: Vec::new(),
            vars: None,
            dependency: false,
            validate: true,
        }
    }
}

/// An entry of `roles:` or `dependencies:`.
pub(super) fn entry(
    c: &mut Compiler,
    entry: &RoleEntry,
    outer: &Inherited,
    dependency: bool,
    out: &mut Program,
) -> Result<Option<Arc<RoleVars>>, Vec<Diagnostic>> {
    let mut keywords = entry.keywords.clone();
    let vars = keywords.vars.take();
    let inherited = c.descend(outer, &keywords)?;
    let name = c.static_text(&entry.name, "the role's name")?;
    let use_ = RoleUse { name, params: entry.params.clone(), vars, once: true, dependency, ..RoleUse::default_at(&entry.name.span) };
    let key =
        format!("{}|{:?}|{:?}|{:?}", use_.name, entry.keywords.when.iter().map(|n| n.span.text()).collect::<Vec<_>>(), inherited.tags, params_text(entry));
    compile_once(c, use_, key, &inherited, out)
}

fn params_text(entry: &RoleEntry) -> Vec<(String, String)> {
    let shown = |pair: &Pair| (pair.key.span.text().to_string(), pair.value.span.text().to_string());
    let mut all: Vec<_> = entry.params.iter().map(shown).collect();
    all.extend(entry.keywords.vars.iter().map(|node| ("vars".to_string(), node.span.text().to_string())));
    all
}

fn compile_once(c: &mut Compiler, use_: RoleUse, key: String, inherited: &Inherited, out: &mut Program) -> Result<Option<Arc<RoleVars>>, Vec<Diagnostic>> {
    let role = load(c, &use_, inherited)?;
    let key = format!("{}|{key}", role.path.display());
    if c.seen_roles.contains(&key) && !role.allow_duplicates {
        remember(c, &use_, &Arc::from(role.name.as_str()));
        return Ok(None);
    }
    c.seen_roles.push(key);
    lay(c, &use_, &role, inherited, out).map(Some)
}

/// A role by import or include.
///
/// # Errors
/// It cannot be found, or what is wrong in its files.
pub fn compile(c: &mut Compiler, use_: RoleUse, inherited: &Inherited, out: &mut Program) -> Result<Arc<RoleVars>, Vec<Diagnostic>> {
    let role = load(c, &use_, inherited)?;
    lay(c, &use_, &role, inherited, out)
}

fn load(c: &Compiler, use_: &RoleUse, inherited: &Inherited) -> Result<Arc<Role>, Vec<Diagnostic>> {
    let mut search: Vec<PathBuf> = Vec::new();
    if let Some(role) = &inherited.role {
        search.extend(role.path.parent().map(PathBuf::from));
    }
    search.push(c.playbook_dir.join("roles"));
    search.extend(c.library.roles_path.iter().cloned());
    search.push(c.playbook_dir.clone());
    let request = RoleRequest {
        name: &use_.name,
        search: &search,
        collection_paths: &c.library.collections_path,
        collections: &[],
        tasks_from: use_.tasks_from.as_deref(),
        vars_from: use_.vars_from.as_deref(),
        defaults_from: use_.defaults_from.as_deref(),
        handlers_from: use_.handlers_from.as_deref(),
    };
    c.library.role(&request).map_err(|errors| errors.into_iter().map(|error| error.at(&use_.span)).collect())
}

fn lay(c: &mut Compiler, use_: &RoleUse, role: &Arc<Role>, outer: &Inherited, out: &mut Program) -> Result<Arc<RoleVars>, Vec<Diagnostic>> {
    if c.depth >= MAX_DEPTH {
        return Err(one(Diagnostic::error(format!("roles are nested more than {MAX_DEPTH} deep: does a role depend on itself?")).at(&use_.span)));
    }
    c.depth += 1;
    let done = lay_inner(c, use_, role, outer, out);
    c.depth -= 1;
    done
}

fn lay_inner(c: &mut Compiler, use_: &RoleUse, role: &Arc<Role>, outer: &Inherited, out: &mut Program) -> Result<Arc<RoleVars>, Vec<Diagnostic>> {
    let mut own = own_vars(use_, role, outer).map_err(one)?;
    let mut around = outer.clone();
    around.role = Some(Arc::new(own.clone()));
    around.dirs = role_dirs(role, outer);
    let from_files = (own.defaults.len() - role.defaults.len(), own.vars.len() - role.vars.len());
    let files = (own.defaults.split_off(from_files.0), own.vars[from_files.1..].to_vec());
    // lowest are the vars and defaults of the roles that brought this one, then its dependencies', then its own
    let mut below = (std::mem::take(&mut own.defaults), Vec::new());
    for dependency in &role.dependencies {
        if let Some(vars) = entry(c, dependency, &around, true, out)? {
            below.0.extend(vars.defaults.iter().cloned());
            below.1.extend(vars.vars.iter().cloned());
        }
    }
    below.0.extend(files.0.iter().cloned());
    below.1.append(&mut own.vars);
    (own.defaults, own.vars) = below;
    let own = Arc::new(own);
    register(c, use_, &own, files);
    around.role = Some(own.clone());
    let mut handlers = std::mem::take(&mut c.handlers);
    let compiled = c.entries(&role.handlers, &handler_place(&around, role), true, &mut handlers);
    c.handlers = handlers;
    compiled?;
    argument_specs::lay(c, use_, role, &around, out)?;
    c.entries(&role.tasks, &around, false, out)?;
    out.instructions.push(Instruction::RoleEnd(own.name.clone()));
    Ok(own)
}

fn handler_place(around: &Inherited, role: &Role) -> Inherited {
    let mut inherited = around.clone();
    inherited.dirs.insert(0, role.path.join("handlers"));
    inherited
}

fn role_dirs(role: &Role, outer: &Inherited) -> Vec<PathBuf> {
    let mut dirs = vec![role.path.join("tasks")];
    dirs.extend(outer.dirs.iter().cloned());
    dirs
}

fn own_vars(use_: &RoleUse, role: &Role, outer: &Inherited) -> Result<RoleVars, Diagnostic> {
    let layers = |nodes: &[crate::yaml::Node]| nodes.iter().map(|node| Layer::from_node(node).map(Arc::new)).collect::<Result<Vec<_>, _>>();
    let parent = outer.role.as_deref();
    let (mut defaults, mut vars) = parent.map(|role| (role.defaults.clone(), role.vars.clone())).unwrap_or_default();
    defaults.extend(layers(&role.defaults)?);
    if let Some(node) = &use_.vars {
        vars.push(Arc::new(super::inherit::vars_layer(node)?));
    }
    vars.extend(layers(&role.vars)?);
    let mut params = parent.map(|role| role.params.clone()).unwrap_or_default();
    if !use_.params.is_empty() {
        params.push(Arc::new(Layer::from_pairs(&use_.params)));
    }
    let mut parents: Vec<Arc<str>> = Vec::new();
    let mut parent_paths = Vec::new();
    if let Some(parent) = parent {
        parents.push(parent.name.clone());
        parents.extend(parent.parents.iter().cloned());
        parent_paths.push(parent.path.clone());
        parent_paths.extend(parent.parent_paths.iter().cloned());
    }
    Ok(RoleVars { name: role.name.as_str().into(), path: role.path.clone(), defaults, vars, params, parents, parent_paths, dependency: use_.dependency })
}

fn remember(c: &mut Compiler, use_: &RoleUse, name: &Arc<str>) {
    let names = if use_.dependency { &mut c.dependencies } else { &mut c.roles };
    if !names.contains(name) {
        names.push(name.clone());
    }
}

/// `files`: defaults and vars of the role's own files, which the whole play sees.
fn register(c: &mut Compiler, use_: &RoleUse, own: &Arc<RoleVars>, files: (Vec<Arc<Layer>>, Vec<Arc<Layer>>)) {
    remember(c, use_, &own.name);
    if use_.public {
        c.role_vars.extend(files.1);
        c.role_defaults.extend(files.0);
    }
}
