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
    alive_interval: Duration,
    alive_count_max: u32,
}

/// Who polls, and what happened.
#[derive(Debug, Default)]
pub(super) struct Turn {
    leader: bool,
    followers: usize,
    generation: u64,
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
            turn: Mutex::default(),
            follow: Condvar::new(),
            dead: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            host: settings.host_name.clone(),
            timeout: target.timeout.max(Duration::from_secs(10)),
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
        let mut silent = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if guard.generation != seen || left.is_zero() {
                return Ok(guard);
            }
            if guard.leader {
                guard.followers += 1;
                (guard, _) = self.follow.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner);
                guard.followers -= 1;
                continue;
            }
            guard.leader = true;
            drop(guard);
            let watched = !self.alive_interval.is_zero();
            let slice = if watched { left.min(self.alive_interval) } else { left };
            let heard = self.poll(PollFlags::IN, slice, true);
            guard = self.lock();
            guard.leader = false;
            if heard {
                guard.generation += 1;
                silent = 0;
            } else if watched && slice == self.alive_interval {
                silent += 1;
                self.still_there(&guard, silent)?;
            }
            if guard.followers > 0 {
                self.follow.notify_all();
            }
        }
    }

    /// Asks the server for a sign of life after an interval of silence.
    pub(super) fn still_there(&self, guard: &Guard<'_>, silent: u32) -> Result<(), ConnectError> {
        if silent > self.alive_count_max {
            return Err(self.lost(format!("Timeout, server {} not responding.", self.host)));
        }
        self.attempt(guard, || self.raw.keepalive_send()).map(|_| ())
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
