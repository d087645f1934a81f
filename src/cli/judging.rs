//! `rplay idempotence`, `rplay plan`, `rplay apply` and `rplay drift`: playbook runs that judge rather than only do.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::connected::Connected;
use super::console;
use super::flags::{Flags, OfPlaybook};
use super::idempotence::{recorded, write};
use super::playbook::{self, open};
use super::session::{Books, Pass, Session};
use super::setup::Surroundings;
use crate::diagnostic::Diagnostic;
use crate::idempotence::drift::History;
use crate::idempotence::plan::{self, Plan};
use crate::idempotence::{Recorder, Recording, UNVERIFIABLE, WOULD_CHANGE};
use crate::report::Report;

/// Exit code of a plan that no longer holds, or of a run that did more than it said.
const STALE: i32 = 12;
/// Exit code of options that make no sense.
const BAD_OPTIONS: i32 = 5;

/// A replay in check mode that is judged.
const LOOK: Pass = Pass { check: true, diff: true, evidence: true };

/// Options of `rplay plan`.
#[derive(Debug, Clone, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Shows what a run would change, in one piece, and saves it.")]
pub(super) struct PlanFlags {
    /// Save the plan, for `rplay apply`
    #[arg(long, value_name = "FILE", help_heading = "Options of rplay's own")]
    out: Option<PathBuf>,
    /// End with 10 when something would change, with 11 when something is unknown
    #[arg(long, help_heading = "Options of rplay's own")]
    detailed_exitcode: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Options of `rplay drift`.
#[derive(Debug, Clone, Parser)]
#[command(
    disable_version_flag = true,
    infer_long_args = true,
    args_override_self = true,
    about = "Shows what hosts have come to differ in, and since when; changes nothing."
)]
pub(super) struct DriftFlags {
    /// File that remembers earlier looks
    #[arg(long, value_name = "FILE", default_value = "rplay-drift.json", help_heading = "Options of rplay's own")]
    history: PathBuf,
    #[command(flatten)]
    flags: Flags,
}

/// Options of `rplay apply`.
#[derive(Debug, Clone, Parser)]
#[command(about = "Runs a saved plan, if the hosts are still as they were.")]
struct ApplyFlags {
    /// The plan, of `rplay plan --out`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl OfPlaybook for PlanFlags {
    fn playbook(&self) -> &Flags {
        &self.flags
    }
}

impl OfPlaybook for DriftFlags {
    fn playbook(&self) -> &Flags {
        &self.flags
    }
}

/// `rplay idempotence`: `--idempotence` unless it is given.
pub(super) fn idempotence(program: &str, arguments: &[OsString]) -> i32 {
    let given =
        arguments.iter().any(|argument| argument.to_str().is_some_and(|argument| argument == "--idempotence" || argument.starts_with("--idempotence=")));
    let mut arguments = arguments.to_vec();
    if !given {
        arguments.insert(0, "--idempotence".into());
    }
    playbook::run(program, &arguments)
}

/// `rplay plan`.
pub(super) fn plan(program: &str, arguments: &[OsString]) -> i32 {
    let around = Surroundings::read();
    let (options, session) = match open::<PlanFlags>(program, arguments, around) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let (session, recording, code) = match look(session) {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    let root = &session.around.cwd;
    console::say(&format!("\n{}", plan::people(&recording, root, session.config.diff_context, &session.colors())));
    tell_failures(&recording);
    if code != 0 {
        return code;
    }
    if let Some(out) = &options.out {
        if words(arguments).iter().any(|word| crate::mask::masked(word) != word.as_str()) {
            let error = Diagnostic::error("the options hold a secret, and a plan keeps its options: it was not saved");
            console::complain(&[error.help("give the secret in a file that is encrypted with a vault")]);
            return BAD_OPTIONS;
        }
        let plan = Plan::new(&recording, words(arguments), root, chrono::Utc::now().timestamp());
        if let Err(code) = save(&root.join(out), &plan.text()) {
            return code;
        }
    }
    match plan::counts(&recording) {
        _ if !options.detailed_exitcode => 0,
        (0, 0) => 0,
        (0, _) => UNVERIFIABLE,
        _ => WOULD_CHANGE,
    }
}

/// `rplay apply`.
pub(super) fn apply(program: &str, arguments: &[OsString]) -> i32 {
    let words_of = std::iter::once(OsString::from(program)).chain(arguments.iter().cloned());
    let file = match ApplyFlags::try_parse_from(words_of) {
        Ok(flags) => flags.file,
        Err(error) => {
            let text = error.to_string();
            if error.use_stderr() {
                console::tell(&text)
            } else {
                console::say(&text)
            }
            return error.exit_code();
        }
    };
    let failed = |why: String| {
        console::complain(&[Diagnostic::error(format!("{}: {why}", file.display()))]);
        BAD_OPTIONS
    };
    let plan = match std::fs::read_to_string(&file).map_err(|error| error.to_string()).and_then(|text| Plan::read(&text)) {
        Ok(plan) => plan,
        Err(why) => return failed(why),
    };
    let around = Surroundings::read();
    if Path::new(&plan.folder) != around.cwd {
        return failed(format!("the plan was made in {}: apply it there", plan.folder));
    }
    let given: Vec<OsString> = plan.arguments.iter().map(OsString::from).collect();
    match open::<PlanFlags>(&program.replace("apply", "plan"), &given, around) {
        Ok((_, session)) => execute(session, &plan),
        Err(code) => code,
    }
}

/// Looks whether the plan still holds, then runs it.
fn execute(mut session: Session, plan: &Plan) -> i32 {
    let compiled = match session.compile() {
        Ok(compiled) => compiled,
        Err(code) => return code,
    };
    let connected = Connected::new(&session);
    let done = held(&session, &connected, &compiled, plan);
    connected.close();
    done.unwrap_or_else(|code| code)
}

fn held(session: &Session, connected: &Connected, compiled: &Books, plan: &Plan) -> Result<i32, i32> {
    let refused = |(errors, code): (Vec<Diagnostic>, i32)| {
        console::complain(&errors);
        code
    };
    let (now, code) = recorded(session, connected, compiled, LOOK).map_err(refused)?;
    let differs = plan.differs(&now);
    if !differs.is_empty() || code != 0 {
        let error = Diagnostic::error("the plan no longer holds; nothing was changed").help("make it again with `rplay plan --out`");
        console::complain(&[differs.iter().take(20).fold(error, |error, line| error.note(line.clone()))]);
        tell_failures(&now);
        return Err(STALE);
    }
    let recorder = Recorder::default();
    let (mut reports, streams, live) = session.reports();
    reports.push(Box::new(recorder.clone()) as Box<dyn Report>);
    let pass = Pass { check: false, ..session.first_pass() };
    let result = connected.pass(session, compiled, pass, (reports, streams, live)).map_err(refused)?;
    session.retry_file(&result.broken);
    let beyond = plan.beyond(&recorder.take());
    if !beyond.is_empty() && result.code == 0 {
        let warning = Diagnostic::warning("the run changed more than the plan said");
        console::complain(&[beyond.into_iter().fold(warning, |warning, line| warning.note(line))]);
        return Ok(STALE);
    }
    Ok(result.code)
}

/// `rplay drift`.
pub(super) fn drift(program: &str, arguments: &[OsString]) -> i32 {
    let around = Surroundings::read();
    let (options, session) = match open::<DriftFlags>(program, arguments, around) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let file = session.around.cwd.join(&options.history);
    let mut history = match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => History::default(),
        read => match read.map_err(|error| error.to_string()).and_then(|text| History::read(&text)) {
            Ok(history) => history,
            Err(why) => {
                console::complain(&[Diagnostic::error(format!("{}: {why}", file.display()))]);
                return BAD_OPTIONS;
            }
        },
    };
    let (session, recording, code) = match look(session) {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    let when =
        |at: i64| chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string());
    let found = history.look(&recording, chrono::Utc::now().timestamp(), &when);
    if !found.adrift.is_empty() {
        console::say(&format!("\n{}", plan::people(&recording, &session.around.cwd, session.config.diff_context, &session.colors())));
    }
    found.back.iter().for_each(|line| console::say(&format!("BACK: {line}\n")));
    found.adrift.iter().for_each(|line| console::say(&format!("ADRIFT: {line}\n")));
    tell_failures(&recording);
    console::say(&format!("DRIFT: {} adrift, {} back\n", found.adrift.len(), found.back.len()));
    if let Err(code) = save(&file, &history.text()) {
        return code;
    }
    if code != 0 {
        return code;
    }
    if found.adrift.is_empty() { 0 } else { WOULD_CHANGE }
}

/// A replay in check mode; the exit code is that of hosts that failed.
fn look(mut session: Session) -> Result<(Session, Recording, i32), i32> {
    let compiled = session.compile()?;
    let connected = Connected::new(&session);
    let looked = recorded(&session, &connected, &compiled, LOOK);
    connected.close();
    match looked {
        Ok((recording, code)) => Ok((session, recording, code)),
        Err((errors, code)) => {
            console::complain(&errors);
            Err(code)
        }
    }
}

/// Hosts that failed in a look, with why.
fn tell_failures(recording: &Recording) {
    use crate::event::Status;
    let failed = recording
        .records
        .iter()
        .filter(|record| matches!(record.outcome.status, Status::Failed | Status::Unreachable) && !record.outcome.ignored && !record.outcome.rescued);
    for record in failed {
        let what = if record.outcome.status == Status::Failed { "failed" } else { "unreachable" };
        let place = format!("{}:{} `{}`", record.key.file.display(), record.key.line, record.task.name);
        console::tell(&format!("{what}: [{}] {place}: {}\n", record.key.host, record.message()));
    }
}

/// Writes a file that may hold secrets: only its owner reads it.
fn save(path: &Path, text: &str) -> Result<(), i32> {
    let saved = write(path, text).and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)));
    saved.map_err(|error| {
        console::complain(&[Diagnostic::error(format!("cannot write {}: {error}", path.display()))]);
        1
    })
}

/// Arguments as the plan keeps them.
fn words(arguments: &[OsString]) -> Vec<String> {
    arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
}
