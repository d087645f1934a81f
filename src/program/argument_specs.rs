//! The task that a role with a specification of its arguments begins with.

use std::sync::Arc;

use super::compile::{Compiler, one};
use super::{Inherited, Instruction, Program, RoleUse};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Role, Task, TaskKeywords};
use crate::source::Spanned;
use crate::template::Templated;
use crate::value::{Dict, Value, text};
use crate::yaml::{Kind, Node, Pair};

/// Lays the task, when the specification knows the entry point.
pub(super) fn lay(c: &mut Compiler, use_: &RoleUse, role: &Role, around: &Inherited, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
    let entry = use_.tasks_from.as_deref().unwrap_or("main");
    let entry = entry.rsplit('/').next().unwrap_or(entry);
    let Some(specs) = role.argument_specs.as_ref().filter(|_| use_.validate) else { return Ok(()) };
    let Some(spec) = specs.get(entry).filter(|spec| spec.as_map().is_some_and(|pairs| !pairs.is_empty())) else { return Ok(()) };
    let mut inherited = around.clone();
    inherited.add_tags(vec!["always".into()]);
    if !c.filter.selects(&inherited.tags) {
        return Ok(());
    }
    let task = task(use_, spec);
    let id = c.id();
    let mut def = super::task::compile_task(&task, id, "validate_argument_spec".into(), false, inherited).map_err(one)?;
    let described = spec.get("short_description").map_or(String::new(), |node| format!(" - {}", text(&node.to_value())));
    def.name = Some(Templated::value(format!("Validating arguments against arg spec '{entry}'{described}").into()));
    def.args.push(("validate_args_context".into(), Templated::value(context(role, entry))));
    out.instructions.push(Instruction::Task(Arc::new(def)));
    Ok(())
}

fn task(use_: &RoleUse, spec: &Node) -> Task {
    let span = &spec.span;
    let map = |pairs: &[Pair]| Node { kind: Kind::Map(Arc::new(pairs.to_vec())), span: span.clone() };
    let options = spec.get("options").cloned().unwrap_or_else(|| map(&[]));
    let arg = |name: &str, value: Node| Pair { key: Node::text(name, span.clone()), value };
    Task {
        span: span.clone(),
        name: None,
        action: Spanned { value: "ansible.builtin.validate_argument_spec".into(), span: span.clone() },
        args: vec![arg("argument_spec", options), arg("provided_arguments", map(&use_.params))],
        free_form: None,
        args_template: None,
        local_action: false,
        marks: Vec::new(),
        keywords: Default::default(),
        only: TaskKeywords::default(),
    }
}

fn context(role: &Role, entry: &str) -> Value {
    let pairs: [(&str, Value); 4] = [
        ("type", "role".into()),
        ("name", role.name.as_str().into()),
        ("argument_spec_name", entry.into()),
        ("path", role.path.to_string_lossy().into_owned().into()),
    ];
    Value::dict(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect::<Dict>())
}
