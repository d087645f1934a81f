//! `command`: runs a program without a shell. `shell` shares everything but how the program is started.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Local};
use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::coerce::{expand, expand_variables};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome, describe};
use crate::program::Program;
use crate::shell_words;
use crate::spec::{Arg, Kind, Spec};

/// The module.
pub struct Command;

/// The arguments of both.
pub(crate) const ARGS: &[Arg] = &[
    Arg::str("_raw_params", "The command line, written free-form."),
    Arg::bool("_uses_shell", "Internal to older playbooks' `command` with a shell."),
    Arg::str("cmd", "The command line."),
    Arg::list("argv", Kind::Str, "The program and its arguments, each as it is."),
    Arg::path("chdir", "Directory to run in."),
    Arg::str("executable", "Shell to use (only for `shell`)."),
    Arg::flag("expand_argument_vars", true, "Replace `$VARIABLE` and `~` in the arguments."),
    Arg::path("creates", "A path or pattern; when it exists the command is not run."),
    Arg::path("removes", "A path or pattern; when it does not exist the command is not run."),
    Arg::str("stdin", "What the command reads."),
    Arg::flag("stdin_add_newline", true, "End `stdin` with a line feed."),
    Arg::flag("strip_empty_ends", true, "Take line ends off the end of the output."),
    Arg::bool("warn", "Accepted for old playbooks; does nothing."),
];

pub(crate) const fn spec(name: &'static str, doc: &'static str) -> Spec {
    Spec {
        free_form: true,
        required_one_of: &[&["_raw_params", "cmd", "argv"]],
        mutually_exclusive: &[&["_raw_params", "cmd", "argv"]],
        ..Spec::new(name, doc, ARGS)
    }
}

impl Module for Command {
    const SPEC: Spec = spec("command", "Runs a program, without a shell.");

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        run(args, cx, args.flag("_uses_shell"))
    }
}

/// Runs either module.
pub(crate) fn run(args: &Args, cx: &mut Context<'_>, shell: bool) -> Result<Outcome, Failure> {
    if args.has("warn") {
        cx.deprecate("the 'warn' argument does nothing and is no longer part of the module; remove it", None);
    }
    let (program, cmd) = program(args, cx, shell)?;
    let mut fields = Map::new();
    for key in ["stdout", "stderr", "rc", "cmd", "start", "end", "delta", "msg"] {
        fields.insert(key.into(), json!(""));
    }
    for (key, value) in [("cmd", cmd), ("rc", Value::Null), ("start", Value::Null), ("end", Value::Null), ("delta", Value::Null)] {
        fields.insert(key.into(), value);
    }
    if let Some(dir) = &program.dir
        && let Err(error) = cx.system().stat(dir).and_then(|_| rustix::fs::access(dir, rustix::fs::Access::EXEC_OK).map_err(Into::into))
        && !cx.check()
    {
        let msg = "Unable to change directory before execution.".to_owned();
        fields.insert("reason".into(), json!(format!("{}: '{}'", describe(&error), dir.display())));
        return Err(Failure { msg, fields, unknown: None });
    }
    if let Some((msg, out)) = skipped(args, cx, program.dir.as_deref())? {
        fields.extend([("msg".to_owned(), json!(msg)), ("stdout".to_owned(), json!(out)), ("rc".to_owned(), json!(0))]);
        return Ok(Outcome::new(false).merge(fields));
    }
    execute(args, cx, program, fields)
}

fn execute(args: &Args, cx: &mut Context<'_>, program: Program, mut fields: Map<String, Value>) -> Result<Outcome, Failure> {
    let begun = SystemTime::now();
    let shown = match &fields["cmd"] {
        Value::String(line) => line.clone(),
        _ => program.shown(),
    };
    let runs = cx.perform(Change::Opaque { what: format!("`{shown}`, which is not run"), below: None }, &[program]).map_err(|mut failure| {
        failure.fields.extend([("cmd".to_owned(), json!(shown))]);
        failure
    })?;
    let Some(run) = runs.into_iter().next() else {
        let guarded = args.has("creates") || args.has("removes");
        fields.extend([("rc".to_owned(), json!(0)), ("msg".to_owned(), json!("Command would have run if not in check mode"))]);
        let outcome = Outcome::new(guarded).merge(fields);
        if guarded {
            return Ok(outcome);
        }
        let outcome = outcome.with("skipped", true);
        return Ok(outcome.unknown(&format!("`{shown}` is not run")));
    };
    let ended = SystemTime::now();
    let strip = |text: String| if args.flag("strip_empty_ends") { text.trim_end_matches(['\r', '\n']).to_owned() } else { text };
    for (key, value) in [
        ("stdout", json!(strip(run.out()))),
        ("stderr", json!(strip(run.err()))),
        ("rc", json!(run.rc)),
        ("start", json!(stamp(begun))),
        ("end", json!(stamp(ended))),
        ("delta", json!(delta(begun, ended))),
    ] {
        fields.insert(key.into(), value);
    }
    if run.ok() {
        return Ok(Outcome::new(true).merge(fields));
    }
    fields.insert("changed".into(), json!(true));
    Err(Failure { msg: "non-zero return code".into(), fields, unknown: None })
}

/// The program to run, and `cmd` as the result shows it.
fn program(args: &Args, cx: &mut Context<'_>, shell: bool) -> Result<(Program, Value), Failure> {
    let line = args.str("_raw_params").or(args.str("cmd"));
    let dir = args.str("chdir").map(PathBuf::from);
    let stdin = args.str("stdin").map(|text| {
        let end = if args.flag("stdin_add_newline") { "\n" } else { "" };
        format!("{text}{end}").into_bytes()
    });
    let (argv, cmd) = if shell {
        let line = line.map_or_else(|| args.texts("argv").join(" "), str::to_owned);
        let interpreter = args.str("executable").unwrap_or("/bin/sh").to_owned();
        (vec![interpreter, "-c".into(), line.clone()], json!(line))
    } else {
        let words = match line {
            Some(line) => shell_words::split(line).map_err(Failure::new)?,
            None => args.texts("argv"),
        };
        if let Some(executable) = args.str("executable") {
            cx.warn(format!("As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '{executable}'."));
        }
        let cmd = json!(words);
        let expanded = |word: &String| expand(&expand_variables(word, cx), cx);
        let words: Vec<String> = if args.flag("expand_argument_vars") { words.iter().map(expanded).collect() } else { words };
        (words, cmd)
    };
    if argv.is_empty() || argv[0].is_empty() && !shell {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    let env = dir.iter().map(|dir| ("PWD".to_owned(), dir.to_string_lossy().into_owned())).collect();
    Ok((Program { argv: argv.into_iter().map(Into::into).collect(), dir, stdin, env }, cmd))
}

/// Why the command is not run, as `msg` and `stdout`.
pub(crate) fn skipped(args: &Args, cx: &Context<'_>, dir: Option<&Path>) -> Result<Option<(String, String)>, Failure> {
    let would = if cx.check() { "Would" } else { "Did" };
    let exists = |pattern: &str| crate::glob::exists(cx.system(), &dir.unwrap_or(Path::new("")).join(pattern));
    if let Some(path) = args.str("creates")
        && exists(path)?
    {
        return Ok(Some((format!("{would} not run command since '{path}' exists"), format!("skipped, since {path} exists"))));
    }
    if let Some(path) = args.str("removes")
        && !exists(path)?
    {
        return Ok(Some((format!("{would} not run command since '{path}' does not exist"), format!("skipped, since {path} does not exist"))));
    }
    Ok(None)
}

/// A time as Python prints a naive datetime.
pub(crate) fn stamp(time: SystemTime) -> String {
    DateTime::<Local>::from(time).format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// A duration as Python prints a timedelta.
pub(crate) fn delta(begun: SystemTime, ended: SystemTime) -> String {
    let micros = ended.duration_since(begun).unwrap_or_default().as_micros();
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        n => format!("{n} days, {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn durations_are_pythons() {
        let begun = SystemTime::UNIX_EPOCH;
        assert_eq!(delta(begun, begun + Duration::from_micros(3_661_000_005)), "1:01:01.000005");
        assert_eq!(delta(begun, begun + Duration::from_secs(90_000)), "1 day, 1:00:00.000000");
    }
}
