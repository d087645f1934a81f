//! From options and configuration to what a run needs: passwords, inventory, connections.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::console;
use super::flags::{InventoryFlags, Reading, RunFlags, VaultFlags, extra_vars};
use crate::config::Config;
use crate::connection::{Local, Secret};
use crate::diagnostic::Diagnostic;
use crate::engine::ConnectionDefaults;
use crate::inventory::{self, Inventory};
use crate::runner::{self, Pool};
use crate::vars::Layer;
use crate::vault::Secrets;

/// The process's environment, read once.
pub(super) struct Surroundings {
    pub env: BTreeMap<String, String>,
    pub cwd: PathBuf,
    pub program: PathBuf,
}

impl Surroundings {
    pub fn read() -> Surroundings {
        Surroundings {
            env: std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            program: std::env::current_exe().unwrap_or_default(),
        }
    }
}

/// Vault passwords of options and configuration.
pub(super) fn secrets(vault: &VaultFlags, config: &Config) -> Result<(Arc<Secrets>, Vec<Diagnostic>), Diagnostic> {
    let mut secrets = Secrets::new(&config.vault_identity, config.vault_id_match, config.vault_encrypt_salt.as_deref());
    let complete = |path: &str| config.places.from_cwd(path);
    let failures = secrets.gather(&vault.sources(config), &complete, &console::secret).map_err(|error| Diagnostic::error(error.to_string()))?;
    let warnings = failures.into_iter().map(|failure| Diagnostic::warning(failure.to_string())).collect();
    Ok((Arc::new(secrets), warnings))
}

/// The inventory of options and configuration.
pub(super) fn inventory(flags: &InventoryFlags, config: &Config, secrets: &Arc<Secrets>) -> Result<(Arc<Inventory>, Vec<Diagnostic>), Diagnostic> {
    let (inventory, warnings) = Inventory::load(&flags.sources(config), inventory::Options::new(config), secrets.clone())?;
    Ok((Arc::new(inventory), warnings))
}

/// `-e`.
pub(super) fn extra(run: &RunFlags, config: &Config, secrets: &Secrets) -> Result<(Arc<Layer>, Vec<Diagnostic>), Diagnostic> {
    let reading = Reading { places: &config.places, secrets, merge: config.hash_behaviour == "merge" };
    let (vars, warnings) = extra_vars(&run.extra_vars, reading)?;
    Ok((Arc::new(Layer::from_vars(&vars)), warnings))
}

/// A password: from a file, or asked for.
fn password(file: Option<&PathBuf>, ask: bool, prompt: &str, secrets: &Secrets) -> Result<Option<Secret>, Diagnostic> {
    if let Some(file) = file {
        let bytes = secrets.read(file).map_err(|error| Diagnostic::error(format!("cannot read the password file: {error}")))?;
        let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_string();
        return Ok(Some(Secret::new(text)));
    }
    if !ask {
        return Ok(None);
    }
    let answer = console::secret(prompt).map_err(|error| Diagnostic::error(format!("cannot ask for the password: {error}")))?;
    Ok(Some(Secret::new(answer)))
}

/// How hosts are reached unless variables and keywords say otherwise.
pub(super) fn connection(config: &Config, explicit: Option<&String>, secrets: &Secrets) -> Result<ConnectionDefaults, Diagnostic> {
    let login = password(config.connection_password_file.as_ref(), config.ask_pass, "SSH password: ", secrets)?;
    let prompt = if login.is_some() { "BECOME password[defaults to SSH password]: " } else { "BECOME password: " };
    let mut other = password(config.become_password_file.as_ref(), config.become_ask_pass, prompt, secrets)?;
    if other.as_ref().is_some_and(|secret| secret.reveal().is_empty()) {
        other = login.clone();
    }
    Ok(ConnectionDefaults {
        connection: explicit.cloned().or_else(|| Some(config.transport.clone()).filter(|transport| transport != "smart")),
        user: config.remote_user.clone(),
        port: config.remote_port,
        private_key: config.private_key_file.clone(),
        password: login,
        ssh_args: ssh_args(config),
        ssh_common_args: config.ssh_common_args.clone(),
        ssh_extra_args: config.ssh_extra_args.clone(),
        timeout: config.timeout,
        host_key_checking: config.host_key_checking,
        retries: config.ssh_retries,
        executable: config.executable.clone(),
        remote_tmp: config
            .setting("sh.remote_tmp")
            .filter(|chosen| !matches!(chosen.origin, crate::config::Origin::Default))
            .map(|_| config.remote_tmp.clone()),
        become_: config.r#become,
        become_method: Some(config.become_method.clone()),
        become_user: Some(config.become_user.clone()),
        become_exe: config.become_exe.clone(),
        become_flags: config.become_flags.clone().filter(|flags| !flags.is_empty()),
        become_password: other,
    })
}

/// `ssh_args` for connections. Ansible's default asks for compression (`-C`): the files that rplay sends are packed already, and packing all
/// again costs more than encryption, so it is done for who writes `-C` himself.
fn ssh_args(config: &Config) -> String {
    let chosen = config.setting("ssh.ssh_args").is_some_and(|chosen| !matches!(chosen.origin, crate::config::Origin::Default));
    if chosen { config.ssh_args.clone() } else { config.ssh_args.trim_start_matches("-C ").to_owned() }
}

/// Connections and runners of the run.
pub(super) fn pool(config: &Config, around: &Surroundings, warn: Arc<dyn Fn(&str) + Send + Sync>) -> Arc<Pool> {
    let user = around.env.get("USER").or_else(|| around.env.get("LOGNAME")).cloned().unwrap_or_else(|| "root".into());
    let mut local = Local::new(&user);
    local.home = around.env.get("HOME").map(PathBuf::from);
    local.agent_socket = around.env.get("SSH_AUTH_SOCK").map(PathBuf::from);
    local.ssh_program.clone_from(&config.ssh_executable);
    local.warn = warn;
    let mut runner_dirs: Vec<PathBuf> = around.env.get("RPLAY_RUNNER_DIR").map(PathBuf::from).into_iter().collect();
    runner_dirs.extend(around.program.parent().map(PathBuf::from));
    Arc::new(Pool::new(runner::Options { local, runner_dirs, keep_runner: config.keep_remote_files }))
}
