//! A process on a host: one channel of its session.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ssh2::{Channel, PtyModeOpcode, PtyModes};

use super::libssh2_codes::{CHANNEL_FAILURE, CHANNEL_REQUEST_DENIED, EAGAIN};
use super::session::{Guard, Session};
use super::{ConnectError, code};
use crate::connection::{Exit, Outbox, Process};

/// A channel with a command in it.
pub(super) struct SshProcess {
    session: Arc<Session>,
    channel: Option<Channel>,
    eof_sent: bool,
    exit: Option<Exit>,
    buffer: Vec<u8>,
}

/// Opens a channel and starts the command in it; where the server has enough channels for now, once another one is closed.
pub(super) fn start(session: &Arc<Session>, command: &str, pty: bool) -> Result<SshProcess, ConnectError> {
    let deadline = Instant::now() + session.timeout;
    loop {
        let mut guard = session.lock();
        let opened = open(session, &guard)?;
        if let Some(mut channel) = opened {
            begin(session, &guard, &mut channel, command, pty)?;
            session.live.fetch_add(1, Ordering::Relaxed);
            session.touched(&mut guard);
            let channel = Some(channel);
            return Ok(SshProcess { session: Arc::clone(session), channel, eof_sent: false, exit: None, buffer: vec![0; 32 * 1024] });
        }
        session.touched(&mut guard);
        drop(guard);
        let live = session.live.load(Ordering::Relaxed);
        if live == 0 || Instant::now() > deadline {
            let message =
                format!("Failed to connect to the host via ssh: {}: the server refuses another channel ({live} are open; see MaxSessions)", session.host);
            return Err(ConnectError::Unreachable { message });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A new channel; `None` when the server refuses one.
fn open(session: &Arc<Session>, guard: &Guard<'_>) -> Result<Option<Channel>, ConnectError> {
    session.settle(guard, || match session.raw.channel_session() {
        Err(error) if code(&error) == Some(CHANNEL_FAILURE) => Ok(None),
        other => other.map(Some),
    })
}

fn begin(session: &Arc<Session>, guard: &Guard<'_>, channel: &mut Channel, command: &str, pty: bool) -> Result<(), ConnectError> {
    for (name, value) in &session.environment {
        session.settle(guard, || match channel.setenv(name, value) {
            // the server takes no such variable (AcceptEnv), which is its right
            Err(error) if code(&error) == Some(CHANNEL_REQUEST_DENIED) => Ok(()),
            other => other,
        })?;
    }
    if pty {
        // it is a line at a time until the command makes it raw, but it never echoes a password
        let mut modes = PtyModes::new();
        modes.set_boolean(PtyModeOpcode::ECHO, false);
        modes.set_boolean(PtyModeOpcode::OPOST, false);
        session.settle(guard, || channel.request_pty("dumb", Some(modes.clone()), None))?;
    }
    session.settle(guard, || channel.exec(command))
}

impl SshProcess {
    fn send(&mut self, guard: &Guard<'_>, outbox: &mut Outbox) -> Result<bool, ConnectError> {
        let session = &self.session;
        let Some(channel) = &mut self.channel else { return Ok(false) };
        let mut moved = false;
        // a few packets at a time, so that reading is not starved
        for _ in 0..16 {
            let Some(bytes) = outbox.next() else { break };
            if self.eof_sent || channel.eof() {
                // it reads no more; its exit status says why
                outbox.discard();
                break;
            }
            match session.attempt(guard, || io(&session.raw, channel.write(bytes)))? {
                Some(count) => outbox.sent(count),
                None => break,
            }
            moved = true;
        }
        if outbox.at_end() && !self.eof_sent {
            self.eof_sent = true;
            if !channel.eof() {
                self.session.settle(guard, || channel.send_eof())?;
            }
        }
        Ok(moved)
    }

    fn receive(&mut self, guard: &Guard<'_>, out: &mut Vec<u8>, err: &mut Vec<u8>) -> Result<bool, ConnectError> {
        let session = &self.session;
        let Some(channel) = &mut self.channel else { return Ok(false) };
        let mut moved = false;
        for _ in 0..16 {
            let before = out.len() + err.len();
            if let Some(count) = session.attempt(guard, || io(&session.raw, channel.read(&mut self.buffer)))? {
                out.extend_from_slice(&self.buffer[..count]);
            }
            // what is there beyond standard output is standard error; asking costs no system call
            if channel.read_window().available > 0 {
                let mut stream = channel.stderr();
                if let Some(count) = session.attempt(guard, || io(&session.raw, stream.read(&mut self.buffer)))? {
                    err.extend_from_slice(&self.buffer[..count]);
                }
            }
            if out.len() + err.len() == before {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Once all output was taken: closes the channel and keeps how the process ended.
    fn finish(&mut self, guard: &Guard<'_>) -> Result<bool, ConnectError> {
        let Some(channel) = &mut self.channel else { return Ok(true) };
        if !channel.eof() {
            return Ok(false);
        }
        self.session.settle(guard, || channel.close())?;
        self.session.settle(guard, || channel.wait_close())?;
        let code = channel.exit_status().unwrap_or(-1);
        let signal = channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        self.exit = Some(match signal {
            Some(name) => Exit { code: -signal_number(&name), signal: Some(name) },
            None => Exit { code, signal: None },
        });
        self.drop_channel();
        Ok(true)
    }

    fn drop_channel(&mut self) {
        if self.channel.take().is_some() {
            self.session.live.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// libssh2's error inside an I/O error.
fn io<T>(raw: &ssh2::Session, result: std::io::Result<T>) -> Result<T, ssh2::Error> {
    result.map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => ssh2::Error::from_errno(ssh2::ErrorCode::Session(EAGAIN)),
        _ => ssh2::Error::last_session_error(raw).unwrap_or_else(ssh2::Error::unknown),
    })
}

fn signal_number(name: &str) -> i32 {
    match name {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "USR1" => 10,
        "SEGV" => 11,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        _ => 15,
    }
}

impl Process for SshProcess {
    fn pump(&mut self, outbox: &mut Outbox, out: &mut Vec<u8>, err: &mut Vec<u8>, wait: Duration) -> Result<bool, ConnectError> {
        if self.exit.is_some() {
            return Ok(true);
        }
        if !self.session.alive() {
            return Err(self.session.lost("it was closed"));
        }
        let deadline = Instant::now() + wait;
        let session = Arc::clone(&self.session);
        let mut guard = session.lock();
        loop {
            let sent = self.send(&guard, outbox)?;
            let moved = self.receive(&guard, out, err)?;
            let over = !moved && self.finish(&guard)?;
            session.touched(&mut guard);
            if moved || over || sent {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            guard = session.wait(guard, deadline)?;
        }
    }

    fn exit(&mut self) -> Option<Exit> {
        self.exit.clone()
    }

    fn end(&mut self) {
        let session = Arc::clone(&self.session);
        // a channel is freed under the lock, whatever became of it
        let mut guard = session.lock();
        if let Some(channel) = self.channel.as_mut().filter(|_| session.alive()) {
            // the process loses its input and output; the server answers only once it is gone, so nobody waits for that.
            // A failure here is found by whoever uses the session next
            let _ = session.attempt(&guard, || channel.close());
        }
        self.drop_channel();
        session.touched(&mut guard);
    }
}

impl Drop for SshProcess {
    fn drop(&mut self) {
        if self.channel.is_some() {
            self.end();
        }
    }
}
