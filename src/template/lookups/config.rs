//! `config`: what a setting is worth, and the settings of plugins that variables can override.

use crate::config::settings::{Kind, SETTINGS};
use crate::diagnostic::Diagnostic;
use crate::template::coerce::{ansible_bool, class_of, parse_float, parse_int, to_text};
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value, repr};

use super::inline::Options;

const KNOWN: &[&str] = &["on_missing", "plugin_type", "plugin_name", "show_origin"];

/// Types of plugins that Ansible has settings for.
const PLUGIN_TYPES: &[&str] = &["become", "cache", "callback", "cliconf", "connection", "httpapi", "inventory", "lookup", "netconf", "shell", "vars"];

/// The plugins whose settings are in our table, by type and name.
const PLUGINS: &[(&str, &str)] = &[
    ("become", "su"),
    ("become", "sudo"),
    ("callback", "default"),
    ("callback", "junit"),
    ("connection", "ssh"),
    ("inventory", "script"),
    ("lookup", "url"),
    ("shell", "sh"),
];

/// The variables that stand for a setting; of several the last one that is set counts.
const VARIABLES: &[(&str, &[&str])] = &[
    ("DEPRECATION_WARNINGS", &["ansible_deprecation_warnings"]),
    ("FACTS_MODULES", &["ansible_facts_modules"]),
    ("INTERPRETER_PYTHON", &["ansible_python_interpreter"]),
    ("INTERPRETER_PYTHON_FALLBACK", &["ansible_interpreter_python_fallback"]),
    ("sh.admin_users", &["ansible_admin_users"]),
    ("sh.async_dir", &["ansible_async_dir"]),
    ("sh.common_remote_group", &["ansible_common_remote_group"]),
    ("sh.remote_tmp", &["ansible_remote_tmp"]),
    ("sh.system_tmpdirs", &["ansible_system_tmpdirs"]),
    ("sh.world_readable_temp", &["ansible_shell_allow_world_readable_temp"]),
    ("ssh.control_path", &["ansible_control_path"]),
    ("ssh.control_path_dir", &["ansible_control_path_dir"]),
    ("ssh.host_key_checking", &["ansible_host_key_checking", "ansible_ssh_host_key_checking"]),
    ("ssh.password_mechanism", &["ansible_ssh_password_mechanism"]),
    ("ssh.pipelining", &["ansible_pipelining", "ansible_ssh_pipelining"]),
    ("ssh.pkcs11_provider", &["ansible_ssh_pkcs11_provider"]),
    ("ssh.port", &["ansible_port", "ansible_ssh_port"]),
    ("ssh.private_key", &["ansible_private_key", "ansible_ssh_private_key"]),
    ("ssh.private_key_file", &["ansible_private_key_file", "ansible_ssh_private_key_file"]),
    ("ssh.private_key_passphrase", &["ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"]),
    ("ssh.reconnection_retries", &["ansible_ssh_retries"]),
    ("ssh.remote_user", &["ansible_user", "ansible_ssh_user"]),
    ("ssh.scp_executable", &["ansible_scp_executable"]),
    ("ssh.scp_extra_args", &["ansible_scp_extra_args"]),
    ("ssh.sftp_batch_mode", &["ansible_sftp_batch_mode"]),
    ("ssh.sftp_executable", &["ansible_sftp_executable"]),
    ("ssh.sftp_extra_args", &["ansible_sftp_extra_args"]),
    ("ssh.ssh_args", &["ansible_ssh_args"]),
    ("ssh.ssh_common_args", &["ansible_ssh_common_args"]),
    ("ssh.ssh_executable", &["ansible_ssh_executable"]),
    ("ssh.ssh_extra_args", &["ansible_ssh_extra_args"]),
    ("ssh.ssh_transfer_method", &["ansible_ssh_transfer_method"]),
    ("ssh.sshpass_prompt", &["ansible_sshpass_prompt"]),
    ("ssh.timeout", &["ansible_ssh_timeout"]),
    ("ssh.use_tty", &["ansible_ssh_use_tty"]),
    ("ssh.verbosity", &["ansible_ssh_verbosity"]),
    ("su.become_exe", &["ansible_become_exe", "ansible_su_exe"]),
    ("su.become_flags", &["ansible_become_flags", "ansible_su_flags"]),
    ("su.become_pass", &["ansible_become_password", "ansible_become_pass", "ansible_su_pass"]),
    ("su.become_user", &["ansible_become_user", "ansible_su_user"]),
    ("su.prompt_l10n", &["ansible_su_prompt_l10n"]),
    ("sudo.become_exe", &["ansible_become_exe", "ansible_sudo_exe"]),
    ("sudo.become_flags", &["ansible_become_flags", "ansible_sudo_flags"]),
    ("sudo.become_pass", &["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"]),
    ("sudo.become_user", &["ansible_become_user", "ansible_sudo_user"]),
    ("sudo.sudo_chdir", &["ansible_sudo_chdir"]),
    ("url.ca_path", &["ansible_lookup_url_ca_path"]),
    ("url.ciphers", &["ansible_lookup_url_ciphers"]),
    ("url.follow_redirects", &["ansible_lookup_url_follow_redirects"]),
    ("url.force", &["ansible_lookup_url_force"]),
    ("url.force_basic_auth", &["ansible_lookup_url_force_basic_auth"]),
    ("url.http_agent", &["ansible_lookup_url_agent"]),
    ("url.timeout", &["ansible_lookup_url_timeout"]),
    ("url.unix_socket", &["ansible_lookup_url_unix_socket"]),
    ("url.unredirected_headers", &["ansible_lookup_url_unredir_headers"]),
    ("url.use_gssapi", &["ansible_lookup_url_use_gssapi"]),
    ("url.use_netrc", &["ansible_lookup_url_use_netrc"]),
];

/// `config`.
///
/// # Errors
/// A setting or plugin that is not known, or a variable that stands for one cannot be rendered.
pub fn config(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let options = Options::new("config", KNOWN, &args);
    let missing = choice(&options, "on_missing", &["error", "warn", "skip"])?.unwrap_or_else(|| "error".into());
    let plugin = plugin(&options)?;
    let show_origin = options.flag("show_origin", false)?;
    let mut out = Vec::new();
    for term in &terms {
        let Value::Str(name) = term else {
            return Err(Fault::error(format!("Invalid setting identifier, {} is not a <class 'str'>, its a {}.", repr(term), class_of(term))));
        };
        let full = plugin.as_ref().map_or_else(|| name.to_string(), |(_, plugin)| format!("{plugin}.{name}"));
        let found = if plugin.is_none() && name.contains('.') { None } else { resolved(env, &full)? };
        match found {
            Some((value, origin)) if show_origin => out.push(Value::list(vec![value, origin.into()])),
            Some((value, _)) => out.push(value),
            None => {
                let of = plugin.as_ref().map_or(String::new(), |(kind, plugin)| format!(" for '{plugin}' {kind} plugin"));
                let message = format!("No config definition exists for '{name}'{of}.");
                match missing.as_str() {
                    "skip" => {}
                    "warn" => env.warn(Diagnostic::warning(format!("Skipping {name}: {message}"))),
                    _ => return Err(Fault::error(message)),
                }
            }
        }
    }
    Ok(out)
}

fn choice(options: &Options, name: &str, choices: &[&str]) -> Result<Option<String>, Fault> {
    let Some(value) = options.get(name) else { return Ok(None) };
    let value = to_text(value)?;
    if choices.contains(&&*value) { Ok(Some(value.to_string())) } else { Err(invalid(&value, name, "config", choices)) }
}

/// The words for an option of a lookup that has another value than its choices.
pub(super) fn invalid(value: &str, option: &str, lookup: &str, choices: &[&str]) -> Fault {
    let choices = choices.join(", ");
    Fault::error(format!("Invalid value '{value}' for config '{option}' for '{lookup}' lookup plugin. Valid values are: {choices}"))
}

/// The plugin whose settings are asked for: its type and short name.
fn plugin(options: &Options) -> Result<Option<(String, String)>, Fault> {
    let kind = choice(options, "plugin_type", PLUGIN_TYPES)?;
    let name = options.get("plugin_name").map(to_text).transpose()?;
    match (kind, name) {
        (None, None) => Ok(None),
        (Some(kind), Some(name)) => {
            let short = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
            if PLUGINS.contains(&(kind.as_str(), short)) {
                return Ok(Some((kind, short.to_string())));
            }
            let known: Vec<String> = PLUGINS.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
            Err(Fault::error(format!("Unable to load {kind} plugin '{name}'. rplay has the settings of: {}", known.join(", "))))
        }
        _ => Err(Fault::error("Both plugin_type and plugin_name are required, cannot use one without the other.")),
    }
}

/// What a setting is worth, and who decided it: a variable that stands for it, else the configuration. `None` for one that is not known.
///
/// # Errors
/// The variable cannot be rendered.
pub(super) fn resolved(env: &dyn Env, name: &str) -> Result<Option<(Value, String)>, Fault> {
    let variables = VARIABLES.iter().find(|(setting, _)| *setting == name).map_or(&[][..], |(_, variables)| variables);
    for variable in variables.iter().rev() {
        if let Some(value) = env.variable(variable)? {
            let kind = SETTINGS.iter().find(|setting| setting.name == name).map_or(Kind::Str, |setting| setting.kind);
            return Ok(Some((converted(value.resolve()?, kind), format!("var: {variable}"))));
        }
    }
    Ok(env.setting(name))
}

/// A variable's value as the setting's type; what does not fit stays.
fn converted(value: Value, kind: Kind) -> Value {
    match (kind, &value) {
        (Kind::Bool, _) => ansible_bool(&value).map_or(value, Value::Bool),
        (Kind::Int, Value::Str(text)) => parse_int(text, 10).map_or(value, Value::Int),
        (Kind::Float, Value::Str(text)) => parse_float(text).map_or(value, Value::Float),
        (Kind::List, Value::Str(text)) => Value::list(text.split(',').map(|word| word.trim().into()).collect()),
        (Kind::Str | Kind::Path, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => value.to_string().into(),
        _ => value,
    }
}
