//! A process of this machine: for `local`, and for the programs that carry other transports.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::error::plain;
use super::{ConnectError, Exit, Outbox, Process};

/// A child in its own session.
pub(super) struct Local {
    child: Child,
    pidfd: Option<OwnedFd>,
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    exit: Option<Exit>,
}

/// Starts the words as a process in its own session, on pipes or on a terminal that echoes nothing.
pub(super) fn spawn(words: &[String], pty: bool) -> Result<Local, ConnectError> {
    let Some((program, arguments)) = words.split_first() else { return Err(ConnectError::setup("no program to start")) };
    let mut command = Command::new(program);
    command.args(arguments);
    let failed = |error: io::Error| ConnectError::setup(format!("failed to start {program}: {}", plain(&error)));
    if pty { on_terminal(&mut command).map_err(failed) } else { on_pipes(&mut command).map_err(failed) }
}

fn on_pipes(command: &mut Command) -> io::Result<Local> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_session(command, false);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
    let stdout = child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe)));
    let stderr = child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe)));
    for pipe in [&stdin, &stdout, &stderr].into_iter().flatten() {
        nonblocking(pipe.as_fd())?;
    }
    Ok(Local { pidfd: watch(&child), child, stdin, stdout, stderr, exit: None })
}

fn on_terminal(command: &mut Command) -> io::Result<Local> {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::{LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr};
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&controller)?;
    unlockpt(&controller)?;
    let terminal = ioctl_tiocgptpeer(&controller, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    let mut modes = tcgetattr(&terminal)?;
    modes.local_modes -= LocalModes::ECHO;
    modes.output_modes -= OutputModes::OPOST;
    tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
    own_session(command, true);
    let child = command.spawn()?;
    nonblocking(controller.as_fd())?;
    let stdin = File::from(controller.try_clone()?);
    Ok(Local { pidfd: watch(&child), child, stdin: Some(stdin), stdout: Some(File::from(controller)), stderr: None, exit: None })
}

/// A session of its own keeps our terminal's signals away from it, and lets us end it with its children.
fn own_session(command: &mut Command, terminal: bool) {
    let prepare = move || {
        rustix::process::setsid()?;
        if terminal {
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only the two system calls above are made
    unsafe { command.pre_exec(prepare) };
}

fn watch(child: &Child) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(child.id() as i32)?, PidfdFlags::empty()).ok()
}

fn nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?)
}

impl Local {
    fn send(&mut self, outbox: &mut Outbox) -> bool {
        let mut moved = false;
        while let (Some(stdin), Some(bytes)) = (&mut self.stdin, outbox.next()) {
            match stdin.write(bytes) {
                Ok(count) => outbox.sent(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return moved,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // it reads no more; its exit status says why
                Err(_) => self.stdin = None,
            }
            moved = true;
        }
        if self.stdin.is_none() {
            outbox.discard();
        } else if outbox.at_end() {
            self.stdin = None;
        }
        moved
    }

    fn reap(&mut self) -> bool {
        let Ok(Some(status)) = self.child.try_wait() else { return false };
        let signal = status.signal();
        let code = status.code().unwrap_or_else(|| -signal.unwrap_or(1));
        self.exit = Some(Exit { code, signal: signal.map(signal_name) });
        true
    }

    fn wait(&self, sending: bool, wait: Duration) {
        let mut fds = Vec::with_capacity(4);
        for pipe in [&self.stdout, &self.stderr].into_iter().flatten() {
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let (true, Some(stdin)) = (sending, &self.stdin) {
            fds.push(PollFd::new(stdin, PollFlags::OUT));
        }
        let mut wait = wait;
        match &self.pidfd {
            Some(pidfd) => fds.push(PollFd::new(pidfd, PollFlags::IN)),
            None => wait = wait.min(Duration::from_millis(20)),
        }
        // an interrupted wait is a short wait
        let _ = poll(&mut fds, Some(&timespec(wait)));
    }
}

/// A duration as the system call wants it.
pub(super) fn timespec(wait: Duration) -> rustix::event::Timespec {
    rustix::event::Timespec { tv_sec: wait.as_secs().min(1 << 30) as i64, tv_nsec: i64::from(wait.subsec_nanos()) }
}

/// Name of a signal as SSH gives it.
fn signal_name(number: i32) -> String {
    const NAMES: [(i32, &str); 10] =
        [(1, "HUP"), (2, "INT"), (3, "QUIT"), (4, "ILL"), (6, "ABRT"), (8, "FPE"), (9, "KILL"), (11, "SEGV"), (13, "PIPE"), (15, "TERM")];
    NAMES.iter().find(|(known, _)| *known == number).map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// Takes what a pipe holds now; the pipe is closed at its end. True when something moved.
fn take(pipe: &mut Option<File>, into: &mut Vec<u8>) -> bool {
    let mut moved = false;
    let mut buffer = [0; 64 * 1024];
    // at most a few pieces at a time, so that sending is not starved
    for _ in 0..8 {
        let Some(file) = pipe else { break };
        match file.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // a terminal whose other side is closed reads as an I/O error
            Err(_) => *pipe = None,
        }
        moved = true;
    }
    moved
}

impl Process for Local {
    fn pump(&mut self, outbox: &mut Outbox, out: &mut Vec<u8>, err: &mut Vec<u8>, wait: Duration) -> Result<bool, ConnectError> {
        let deadline = Instant::now() + wait;
        loop {
            if self.exit.is_some() {
                return Ok(true);
            }
            let mut moved = self.send(outbox);
            moved |= take(&mut self.stdout, out);
            moved |= take(&mut self.stderr, err);
            if moved {
                return Ok(true);
            }
            if self.reap() {
                // what it wrote before it ended; a process that it left behind may hold the pipes open for ever
                while take(&mut self.stdout, out) | take(&mut self.stderr, err) {}
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.wait(!outbox.is_empty(), left);
        }
    }

    fn exit(&mut self) -> Option<Exit> {
        self.exit.clone()
    }

    fn end(&mut self) {
        self.stdin = None;
        if self.exit.is_some() || self.reap() {
            return;
        }
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, Signal::TERM);
            let patience = Instant::now() + Duration::from_millis(200);
            while Instant::now() < patience && !self.reap() {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if self.exit.is_none() {
            self.end();
        }
    }
}
