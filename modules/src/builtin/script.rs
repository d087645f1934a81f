//! `_script`: runs a file of the controller on the target. The `script` action calls it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::command::{delta, skipped, stamp};
use crate::args::Args;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome, Tried};
use crate::program::Program;
use crate::shell_words;
use crate::spec::{Arg, Kind, Spec};

/// The module.
pub struct Script;

impl Module for Script {
    const SPEC: Spec = Spec::new(
        "_script",
        "Runs a file of the controller on the target.",
        &[
            Arg::list("argv", Kind::Str, "Arguments of the script."),
            Arg::str("executable", "Program that runs the script, with its own arguments."),
            Arg::path("chdir", "Directory to run in."),
            Arg::path("creates", "A path or pattern; when it exists the script is not run."),
            Arg::path("removes", "A path or pattern; when it does not exist the script is not run."),
            Arg::str("name", "Name of the script, for messages."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let dir = args.str("chdir").map(PathBuf::from);
        if let Some((msg, _)) = skipped(args, cx, dir.as_deref())? {
            return Ok(Outcome::new(false).with("skipped", true).msg(msg));
        }
        let what = args.str("name").unwrap_or("a script").to_owned();
        if cx.check() {
            cx.perform(Change::Opaque { what: what.clone(), below: None }, &[])?;
            let guarded = args.has("creates") || args.has("removes");
            let outcome = Outcome::new(guarded).msg("Command would have run if not in check mode");
            let outcome = if guarded { outcome } else { outcome.with("skipped", true) };
            return Ok(outcome.unknown(&format!("what `{what}` would have done")));
        }
        let file = place(args, cx)?;
        let mut argv = match args.str("executable") {
            Some(line) => shell_words::split(line).map_err(Failure::new)?,
            None => vec![],
        };
        argv.push(file.to_string_lossy().into_owned());
        argv.extend(args.texts("argv"));
        let program = Program { dir, ..Program::new(argv) };
        run(cx, program, what)
    }
}

/// The script in a private file that may be executed.
fn place(args: &Args, cx: &mut Context<'_>) -> Result<PathBuf, Failure> {
    let bytes = match (args.str("_rplay_content"), args.str("_rplay_sha256")) {
        (Some(text), _) => STANDARD.decode(text).map_err(|error| Failure::new(format!("content on the wire is not base64: {error}")))?,
        (None, Some(sha256)) => match cx.blob(sha256, 0, Path::new("/tmp/x"))? {
            Content::Bytes(bytes) => bytes,
            _ => return Err("the script is too large".into()),
        },
        (None, None) => return Err("a script needs content".into()),
    };
    let tried = |dir: &Path, cx: &mut Context<'_>| -> Result<PathBuf, Failure> {
        let file = cx.scratch(&dir.join("script"), &bytes)?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).tried(|| "chmod failed".into())?;
        Ok(file)
    };
    // the first place where programs may run
    for dir in [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()] {
        let file = tried(&dir, cx)?;
        if rustix::fs::access(&file, rustix::fs::Access::EXEC_OK).is_ok() {
            return Ok(file);
        }
    }
    tried(&std::env::temp_dir(), cx)
}

fn run(cx: &mut Context<'_>, program: Program, what: String) -> Result<Outcome, Failure> {
    let begun = std::time::SystemTime::now();
    let run = cx.perform(Change::Opaque { what, below: None }, &[program])?.into_iter().next().unwrap_or_default();
    let ended = std::time::SystemTime::now();
    let fields = json!({
        "rc": run.rc, "stdout": run.out(), "stderr": run.err(),
        "start": stamp(begun), "end": stamp(ended), "delta": delta(begun, ended),
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    if run.ok() {
        return Ok(Outcome::new(true).merge(fields));
    }
    Err(Failure { msg: "non-zero return code".into(), fields, unknown: None }.with("changed", true))
}
