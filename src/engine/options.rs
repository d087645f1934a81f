//! How a task reaches its host and whom it becomes: variables first, then keywords, then the command line, then the configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Become, Method, Secret, Target, Transport, shell};
use crate::program::{Inherited, Opt};
use crate::template::Context;
use crate::value::{Fault, Value, text};

/// What the command line and the configuration say about connections.
#[derive(Debug, Clone, Default)]
pub struct ConnectionDefaults {
    /// `-c`, or `transport`.
    pub connection: Option<String>,
    /// `-u`, or `remote_user`.
    pub user: Option<String>,
    /// `remote_port`.
    pub port: Option<u16>,
    /// `--private-key`, or `private_key_file`.
    pub private_key: Option<PathBuf>,
    /// `-k`.
    pub password: Option<Secret>,
    /// `ssh_args`.
    pub ssh_args: String,
    /// `--ssh-common-args`, or `ssh_common_args`.
    pub ssh_common_args: String,
    /// `--ssh-extra-args`, or `ssh_extra_args`.
    pub ssh_extra_args: String,
    /// `-T`, or `timeout`, seconds.
    pub timeout: u64,
    /// `host_key_checking`.
    pub host_key_checking: bool,
    /// `retries` of connections.
    pub retries: u32,
    /// `executable`.
    pub executable: String,
    /// `remote_tmp`, when set.
    pub remote_tmp: Option<String>,
    /// `-b`, or `become`.
    pub become_: bool,
    /// `--become-method`.
    pub become_method: Option<String>,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `become_exe`.
    pub become_exe: Option<String>,
    /// `become_flags`.
    pub become_flags: Option<String>,
    /// `-K`.
    pub become_password: Option<Secret>,
}

/// Looks up options: `vars` of the host that is reached, `task` for keywords.
pub(super) struct Lookup<'a> {
    /// Variables of the host that is reached (the delegated one, when there is one).
    pub vars: &'a Arc<Context>,
    /// Variables that keywords are rendered with.
    pub cx: &'a Arc<Context>,
    /// Keywords of the task.
    pub inherited: &'a Inherited,
}

impl Lookup<'_> {
    fn variable(&self, names: &[&str]) -> Result<Option<Value>, Fault> {
        for name in names {
            match self.vars.get(name)? {
                None | Some(Value::Null) => {}
                Some(value) => return value.resolve().map(Some),
            }
        }
        Ok(None)
    }

    fn keyword(&self, opt: Opt) -> Result<Option<Value>, Fault> {
        match self.inherited.opt(opt) {
            None => Ok(None),
            Some(template) => Ok(Some(template.render(self.cx)?).filter(|value| !matches!(value, Value::Null | Value::Omit))),
        }
    }

    fn either(&self, names: &[&str], opt: Opt) -> Result<Option<Value>, Fault> {
        match self.variable(names)? {
            Some(value) => Ok(Some(value)),
            None => self.keyword(opt),
        }
    }

    fn words(&self, names: &[&str], default: &str) -> Result<String, Fault> {
        Ok(self.variable(names)?.map_or_else(|| default.to_string(), |value| text(&value)))
    }

    /// A boolean keyword, or the default.
    pub fn flag(&self, opt: Opt, default: bool) -> Result<bool, Fault> {
        Ok(self.keyword(opt)?.map_or(default, |value| truthy(&value)))
    }

    /// How to reach the host `name`.
    pub fn target(&self, name: &str, defaults: &ConnectionDefaults, implicit_local: bool) -> Result<Target, Fault> {
        let fallback = if implicit_local { Some("local".to_string()) } else { defaults.connection.clone() };
        let connection = self.either(&["ansible_connection"], Opt::Connection)?.map(|value| text(&value)).or(fallback).unwrap_or_else(|| "ssh".into());
        let transport = Transport::parse(&connection).ok_or_else(|| {
            Fault::error(format!("the connection plugin '{connection}' was not found: rplay has ssh, openssh, local, docker, podman and chroot"))
        })?;
        let mut target = Target::new(name, transport);
        target.host = self.variable(&["ansible_host", "ansible_ssh_host", "inventory_hostname"])?.map_or_else(|| name.to_string(), |value| text(&value));
        if transport == Transport::Local {
            target.executable = self.words(&["ansible_shell_executable"], &defaults.executable)?;
            return Ok(target);
        }
        target.port = match self.either(&["ansible_port", "ansible_ssh_port"], Opt::Port)? {
            Some(value) => Some(port(&value)?),
            None => defaults.port,
        };
        target.user = self.either(&["ansible_user", "ansible_ssh_user"], Opt::RemoteUser)?.map(|value| text(&value)).or_else(|| defaults.user.clone());
        target.password = self.secret(&["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"])?.or_else(|| defaults.password.clone());
        target.private_key = self
            .variable(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?
            .map(|value| PathBuf::from(text(&value)))
            .or_else(|| defaults.private_key.clone());
        target.ssh_args = self.ssh_args(defaults)?;
        target.timeout = Duration::from_secs(self.number(&["ansible_ssh_timeout", "ansible_timeout"], defaults.timeout)?);
        target.retries = self.number(&["ansible_ssh_retries"], defaults.retries.into())? as u32;
        target.host_key_checking = match self.variable(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])? {
            Some(value) => truthy(&value),
            None => defaults.host_key_checking,
        };
        target.executable = self.words(&["ansible_shell_executable"], &defaults.executable)?;
        target.remote_tmp = self.variable(&["ansible_remote_tmp"])?.map(|value| text(&value)).or_else(|| defaults.remote_tmp.clone());
        Ok(target)
    }

    fn ssh_args(&self, defaults: &ConnectionDefaults) -> Result<Vec<String>, Fault> {
        let parts = [
            self.words(&["ansible_ssh_args"], &defaults.ssh_args)?,
            self.words(&["ansible_ssh_common_args"], &defaults.ssh_common_args)?,
            self.words(&["ansible_ssh_extra_args"], &defaults.ssh_extra_args)?,
        ];
        let mut words = Vec::new();
        for part in parts {
            words.extend(shell::split(&part).ok_or_else(|| Fault::error(format!("unbalanced quotes in ssh arguments: {part}")))?);
        }
        Ok(words)
    }

    fn number(&self, names: &[&str], default: u64) -> Result<u64, Fault> {
        match self.variable(names)? {
            None => Ok(default),
            Some(value) => text(&value).parse().map_err(|_| Fault::error(format!("'{}' is not a number ({})", text(&value), names[0]))),
        }
    }

    fn secret(&self, names: &[&str]) -> Result<Option<Secret>, Fault> {
        Ok(self.variable(names)?.map(|value| Secret::new(text(&value))))
    }

    /// Whom to become; `None` for nobody.
    pub fn become_(&self, defaults: &ConnectionDefaults) -> Result<Option<Become>, Fault> {
        let wanted = self.either(&["ansible_become"], Opt::Become)?.map_or(defaults.become_, |value| truthy(&value));
        if !wanted {
            return Ok(None);
        }
        let word = |names: &[&str], opt: Opt, default: &Option<String>| -> Result<Option<String>, Fault> {
            Ok(self.either(names, opt)?.map(|value| text(&value)).or_else(|| default.clone()))
        };
        let method = word(&["ansible_become_method"], Opt::BecomeMethod, &defaults.become_method)?.unwrap_or_else(|| "sudo".into());
        let method =
            Method::parse(&method).ok_or_else(|| Fault::error(format!("invalid become method specified, could not find matching plugin: '{method}'")))?;
        let user = word(&["ansible_become_user"], Opt::BecomeUser, &defaults.become_user)?.unwrap_or_else(|| "root".into());
        let password = self.secret(&["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"])?.or_else(|| defaults.become_password.clone());
        let exe = word(&["ansible_become_exe"], Opt::BecomeExe, &defaults.become_exe)?;
        let flags = word(&["ansible_become_flags"], Opt::BecomeFlags, &defaults.become_flags)?;
        Ok(Some(Become { method, user, password, exe, flags }))
    }
}

fn port(value: &Value) -> Result<u16, Fault> {
    text(value).parse().map_err(|_| Fault::error(format!("'{}' is not a port", text(value))))
}

/// A host that is this machine without being in the inventory.
pub(super) fn is_implicit(inventory: &crate::inventory::Inventory, name: &str) -> bool {
    inventory.host(name).map_or(crate::inventory::LOCALHOST.contains(&name), |host| host.implicit)
}

/// A keyword's truth, as Ansible's `boolean`: `yes`, `on`, `1`, `true`, `y`, `t` in any case.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Str(text) => matches!(text.to_ascii_lowercase().as_str(), "yes" | "on" | "1" | "true" | "y" | "t" | "1.0"),
        other => other.is_true(),
    }
}
