//! Targets reached by a program of this machine: a shell here, in a container, in a chroot, or behind the system's `ssh`.

use std::time::Duration;

use super::{ConnectError, Connection, Exit, Local, Outbox, Process, Target, Transport, local};

/// A target behind a command line; every process is a child of ours.
pub(super) struct Program {
    before: Vec<String>,
    transport: Transport,
    host: String,
}

impl Program {
    /// The command line that reaches this target.
    pub(super) fn new(target: &Target, local: &Local) -> Result<Program, ConnectError> {
        let shell = [target.executable.clone(), "-c".to_owned()];
        let mut before: Vec<String> = match target.transport {
            Transport::Docker | Transport::Podman => container(target),
            Transport::Chroot if !std::path::Path::new(&target.host).is_dir() => {
                return Err(ConnectError::Unreachable { message: format!("{} is not a directory", target.host) });
            }
            Transport::Chroot => vec!["chroot".to_owned(), target.host.clone()],
            Transport::Openssh => openssh(target, local)?,
            Transport::Local | Transport::Ssh => Vec::new(),
        };
        if target.transport != Transport::Openssh {
            before.extend(shell);
        }
        Ok(Program { before, transport: target.transport, host: target.host.clone() })
    }
}

fn container(target: &Target) -> Vec<String> {
    let engine = if target.transport == Transport::Docker { "docker" } else { "podman" };
    let mut words = vec![engine.to_owned(), "exec".to_owned(), "-i".to_owned()];
    if let Some(user) = &target.user {
        words.extend(["-u".to_owned(), user.clone()]);
    }
    words.push(target.host.clone());
    words
}

fn openssh(target: &Target, local: &Local) -> Result<Vec<String>, ConnectError> {
    if target.password.is_some() {
        return Err(ConnectError::setup("the openssh transport takes no password: use the ssh transport, or keys"));
    }
    let mut words = vec![local.ssh_program.clone(), "-oBatchMode=yes".to_owned(), "-T".to_owned()];
    words.push(format!("-oConnectTimeout={}", target.timeout.as_secs().max(1)));
    if !target.host_key_checking {
        words.push("-oStrictHostKeyChecking=no".to_owned());
    }
    if let Some(port) = target.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &target.user {
        words.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(key) = &target.private_key {
        words.extend(["-i".to_owned(), key.display().to_string()]);
    }
    words.extend(target.ssh_args.iter().cloned());
    words.extend(["--".to_owned(), target.host.clone()]);
    Ok(words)
}

impl Connection for Program {
    fn spawn(&self, command: &str, pty: bool) -> Result<Box<dyn Process>, ConnectError> {
        let mut words = self.before.clone();
        let at_target = pty && matches!(self.transport, Transport::Openssh | Transport::Docker | Transport::Podman);
        if at_target {
            // a terminal there instead of one here; what it echoes is dealt with by who asked for it
            let place = 1 + usize::from(self.transport != Transport::Openssh);
            words.insert(place, if self.transport == Transport::Openssh { "-tt".to_owned() } else { "-t".to_owned() });
        }
        words.push(command.to_owned());
        let child = local::spawn(&words, pty && self.transport != Transport::Openssh)?;
        if self.transport == Transport::Openssh {
            return Ok(Box::new(Ssh { child, said: Vec::new(), host: self.host.clone() }));
        }
        Ok(Box::new(child))
    }

    fn alive(&self) -> bool {
        true
    }
}

/// A process behind `ssh`, whose own failures are told apart from the command's by its exit status 255.
struct Ssh {
    child: local::Local,
    said: Vec<u8>,
    host: String,
}

impl Process for Ssh {
    fn pump(&mut self, outbox: &mut Outbox, out: &mut Vec<u8>, err: &mut Vec<u8>, wait: Duration) -> Result<bool, ConnectError> {
        let before = err.len();
        let moved = self.child.pump(outbox, out, err, wait)?;
        if self.said.len() < 8192 {
            self.said.extend_from_slice(&err[before..]);
        }
        if self.child.exit().is_some_and(|exit| exit.code == 255) {
            let said = String::from_utf8_lossy(&self.said);
            let said = said.trim();
            let said = if said.is_empty() { format!("the connection to {} was closed", self.host) } else { said.to_owned() };
            if said.contains("Permission denied") {
                return Err(ConnectError::AuthFailed { message: format!("Failed to connect to the host via ssh: {said}") });
            }
            return Err(ConnectError::via_ssh(said));
        }
        Ok(moved)
    }

    fn exit(&mut self) -> Option<Exit> {
        self.child.exit()
    }

    fn end(&mut self) {
        self.child.end();
    }
}
