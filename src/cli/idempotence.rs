//! `--idempotence`: applies the play, replays it, and says what a second run would still change and why.

use std::path::{Path, PathBuf};

use super::connected::Connected;
use super::console;
use super::flags::Idempotence;
use super::session::{Books, Pass, Refusal, Session};
use crate::diagnostic::Diagnostic;
use crate::idempotence::show::{self, Format};
use crate::idempotence::{AHEAD, Judgement, Passes, Recorder, Recording, judge, waiver};
use crate::report::Report;
use crate::template::clock;

/// Exit code of a run in which a host failed.
const FAILED: i32 = 2;

/// Runs and judges; the exit code is the run's own where that did not succeed.
pub(super) fn run(session: &Session, compiled: &Books, how: Idempotence) -> i32 {
    let ready = reports(&session.flags.report).and_then(|reports| Ok((reports, waivers(session)?)));
    let (reports, waivers) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            console::complain(&[error]);
            return 5;
        }
    };
    let connected = Connected::new(session);
    let judged = passes(session, &connected, compiled, how);
    connected.close();
    let mut judgement = match judged {
        Ok(passes) => judge(&passes),
        Err((errors, code)) => {
            console::complain(&errors);
            return code;
        }
    };
    console::complain(&waiver::apply(&mut judgement, &waivers, chrono::Local::now().date_naive()));
    tell(session, &judgement, &reports)
}

/// The passes that the verdict needs.
fn passes(session: &Session, connected: &Connected, compiled: &Books, how: Idempotence) -> Result<Passes, Refusal> {
    let check_only = how == Idempotence::CheckOnly || session.flags.run.check;
    if !check_only {
        let result = connected.pass(session, compiled, session.first_pass(), session.reports())?;
        session.retry_file(&result.broken);
        if result.code != 0 {
            return Err((Vec::new(), result.code));
        }
    }
    let mut passes = Passes::default();
    if how == Idempotence::Rerun && !check_only {
        console::say("\nIDEMPOTENCE: a second run\n");
        let (recording, code) = recorded(session, connected, compiled, Pass { evidence: true, ..session.first_pass() })?;
        if code != 0 {
            return Err((vec![Diagnostic::error("the second run failed where the first one succeeded")], code));
        }
        let quiet = recording.counts.values().all(|counts| counts.changed == 0);
        if quiet {
            return Ok(Passes { replay: recording.clone(), later: None, rerun: Some(recording) });
        }
        passes.rerun = Some(recording);
    }
    let replay = Pass { check: true, diff: true, evidence: true };
    console::say("\nIDEMPOTENCE: a replay in check mode\n");
    let (recording, code) = recorded(session, connected, compiled, replay)?;
    if code != 0 && code != FAILED {
        return Err((Vec::new(), code));
    }
    passes.replay = recording;
    clock::set_ahead(AHEAD);
    let later = recorded(session, connected, compiled, replay);
    clock::set_ahead(0);
    passes.later = Some(later?.0);
    Ok(passes)
}

/// A pass that is recorded and not shown, but for the live line.
pub(super) fn recorded(session: &Session, connected: &Connected, compiled: &Books, pass: Pass) -> Result<(Recording, i32), Refusal> {
    let recorder = Recorder::default();
    let (_, streams, live) = session.reports();
    let reports: Vec<Box<dyn Report>> = vec![Box::new(recorder.clone())];
    let result = connected.pass(session, compiled, pass, (reports, streams, live))?;
    Ok((recorder.take(), result.code))
}

/// Shows the judgement and writes it where it was asked for; the exit code.
fn tell(session: &Session, judgement: &Judgement, reports: &[(Format, Option<PathBuf>)]) -> i32 {
    let root = &session.around.cwd;
    let colors = session.colors();
    let only_programs = reports.iter().any(|(_, file)| file.is_none());
    if !only_programs {
        console::say(&format!("\n{}", show::people(judgement, root, session.config.diff_context, &colors)));
    }
    let mut code = judgement.code();
    for (format, file) in reports {
        let text = format.write(judgement, root);
        match file {
            None => console::say(&text),
            Some(file) => {
                if let Err(error) = write(&root.join(file), &text) {
                    console::complain(&[Diagnostic::error(format!("cannot write {}: {error}", file.display()))]);
                    code = 1;
                }
            }
        }
    }
    if reports.is_empty() && session.around.env.get("GITHUB_ACTIONS").is_some_and(|set| set == "true") {
        console::say(&Format::Github.write(judgement, root));
    }
    code
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    std::io::Write::write_all(&mut file, crate::mask::masked(text).as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// `--report FORMAT` or `FORMAT=FILE`.
fn reports(wanted: &[String]) -> Result<Vec<(Format, Option<PathBuf>)>, Diagnostic> {
    wanted
        .iter()
        .map(|wish| {
            let (name, file) = wish.split_once('=').map_or((wish.as_str(), None), |(name, file)| (name, Some(PathBuf::from(file))));
            let format = Format::named(name);
            let format = format.ok_or_else(|| Diagnostic::error(format!("--report has no format `{name}`: there are json, junit, sarif and github")))?;
            Ok((format, file.filter(|file| file != Path::new("-"))))
        })
        .collect()
}

/// The waivers of `--waivers`, else of the file beside the person, if there is one.
fn waivers(session: &Session) -> Result<Vec<waiver::Waiver>, Diagnostic> {
    let cwd = &session.around.cwd;
    match &session.flags.waivers {
        Some(path) => waiver::read(&cwd.join(path)),
        None if cwd.join(waiver::FILE).is_file() => waiver::read(&cwd.join(waiver::FILE)),
        None => Ok(Vec::new()),
    }
}
