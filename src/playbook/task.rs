//! Tasks, handlers and blocks.

use super::action::{self, Action};
use super::keywords::{self, BLOCK, HANDLER, INCLUDE, TASK};
use super::reader::{Reader, conditions, is_template, is_variable_name};
use super::{Block, Keywords, Task, TaskEntry, TaskKeywords};
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::yaml::{Kind, Node, Pair};

/// A list of tasks and blocks.
pub(super) fn list(reader: &mut Reader, name: &str, node: &Node, handlers: bool) -> Vec<TaskEntry> {
    let items = reader.list(name, node);
    items.iter().filter_map(|item| entry(reader, item, handlers, false)).collect()
}

fn entry(reader: &mut Reader, node: &Node, handlers: bool, nested: bool) -> Option<TaskEntry> {
    let Some(pairs) = node.as_map() else {
        let found = Diagnostic::error(format!("a task is a dictionary, this is {}", node.described())).at(&node.span);
        let found = match node.as_str() {
            Some(name) if reader.names.contains(name) => found.help(format!("is a colon missing? write `{name}:`")),
            _ => found,
        };
        reader.report(found);
        return None;
    };
    let has = |name: &str| pairs.iter().any(|pair| pair.key.as_str() == Some(name));
    if has("block") || has("rescue") || has("always") {
        if handlers && nested {
            reader.error("a block within a block is not supported among handlers", &node.span);
        }
        super::marks::none(reader, node);
        return block(reader, node, pairs, handlers).map(|block| TaskEntry::Block(Box::new(block)));
    }
    task(reader, node, pairs, handlers).map(|task| TaskEntry::Task(Box::new(task)))
}

fn block(reader: &mut Reader, node: &Node, pairs: &[Pair], handlers: bool) -> Option<Block> {
    let span = pairs.iter().find(|pair| matches!(pair.key.as_str(), Some("block" | "rescue" | "always"))).map_or(&node.span, |pair| &pair.key.span);
    let mut block = Block { name: None, keywords: Keywords::default(), body: Vec::new(), rescue: Vec::new(), always: Vec::new(), span: span.clone() };
    let mut has_body = false;
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        match keywords::find(key) {
            Some(row) if row.places & BLOCK != 0 => {
                if !reader.fits(row, &pair.value) {
                    continue;
                }
            }
            None if matches!(key, "sudo" | "sudo_user" | "su" | "su_user") => {}
            _ => {
                reader.unknown("a block", BLOCK, &pair.key);
                continue;
            }
        }
        match key {
            "name" => block.name = Some(pair.value.clone()),
            "block" => {
                has_body = true;
                block.body = section(reader, key, &pair.value, handlers);
            }
            "rescue" => block.rescue = section(reader, key, &pair.value, handlers),
            "always" => block.always = section(reader, key, &pair.value, handlers),
            _ => drop(reader.shared(&mut block.keywords, key, pair)),
        }
    }
    if !has_body {
        let word = if block.rescue.is_empty() { "always" } else { "rescue" };
        reader.error(format!("`{word}` cannot stand without `block`"), &block.span);
    }
    Some(block)
}

fn section(reader: &mut Reader, name: &str, node: &Node, handlers: bool) -> Vec<TaskEntry> {
    if node.is_null() {
        reader.error(format!("`{name}` takes a list of tasks, this is nothing"), &node.span);
    }
    let items = reader.list(name, node);
    items.iter().filter_map(|item| entry(reader, item, handlers, true)).collect()
}

fn task(reader: &mut Reader, node: &Node, pairs: &[Pair], handlers: bool) -> Option<Task> {
    for pair in pairs {
        reader.key(pair);
    }
    let action = action::find(reader, node, pairs);
    let mut keywords = Keywords::default();
    let mut only = TaskKeywords::default();
    let mut name = None;
    for pair in pairs {
        let Some(key) = pair.key.as_str() else { continue };
        if key == "name" && pair.value.as_list().is_none() && pair.value.as_map().is_none() {
            name = Some(pair.value.clone());
        } else {
            keyword(reader, pair, key, handlers, &mut keywords, &mut only);
        }
    }
    let action = action?;
    check_include(reader, &action, pairs, handlers);
    let Action { name: action, args, free_form, args_template, local } = action;
    let marks = super::marks::read(reader, node);
    let task = Task { span: node.span.clone(), name, action, args, free_form, args_template, local_action: local, keywords, only, marks };
    match pairs.iter().find(|pair| pair.key.as_str() == Some("static")) {
        None => super::include::modern(reader, task, None),
        Some(pair) if action_is_include(&task) => super::include::modern(reader, task, Some(&pair.value)),
        Some(pair) => {
            reader.unknown("a task", TASK, &pair.key);
            None
        }
    }
}

fn action_is_include(task: &Task) -> bool {
    super::names::short_name(&task.action.value) == "include"
}

fn keyword(reader: &mut Reader, pair: &Pair, key: &str, handlers: bool, keywords: &mut Keywords, only: &mut TaskKeywords) {
    if let Some(lookup) = key.strip_prefix("with_") {
        return with(reader, pair, lookup, only);
    }
    let Some(row) = keywords::find(key) else {
        reader.shared(keywords, key, pair);
        return;
    };
    if row.places & (TASK | HANDLER) == 0 {
        // Names of other places are actions here, and judged there.
        return;
    }
    if row.places & TASK == 0 && !handlers {
        reader.report(Diagnostic::error(format!("`{key}` is not a keyword of a task")).at(&pair.key.span).help("only handlers listen"));
        return;
    }
    if !reader.fits(row, &pair.value) {
        return;
    }
    let value = Some(pair.value.clone());
    match key {
        "register" => {
            register(reader, &pair.value);
            only.register = value;
        }
        "loop" => match &only.with {
            Some((first, _)) => twice(reader, pair, &first.span.clone()),
            None if pair.value.is_null() => {}
            None => only.loop_ = value,
        },
        "loop_control" => {
            loop_control(reader, &pair.value);
            only.loop_control = value.filter(|node| !node.is_null());
        }
        "until" => only.until = conditions(&pair.value),
        "changed_when" => only.changed_when = conditions(&pair.value),
        "failed_when" => only.failed_when = conditions(&pair.value),
        "retries" => only.retries = value,
        "delay" => only.delay = value,
        "async" => only.async_ = value,
        "poll" => only.poll = value,
        "listen" => only.listen = value,
        _ => drop(reader.shared(keywords, key, pair)),
    }
}

fn twice(reader: &mut Reader, pair: &Pair, first: &crate::source::Span) {
    let name = pair.key.as_str().unwrap_or_default();
    reader.report(Diagnostic::error(format!("duplicate loop in task: `{name}`")).at(&pair.key.span).note_at("the first one is here", first));
}

fn with(reader: &mut Reader, pair: &Pair, lookup: &str, only: &mut TaskKeywords) {
    let earlier = only.with.as_ref().map(|(first, _)| first.span.clone()).or_else(|| only.loop_.as_ref().map(|node| node.span.clone()));
    if let Some(first) = earlier {
        return twice(reader, pair, &first);
    }
    if pair.value.is_null() {
        return reader.error(format!("`with_{lookup}` needs a value"), &pair.key.span);
    }
    if let Some(name) = pair.value.as_str().filter(|text| lookup != "url" && is_bare_name(text))
        && matches!(lookup, "items" | "dict" | "nested" | "flattened" | "indexed_items" | "subelements" | "together" | "random_choice" | "list")
    {
        let message = format!("`{name}` without `{{{{ }}}}` is the old way to name a variable");
        reader.old(message, &pair.value.span, format!("write `with_{lookup}: \"{{{{ {name} }}}}\"`"));
    }
    only.with = Some((Spanned { value: lookup.to_string(), span: pair.key.span.clone() }, pair.value.clone()));
}

/// `packages`, `foo.bar`, `result.results`: a variable's name, perhaps with attributes.
fn is_bare_name(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(is_variable_name)
}

fn register(reader: &mut Reader, value: &Node) {
    match value.as_str() {
        Some(name) if is_variable_name(name) || is_template(name) => {}
        _ => reader.error(format!("`register` takes the name of a variable, not `{}`", value.span.text()), &value.span),
    }
}

const LOOP_CONTROL: [&str; 7] = ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];

fn loop_control(reader: &mut Reader, value: &Node) {
    let Some(pairs) = value.as_map() else {
        if !value.is_null() {
            reader.error(format!("`loop_control` takes a dictionary, this is {}", value.described()), &value.span);
        }
        return;
    };
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        if !LOOP_CONTROL.contains(&key) {
            let found = Diagnostic::error(format!("`{key}` is not a keyword of `loop_control`")).at(&pair.key.span);
            reader.report(found.did_you_mean(key, LOOP_CONTROL));
        }
    }
}

/// What Ansible refuses of includes and imports while loading.
fn check_include(reader: &mut Reader, action: &Action, pairs: &[Pair], handlers: bool) {
    let name = action::plain_name(action);
    let arguments: &[&str] = match name {
        "include_tasks" | "import_tasks" => &["file", "apply"],
        "include_role" | "import_role" => {
            &["name", "role", "tasks_from", "vars_from", "defaults_from", "handlers_from", "apply", "public", "allow_duplicates", "rolespec_validate"]
        }
        _ => return,
    };
    for pair in &action.args {
        let key = pair.key.as_str().unwrap_or_default();
        if !arguments.contains(&key) {
            let found = Diagnostic::error(format!("`{key}` is not an argument of `{name}`")).at(&pair.key.span);
            reader.report(found.did_you_mean(key, arguments.iter().copied()));
        } else if key == "apply" && name.starts_with("import_") {
            let found = Diagnostic::error(format!("`{name}` has no `apply`")).at(&pair.key.span);
            reader.report(found.help("an import hands its own keywords to what it imports: write them beside it"));
        } else if key == "apply" && pair.value.as_map().is_none() {
            reader.error(format!("`apply` takes a dictionary, this is {}", pair.value.described()), &pair.value.span);
        } else if key.ends_with("_from") && pair.value.as_str().is_none() {
            reader.error(format!("`{key}` takes a text, this is {}", pair.value.described()), &pair.value.span);
        }
    }
    let given = |key: &str| action.args.iter().any(|pair| pair.key.as_str() == Some(key) && !pair.value.is_null());
    if name.ends_with("_tasks") && action.free_form.is_none() && !given("file") && action.args_template.is_none() {
        reader.error(format!("`{name}` names no file"), &action.name.span);
    }
    if name.ends_with("_role") {
        if !given("name") && !given("role") && action.args_template.is_none() {
            reader.error(format!("`{name}` needs `name`"), &action.name.span);
        }
        if handlers {
            reader.error(format!("`{name}` cannot be a handler"), &action.name.span);
        }
    }
    check_keywords(reader, name, pairs);
}

fn check_keywords(reader: &mut Reader, name: &str, pairs: &[Pair]) {
    for pair in pairs {
        let key = pair.key.as_str().unwrap_or_default();
        let looped = key == "loop" && !pair.value.is_null() || key.starts_with("with_");
        if name.starts_with("import_") {
            if looped {
                let found = Diagnostic::error(format!("`{name}` cannot be looped")).at(&pair.key.span);
                reader.report(found.help(format!("use `{}`", name.replacen("import", "include", 1))));
            }
        } else if !looped && keywords::find(key).is_some_and(|row| row.places & TASK != 0 && row.places & INCLUDE == 0) {
            let found = Diagnostic::error(format!("`{key}` is not a keyword of `{name}`")).at(&pair.key.span);
            let found = match keywords::find(key) {
                Some(row) if row.places & BLOCK != 0 => {
                    found.help(format!("to give it to the included tasks write `apply: {{{key}: {}}}` among the arguments", short(&pair.value)))
                }
                _ => found,
            };
            reader.report(found);
        }
    }
}

fn short(value: &Node) -> &str {
    match &value.kind {
        Kind::List(_) | Kind::Map(_) => "...",
        _ => value.span.text(),
    }
}
