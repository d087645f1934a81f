//! Every keyword: where it may stand, what shape its value has, where it goes in the tree.

use crate::playbook::Keywords;
use crate::yaml::{Kind, Node};

/// Plays.
pub(super) const PLAY: u8 = 1;
/// Blocks.
pub(super) const BLOCK: u8 = 2;
/// Tasks and handlers.
pub(super) const TASK: u8 = 4;
/// Handlers only.
pub(super) const HANDLER: u8 = 8;
/// Entries of `roles` and `dependencies`.
pub(super) const ROLE: u8 = 16;
/// `import_playbook`.
pub(super) const IMPORT: u8 = 32;
/// `include_tasks` and `include_role`.
pub(super) const INCLUDE: u8 = 64;

const BASE: u8 = PLAY | BLOCK | TASK | ROLE | IMPORT;
const EVERYWHERE: u8 = BASE | INCLUDE;

/// What a keyword's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Checked elsewhere, or anything.
    Any,
    /// Text, number or boolean.
    Scalar,
    /// One of these or a list of them.
    Scalars,
    /// A dictionary, a list of them, or a template.
    Dicts,
}

/// A keyword.
pub(super) struct Row {
    pub name: &'static str,
    pub places: u8,
    pub shape: Shape,
}

const fn row(name: &'static str, places: u8, shape: Shape) -> Row {
    Row { name, places, shape }
}

/// All keywords.
pub(super) const ROWS: &[Row] = &[
    row("name", EVERYWHERE, Shape::Scalar),
    row("hosts", PLAY, Shape::Scalars),
    row("tasks", PLAY, Shape::Any),
    row("pre_tasks", PLAY, Shape::Any),
    row("post_tasks", PLAY, Shape::Any),
    row("handlers", PLAY, Shape::Any),
    row("roles", PLAY, Shape::Any),
    row("vars_files", PLAY, Shape::Any),
    row("vars_prompt", PLAY, Shape::Any),
    row("gather_facts", PLAY, Shape::Scalar),
    row("gather_subset", PLAY, Shape::Scalars),
    row("gather_timeout", PLAY, Shape::Scalar),
    row("fact_path", PLAY, Shape::Scalar),
    row("serial", PLAY, Shape::Scalars),
    row("strategy", PLAY, Shape::Scalar),
    row("order", PLAY, Shape::Scalar),
    row("max_fail_percentage", PLAY, Shape::Scalar),
    row("force_handlers", PLAY, Shape::Scalar),
    row("validate_argspec", PLAY, Shape::Scalar),
    row("block", BLOCK, Shape::Any),
    row("rescue", BLOCK, Shape::Any),
    row("always", BLOCK, Shape::Any),
    row("action", TASK | INCLUDE, Shape::Any),
    row("local_action", TASK, Shape::Any),
    row("args", TASK | INCLUDE, Shape::Any),
    row("register", TASK | INCLUDE, Shape::Scalar),
    row("loop", TASK | INCLUDE, Shape::Any),
    row("loop_control", TASK | INCLUDE, Shape::Any),
    row("until", TASK, Shape::Any),
    row("retries", TASK, Shape::Scalar),
    row("delay", TASK, Shape::Scalar),
    row("changed_when", TASK, Shape::Any),
    row("failed_when", TASK, Shape::Any),
    row("async", TASK, Shape::Scalar),
    row("poll", TASK, Shape::Scalar),
    row("listen", HANDLER, Shape::Scalars),
    row("role", ROLE, Shape::Scalar),
    row("vars", EVERYWHERE, Shape::Any),
    row("when", BLOCK | TASK | ROLE | IMPORT | INCLUDE, Shape::Any),
    row("tags", EVERYWHERE, Shape::Scalars),
    row("environment", BASE, Shape::Dicts),
    row("module_defaults", BASE, Shape::Dicts),
    row("become", BASE, Shape::Scalar),
    row("become_user", BASE, Shape::Scalar),
    row("become_method", BASE, Shape::Scalar),
    row("become_flags", BASE, Shape::Scalar),
    row("become_exe", BASE, Shape::Scalar),
    row("connection", BASE, Shape::Scalar),
    row("port", BASE, Shape::Scalar),
    row("remote_user", BASE, Shape::Scalar),
    row("no_log", EVERYWHERE, Shape::Scalar),
    row("run_once", EVERYWHERE, Shape::Scalar),
    row("ignore_errors", EVERYWHERE, Shape::Scalar),
    row("ignore_unreachable", BASE, Shape::Scalar),
    row("check_mode", BASE, Shape::Scalar),
    row("diff", BASE, Shape::Scalar),
    row("any_errors_fatal", BASE, Shape::Scalar),
    row("throttle", BASE, Shape::Scalar),
    row("timeout", EVERYWHERE, Shape::Scalar),
    row("debugger", EVERYWHERE, Shape::Scalar),
    row("delegate_to", BLOCK | TASK | ROLE, Shape::Scalar),
    row("delegate_facts", BLOCK | TASK | ROLE, Shape::Scalar),
    row("notify", BLOCK | TASK, Shape::Scalars),
    row("collections", PLAY | BLOCK | TASK | ROLE | INCLUDE, Shape::Scalars),
];

/// The keyword of that name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// The names that may stand in any of `places`.
pub(super) fn names(places: u8) -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(move |row| row.places & places != 0).map(|row| row.name)
}

/// What is wrong with a value, if anything.
pub(super) fn misfit(shape: Shape, value: &Node) -> Option<&'static str> {
    let scalar = |node: &Node| !matches!(node.kind, Kind::List(_) | Kind::Map(_));
    let fits = match shape {
        Shape::Any => true,
        Shape::Scalar => scalar(value),
        Shape::Scalars => scalar(value) || value.as_list().is_some_and(|items| items.iter().all(scalar)),
        Shape::Dicts => match &value.kind {
            Kind::Map(_) => true,
            Kind::List(items) => items.iter().all(|item| item.as_map().is_some() || item.as_str().is_some()),
            _ => value.is_null() || value.as_str().is_some(),
        },
    };
    match (fits, shape) {
        (true, _) | (_, Shape::Any) => None,
        (_, Shape::Scalar) => Some("one value"),
        (_, Shape::Scalars) => Some("one value or a list of values"),
        (_, Shape::Dicts) => Some("a dictionary or a list of dictionaries"),
    }
}

/// Where a keyword that plays, blocks and tasks share goes. `when` is a list and not here.
pub(super) fn slot<'k>(keywords: &'k mut Keywords, name: &str) -> Option<&'k mut Option<Node>> {
    Some(match name {
        "vars" => &mut keywords.vars,
        "tags" => &mut keywords.tags,
        "environment" => &mut keywords.environment,
        "module_defaults" => &mut keywords.module_defaults,
        "become" => &mut keywords.become_,
        "become_user" => &mut keywords.become_user,
        "become_method" => &mut keywords.become_method,
        "become_flags" => &mut keywords.become_flags,
        "become_exe" => &mut keywords.become_exe,
        "connection" => &mut keywords.connection,
        "port" => &mut keywords.port,
        "remote_user" => &mut keywords.remote_user,
        "no_log" => &mut keywords.no_log,
        "run_once" => &mut keywords.run_once,
        "ignore_errors" => &mut keywords.ignore_errors,
        "ignore_unreachable" => &mut keywords.ignore_unreachable,
        "check_mode" => &mut keywords.check_mode,
        "diff" => &mut keywords.diff,
        "any_errors_fatal" => &mut keywords.any_errors_fatal,
        "throttle" => &mut keywords.throttle,
        "timeout" => &mut keywords.timeout,
        "debugger" => &mut keywords.debugger,
        "delegate_to" => &mut keywords.delegate_to,
        "delegate_facts" => &mut keywords.delegate_facts,
        "notify" => &mut keywords.notify,
        "collections" => &mut keywords.collections,
        _ => return None,
    })
}
