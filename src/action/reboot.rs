//! `reboot`: starts the target anew and waits until it is another boot.

use std::time::{Duration, Instant};

use super::raw;
use super::{Reaction, Request};
use crate::connection::{ConnectError, Target, Transport, shell};
use crate::value::{Dict, Fault, Value, text};

const KNOWN: &[&str] = &[
    "boot_time_command",
    "connect_timeout",
    "msg",
    "post_reboot_delay",
    "pre_reboot_delay",
    "reboot_command",
    "reboot_timeout",
    "search_paths",
    "test_command",
];

const SEARCH_PATHS: &[&str] = &["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"];

/// Longest pause between two attempts.
const PAUSE: u64 = 12;

/// Reboots; a host that is the controller itself is refused.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !KNOWN.contains(&key.as_str())) {
        return Ok(Reaction::failed(format!("Invalid options for {}: {wrong}. It takes: {}.", request.written, KNOWN.join(", "))));
    }
    let start = Instant::now();
    let mut result = Dict::new();
    result.insert("elapsed".into(), Value::from(0usize));
    result.insert("rebooted".into(), false.into());
    if matches!(request.target.transport, Transport::Local) {
        result.insert("msg".into(), format!("Running {} with local connection would reboot the control node.", request.written).into());
        result.insert("failed".into(), true.into());
        result.insert("changed".into(), false.into());
        return Ok(Reaction::of(result));
    }
    if request.check {
        result.insert("rebooted".into(), true.into());
        result.insert("changed".into(), true.into());
        return Ok(Reaction::of(result));
    }
    let wanted = match Wanted::new(request) {
        Ok(wanted) => wanted,
        Err(msg) => return Ok(Reaction::failed(msg)),
    };
    let done = wanted.reboot(request, &mut result);
    result.insert("changed".into(), done.is_ok().into());
    if let Err(msg) = done {
        result.insert("failed".into(), true.into());
        result.insert("msg".into(), msg.into());
    }
    result.insert("elapsed".into(), Value::from(start.elapsed().as_secs() as usize));
    Ok(Reaction::of(result))
}

/// What the task asks for.
struct Wanted {
    boot_command: String,
    test_command: String,
    command: Option<String>,
    search_paths: Vec<String>,
    msg: String,
    before: u64,
    after: u64,
    patience: Duration,
    connect: Option<u64>,
}

impl Wanted {
    fn new(request: &Request) -> Result<Wanted, String> {
        let given = |key: &str| request.args.get(key).map(text);
        let number = |key: &str, default: i64| match given(key) {
            Some(word) => word.parse::<i64>().map_err(|_| format!("argument '{key}' is not a number of seconds: {word}")),
            None => Ok(default),
        };
        let seconds = |key: &str, default: i64| number(key, default).map(|seconds| seconds.max(0) as u64);
        let paths = match request.args.get("search_paths") {
            Some(Value::List(list)) => list.iter().map(text).collect(),
            Some(one) => text(one).split(',').map(|path| path.trim().to_owned()).collect(),
            None => SEARCH_PATHS.iter().map(|path| (*path).to_owned()).collect(),
        };
        Ok(Wanted {
            boot_command: given("boot_time_command").unwrap_or_else(|| "cat /proc/sys/kernel/random/boot_id".into()),
            test_command: given("test_command").unwrap_or_else(|| "whoami".into()),
            command: given("reboot_command"),
            search_paths: paths,
            msg: given("msg").unwrap_or_else(|| "Reboot initiated by Ansible".into()),
            before: seconds("pre_reboot_delay", 0)?,
            after: seconds("post_reboot_delay", 0)?,
            patience: Duration::from_secs(seconds("reboot_timeout", 600)?),
            connect: given("connect_timeout").map(|_| seconds("connect_timeout", 0)).transpose()?,
        })
    }

    fn reboot(&self, request: &Request, result: &mut Dict) -> Result<(), String> {
        let old = boot(request, request.target, &self.boot_command).map_err(|why| format!("{}: {why}", request.written))?;
        let command = self.reboot_command(request)?;
        match execute(request, request.target, &command) {
            // a machine that goes down at once takes the connection along
            Err(error) if error.is_unreachable() => {}
            Err(error) => return Err(error.to_string()),
            Ok((0, ..)) => {}
            Ok((_, out, err)) => return Err(format!("Reboot command failed. Error was: '{}, {}'", out.trim(), err.trim())),
        }
        result.insert("rebooted".into(), true.into());
        std::thread::sleep(Duration::from_secs(self.after));
        let mut target = request.target.clone();
        if let Some(seconds) = self.connect.filter(|seconds| *seconds > 0) {
            target.timeout = Duration::from_secs(seconds);
        }
        self.until(request, &target, "last boot time check", || {
            request.pool.reset(request.target);
            match boot(request, &target, &self.boot_command) {
                Ok(new) if !new.is_empty() && new != old => Ok(()),
                Ok(_) => Err("boot time has not changed".into()),
                Err(why) => Err(why),
            }
        })?;
        request.pool.reset(request.target);
        self.until(request, request.target, "post-reboot test command", || match execute(request, request.target, &self.test_command) {
            Ok((0, ..)) => Ok(()),
            Ok((_, out, err)) => Err(format!("Test command failed: {err} {out}")),
            Err(error) => Err(error.to_string()),
        })
    }

    fn until(&self, request: &Request, target: &Target, what: &str, mut attempt: impl FnMut() -> Result<(), String>) -> Result<(), String> {
        let start = Instant::now();
        let mut pause = 1;
        while start.elapsed() < self.patience {
            if attempt().is_ok() {
                return Ok(());
            }
            request.pool.reset(target);
            std::thread::sleep(Duration::from_secs(pause).min(self.patience.saturating_sub(start.elapsed())));
            pause = (pause * 2).min(PAUSE);
        }
        Err(format!("Timed out waiting for {what} (timeout={})", self.patience.as_secs()))
    }

    /// The whole command; its program is looked for in the search paths, which need not be in PATH.
    fn reboot_command(&self, request: &Request) -> Result<String, String> {
        let (program, words) = match &self.command {
            Some(command) => command.split_once(' ').unwrap_or((command, "")),
            None => ("", ""),
        };
        if program.starts_with('/') {
            return Ok(format!("{program} {words}"));
        }
        let minutes = self.before / 60;
        let (name, words) = match &self.command {
            Some(_) => (program.to_owned(), words.to_owned()),
            None if self.is_alpine(request)? => ("reboot".to_owned(), String::new()),
            None => ("shutdown".to_owned(), format!("-r {minutes} {}", shell::quote(&self.msg))),
        };
        let candidates: Vec<String> = self.search_paths.iter().map(|dir| shell::quote(&format!("{dir}/{name}"))).collect();
        let find = format!("for p in {}; do if [ -e \"$p\" ]; then echo \"$p\"; exit 0; fi; done; exit 1", candidates.join(" "));
        match execute(request, request.target, &find).map_err(|error| error.to_string())? {
            (0, path, _) => Ok(format!("{} {words}", path.trim())),
            _ => Err(format!("Unable to find command \"{name}\" in search paths: {}", self.search_paths.join(", "))),
        }
    }

    fn is_alpine(&self, request: &Request) -> Result<bool, String> {
        execute(request, request.target, "test -e /etc/alpine-release").map(|(rc, ..)| rc == 0).map_err(|error| error.to_string())
    }
}

fn boot(request: &Request, target: &Target, command: &str) -> Result<String, String> {
    match execute(request, target, command) {
        Ok((0, out, _)) => Ok(out.trim().to_owned()),
        Ok((rc, out, err)) => Err(format!("failed to get host boot time info, rc: {rc}, stdout: {out}, stderr: {err}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs a shell command: status, output, errors.
fn execute(request: &Request, target: &Target, command: &str) -> Result<(i32, String, String), ConnectError> {
    let command = raw::with_environment(request, command);
    let timeout = Some(target.timeout.max(Duration::from_secs(10)));
    let done = request.pool.exec(target, request.become_, command.as_bytes(), None, timeout, &mut |_, _| {})?;
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((done.rc, shown(&done.stdout), shown(&done.stderr)))
}
