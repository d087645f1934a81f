//! What ssh_config, the command line's `ssh_args` and the inventory say about reaching one host.
//!
//! As in OpenSSH the first value of a keyword wins: command line, then the user's file, then the system's; `-F` replaces the last two.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ConnectError, Local, Target};

mod args;
mod file;
mod keywords;
mod matching;
mod settings;
mod tokens;

pub use file::Files;
pub(crate) use matching::glob;
use tokens::Tokens;

/// What to do with a host key that no known_hosts file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strict {
    /// Refuse it.
    Yes,
    /// Ask; there is nobody to ask, so refuse it with the fingerprint and the cure.
    Ask,
    /// Take it and remember it.
    AcceptNew,
    /// Take anything.
    No,
}

/// All that matters for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Settings {
    /// As the inventory gives it.
    pub original: String,
    pub host_name: String,
    pub port: u16,
    pub user: String,
    pub identity_files: Vec<PathBuf>,
    /// The identity files are the default ones: their absence is no news.
    pub default_identities: bool,
    pub identities_only: bool,
    pub agent: Option<PathBuf>,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub strict: Strict,
    pub host_key_alias: Option<String>,
    pub hash_known_hosts: bool,
    pub proxy: Option<Proxy>,
    pub connect_timeout: Option<Duration>,
    pub alive_interval: Duration,
    pub alive_count_max: u32,
    pub kex: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_key_algorithms: Option<String>,
    pub compression: bool,
    pub password_authentication: bool,
    pub keyboard_interactive: bool,
    pub pubkey_authentication: bool,
    pub gssapi: bool,
    pub connection_attempts: u32,
    /// Ways to log in, in order of preference, where they were named.
    pub preferred: Option<Vec<String>>,
    /// `SetEnv`: names and values.
    pub environment: Vec<(String, String)>,
    /// `inet` or `inet6`.
    pub address_family: Option<String>,
    pub bind_address: Option<String>,
    /// Something that only the system's `ssh` can do, by name.
    pub only_openssh: Option<String>,
    /// The file given with `-F`.
    pub config_file: Option<PathBuf>,
}

/// Another program or host that carries the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// Hosts to go through, as `ProxyJump` lists them.
    Jump(String),
    /// A command for the shell, tokens replaced.
    Command(String),
}

/// Resolves what is known about reaching a target.
///
/// # Errors
/// A setting that cannot be understood, or a file that cannot be read although it exists.
pub fn resolve(target: &Target, local: &Local, files: &Files) -> Result<Settings, ConnectError> {
    let line = args::parse(&target.ssh_args)?;
    let mut found = matching::Found::new(&target.host, target.user.clone().or(line.user.clone()), local);
    for (keyword, value) in &line.options {
        found.take(keyword, value);
    }
    if let Some((keyword, _)) = line.options.iter().find(|(keyword, _)| !found.knows(keyword)) {
        return Err(ConnectError::setup(format!("ssh_args: Bad configuration option: {keyword}")));
    }
    // a second pass sees what the first one found out, for `Match final`
    for last in [false, true] {
        found.begin(last);
        match &line.config_file {
            Some(path) => explicit_file(&mut found, &expand(path, local), local, files)?,
            None => {
                if let Some(home) = &local.home {
                    found.read(&home.join(".ssh/config"), true, local, files)?;
                }
                found.read(&local.system_config, false, local, files)?;
            }
        }
        if !found.wants_final {
            break;
        }
    }
    settings::settle(target, &line, found, local)
}

/// `-F file`: `none` and a file that is absent give nothing; the latter is said once.
fn explicit_file(found: &mut matching::Found, path: &Path, local: &Local, files: &Files) -> Result<(), ConnectError> {
    if path == Path::new("none") || path == Path::new("/dev/null") {
        return Ok(());
    }
    if !path.exists() {
        files.once(local, &format!("the ssh configuration {} that ssh_args name does not exist; going on without it", path.display()));
        return Ok(());
    }
    found.read(path, true, local, files)
}

/// `~` at the beginning of a path.
fn expand(path: &str, local: &Local) -> PathBuf {
    match (path.strip_prefix("~/"), &local.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests;
