//! The old `include`, which Ansible no longer has, as the `include_tasks` or `import_tasks` that it was.

use super::Task;
use super::names::short_name;
use super::reader::{Reader, is_template, replace};
use crate::value::Value;
use crate::yaml::{Kind, Node};

/// The task itself, or what the old `include` means today: what `fixed` (its keyword `static`) says, otherwise static without a loop and
/// without a template in the path.
pub(super) fn modern(reader: &mut Reader, mut task: Task, fixed: Option<&Node>) -> Option<Task> {
    if short_name(&task.action.value) != "include" {
        return Some(task);
    }
    let file = task.free_form.take().or_else(|| take(&mut task, "file"));
    let Some(file) = file else {
        reader.error("`include` names no file", &task.action.span);
        return None;
    };
    let looped = task.only.loop_.is_some() || task.only.with.is_some();
    let dynamic = looped || file.as_str().is_some_and(is_template);
    let dynamic = match fixed.map(|node| &node.kind) {
        Some(Kind::Scalar(Value::Bool(fixed))) => looped || !fixed,
        _ => dynamic,
    };
    let action = if dynamic { "include_tasks" } else { "import_tasks" };
    let shown = file.as_str().unwrap_or_default().to_string();
    if let Some(tags) = take(&mut task, "tags") {
        task.keywords.tags.get_or_insert(tags);
    }
    let more = if task.args.is_empty() { "" } else { ", with `vars` beside it" };
    reader.old("`include` was removed from Ansible", &task.action.span, format!("write `{action}: {shown}`{more}"));
    task.action.value = action.to_string();
    task.free_form = Some(file);
    parameters_to_vars(reader, &mut task);
    Some(task)
}

fn take(task: &mut Task, name: &str) -> Option<Node> {
    let at = task.args.iter().position(|pair| pair.key.as_str() == Some(name))?;
    Some(task.args.remove(at).value)
}

/// What stood behind the file were variables for the included tasks.
fn parameters_to_vars(reader: &mut Reader, task: &mut Task) {
    if task.args.is_empty() {
        return;
    }
    let mut vars = task.keywords.vars.as_ref().and_then(Node::as_map).map(<[_]>::to_vec).unwrap_or_default();
    for pair in task.args.drain(..) {
        reader.variable_name(&pair.key);
        replace(&mut vars, pair);
    }
    let span = task.span.clone();
    task.keywords.vars = Some(Node { kind: Kind::Map(vars.into()), span });
}
