//! The connections and runners of a run, by target.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use rplay_modules::wire::{Call, Hello, Reply};

use super::ContentSource;
use super::binaries::Binaries;
use super::channel::{Ears, Failed, Runner};
use super::counted::{Counted, Counters, Stats};
use super::digests::Digests;
use super::place::{self, Placed};
use crate::connection::{self, Become, ConnectError, Connection, ExecResult, Limits, Local, Opened, Process, Target, Transport, shell, ssh_config};

/// How a pool works.
#[derive(Clone)]
pub struct Options {
    /// What this machine lends to connections.
    pub local: Local,
    /// Directories with runners (`rplay-runner-x86_64-linux`...), usually that of rplay itself.
    pub runner_dirs: Vec<PathBuf>,
    /// Leave the runner on the target for the next run.
    pub keep_runner: bool,
}

/// All connections and runners of a run.
pub struct Pool {
    options: Options,
    files: ssh_config::Files,
    binaries: Binaries,
    hosts: Arc<Mutex<Hosts>>,
    tended: Once,
    cancelled: AtomicBool,
    counters: Arc<Counters>,
    digests: Digests,
}

type Hosts = HashMap<Target, Arc<Host>>;

/// Takes the pieces of a file that a runner sends.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]);

type Slot = Arc<Mutex<Option<Runner>>>;

/// What is open to one target.
#[derive(Default)]
struct Host {
    connection: Mutex<Option<Arc<Wrapped>>>,
    placed: Mutex<Option<Placed>>,
    runners: Mutex<HashMap<Option<Become>, Slot>>,
}

/// A connection whose processes are counted.
struct Wrapped {
    inner: Box<dyn Connection>,
    counters: Arc<Counters>,
}

impl Connection for Wrapped {
    fn spawn(&self, command: &str, pty: bool) -> Result<Box<dyn Process>, ConnectError> {
        let inner = self.inner.spawn(command, pty)?;
        Counters::add(&self.counters.processes);
        Ok(Box::new(Counted { inner, counters: Arc::clone(&self.counters) }))
    }

    fn alive(&self) -> bool {
        self.inner.alive()
    }

    fn tend(&self) {
        self.inner.tend();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool without connections.
    pub fn new(options: Options) -> Pool {
        let binaries = Binaries::new(options.runner_dirs.clone());
        more_files();
        Pool {
            options,
            files: ssh_config::Files::default(),
            binaries,
            hosts: Arc::default(),
            tended: Once::new(),
            cancelled: AtomicBool::new(false),
            counters: Arc::default(),
            digests: Digests::default(),
        }
    }

    /// Runs a shell command; a shell on the target is all it needs. Without `stdin` the command reads nothing.
    ///
    /// # Errors
    /// The host cannot be reached, the other user cannot be become, or the time is over.
    #[allow(clippy::too_many_arguments)]
    pub fn exec(
        &self,
        target: &Target,
        becoming: Option<&Become>,
        command: &[u8],
        stdin: Option<&[u8]>,
        timeout: Option<Duration>,
        on_output: &mut dyn FnMut(bool, &[u8]),
    ) -> Result<ExecResult, ConnectError> {
        let command = text(command)?;
        let connection = self.connection(target, &self.host(target))?;
        Counters::add(&self.counters.round_trips);
        let cancelled = || self.cancelled.load(Ordering::Relaxed);
        connection::run(&*connection, target, becoming, command, stdin, &limits(timeout, &cancelled), on_output)
    }

    /// Starts a shell command whose input and output the caller moves (rsync's other side).
    ///
    /// # Errors
    /// As [`Pool::exec`].
    pub fn open(&self, target: &Target, becoming: Option<&Become>, command: &[u8]) -> Result<Opened, ConnectError> {
        let connection = self.connection(target, &self.host(target))?;
        connection::open(&*connection, target, becoming, text(command)?)
    }

    /// Runs one call on the target's runner for that user and waits for its answer.
    ///
    /// # Errors
    /// The host cannot be reached or is lost, there is no runner for it, the other user cannot be become, or the time is over.
    #[allow(clippy::too_many_arguments)]
    pub fn call(
        &self,
        target: &Target,
        becoming: Option<&Become>,
        call: Call,
        content: &dyn ContentSource,
        on_output: &mut dyn FnMut(bool, &[u8]),
        mut on_blob: Option<Sink<'_>>,
        timeout: Option<Duration>,
    ) -> Result<Reply, ConnectError> {
        let mut answer = None;
        let mut on_reply = |_, reply| answer = Some(reply);
        let mut on_need = || Counters::add(&self.counters.round_trips);
        let mut on_blob = |bytes: &[u8]| {
            if let Some(sink) = &mut on_blob {
                sink(bytes);
            }
        };
        let mut ears = Ears { content, on_output, on_blob: &mut on_blob, on_reply: &mut on_reply, on_need: &mut on_need };
        self.converse(target, becoming, vec![call], &mut ears, timeout)?;
        answer.ok_or_else(|| ConnectError::Protocol { message: "the runner did not answer".into() })
    }

    /// Runs calls that do not depend on one another: sent ahead, answered in order, `on_reply` hears the number of each.
    ///
    /// # Errors
    /// As [`Pool::call`]; what was answered before was given to `on_reply`.
    #[allow(clippy::too_many_arguments)]
    pub fn call_many(
        &self,
        target: &Target,
        becoming: Option<&Become>,
        calls: Vec<Call>,
        content: &dyn ContentSource,
        on_output: &mut dyn FnMut(bool, &[u8]),
        timeout: Option<Duration>,
        on_reply: &mut dyn FnMut(usize, Reply),
    ) -> Result<(), ConnectError> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut on_need = || Counters::add(&self.counters.round_trips);
        let mut ears = Ears { content, on_output, on_blob: &mut |_| {}, on_reply, on_need: &mut on_need };
        self.converse(target, becoming, calls, &mut ears, timeout)
    }

    /// What the runner for that user said about itself; starts it where it does not run yet.
    ///
    /// # Errors
    /// As [`Pool::call`].
    pub fn hello(&self, target: &Target, becoming: Option<&Become>) -> Result<Hello, ConnectError> {
        let host = self.host(target);
        let slot = host.slot(becoming);
        let mut slot = locked(&slot);
        let cancelled = || self.cancelled.load(Ordering::Relaxed);
        Ok(self.ready(target, becoming, &host, &mut slot, &limits(None, &cancelled))?.hello.clone())
    }

    /// Waits until the host answers: a login and a command.
    ///
    /// # Errors
    /// It did not within that time; the last failure.
    pub fn wait_until_reachable(&self, target: &Target, patience: Duration, pause: Duration) -> Result<(), ConnectError> {
        let deadline = Instant::now() + patience;
        loop {
            let tried = self.exec(target, None, b"exit 0", None, Some(target.timeout), &mut |_, _| {});
            match tried {
                Ok(result) if result.rc == 0 => return Ok(()),
                Err(ConnectError::Cancelled) => return Err(ConnectError::Cancelled),
                Err(error) if Instant::now() + pause > deadline => return Err(error),
                Ok(result) if Instant::now() + pause > deadline => {
                    return Err(ConnectError::Unreachable { message: format!("the shell of {} ends with status {}", target.name, result.rc) });
                }
                Ok(_) | Err(_) => {}
            }
            self.reset(target);
            std::thread::sleep(pause);
        }
    }

    /// Ends the connections and runners of every target of that name; the next use makes new ones.
    pub fn reset(&self, target: &Target) {
        let mut hosts = locked(&self.hosts);
        let (gone, kept) = hosts.drain().partition(|(known, _)| known.name == target.name);
        *hosts = kept;
        drop(hosts);
        let gone: HashMap<Target, Arc<Host>> = gone;
        for (target, host) in gone {
            self.leave(&target, &host);
        }
    }

    /// Ends the runner that works as that user, so that nothing of theirs runs while the user is changed. The login user's stays.
    pub fn release(&self, target: &Target, user: &str) {
        let host = self.host(target);
        let mut runners = locked(&host.runners);
        let of_user = |becoming: &Option<Become>| becoming.as_ref().is_some_and(|becoming| becoming.user == user);
        let gone: Vec<Option<Become>> = runners.keys().filter(|becoming| of_user(becoming)).cloned().collect();
        let gone: Vec<Slot> = gone.iter().filter_map(|becoming| runners.remove(becoming)).collect();
        drop(runners);
        for slot in gone {
            if let Some(runner) = locked(&slot).as_mut() {
                runner.farewell();
            }
        }
    }

    /// The SHA-256 of a file of the controller, in hexadecimal; a file that many hosts get is read for it once.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn digest_of(&self, path: &Path) -> io::Result<String> {
        self.digests.of(path)
    }

    /// What it all cost so far.
    pub fn stats(&self) -> Stats {
        self.counters.stats()
    }

    /// Stops everything that runs: calls end with [`ConnectError::Cancelled`]. For Ctrl-C.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Says goodbye to all runners and closes all connections.
    pub fn close_all(&self) {
        let hosts: Vec<(Target, Arc<Host>)> = locked(&self.hosts).drain().collect();
        std::thread::scope(|scope| {
            // one round trip each, a few at a time
            for part in hosts.chunks(hosts.len().div_ceil(16).max(1)) {
                scope.spawn(move || part.iter().for_each(|(target, host)| self.leave(target, host)));
            }
        });
    }

    fn host(&self, target: &Target) -> Arc<Host> {
        let mut hosts = locked(&self.hosts);
        if let Some(host) = hosts.get(target) {
            return Arc::clone(host);
        }
        Arc::clone(hosts.entry(target.clone()).or_default())
    }

    fn connection(&self, target: &Target, host: &Host) -> Result<Arc<Wrapped>, ConnectError> {
        let mut slot = locked(&host.connection);
        if let Some(connection) = slot.as_ref().filter(|connection| connection.alive()) {
            return Ok(Arc::clone(connection));
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(ConnectError::Cancelled);
        }
        let inner = connection::connect(target, &self.options.local, &self.files)?;
        Counters::add(&self.counters.connections);
        let connection = Arc::new(Wrapped { inner, counters: Arc::clone(&self.counters) });
        *slot = Some(Arc::clone(&connection));
        self.tended.call_once(|| tend_in_background(Arc::downgrade(&self.hosts)));
        Ok(connection)
    }

    fn converse(
        &self,
        target: &Target,
        becoming: Option<&Become>,
        mut calls: Vec<Call>,
        ears: &mut Ears<'_>,
        timeout: Option<Duration>,
    ) -> Result<(), ConnectError> {
        let host = self.host(target);
        let slot = host.slot(becoming);
        let mut slot = locked(&slot);
        let cancelled = || self.cancelled.load(Ordering::Relaxed);
        let limits = limits(timeout, &cancelled);
        let runner = self.ready(target, becoming, &host, &mut slot, &limits)?;
        if calls.len() > 1 {
            let batch = runner.batch();
            calls.iter_mut().for_each(|call| call.batch = batch);
        }
        Counters::add(&self.counters.round_trips);
        match runner.converse(calls, ears, &limits) {
            Ok(()) => Ok(()),
            Err((error, usable)) => {
                if !usable {
                    // hanging up ends what it runs; the next call starts another one
                    *slot = None;
                }
                Err(error)
            }
        }
    }

    /// The runner of that slot, started where it is not there (any more).
    fn ready<'s>(
        &self,
        target: &Target,
        becoming: Option<&Become>,
        host: &Host,
        slot: &'s mut Option<Runner>,
        limits: &Limits<'_>,
    ) -> Result<&'s mut Runner, ConnectError> {
        if slot.as_mut().is_some_and(|runner| !runner.still_there()) {
            *slot = None;
        }
        match slot {
            Some(runner) => Ok(runner),
            None => Ok(slot.insert(self.start(target, becoming, host, limits)?)),
        }
    }

    /// Starts a runner; one whose file has gone meanwhile is placed again.
    fn start(&self, target: &Target, becoming: Option<&Become>, host: &Host, limits: &Limits<'_>) -> Result<Runner, ConnectError> {
        let connection = self.connection(target, host)?;
        let mut said = String::new();
        for direct in [true, false] {
            let placed = self.place(target, host, &connection, direct && target.transport == Transport::Local)?;
            let tidy = if placed.owner.is_some() && !self.options.keep_runner { " --remove-self" } else { "" };
            let command = format!("exec {}{tidy}", shell::quote(&placed.path));
            Counters::add(&self.counters.round_trips);
            let opened = connection::open_marked(&*connection, target, becoming, &command, limits)?;
            match Runner::greet(opened, limits) {
                Ok(runner) => return Ok(runner),
                Err(Failed::Other(error)) => return Err(error),
                Err(Failed::Missing(why)) => {
                    said = why;
                    *locked(&host.placed) = None;
                }
            }
        }
        Err(ConnectError::NoRunner { message: format!("the runner does not start on {}: {said}", target.name) })
    }

    /// The runner's path on the target, sent there where needed.
    fn place(&self, target: &Target, host: &Host, connection: &Wrapped, beside_us: bool) -> Result<Placed, ConnectError> {
        let mut placed = locked(&host.placed);
        if let Some(placed) = &*placed {
            return Ok(placed.clone());
        }
        if beside_us {
            let path = self.binaries.path("Linux", std::env::consts::ARCH, &target.name)?;
            return Ok(placed.insert(Placed { path: path.display().to_string(), owner: None }).clone());
        }
        Counters::add(&self.counters.round_trips);
        let answer = connection::exec(connection, target, None, &place::probe_command(target))?;
        let probe = place::read_probe(&target.name, &answer)?;
        let binary = self.binaries.load(&self.binaries.path(&probe.system, &probe.machine, &target.name)?)?;
        Counters::add(&self.counters.round_trips);
        Ok(placed.insert(place::upload(connection, target, &probe, &binary, self.options.keep_runner)?).clone())
    }

    /// Ends the runners of a host; the last one that may removes the file, else we do.
    fn leave(&self, target: &Target, host: &Host) {
        let placed = locked(&host.placed).take();
        let slots: Vec<Slot> = locked(&host.runners).drain().map(|(_, slot)| slot).collect();
        let mut removed = false;
        for slot in slots {
            // a worker that is in the middle of a call there ends by itself
            let Ok(mut slot) = slot.try_lock() else { continue };
            if let Some(runner) = slot.as_mut() {
                removed |= runner.hello.uid == 0 || placed.as_ref().is_some_and(|placed| placed.owner == Some(runner.hello.uid));
                runner.farewell();
            }
            *slot = None;
        }
        let connection = locked(&host.connection).take();
        let Some(Placed { path, owner: Some(_) }) = placed else { return };
        if let (Some(connection), false, false) = (connection, removed, self.options.keep_runner) {
            let command = format!("rm -f {}", shell::quote(&path));
            // a host that is lost keeps the file; there is nobody to tell
            let _ = connection::exec(&*connection, target, None, &command);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close_all();
    }
}

impl Host {
    fn slot(&self, becoming: Option<&Become>) -> Slot {
        Arc::clone(locked(&self.runners).entry(becoming.cloned()).or_default())
    }
}

/// Keeps unused connections open, as long as there is a pool.
fn tend_in_background(hosts: Weak<Mutex<Hosts>>) {
    let tend = move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            let Some(hosts) = hosts.upgrade() else { return };
            let all: Vec<Arc<Host>> = locked(&hosts).values().cloned().collect();
            drop(hosts);
            for host in all {
                // one that is being made needs no tending
                let connection = host.connection.try_lock().ok().and_then(|connection| connection.clone());
                if let Some(connection) = connection {
                    connection.tend();
                }
            }
        }
    };
    // without the thread, connections are only less robust
    let _ = std::thread::Builder::new().name("tend".to_owned()).stack_size(128 * 1024).spawn(tend);
}

/// Every session takes two descriptors: the soft limit is raised to the hard one.
fn more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // where that is refused, what is there has to do
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn limits<'a>(timeout: Option<Duration>, cancelled: &'a dyn Fn() -> bool) -> Limits<'a> {
    Limits { deadline: timeout.map(|timeout| (Instant::now() + timeout, timeout)), cancelled }
}

fn text(command: &[u8]) -> Result<&str, ConnectError> {
    std::str::from_utf8(command).map_err(|_| ConnectError::Setup { message: "the command is not UTF-8".into() })
}
