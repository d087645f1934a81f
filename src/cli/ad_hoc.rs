//! `ansible`, `rplay ad-hoc`: one task on the hosts of a pattern.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::connected::Connected;
use super::console;
use super::flags::{self, AdHocFlags, Parsed};
use super::session::Session;
use super::setup::Surroundings;
use super::unsupported;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::report::{Layout, Minimal, Tree};
use crate::source::Source;

/// Exit code of options that make no sense.
const BAD_OPTIONS: i32 = 5;

/// Modules that do nothing without arguments.
const NEED_ARGUMENTS: &[&str] = &["command", "shell", "raw", "script"];

/// The playbook that the task stands for, in the working directory or the folder of `--playbook-dir`.
const BOOK: &str = "__adhoc_playbook__";

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    let around = Surroundings::read();
    let (mut config, warnings) = match Config::load(&around.env, &around.cwd) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&[error], BAD_OPTIONS),
    };
    let flags = match flags::ad_hoc(program, arguments, &config) {
        Parsed::Run(flags) => *flags,
        Parsed::Say { text, code, stderr } => {
            if stderr {
                console::tell(&text)
            } else {
                console::say(&text)
            }
            return code;
        }
    };
    flags.apply(&mut config);
    settle(&mut config);
    console::complain(&warnings);
    let general = flags.as_run();
    console::complain(&unsupported::check(&general, &config));
    if let Err((error, code)) = unsupported::refuse(&config).and_then(|()| sensible(&flags, &config)) {
        return refuse(&[error], code);
    }
    match Session::prepare(program, general, config, around) {
        Ok(mut session) => {
            session.whole_results = true;
            go(session, &flags)
        }
        Err((errors, code)) => refuse(&errors, code),
    }
}

/// The configured playbook and callbacks are not for ad-hoc runs, unless `bin_ansible_callbacks` says so.
fn settle(config: &mut Config) {
    config.playbook = None;
    let callbacks = config.setting("DEFAULT_LOAD_CALLBACK_PLUGINS").is_some_and(|chosen| chosen.value.is_true());
    if !callbacks {
        config.stdout_callback = "default".into();
        config.callbacks_enabled.clear();
    }
}

fn refuse(errors: &[Diagnostic], code: i32) -> i32 {
    console::complain(errors);
    code
}

fn short(module: &str) -> &str {
    module.strip_prefix("ansible.builtin.").or_else(|| module.strip_prefix("ansible.legacy.")).unwrap_or(module)
}

fn sensible(flags: &AdHocFlags, config: &Config) -> Result<(), (Diagnostic, i32)> {
    let module = config.module_name.as_str();
    let without = config.module_args.as_deref().is_none_or(str::is_empty);
    if NEED_ARGUMENTS.contains(&short(module)) && without && !flags.inventory.list_hosts {
        let error = Diagnostic::error(format!("No argument passed to {module} module"));
        let playbook = flags.pattern.as_deref().is_some_and(|pattern| pattern.ends_with(".yml"));
        return Err((if playbook { error.help("did you mean to run ansible-playbook?") } else { error }, BAD_OPTIONS));
    }
    if short(module) == "import_playbook" {
        return Err((Diagnostic::error(format!("'{module}' is not a valid action for ad-hoc commands")), BAD_OPTIONS));
    }
    Ok(())
}

fn go(mut session: Session, flags: &AdHocFlags) -> i32 {
    let pattern = flags.pattern.clone().unwrap_or_default();
    let limit = flags.inventory.limit.as_deref();
    let hosts = match session.world.inventory.select_list(&[&pattern], limit) {
        Ok((hosts, warnings)) => {
            console::complain(&warnings);
            hosts
        }
        Err(error) => return refuse(&[error], 1),
    };
    if hosts.is_empty() {
        console::complain(&[Diagnostic::warning("No hosts matched, nothing to do")]);
    }
    if flags.inventory.list_hosts {
        let lines: String = hosts.iter().map(|host| format!("    {host}\n")).collect();
        console::say(&format!("  hosts ({}):\n{lines}", hosts.len()));
        return 0;
    }
    if hosts.is_empty() {
        return 0;
    }
    let play = Source::new(Path::new("<ad-hoc>"), play(&pattern, flags, &session.config).to_string());
    let book = session.config.playbook_dir.clone().unwrap_or_else(|| session.around.cwd.clone()).join(BOOK);
    match session.compile_text(&book, &play) {
        Ok(compiled) => {
            let connected = Connected::new(&session);
            let result = connected.pass(&session, &compiled, session.first_pass(), reports(&session, flags));
            connected.close();
            result.map_or_else(|(errors, code)| refuse(&errors, code), |result| result.code)
        }
        Err(code) => code,
    }
}

type Shown = (Vec<Box<dyn crate::report::Report>>, crate::report::Streams, Option<crate::report::Live>);

fn reports(session: &Session, flags: &AdHocFlags) -> Shown {
    let layout = if flags.one_line { Layout::One } else { Layout::Lines };
    let mut shown = match session.config.stdout_callback.as_str() {
        "default" => session.reports_after(Box::new(Minimal::new(session.look(), layout))),
        _ if flags.one_line => session.reports_after(Box::new(Minimal::new(session.look(), layout))),
        _ => session.reports(),
    };
    if let Some(folder) = &flags.tree {
        shown.0.push(Box::new(Tree::new(session.config.places.from_cwd(folder), session.look())));
    }
    shown
}

/// The task as a playbook: JSON is YAML.
fn play(pattern: &str, flags: &AdHocFlags, config: &Config) -> Json {
    let (module, args) = (config.module_name.as_str(), config.module_args.clone().unwrap_or_default());
    let whole = args.starts_with('{') && args.ends_with('}');
    let dictionary: Option<Json> = if whole { serde_json::from_str(&args).ok() } else { None };
    let mut task = match dictionary {
        Some(dictionary) => json!({"action": module, "args": dictionary}),
        None => json!({"action": format!("{module} {args}").trim_end()}),
    };
    if let Some(seconds) = flags.background {
        task["async"] = json!(seconds);
        task["poll"] = json!(config.poll_interval);
    }
    json!([{"name": "Ansible Ad-Hoc", "hosts": pattern, "gather_facts": false, "tasks": [task]}])
}
