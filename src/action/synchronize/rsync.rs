//! `synchronize` with rsync: on the controller with its other side on the target, or all of it on the target.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::module::broken;
use super::super::raw;
use super::super::{Reaction, Request};
use super::bridge::{self, Ended};
use super::plan::{Plan, remote_program};
use super::word;
use crate::connection::{Transport, shell};
use crate::value::{Dict, Value, text};

const MARK: &str = "<<CHANGED>>";

/// rsync on the controller.
pub(super) fn find(request: &Request) -> Option<PathBuf> {
    let name = word(request, "_local_rsync_path").unwrap_or_else(|| "rsync".into());
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    let path = request.world.run.environment.get("PATH").cloned().unwrap_or_default();
    let runs = |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&path).map(|dir| dir.join(&name)).find(runs)
}

/// Runs rsync here, its other side on the target; nothing when the target has no rsync.
pub(super) fn between(request: &Request, plan: &Plan, program: &Path) -> Option<Reaction> {
    if request.target.transport == Transport::Local {
        return (request.become_.is_none()).then(|| alone(request, plan, program));
    }
    match joined(request, plan, program) {
        Ok(reaction) => reaction,
        Err(error) => Some(Reaction::failed(format!("cannot start {}: {error}", program.display()))),
    }
}

/// Both sides are on this machine.
fn alone(request: &Request, plan: &Plan, program: &Path) -> Reaction {
    let words = [plan.options(request.check), plan.last_options(), vec![plan.src.clone(), plan.dest.clone()]].concat();
    let shown = line(program, &words);
    match Command::new(program).args(&words).stdin(Stdio::null()).output() {
        Ok(output) => judged(request, output.status.code().unwrap_or(255), &output.stdout, &output.stderr, &shown),
        Err(error) => Reaction::failed(format!("cannot start {}: {error}", program.display())),
    }
}

fn joined(request: &Request, plan: &Plan, program: &Path) -> std::io::Result<Option<Reaction>> {
    // only its owner may enter
    let room = tempfile::Builder::new().prefix("rplay-rsync-").tempdir()?;
    let socket = room.path().join("socket");
    let listener = UnixListener::bind(&socket)?;
    let words = words(request, plan, &socket);
    let mut child = Command::new(program).args(&words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let ended = bridge::serve(request, &listener, &mut child);
    if matches!(ended, Ended::Broken(_)) {
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    Ok(match ended {
        Ended::Broken(error) => Some(broken(&error)),
        Ended::Code(127, false) if remote_program(request).is_none() => None,
        Ended::Code(..) | Ended::NeverAsked => Some(judged(request, status.code().unwrap_or(255), &out, &err, &line(program, &words))),
    })
}

fn collect(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // what came before an error is what there is to show
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn words(request: &Request, plan: &Plan, socket: &Path) -> Vec<String> {
    let mut words = plan.options(request.check);
    words.push(format!("--rsh={} __rsh {}", shell::quote(&request.world.run.program.display().to_string()), shell::quote(&socket.display().to_string())));
    if let Some(program) = remote_program(request) {
        words.push(format!("--rsync-path={program}"));
    }
    words.extend(plan.last_options());
    let away = |path: &str| format!("{}:{path}", host_word(&request.target.name));
    words.extend(if plan.pull { [away(&plan.src), plan.dest.clone()] } else { [plan.src.clone(), away(&plan.dest)] });
    words
}

/// The host's name where rsync wants one: it only tells which side is away.
fn host_word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect()
}

fn line(program: &Path, words: &[String]) -> String {
    let quoted = words.iter().map(|word| shell::quote(word).to_string()).collect::<Vec<_>>();
    format!("{} {}", program.display(), quoted.join(" "))
}

/// `delegate_to` names the task's host itself: rsync runs there, on its files.
pub(super) fn on_the_host(request: &Request, plan: &Plan) -> Reaction {
    let program = remote_program(request).unwrap_or_else(|| "rsync".into());
    let words = [plan.options(request.check), plan.last_options(), vec![plan.src.clone(), plan.dest.clone()]].concat();
    let command = line(Path::new(&program), &words);
    let ran = raw::execute(request, &command, None);
    let field = |name: &str| ran.result.get(name).map(text).unwrap_or_default();
    match ran.result.get("rc").and_then(Value::as_int) {
        None => ran,
        Some(127) => Reaction::failed(format!("synchronize on {} needs rsync there: {}", request.host, field("stderr").trim())),
        Some(code) => judged(request, i32::try_from(code).unwrap_or(255), field("stdout").as_bytes(), field("stderr").as_bytes(), &command),
    }
}

/// rsync's result as Ansible gives it.
fn judged(request: &Request, code: i32, out: &[u8], err: &[u8], shown: &str) -> Reaction {
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    if code != 0 {
        let mut reaction = Reaction::failed(err.into_owned());
        reaction.result.insert("rc".into(), Value::Int(code.into()));
        reaction.result.insert("cmd".into(), shown.into());
        return reaction;
    }
    // with link_dest lines for what was linked begin with the mark too, followed by a dot
    let linked = request.args.contains_key("link_dest");
    let changed = if linked { out.contains(MARK) && !out.contains(&format!("{MARK}.")) } else { out.contains(MARK) };
    let mut reaction = outcome(request, changed, &out.replace(MARK, ""), shown);
    if request.check && changed {
        let opaque = serde_json::json!({"kind": "opaque", "what": "synchronize"});
        reaction.changes.push(opaque);
    }
    reaction
}

/// A result without failure.
pub(super) fn outcome(request: &Request, changed: bool, said: &str, shown: &str) -> Reaction {
    let mut result = Dict::new();
    result.insert("changed".into(), changed.into());
    result.insert("msg".into(), said.into());
    result.insert("rc".into(), Value::Int(0));
    result.insert("cmd".into(), shown.into());
    result.insert("stdout_lines".into(), Value::list(said.lines().filter(|line| !line.is_empty()).map(Value::from).collect()));
    if request.diff {
        let mut diff = Dict::new();
        diff.insert("prepared".into(), said.into());
        result.insert("diff".into(), Value::dict(diff));
    }
    Reaction::of(result)
}
