//! Playbooks that must be refused, with what is said about them, and playbooks that must load, with what they become.
//!
//! `tests/loading/refused/NAME.yml` and `tests/loading/accepted/NAME.yml` have beside them what is expected as `NAME.txt`. A name that
//! begins with `tasks-` is a file of tasks, with `handlers-` one of handlers; a folder is a role. With `BLESS=1` in the
//! environment the expectations are written instead of compared.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rplay::diagnostic::Diagnostic;
use rplay::playbook::*;
use rplay::yaml::{Kind, Node, Pair};

const MODULES: &[&str] = &[
    "add_host",
    "apt",
    "assert",
    "command",
    "copy",
    "debug",
    "fail",
    "file",
    "group_by",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "lineinfile",
    "meta",
    "ping",
    "raw",
    "script",
    "service",
    "set_fact",
    "shell",
    "stat",
    "systemd",
    "template",
    "uri",
    "yum",
];

/// Some modules of ansible.builtin.
struct Builtin(Vec<String>);

impl Names for Builtin {
    fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name || short_name(known) == name)
    }

    fn all(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    fn free_form(&self, name: &str) -> bool {
        is_free_form(name)
    }
}

fn load(path: &Path) -> Result<(String, Vec<Diagnostic>), Vec<Diagnostic>> {
    let names = Builtin(MODULES.iter().map(|name| format!("ansible.builtin.{name}")).collect());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let tasks = |handlers| load_tasks(path, handlers, &names).map(|loaded| (outline_tasks(&loaded.value, 0), loaded.warnings));
    if name.starts_with("tasks-") {
        return tasks(false);
    }
    if name.starts_with("handlers-") {
        return tasks(true);
    }
    if path.is_dir() {
        let search = [path.parent().map(Path::to_path_buf).unwrap_or_default()];
        let request = RoleRequest { name: &name, search: &search, ..RoleRequest::default() };
        return load_role(&request, &names).map(|loaded| (outline_role(&loaded.value), loaded.warnings));
    }
    load_playbook(path, &names).map(|loaded| (loaded.value.iter().map(outline_entry).collect(), loaded.warnings))
}

fn drawn(found: &[Diagnostic], folder: &Path) -> String {
    let text: String = found.iter().map(|one| one.draw(false)).collect();
    text.replace(&format!("{}/", folder.display()), "")
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loading").join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|e| e == "yml"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no cases in {}", folder.display());
    found
}

fn check(path: &Path, got: &str) -> Result<(), String> {
    let expected = path.with_extension("txt");
    if std::env::var("BLESS").is_ok_and(|value| value == "1") {
        fs::write(expected, got).unwrap();
        return Ok(());
    }
    let wanted = fs::read_to_string(&expected).unwrap_or_default();
    if wanted == got { Ok(()) } else { Err(format!("== {}\n-- wanted\n{wanted}-- got\n{got}", path.display())) }
}

fn report(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_ansible_refuses_is_refused_with_place_and_cure() {
    let judge = |path: &PathBuf| match load(path) {
        Ok((outline, _)) => Some(format!("== {}: accepted as\n{outline}", path.display())),
        Err(found) => check(path, &drawn(&found, path.parent().unwrap())).err(),
    };
    report(cases("refused").iter().filter_map(judge).collect());
}

#[test]
fn what_ansible_accepts_is_accepted_old_forms_with_a_warning() {
    let judge = |path: &PathBuf| match load(path) {
        Ok((outline, warnings)) => check(path, &format!("{outline}{}", drawn(&warnings, path.parent().unwrap()))).err(),
        Err(found) => Some(format!("== {}: refused\n{}", path.display(), drawn(&found, path.parent().unwrap()))),
    };
    report(cases("accepted").iter().filter_map(judge).collect());
}

fn outline_entry(entry: &PlaybookEntry) -> String {
    match entry {
        PlaybookEntry::Import(import) => {
            let mut out = format!("import_playbook {}", shown(&import.file));
            option(&mut out, "vars", &import.vars);
            option(&mut out, "tags", &import.tags);
            several(&mut out, "when", &import.when);
            out + "\n"
        }
        PlaybookEntry::Play(play) => outline_play(play),
    }
}

fn outline_play(play: &Play) -> String {
    let mut out = format!("play {}", shown(&play.hosts));
    option(&mut out, "name", &play.name);
    for (name, value) in
        [("gather_facts", &play.gather_facts), ("serial", &play.serial), ("strategy", &play.strategy), ("force_handlers", &play.force_handlers)]
    {
        option(&mut out, name, value);
    }
    several(&mut out, "vars_files", &play.vars_files);
    keywords(&mut out, &play.keywords);
    out.push('\n');
    for prompt in &play.vars_prompt {
        let _ = writeln!(
            out,
            "  prompt {} private={} confirm={} encrypt={:?} salt_size={:?}",
            prompt.name.value, prompt.private, prompt.confirm, prompt.encrypt, prompt.salt_size
        );
    }
    for role in &play.roles {
        out.push_str(&outline_role_entry(role, 2));
    }
    for (name, tasks) in [("pre_tasks", &play.pre_tasks), ("tasks", &play.tasks), ("post_tasks", &play.post_tasks), ("handlers", &play.handlers)] {
        if !tasks.is_empty() {
            let _ = writeln!(out, "  {name}");
            out.push_str(&outline_tasks(tasks, 4));
        }
    }
    out
}

fn outline_role_entry(role: &RoleEntry, indent: usize) -> String {
    let mut out = format!("{:indent$}role {}", "", shown(&role.name));
    pairs(&mut out, "params", &role.params);
    keywords(&mut out, &role.keywords);
    out + "\n"
}

fn outline_role(role: &Role) -> String {
    let mut out = format!("role {} allow_duplicates={} argument_specs={}\n", role.name, role.allow_duplicates, role.argument_specs.is_some());
    for (name, nodes) in [("defaults", &role.defaults), ("vars", &role.vars)] {
        for node in nodes {
            let _ = writeln!(out, "  {name} {}", shown(node));
        }
    }
    for dependency in &role.dependencies {
        out.push_str(&outline_role_entry(dependency, 2));
    }
    for (name, tasks) in [("tasks", &role.tasks), ("handlers", &role.handlers)] {
        let _ = writeln!(out, "  {name}");
        out.push_str(&outline_tasks(tasks, 4));
    }
    out
}

fn outline_tasks(entries: &[TaskEntry], indent: usize) -> String {
    let mut out = String::new();
    for entry in entries {
        match entry {
            TaskEntry::Task(task) => out.push_str(&outline_task(task, indent)),
            TaskEntry::Block(block) => {
                let _ = write!(out, "{:indent$}block", "");
                option(&mut out, "name", &block.name);
                keywords(&mut out, &block.keywords);
                out.push('\n');
                out.push_str(&outline_tasks(&block.body, indent + 2));
                for (name, tasks) in [("rescue", &block.rescue), ("always", &block.always)] {
                    if !tasks.is_empty() {
                        let _ = writeln!(out, "{:indent$}{name}", "");
                        out.push_str(&outline_tasks(tasks, indent + 2));
                    }
                }
            }
        }
    }
    out
}

fn outline_task(task: &Task, indent: usize) -> String {
    let mut out = format!("{:indent$}{}", "", task.action.value);
    if task.local_action {
        out.push_str(" (local)");
    }
    option(&mut out, "name", &task.name);
    pairs(&mut out, "args", &task.args);
    option(&mut out, "free_form", &task.free_form);
    option(&mut out, "args_template", &task.args_template);
    keywords(&mut out, &task.keywords);
    let only = &task.only;
    if let Some((lookup, value)) = &only.with {
        let _ = write!(out, " with_{}={}", lookup.value, shown(value));
    }
    for (name, value) in [
        ("register", &only.register),
        ("loop", &only.loop_),
        ("loop_control", &only.loop_control),
        ("retries", &only.retries),
        ("delay", &only.delay),
        ("async", &only.async_),
        ("poll", &only.poll),
        ("listen", &only.listen),
    ] {
        option(&mut out, name, value);
    }
    several(&mut out, "until", &only.until);
    several(&mut out, "changed_when", &only.changed_when);
    several(&mut out, "failed_when", &only.failed_when);
    for mark in &task.marks {
        let _ = write!(out, " # {} ({})", mark.word, mark.text);
    }
    out + "\n"
}

fn keywords(out: &mut String, k: &Keywords) {
    several(out, "when", &k.when);
    for (name, value) in [
        ("vars", &k.vars),
        ("tags", &k.tags),
        ("environment", &k.environment),
        ("module_defaults", &k.module_defaults),
        ("become", &k.become_),
        ("become_user", &k.become_user),
        ("become_method", &k.become_method),
        ("connection", &k.connection),
        ("port", &k.port),
        ("remote_user", &k.remote_user),
        ("no_log", &k.no_log),
        ("run_once", &k.run_once),
        ("ignore_errors", &k.ignore_errors),
        ("check_mode", &k.check_mode),
        ("any_errors_fatal", &k.any_errors_fatal),
        ("throttle", &k.throttle),
        ("delegate_to", &k.delegate_to),
        ("notify", &k.notify),
        ("collections", &k.collections),
    ] {
        option(out, name, value);
    }
}

fn option(out: &mut String, name: &str, value: &Option<Node>) {
    if let Some(value) = value {
        let _ = write!(out, " {name}={}", shown(value));
    }
}

fn several(out: &mut String, name: &str, values: &[Node]) {
    if !values.is_empty() {
        let _ = write!(out, " {name}=[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", "));
    }
}

fn pairs(out: &mut String, name: &str, values: &[Pair]) {
    if !values.is_empty() {
        let _ = write!(out, " {name}={}", shown_pairs(values));
    }
}

fn shown_pairs(values: &[Pair]) -> String {
    let all: Vec<String> = values.iter().map(|pair| format!("{}: {}", shown(&pair.key), shown(&pair.value))).collect();
    format!("{{{}}}", all.join(", "))
}

/// Text in quotes, so that its type shows.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Text(text, _) => format!("{text:?}"),
        Kind::Unsafe(text) => format!("!unsafe {text:?}"),
        Kind::Vault(text) => format!("!vault {text:?}"),
        Kind::Scalar(value) => value.to_string(),
        Kind::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => shown_pairs(entries),
    }
}
