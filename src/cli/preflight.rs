//! What can be told about a play before any host is reached: templates that do not parse, modules that rplay lacks, arguments that a module does not know.

use crate::action::catalog;
use crate::diagnostic::{Diagnostic, Severity};
use crate::program::{CompiledPlay, Opt, TaskDef};

/// Complaints about the tasks of a play. What Ansible only finds when the task runs is a warning.
pub(super) fn check(play: &CompiledPlay) -> Vec<Diagnostic> {
    let tasks = play.main.tasks().chain(play.handlers.tasks()).flat_map(|task| of_task(task));
    of_play(play).into_iter().chain(tasks).collect()
}

/// Keywords of a play that are read and not followed.
fn of_play(play: &CompiledPlay) -> Vec<Diagnostic> {
    let ours = |name: &str| matches!(name, "" | "ansible.builtin" | "ansible.legacy" | "ansible.posix" | "community.general");
    let words = |text: &str| text.split([',', '\n', '[', ']', '-', ' ', '"', '\'']).map(str::to_owned).collect::<Vec<_>>();
    let mut found = Vec::new();
    if let Some(node) = &play.source.keywords.collections
        && !words(node.span.text()).iter().all(|name| ours(name))
    {
        let warning = Diagnostic::warning("`collections` is not searched for short names").at(&node.span);
        found.push(warning.help("write modules and roles with their full names"));
    }
    if let Some(node) = play.source.validate_argspec.as_ref().filter(|node| node.to_value().is_true()) {
        found.push(Diagnostic::warning("`validate_argspec` has no effect: rplay does not check argument specifications").at(&node.span));
    }
    found
}

fn of_task(task: &TaskDef) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, value) in &task.args {
        found.extend(value.syntax_errors());
    }
    for condition in &task.when {
        found.extend(condition.syntax_errors());
    }
    found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
    found.extend(debugger(task));
    match rplay_modules::find(&task.canonical) {
        Some(entry) => found.extend(unknown_arguments(task, entry.spec)),
        None if !catalog::is_known(&task.canonical) => {
            let warning = Diagnostic::warning(format!("rplay has no module `{}`: the task fails if it runs", task.action)).at(&task.action_span);
            found.push(warning.did_you_mean(&task.canonical, catalog::all()));
        }
        None => {}
    }
    found
}

/// `debugger`, of which every value but `never` would stop for a person.
fn debugger(task: &TaskDef) -> Option<Diagnostic> {
    let wanted = task.inherited.opt(Opt::Debugger)?;
    let span = wanted.span().unwrap_or(&task.span);
    let text = span.text().trim_matches(['\'', '"']);
    let warning = || Diagnostic::warning(format!("`debugger` has no effect: {}", super::unsupported::DEBUGGER)).at(span);
    (!matches!(text, "never" | "")).then(warning)
}

fn unknown_arguments(task: &TaskDef, spec: &rplay_modules::Spec) -> Vec<Diagnostic> {
    // the controller's part of these takes arguments that the module's table does not have
    if matches!(task.canonical.as_str(), "copy" | "unarchive" | "setup" | "fetch" | "template" | "script") {
        return Vec::new();
    }
    let known: Vec<&str> = spec.arguments().flat_map(|arg| std::iter::once(arg.name).chain(arg.aliases.iter().copied())).collect();
    let wrong = |name: &&(String, crate::template::Templated)| !name.0.starts_with('_') && !known.contains(&name.0.as_str());
    let warn = |(name, value): &(String, crate::template::Templated)| {
        let span = value.span().unwrap_or(&task.span);
        Diagnostic::warning(format!("the module `{}` has no argument `{name}`: the task fails if it runs", task.action))
            .at(span)
            .did_you_mean(name, known.iter().copied())
    };
    task.args.iter().filter(wrong).map(warn).collect()
}
