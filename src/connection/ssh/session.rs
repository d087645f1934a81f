//! One libssh2 session used from several threads.
//!
//! libssh2 wants one caller at a time, and a packet that it could only send in part must be finished by the call that began it. So every
//! operation runs under the session's lock, and what is half sent is finished before the lock is given back. Waiting for input happens without
//! the lock: one thread, the leader, polls the socket; others wait for its word. Whoever reads may have read for others, so it tells them.

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use ssh2::{BlockDirections, Session as Raw};

use super::libssh2_codes::{EAGAIN, SOCKET_DISCONNECT, SOCKET_RECV, SOCKET_SEND, SOCKET_TIMEOUT};
use super::{ConnectError, Settings, Target, code};
use crate::connection::local::timespec;

/// A session that is logged in.
pub(super) struct Session {
    pub(super) raw: Raw,
    fd: RawFd,
    wake: OwnedFd,
    turn: Mutex<Turn>,
    follow: Condvar,
    dead: AtomicBool,
    /// Channels that are open.
    pub(super) live: AtomicUsize,
    /// The host, for messages.
    pub(super) host: String,
    /// For opening a channel.
    pub(super) timeout: Duration,
    /// Sent before every command.
    pub(super) environment: Vec<(String, String)>,
    alive_interval: Duration,
    alive_count_max: u32,
}

/// Who polls, and what happened.
#[derive(Debug)]
pub(super) struct Turn {
    leader: bool,
    followers: usize,
    generation: u64,
    /// Signs of life asked for and not seen.
    asked: u32,
    /// When to ask for the next one.
    ask_at: Instant,
}

/// The right to call libssh2.
pub(super) type Guard<'a> = MutexGuard<'a, Turn>;

impl Session {
    pub(super) fn new(raw: Raw, fd: RawFd, settings: &Settings, target: &Target) -> Result<Arc<Session>, ConnectError> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| ConnectError::setup(error.to_string()))?;
        Ok(Arc::new(Session {
            raw,
            fd,
            wake,
            turn: Mutex::new(Turn { leader: false, followers: 0, generation: 0, asked: 0, ask_at: Instant::now() + settings.alive_interval }),
            follow: Condvar::new(),
            dead: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            host: settings.host_name.clone(),
            timeout: target.timeout.max(Duration::from_secs(10)),
            environment: settings.environment.clone(),
            alive_interval: settings.alive_interval,
            alive_count_max: settings.alive_count_max.max(1),
        }))
    }

    pub(super) fn alive(&self) -> bool {
        !self.dead.load(Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> Guard<'_> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the session as lost.
    pub(super) fn lost(&self, what: impl std::fmt::Display) -> ConnectError {
        self.dead.store(true, Ordering::Relaxed);
        ConnectError::lost(&self.host, what)
    }

    /// An operation that may find nothing to do now (`None`); what it could send only in part is finished.
    pub(super) fn attempt<T>(&self, _guard: &Guard<'_>, mut operation: impl FnMut() -> Result<T, ssh2::Error>) -> Result<Option<T>, ConnectError> {
        let mut stuck: Option<Instant> = None;
        loop {
            let error = match operation() {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error,
            };
            if code(&error) != Some(EAGAIN) {
                return Err(self.failed(&error));
            }
            if !matches!(self.raw.block_directions(), BlockDirections::Outbound | BlockDirections::Both) {
                return Ok(None);
            }
            let since = *stuck.get_or_insert_with(Instant::now);
            if since.elapsed() > Duration::from_secs(60).max(self.timeout) {
                return Err(self.lost("Timeout, server not responding."));
            }
            self.poll(PollFlags::OUT, Duration::from_secs(1), false);
        }
    }

    /// An operation that is to be finished now, before anything else happens on the session.
    pub(super) fn settle<T>(&self, guard: &Guard<'_>, mut operation: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, ConnectError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            if let Some(value) = self.attempt(guard, &mut operation)? {
                return Ok(value);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.lost("Timeout, server not responding."));
            }
            self.poll(PollFlags::IN, left, false);
        }
    }

    fn failed(&self, error: &ssh2::Error) -> ConnectError {
        match code(error) {
            Some(SOCKET_SEND | SOCKET_RECV | SOCKET_DISCONNECT | SOCKET_TIMEOUT) => self.lost(error.message()),
            _ => ConnectError::Unreachable { message: format!("Failed to connect to the host via ssh: {}: {}", self.host, error.message()) },
        }
    }

    /// Says that input may have been read for others.
    pub(super) fn touched(&self, guard: &mut Guard<'_>) {
        guard.generation += 1;
        if guard.leader {
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
        if guard.followers > 0 {
            self.follow.notify_all();
        }
    }

    /// Waits until input arrives or somebody else read some, without the lock.
    pub(super) fn wait<'a>(&'a self, mut guard: Guard<'a>, deadline: Instant) -> Result<Guard<'a>, ConnectError> {
        let seen = guard.generation;
        let watched = !self.alive_interval.is_zero();
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if guard.generation != seen || left.is_zero() {
                return Ok(guard);
            }
            if guard.leader {
                guard.followers += 1;
                (guard, _) = self.follow.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner);
                guard.followers -= 1;
                continue;
            }
            if now > guard.ask_at + Duration::from_secs(1) {
                // nobody was waiting meanwhile, so nobody was disappointed
                guard.asked = 0;
                guard.ask_at = now + self.alive_interval;
            }
            let slice = if watched { left.min(guard.ask_at.saturating_duration_since(now)) } else { left };
            guard.leader = true;
            drop(guard);
            let heard = self.poll(PollFlags::IN, slice, true);
            guard = self.lock();
            guard.leader = false;
            if guard.followers > 0 {
                self.follow.notify_all();
            }
            if heard {
                guard.generation += 1;
                guard.asked = 0;
                guard.ask_at = Instant::now() + self.alive_interval;
            } else if watched && Instant::now() >= guard.ask_at {
                self.still_there(&mut guard)?;
            }
        }
    }

    /// Asks the server for a sign of life after an interval of silence.
    fn still_there(&self, guard: &mut Guard<'_>) -> Result<(), ConnectError> {
        if guard.asked >= self.alive_count_max {
            return Err(self.lost(format!("Timeout, server {} not responding.", self.host)));
        }
        guard.asked += 1;
        guard.ask_at = Instant::now() + self.alive_interval;
        self.attempt(guard, || self.raw.keepalive_send()).map(|_| ())
    }

    /// Sends a sign of life on a session that nobody uses, so that what stands between does not forget it.
    pub(super) fn tend(&self) {
        let Ok(mut guard) = self.turn.try_lock() else { return };
        if guard.leader || self.alive_interval.is_zero() || !self.alive() || Instant::now() < guard.ask_at {
            return;
        }
        guard.ask_at = Instant::now() + self.alive_interval;
        // whoever uses it next finds out that it is lost
        let _ = self.attempt(&guard, || self.raw.keepalive_send());
    }

    /// True when the socket is ready, or another thread wrote to `wake`.
    fn poll(&self, what: PollFlags, wait: Duration, with_wake: bool) -> bool {
        // SAFETY: the session owns the socket and lives as long as we do
        let socket = unsafe { BorrowedFd::borrow_raw(self.fd) };
        let mut fds = [PollFd::new(&socket, what), PollFd::new(&self.wake, PollFlags::IN)];
        let count = if with_wake { 2 } else { 1 };
        let ready = poll(&mut fds[..count], Some(&timespec(wait))).unwrap_or(0);
        if with_wake && !fds[1].revents().is_empty() {
            let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        }
        ready > 0
    }
}
