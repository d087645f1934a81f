//! Processes on a target: what a connection is, whatever carries it.
//!
//! A [`Connection`] starts a process on one host and a [`Process`] moves bytes to and from it without blocking for longer than it was told.
//! Nothing here knows of plays, tasks or the runner's frames; [`crate::runner`] speaks those over a process of this module.

use std::path::PathBuf;
use std::time::Duration;

mod error;
mod escalate;
mod exec;
mod external;
mod local;
mod outbox;
mod secret;
pub mod shell;
mod ssh;
pub mod ssh_config;

pub use error::ConnectError;
pub use escalate::{Become, Method};
pub use exec::{ExecResult, Opened, exec};
pub(crate) use exec::{Limits, open, open_marked, run};
pub use outbox::Outbox;
pub use secret::Secret;

/// What carries the bytes to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// libssh2 in this process.
    Ssh,
    /// The system's `ssh` program.
    Openssh,
    /// This machine.
    Local,
    /// `docker exec`.
    Docker,
    /// `podman exec`.
    Podman,
    /// `chroot`.
    Chroot,
}

impl Transport {
    /// The transport of that `ansible_connection`; a collection before the name is allowed.
    pub fn parse(name: &str) -> Option<Transport> {
        Some(match name.rsplit('.').next().unwrap_or(name) {
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "libssh" => Transport::Ssh,
            "openssh" => Transport::Openssh,
            "local" => Transport::Local,
            "docker" => Transport::Docker,
            "podman" => Transport::Podman,
            "chroot" => Transport::Chroot,
            _ => return None,
        })
    }
}

/// Everything needed to reach one host; two equal targets share a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Name in the inventory.
    pub name: String,
    /// What carries the bytes.
    pub transport: Transport,
    /// Address, container or directory.
    pub host: String,
    /// Port, where one was set.
    pub port: Option<u16>,
    /// User to log in as, where one was set.
    pub user: Option<String>,
    /// Password of that user.
    pub password: Option<Secret>,
    /// Key file of that user.
    pub private_key: Option<PathBuf>,
    /// `ssh_args`, `ssh_common_args` and `ssh_extra_args`, split into words.
    pub ssh_args: Vec<String>,
    /// For reaching the host and for the prompt of become.
    pub timeout: Duration,
    /// False: any host key is taken.
    pub host_key_checking: bool,
    /// How often a failed connection is tried again.
    pub retries: u32,
    /// The shell on the target.
    pub executable: String,
    /// Where temporary files go, when it was set; tried first for the runner.
    pub remote_tmp: Option<String>,
}

impl Target {
    /// A target with Ansible's defaults.
    pub fn new(name: &str, transport: Transport) -> Target {
        Target {
            name: name.to_owned(),
            transport,
            host: name.to_owned(),
            port: None,
            user: None,
            password: None,
            private_key: None,
            ssh_args: Vec::new(),
            timeout: Duration::from_secs(10),
            host_key_checking: true,
            retries: 0,
            executable: "/bin/sh".to_owned(),
            remote_tmp: None,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Exit status; minus the signal's number when a signal ended it.
    pub code: i32,
    /// Name of that signal (`KILL`).
    pub signal: Option<String>,
}

/// A way to one host.
pub trait Connection: Send + Sync {
    /// Starts a command, given to the login shell; with `pty` on a terminal that echoes nothing.
    ///
    /// # Errors
    /// The host cannot be reached (any more), or it refuses the process.
    fn spawn(&self, command: &str, pty: bool) -> Result<Box<dyn Process>, ConnectError>;

    /// False once the connection was lost.
    fn alive(&self) -> bool;

    /// Called now and then while nobody uses it, to keep it open.
    fn tend(&self) {}
}

/// A process on a target. Dropping it closes its channel.
pub trait Process: Send {
    /// Sends what can be sent of `outbox`, appends what arrived to `out` and `err`, and waits at most `wait` for anything of that to happen.
    /// True when something moved or the process is over.
    ///
    /// # Errors
    /// The connection was lost.
    fn pump(&mut self, outbox: &mut Outbox, out: &mut Vec<u8>, err: &mut Vec<u8>, wait: Duration) -> Result<bool, ConnectError>;

    /// How it ended, once it has and all its output was taken.
    fn exit(&mut self) -> Option<Exit>;

    /// Ends it: its processes are killed where that is possible, its channel is closed.
    fn end(&mut self);
}

/// What this machine lends to every connection. Read once by the caller; nothing here reads the environment.
#[derive(Clone)]
pub struct Local {
    /// Home directory, for `~/.ssh`.
    pub home: Option<PathBuf>,
    /// Name of the user who runs rplay.
    pub user: String,
    /// `SSH_AUTH_SOCK`.
    pub agent_socket: Option<PathBuf>,
    /// The system's ssh_config.
    pub system_config: PathBuf,
    /// The `ssh` program, for proxies and the `openssh` transport.
    pub ssh_program: String,
    /// Takes warnings; each text comes once.
    pub warn: std::sync::Arc<dyn Fn(&str) + Send + Sync>,
}

impl Local {
    /// Of that user, without agent and home, warnings dropped.
    pub fn new(user: &str) -> Local {
        Local {
            home: None,
            user: user.to_owned(),
            agent_socket: None,
            system_config: "/etc/ssh/ssh_config".into(),
            ssh_program: "ssh".to_owned(),
            warn: std::sync::Arc::new(|_| {}),
        }
    }
}

/// Makes the connection to a target.
///
/// # Errors
/// It cannot be reached, does not prove who it is, or does not let us in.
pub fn connect(target: &Target, local: &Local, files: &ssh_config::Files) -> Result<Box<dyn Connection>, ConnectError> {
    match target.transport {
        Transport::Ssh => ssh::connect(target, local, files),
        _ => Ok(Box::new(external::Program::new(target, local)?)),
    }
}
