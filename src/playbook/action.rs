//! Which action a task names, and its arguments in all the forms that Ansible allows.

use super::keywords::{self, HANDLER, TASK};
use super::kv;
use super::names::short_name;
use super::reader::{Reader, is_template, part, replace, text_like};
use super::spelling;
use crate::diagnostic::{Diagnostic, closest};
use crate::source::{Span, Spanned};
use crate::yaml::{Kind, Node, Pair, Style};

/// An action with its arguments.
#[derive(Debug)]
pub(super) struct Action {
    pub name: Spanned<String>,
    pub args: Vec<Pair>,
    pub free_form: Option<Node>,
    pub args_template: Option<Node>,
    pub local: bool,
}

/// Finds the action of a task: the one key that is no keyword, or `action`, or `local_action`.
pub(super) fn find(reader: &mut Reader, task: &Node, pairs: &[Pair]) -> Option<Action> {
    let mut found: Option<Action> = None;
    for (keyword, local) in [("action", false), ("local_action", true)] {
        if let Some(pair) = pairs.iter().find(|pair| pair.key.as_str() == Some(keyword)) {
            if let Some(first) = &found {
                conflict(reader, &first.name, keyword, &pair.key.span);
                return None;
            }
            found = old_style(reader, pair, local);
            found.as_ref()?;
        }
    }
    let candidates: Vec<&Pair> = pairs.iter().filter(|pair| pair.key.as_str().is_some_and(|key| !is_keyword(key))).collect();
    let known = |pair: &Pair| reader.names.contains(pair.key.as_str().unwrap_or_default());
    let choice = match candidates.iter().filter(|pair| known(pair)).count() {
        0 => candidates.iter().position(|pair| pair.key.as_str().is_some_and(|key| key.contains('.'))).or(if candidates.is_empty() { None } else { Some(0) }),
        _ => candidates.iter().position(|pair| known(pair)),
    };
    let Some(choice) = choice else {
        if found.is_none() {
            no_action(reader, task);
        }
        return with_args(reader, found, pairs);
    };
    let chosen = candidates[choice];
    for other in candidates.iter().filter(|other| !std::ptr::eq(**other, chosen)) {
        stray(reader, chosen, other);
    }
    if let Some(first) = &found {
        stray_after(reader, first, chosen);
        return None;
    }
    if candidates.len() > 1 || !known_or_new(reader, chosen) {
        return None;
    }
    let action = new_style(reader, chosen);
    with_args(reader, action, pairs)
}

fn is_keyword(key: &str) -> bool {
    key.starts_with("with_")
        || matches!(key, "static" | "sudo" | "sudo_user" | "su" | "su_user")
        || keywords::find(key).is_some_and(|row| row.places & (TASK | HANDLER) != 0)
}

fn conflict(reader: &mut Reader, first: &Spanned<String>, second: &str, span: &Span) {
    let message = format!("conflicting action statements: {}, {second}", first.value);
    reader.report(Diagnostic::error(message).at(span).note_at("the other one is here", &first.span).help("a task has one action"));
}

/// A second key that is no keyword: another action, or a keyword misspelled.
fn stray(reader: &mut Reader, chosen: &Pair, other: &Pair) {
    let (first, second) = (chosen.key.as_str().unwrap_or_default(), other.key.as_str().unwrap_or_default());
    let near = closest(second, keywords::names(TASK | HANDLER));
    if near.is_none() && (reader.names.contains(second) || !reader.names.contains(first)) {
        let first = Spanned { value: first.to_string(), span: chosen.key.span.clone() };
        return conflict(reader, &first, second, &other.key.span);
    }
    let found = Diagnostic::error(format!("`{second}` is not a keyword of a task")).at(&other.key.span);
    let found = match near {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found
            .note_at(format!("the action of this task is `{first}`"), &chosen.key.span)
            .help(format!("if it is an argument of `{first}`, indent it below it")),
    };
    reader.report(found);
}

fn stray_after(reader: &mut Reader, first: &Action, second: &Pair) {
    let name = second.key.as_str().unwrap_or_default();
    match closest(name, keywords::names(TASK | HANDLER)) {
        Some(near) if !reader.names.contains(name) => {
            let found = Diagnostic::error(format!("`{name}` is not a keyword of a task")).at(&second.key.span);
            reader.report(found.help(format!("did you mean `{near}`?")));
        }
        _ => conflict(reader, &first.name, name, &second.key.span),
    }
}

fn no_action(reader: &mut Reader, task: &Node) {
    reader.report(Diagnostic::error("no module/action detected in task").at(&task.span).help("a task names a module, for example `ansible.builtin.debug:`"));
}

/// A name that we lack is the engine's matter, unless it is a known one misspelled.
fn known_or_new(reader: &mut Reader, pair: &Pair) -> bool {
    let name = pair.key.as_str().unwrap_or_default();
    if reader.names.contains(name) || is_template(name) || in_library(reader, name) {
        return true;
    }
    let near = spelling::meant(name, &reader.names.all());
    let looks_like_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if near.is_none() && looks_like_name {
        return true;
    }
    let found = Diagnostic::error(format!("couldn't resolve module/action `{name}`")).at(&pair.key.span);
    reader.report(match near {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found,
    });
    false
}

fn in_library(reader: &Reader, name: &str) -> bool {
    let file = |folder: &std::path::PathBuf, ending: &str| folder.join(format!("{name}{ending}")).is_file();
    reader.libraries.iter().any(|folder| file(folder, ".py") || file(folder, "") || file(folder, ".sh"))
}

/// `copy: src=a dest=b`, `copy: {src: a}`, `command: echo hi`.
fn new_style(reader: &mut Reader, pair: &Pair) -> Option<Action> {
    let name = Spanned { value: pair.key.as_str()?.to_string(), span: pair.key.span.clone() };
    let free_form = reader.names.free_form(&name.value);
    let mut action = Action { name, args: Vec::new(), free_form: None, args_template: None, local: false };
    arguments(reader, &mut action, &pair.value, free_form)?;
    Some(action)
}

fn arguments(reader: &mut Reader, action: &mut Action, value: &Node, free_form: bool) -> Option<()> {
    match &value.kind {
        Kind::Map(pairs) => pairs.iter().for_each(|pair| add(action, pair.clone())),
        Kind::Text(text, _) | Kind::Unsafe(text) => key_values(reader, action, value, text, free_form)?,
        Kind::Vault(_) => action.free_form = Some(value.clone()),
        Kind::Scalar(_) if value.is_null() => {}
        Kind::Scalar(_) | Kind::List(_) => {
            let message = format!("the arguments of `{}` are a dictionary or a text, this is {}", action.name.value, value.described());
            reader.error(message, &value.span);
            return None;
        }
    }
    reserved(reader, action)
}

fn add(action: &mut Action, pair: Pair) {
    if pair.key.as_str() == Some("_raw_params") {
        action.free_form = Some(pair.value);
    } else {
        replace(&mut action.args, pair);
    }
}

fn key_values(reader: &mut Reader, action: &mut Action, node: &Node, text: &str, free_form: bool) -> Option<()> {
    let found = kv::parse(text, free_form)
        .map_err(|message| {
            reader.report(Diagnostic::error(message).at(&node.span).help("close it, or quote the whole text and give the arguments as a dictionary"))
        })
        .ok()?;
    for (key, value) in found.options {
        let place = part(node, &format!("{key}="));
        let key_span = Span::new(&place.source, place.start, if place == node.span { place.end } else { place.start + key.len() });
        let key = Node { kind: Kind::Text(key.into(), Style::Plain), span: key_span };
        replace(&mut action.args, Pair { key, value: text_like(node, &value) });
    }
    if let Some(raw) = found.raw {
        let untouched = raw == text && node.as_str() == Some(text);
        action.free_form = Some(if untouched { node.clone() } else { text_like(node, &raw) });
    }
    Some(())
}

fn reserved(reader: &mut Reader, action: &Action) -> Option<()> {
    match action.args.iter().find(|pair| pair.key.as_str().is_some_and(|key| key.starts_with("_ansible_"))) {
        None => Some(()),
        Some(bad) => {
            let key = bad.key.as_str().unwrap_or_default();
            reader.error(format!("`{key}` cannot be an argument of `{}`: `_ansible_` is reserved", action.name.value), &bad.key.span);
            None
        }
    }
}

/// `action: copy src=a`, `action: {module: copy, src: a}`.
fn old_style(reader: &mut Reader, pair: &Pair, local: bool) -> Option<Action> {
    let value = &pair.value;
    match &value.kind {
        Kind::Text(text, _) | Kind::Unsafe(text) => from_text(reader, value, text, local),
        Kind::Map(pairs) => {
            let Some(module) = pairs.iter().find(|pair| pair.key.as_str() == Some("module")) else {
                reader.error("an action that is a dictionary needs `module`", &value.span);
                return None;
            };
            let keyword = pair.key.as_str().unwrap_or_default();
            let first = module.value.as_str().and_then(|text| text.split_whitespace().next()).unwrap_or_default();
            reader.old(format!("`{keyword}` as a dictionary is deprecated"), &pair.key.span, format!("write `{first}:` with its arguments below it"));
            let text = module.value.as_str().map(str::to_string);
            let Some(text) = text else {
                reader.error(format!("`module` is a text, this is {}", module.value.described()), &module.value.span);
                return None;
            };
            let mut named = from_text(reader, &module.value, &text, local)?;
            let inline = std::mem::take(&mut named.args);
            for pair in pairs.iter().filter(|pair| !matches!(pair.key.as_str(), Some("module" | "args"))) {
                add(&mut named, pair.clone());
            }
            inline.into_iter().for_each(|pair| add(&mut named, pair));
            if let Some(args) = pairs.iter().find(|pair| pair.key.as_str() == Some("args")) {
                arguments(reader, &mut named, &args.value, false)?;
            }
            reserved(reader, &named)?;
            Some(named)
        }
        _ => {
            reader.error(format!("an action is a text or a dictionary, this is {}", value.described()), &value.span);
            None
        }
    }
}

fn from_text(reader: &mut Reader, node: &Node, text: &str, local: bool) -> Option<Action> {
    let (name, rest) = kv::first_word(text).map_err(|message| reader.error(message, &node.span)).ok()?;
    if name.is_empty() {
        reader.error("no module/action detected in task", &node.span);
        return None;
    }
    let key = text_like(node, &name);
    let span = key.span.clone();
    if !known_or_new(reader, &Pair { key, value: node.clone() }) {
        return None;
    }
    let free_form = reader.names.free_form(&name);
    let mut action = Action { name: Spanned { value: name, span }, args: Vec::new(), free_form: None, args_template: None, local };
    if !rest.is_empty() {
        key_values(reader, &mut action, node, &rest, free_form)?;
    }
    reserved(reader, &action)?;
    Some(action)
}

/// `args:` gives what the action itself does not.
fn with_args(reader: &mut Reader, action: Option<Action>, pairs: &[Pair]) -> Option<Action> {
    let mut action = action?;
    let Some(args) = pairs.iter().find(|pair| pair.key.as_str() == Some("args")) else { return Some(action) };
    match &args.value.kind {
        Kind::Map(given) => {
            let own = std::mem::take(&mut action.args);
            let free_form = action.free_form.take();
            given.iter().for_each(|pair| add(&mut action, pair.clone()));
            own.into_iter().for_each(|pair| add(&mut action, pair));
            action.free_form = free_form.or(action.free_form);
            reserved(reader, &action)?;
        }
        Kind::Text(text, _) if text.trim().starts_with("{{") && text.trim().ends_with("}}") => action.args_template = Some(args.value.clone()),
        _ if args.value.is_null() => reader.old("an empty `args` is deprecated", &args.key.span, "remove it"),
        _ => {
            let found = Diagnostic::error(format!("`args` takes a dictionary, this is {}", args.value.described())).at(&args.value.span);
            reader.report(found.help("a dictionary, or a template that gives one"));
            return None;
        }
    }
    Some(action)
}

/// The name without `ansible.builtin.`, for comparing with the few actions that the reader itself treats specially.
pub(super) fn plain_name(action: &Action) -> &str {
    short_name(&action.name.value)
}
