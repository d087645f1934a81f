//! Detached runs (`async:`): a copy of the runner in its own session writes the result where `async_status` reads it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::coerce::{Surroundings, expand};
use crate::context::Controller;
use crate::control::Control;
use crate::execute::{execute, failed};
use crate::outcome::{Failure, describe};
use crate::wire::{Call, Reply};

/// Where job files are when nothing else is said.
pub const DEFAULT_DIR: &str = "~/.ansible_async";

/// What the detached copy reads.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    call: Call,
    env: Vec<(String, String)>,
    results: PathBuf,
}

struct Env<'e>(&'e [(String, String)]);

impl Surroundings for Env<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
    fn home(&self, user: &str) -> Option<String> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let users = passwd.lines().filter_map(crate::accounts::parse_user);
        let uid = rustix::process::getuid().as_raw();
        let own = || self.variable("HOME");
        let mut users = users.filter(|found| if user.is_empty() { found.uid == uid } else { found.name == user });
        if user.is_empty() { own().or_else(|| users.next().map(|found| found.home)) } else { users.next().map(|found| found.home) }
    }
}

/// Starts a call detached and answers that it runs.
pub fn start(call: &Call, env: &[(String, String)], controller: &mut dyn Controller) -> Reply {
    try_start(call, env, controller).unwrap_or_else(failed)
}

fn try_start(call: &Call, env: &[(String, String)], controller: &mut dyn Controller) -> Result<Reply, Failure> {
    if call.job.is_empty() || call.job.contains('/') {
        return Err(Failure::new("a detached call needs a job id"));
    }
    let dir = if call.async_dir.is_empty() { DEFAULT_DIR } else { &call.async_dir };
    let dir = PathBuf::from(expand(dir, &Env(env)));
    let trouble = |error: io::Error| Failure::new(format!("could not create directory: {} - {}", dir.display(), describe(&error)));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(trouble)?;
    let results = dir.join(&call.job);
    let running = json!({"started": true, "finished": false, "ansible_job_id": call.job});
    store(&results, &running).map_err(trouble)?;
    let order = Order { call: with_content(call, controller)?, env: env.to_vec(), results: results.clone() };
    let order = serde_json::to_value(&order).map_err(|error| Failure::new(error.to_string()))?;
    let order_file = dir.join(format!("{}.call", call.job));
    store(&order_file, &order).map_err(trouble)?;
    detach(&order_file).map_err(|error| Failure::new(format!("could not start the job: {}", describe(&error))))?;
    let mut result = Map::new();
    for (key, value) in [
        ("changed", json!(true)),
        ("started", json!(true)),
        ("finished", json!(false)),
        ("ansible_job_id", json!(call.job)),
        ("results_file", json!(results.to_string_lossy())),
    ] {
        result.insert(key.into(), value);
    }
    Ok(Reply { result, ..Reply::default() })
}

/// The call as the detached copy can run it: nobody will be there to ask for content.
fn with_content(call: &Call, controller: &mut dyn Controller) -> Result<Call, Failure> {
    let mut call = Call { async_dir: String::new(), live: false, ..call.clone() };
    if let (Some(sha256), false) = (call.args.get("_rplay_sha256").and_then(Value::as_str), call.args.contains_key("_rplay_content")) {
        let mut bytes = vec![];
        controller.blob(sha256, &mut bytes)?;
        call.args.insert("_rplay_content".into(), json!(STANDARD.encode(bytes)));
    }
    Ok(call)
}

/// Starts this program again; a middle process ends at once, so that the job belongs to nobody.
fn detach(order: &Path) -> io::Result<()> {
    let mut middle = again("--detach", order)?;
    let status = middle.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}

fn again(how: &str, order: &Path) -> io::Result<std::process::Child> {
    // by this name it can be started also when its file was removed
    let mut command = Command::new("/proc/self/exe");
    command.arg(how).arg(order).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// The middle process: starts the job and ends.
///
/// # Errors
/// The job cannot be started.
pub fn run_middle(order: &Path) -> io::Result<()> {
    rustix::process::setsid()?;
    again("--job", order).map(drop)
}

/// The job: runs the call of an order file and leaves its result.
///
/// # Errors
/// The order cannot be read or the result not written.
pub fn run_job(order_file: &Path) -> io::Result<()> {
    let text = fs::read(order_file)?;
    fs::remove_file(order_file)?;
    let order: Order = serde_json::from_slice(&text)?;
    let control = Control::default();
    control.begin(1);
    let timer = control.clone();
    let seconds = order.call.async_seconds;
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(seconds));
        timer.end_call(1, "Timeout exceeded");
    });
    let call = Call { async_seconds: 0, ..order.call };
    let mut result = execute(&call, &order.env, &mut Alone, &control).result;
    if control.ended().is_some() {
        result.insert("child_pid".into(), json!(std::process::id()));
    }
    for (key, value) in [("started", json!(true)), ("finished", json!(true)), ("ansible_job_id", json!(call.job))] {
        result.insert(key.into(), value);
    }
    store(&order.results, &Value::Object(result))
}

/// Writes a file of a job: private, in one step.
fn store(path: &Path, value: &Value) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".rplay_job").tempfile_in(dir)?;
    file.write_all(value.to_string().as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Nobody is at the other end.
struct Alone;

impl Controller for Alone {
    fn blob(&mut self, _: &str, _: &mut dyn Write) -> Result<(), String> {
        Err("a detached job cannot ask for content".into())
    }
    fn output(&mut self, _: u8, _: &[u8]) {}
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotConnected.into())
    }
}
