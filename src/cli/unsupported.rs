//! Settings and options that rplay takes from people's projects but cannot follow: each that is set is named, none is ignored silently.

use super::flags::Flags;
use crate::config::{Config, Origin};
use crate::diagnostic::Diagnostic;
use crate::value::text;

/// Settings without effect, and why. Those that only tune what rplay does not have (pipelining, control paths, cows) are left out on purpose.
const SETTINGS: &[(&str, &str)] = &[
    ("CACHE_PLUGIN", "rplay keeps facts for one run only"),
    ("DEFAULT_ACTION_PLUGIN_PATH", PYTHON),
    ("DEFAULT_CALLBACK_PLUGIN_PATH", PYTHON),
    ("DEFAULT_CONNECTION_PLUGIN_PATH", PYTHON),
    ("DEFAULT_FILTER_PLUGIN_PATH", PYTHON),
    ("DEFAULT_INVENTORY_PLUGIN_PATH", PYTHON),
    ("DEFAULT_JINJA2_EXTENSIONS", "rplay reads templates without Jinja's Python extensions (do and loop controls are always there)"),
    ("DEFAULT_LOOKUP_PLUGIN_PATH", PYTHON),
    ("DEFAULT_MODULE_PATH", PYTHON),
    ("DEFAULT_PRIVATE_ROLE_VARS", "variables of roles are seen by the whole play"),
    ("DEFAULT_TEST_PLUGIN_PATH", PYTHON),
    ("DEFAULT_UNDEFINED_VAR_BEHAVIOR", "using an undefined variable is always an error"),
    ("DEFAULT_VARS_PLUGIN_PATH", PYTHON),
    ("ENABLE_TASK_DEBUGGER", DEBUGGER),
    ("FACTS_MODULES", "facts come from rplay's own setup"),
    ("PLAYBOOK_VARS_ROOT", "group_vars and host_vars are read beside the playbook"),
    ("VARIABLE_PRECEDENCE", "group variables have Ansible's usual order"),
    ("VERBOSE_TO_STDERR", "verbose messages go to standard output"),
    ("setup.gather_subset", "name `gather_subset` in the play"),
    ("setup.gather_timeout", "name `gather_timeout` in the play"),
    ("default.show_per_host_start", "the live line shows what runs where"),
];

const PYTHON: &str = "plugins and modules written in Python are not loaded";

/// Also said where a task asks for it.
pub(super) const DEBUGGER: &str = "rplay has no interactive debugger";

/// Callbacks for standard output that rplay has, under their short names.
const CALLBACKS: &[&str] = &["default", "json", "jsonl", "yaml", "actionable"];

/// Further callbacks that rplay has, under their short names.
const FURTHER: &[&str] = &["timer", "profile_tasks", "profile_roles", "profile_waiting"];

/// Warnings about what is set and has no effect.
pub(super) fn check(flags: &Flags, config: &Config) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = SETTINGS.iter().filter_map(|(name, why)| of_setting(config, name, why)).collect();
    let options = [
        (flags.connect.scp_extra_args.is_some(), "--scp-extra-args", "files travel over the open session, not by scp"),
        (flags.connect.sftp_extra_args.is_some(), "--sftp-extra-args", "files travel over the open session, not by sftp"),
        (!flags.run.module_path.is_empty(), "--module-path", PYTHON),
    ];
    found.extend(unknown_callbacks(config));
    found.extend(options.iter().filter(|(set, ..)| *set).map(|(_, name, why)| Diagnostic::warning(format!("the option {name} has no effect: {why}"))));
    found
}

fn unknown_callbacks(config: &Config) -> Option<Diagnostic> {
    let known = |name: &&String| FURTHER.contains(&name.rsplit('.').next().unwrap_or_default());
    let missing: Vec<&str> = config.callbacks_enabled.iter().filter(|name| !known(name)).map(String::as_str).collect();
    if missing.is_empty() {
        return None;
    }
    let warning = Diagnostic::warning(format!("rplay has no callback {}; it has {}", missing.join(", "), FURTHER.join(", ")));
    placed(warning, &config.setting("CALLBACKS_ENABLED")?.origin)
}

fn of_setting(config: &Config, name: &str, why: &str) -> Option<Diagnostic> {
    let chosen = config.setting(name)?;
    let value = text(&chosen.value);
    let usual = matches!(
        (name, value.as_str()),
        ("CACHE_PLUGIN", "memory" | "ansible.builtin.memory") | ("FACTS_MODULES", "['smart']") | ("PLAYBOOK_VARS_ROOT", "top")
    );
    let off = !chosen.value.is_true() && name != "DEFAULT_UNDEFINED_VAR_BEHAVIOR";
    if usual || off || (name == "DEFAULT_UNDEFINED_VAR_BEHAVIOR" && chosen.value.is_true()) {
        return None;
    }
    placed(Diagnostic::warning(format!("the setting {name} has no effect: {why}")), &chosen.origin)
}

/// Options and settings that cannot be left out without doing something else than was asked for.
///
/// # Errors
/// There is one.
pub(super) fn refuse(config: &Config) -> Result<(), (Diagnostic, i32)> {
    callback(config).map_err(|error| (error, 1))
}

/// The callback for standard output, by its short name.
fn callback(config: &Config) -> Result<(), Diagnostic> {
    let name = config.stdout_callback.rsplit('.').next().unwrap_or_default();
    if CALLBACKS.contains(&name) {
        return Ok(());
    }
    let error = Diagnostic::error(format!("Invalid callback for stdout specified: {}", config.stdout_callback));
    let error = error.help(format!("rplay has these callbacks: {}", CALLBACKS.join(", ")));
    let origin = config.setting("DEFAULT_STDOUT_CALLBACK").map(|chosen| chosen.origin.clone());
    Err(origin.and_then(|origin| placed(error.clone(), &origin)).unwrap_or(error))
}

/// Adds where a setting comes from; nothing for a setting that nobody set.
fn placed(diagnostic: Diagnostic, origin: &Origin) -> Option<Diagnostic> {
    match origin {
        Origin::File(span) => Some(diagnostic.at(span)),
        Origin::Env(name) => Some(diagnostic.note(format!("from the environment variable {name}"))),
        Origin::Default => None,
    }
}
