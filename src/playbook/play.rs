//! Plays and `import_playbook`.

use std::path::Path;

use super::keywords::{self, IMPORT, PLAY};
use super::names::short_name;
use super::reader::{Reader, text_like};
use super::{ImportPlaybook, Keywords, Play, PlaybookEntry, Prompt, kv, role, task};
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::value::Value;
use crate::yaml::{Kind, Node, Pair};

/// The entries of a playbook.
pub(super) fn playbook(reader: &mut Reader, node: &Node, path: &Path) -> Option<Vec<PlaybookEntry>> {
    let items = match &node.kind {
        Kind::List(items) if items.is_empty() => {
            reader.error("a playbook has at least one play", &node.span);
            return None;
        }
        Kind::List(items) => items,
        _ if node.is_null() => {
            reader.report(Diagnostic::error(format!("the playbook {} is empty", path.display())));
            return None;
        }
        _ => {
            let found = Diagnostic::error(format!("a playbook is a list of plays, this is {}", node.described())).at(&node.span);
            reader.report(if node.get("hosts").is_some() { found.help("write `- hosts:`, with a dash before the play") } else { found });
            return None;
        }
    };
    Some(items.iter().filter_map(|item| entry(reader, item, path)).collect())
}

fn entry(reader: &mut Reader, node: &Node, path: &Path) -> Option<PlaybookEntry> {
    let Some(pairs) = node.as_map() else {
        reader.error("a playbook holds plays and `import_playbook`", &node.span);
        return None;
    };
    let is_import = |pair: &&Pair| pair.key.as_str().is_some_and(|key| matches!(short_name(key), "import_playbook" | "include"));
    match pairs.iter().find(is_import) {
        Some(import) => self::import(reader, node, pairs, import).map(|import| PlaybookEntry::Import(Box::new(import))),
        None => play(reader, node, pairs, path).map(|play| PlaybookEntry::Play(Box::new(play))),
    }
}

fn import(reader: &mut Reader, node: &Node, pairs: &[Pair], import: &Pair) -> Option<ImportPlaybook> {
    let Some(text) = import.value.as_str() else {
        reader.error(format!("`import_playbook` takes the name of a file, this is {}", import.value.described()), &import.value.span);
        return None;
    };
    let mut keywords = Keywords::default();
    let mut file = import.value.clone();
    if import.key.as_str().is_some_and(|key| short_name(key) == "include") {
        file = old_import(reader, &import.value, text, &mut keywords)?;
        let more = if keywords.vars.is_some() || keywords.tags.is_some() { ", with `vars` and `tags` beside it" } else { "" };
        let modern = format!("write `import_playbook: {}`{more}", file.as_str().unwrap_or_default());
        reader.old("`include` of a playbook was removed from Ansible", &import.key.span, modern);
    }
    for pair in pairs.iter().filter(|pair| !std::ptr::eq(*pair, import)) {
        let Some(key) = reader.key(pair) else { continue };
        match keywords::find(key) {
            Some(row) if row.places & IMPORT != 0 => {
                if reader.fits(row, &pair.value) {
                    if !matches!(key, "name" | "vars" | "when" | "tags") {
                        reader.report(Diagnostic::warning(format!("`{key}` has no effect on `import_playbook`")).at(&pair.key.span));
                    }
                    reader.shared(&mut keywords, key, pair);
                }
            }
            _ => reader.unknown("`import_playbook`", IMPORT, &pair.key),
        }
    }
    Some(ImportPlaybook { file, vars: keywords.vars, when: keywords.when, tags: keywords.tags, span: node.span.clone() })
}

/// `include: file a=1 tags=x`.
fn old_import(reader: &mut Reader, node: &Node, text: &str, keywords: &mut Keywords) -> Option<Node> {
    let found = kv::parse(text, false).map_err(|message| reader.error(message, &node.span)).ok()?;
    let mut vars = Vec::new();
    for (key, value) in found.options {
        let value = text_like(node, &value);
        if key == "tags" {
            keywords.tags = Some(value);
        } else {
            vars.push(Pair { key: text_like(node, &key), value });
        }
    }
    if !vars.is_empty() {
        keywords.vars = Some(Node { kind: Kind::Map(vars.into()), span: node.span.clone() });
    }
    let Some(file) = found.raw else {
        reader.error("`include` names no file", &node.span);
        return None;
    };
    Some(text_like(node, &file))
}

fn play(reader: &mut Reader, node: &Node, pairs: &[Pair], path: &Path) -> Option<Play> {
    if !pairs.iter().any(|pair| pair.key.as_str() == Some("hosts")) && pairs.iter().any(|pair| pair.key.as_str().is_some_and(|key| reader.names.contains(key)))
    {
        let found = Diagnostic::error("the play has no `hosts`").at(&node.span);
        reader.report(found.help("this looks like a task: tasks stand in the list `tasks` of a play"));
        return None;
    }
    let mut play = empty(node, path);
    let mut hosts = None;
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        if key == "user" {
            old_user(reader, &mut play, pairs, pair);
            continue;
        }
        match keywords::find(key) {
            Some(row) if row.places & PLAY != 0 => {
                if reader.fits(row, &pair.value) {
                    keyword(reader, &mut play, &mut hosts, key, pair);
                }
            }
            None if matches!(key, "sudo" | "sudo_user" | "su" | "su_user") => drop(reader.shared(&mut play.keywords, key, pair)),
            _ => not_of_a_play(reader, pair, key),
        }
    }
    let Some(hosts) = hosts else {
        if !pairs.iter().any(|pair| pair.key.as_str() == Some("hosts")) {
            reader.report(Diagnostic::error("the play has no `hosts`").at(&node.span).help("write `hosts: all`, or a group or pattern"));
        }
        return None;
    };
    play.hosts = hosts;
    Some(play)
}

fn empty(node: &Node, path: &Path) -> Play {
    Play {
        span: node.span.clone(),
        name: None,
        hosts: node.clone(),
        keywords: Keywords::default(),
        vars_files: Vec::new(),
        vars_prompt: Vec::new(),
        roles: Vec::new(),
        pre_tasks: Vec::new(),
        tasks: Vec::new(),
        post_tasks: Vec::new(),
        handlers: Vec::new(),
        gather_facts: None,
        gather_subset: None,
        gather_timeout: None,
        fact_path: None,
        serial: None,
        strategy: None,
        order: None,
        max_fail_percentage: None,
        force_handlers: None,
        validate_argspec: None,
        file: path.to_path_buf(),
    }
}

fn keyword(reader: &mut Reader, play: &mut Play, hosts: &mut Option<Node>, key: &str, pair: &Pair) {
    let value = &pair.value;
    let given = Some(value.clone()).filter(|node| !node.is_null());
    match key {
        "name" => play.name = given,
        "hosts" => *hosts = checked_hosts(reader, value),
        "tasks" => play.tasks = task::list(reader, key, value, false),
        "pre_tasks" => play.pre_tasks = task::list(reader, key, value, false),
        "post_tasks" => play.post_tasks = task::list(reader, key, value, false),
        "handlers" => play.handlers = task::list(reader, key, value, true),
        "roles" => play.roles = role::entries(reader, key, value),
        "vars_files" => play.vars_files = vars_files(reader, value),
        "vars_prompt" => play.vars_prompt = prompts(reader, value),
        "gather_facts" => play.gather_facts = given,
        "gather_subset" => play.gather_subset = given,
        "gather_timeout" => play.gather_timeout = given,
        "fact_path" => play.fact_path = given,
        "serial" => play.serial = given,
        "strategy" => play.strategy = given,
        "order" => play.order = given,
        "max_fail_percentage" => play.max_fail_percentage = given,
        "force_handlers" => play.force_handlers = given,
        "validate_argspec" => play.validate_argspec = given,
        _ => drop(reader.shared(&mut play.keywords, key, pair)),
    }
}

fn old_user(reader: &mut Reader, play: &mut Play, pairs: &[Pair], pair: &Pair) {
    if let Some(other) = pairs.iter().find(|pair| pair.key.as_str() == Some("remote_user")) {
        let found = Diagnostic::error("both `user` and `remote_user` are set for this play").at(&pair.key.span);
        return reader.report(found.note_at("the other one is here", &other.key.span).help("remove `user`"));
    }
    reader.old("`user` is now `remote_user`", &pair.key.span, format!("write `remote_user: {}`", pair.value.span.text()));
    play.keywords.remote_user = Some(pair.value.clone());
}

fn not_of_a_play(reader: &mut Reader, pair: &Pair, key: &str) {
    if reader.names.contains(key) || keywords::find(key).is_some_and(|row| row.places & keywords::TASK != 0) {
        let what = if reader.names.contains(key) { "a module" } else { "a keyword of tasks" };
        let found = Diagnostic::error(format!("`{key}` is not a keyword of a play")).at(&pair.key.span);
        return reader.report(found.help(format!("it is {what}: it belongs into a task, in the list `tasks`")));
    }
    reader.unknown("a play", PLAY, &pair.key);
}

fn checked_hosts(reader: &mut Reader, value: &Node) -> Option<Node> {
    let empty = value.is_null() || value.as_str() == Some("") || value.as_list().is_some_and(<[Node]>::is_empty);
    if empty {
        reader.error("`hosts` cannot be empty", &value.span);
        return None;
    }
    let wrong = match &value.kind {
        Kind::List(items) => items.iter().find(|item| item.as_str().is_none()),
        Kind::Text(..) | Kind::Unsafe(_) | Kind::Vault(_) => None,
        Kind::Scalar(_) | Kind::Map(_) => Some(value),
    };
    match wrong {
        None => Some(value.clone()),
        Some(wrong) => {
            reader.error(format!("`hosts` takes names and patterns, this is {}", wrong.described()), &wrong.span);
            None
        }
    }
}

fn vars_files(reader: &mut Reader, value: &Node) -> Vec<Node> {
    let files = match &value.kind {
        Kind::List(items) => items.to_vec(),
        _ if value.is_null() => Vec::new(),
        _ => vec![value.clone()],
    };
    for file in &files {
        let text = |node: &Node| node.as_str().is_some();
        if !text(file) && !file.as_list().is_some_and(|list| list.iter().all(text)) {
            reader.error(format!("`vars_files` takes names of files, this is {}", file.described()), &file.span);
        }
    }
    files
}

const PROMPT: [&str; 9] = ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];

fn prompts(reader: &mut Reader, value: &Node) -> Vec<Prompt> {
    match &value.kind {
        Kind::Map(_) => prompt(reader, value).into_iter().collect(),
        _ => reader.list("vars_prompt", value).iter().filter_map(|item| prompt(reader, item)).collect(),
    }
}

fn prompt(reader: &mut Reader, node: &Node) -> Option<Prompt> {
    let Some(pairs) = node.as_map() else {
        reader.error(format!("an entry of `vars_prompt` is a dictionary, this is {}", node.described()), &node.span);
        return None;
    };
    for pair in pairs {
        let Some(key) = reader.key(pair) else { continue };
        if !PROMPT.contains(&key) {
            let found = Diagnostic::error(format!("`{key}` is not a keyword of `vars_prompt`")).at(&pair.key.span);
            reader.report(found.did_you_mean(key, PROMPT));
        }
    }
    let Some(name) = node.get("name").filter(|name| name.as_str().is_some()) else {
        reader.error("an entry of `vars_prompt` needs `name`", &node.span);
        return None;
    };
    let text = |key: &str| node.get(key).filter(|node| !node.is_null()).map(|node| node.to_value().to_string());
    Some(Prompt {
        name: Spanned { value: name.as_str().unwrap_or_default().to_string(), span: name.span.clone() },
        prompt: node.get("prompt").cloned(),
        default: node.get("default").cloned(),
        private: flag(node, "private", true),
        confirm: flag(node, "confirm", false),
        encrypt: text("encrypt"),
        salt: text("salt"),
        salt_size: number(reader, node, "salt_size"),
        no_template: flag(node, "unsafe", false),
    })
}

/// A boolean as Ansible reads it, also from text.
fn flag(node: &Node, key: &str, otherwise: bool) -> bool {
    match node.get(key).map(Node::to_value) {
        Some(Value::Bool(b)) => b,
        Some(Value::Int(n)) => n == 1,
        Some(Value::Str(text)) => matches!(text.to_lowercase().as_str(), "y" | "yes" | "on" | "1" | "true" | "t" | "1.0"),
        _ => otherwise,
    }
}

fn number(reader: &mut Reader, node: &Node, key: &str) -> Option<usize> {
    let given = node.get(key).filter(|given| !given.is_null())?;
    let number = given.to_value().as_int().or_else(|| given.as_str()?.trim().parse().ok());
    let number = number.and_then(|number| usize::try_from(number).ok());
    if number.is_none() {
        reader.error(format!("`{key}` takes a number"), &given.span);
    }
    number
}
