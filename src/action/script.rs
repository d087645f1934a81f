//! `script`: a file of the controller runs on the target, which needs nothing but a shell.

use std::path::Path;

use super::module::call;
use super::raw;
use super::{Reaction, Request};
use crate::connection::shell;
use crate::runner::NoContent;
use crate::value::{Fault, Value, text};

/// Sends the script and runs it.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let known = |key: &str| matches!(key, "_raw_params" | "cmd" | "executable" | "creates" | "removes" | "chdir");
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !known(key)) {
        return Ok(Reaction::failed(format!(
            "Unsupported parameters for (script) module: {wrong}. Supported parameters include: chdir, cmd, creates, executable, free_form, removes."
        )));
    }
    let line = request.args.get("_raw_params").or_else(|| request.args.get("cmd")).map(text).unwrap_or_default();
    let Some(words) = shell::split(&line) else { return Ok(Reaction::failed(format!("unbalanced quotes in: {line}"))) };
    let Some((file, arguments)) = words.split_first() else { return Ok(Reaction::failed("no script was given")) };
    let path = match super::content::find(request, "files", file) {
        Ok(path) => path,
        Err(message) => return Ok(Reaction::failed(message)),
    };
    if let Some(skipped) = guarded(request)? {
        return Ok(skipped);
    }
    if request.check {
        return Ok(predicted(request, &line));
    }
    let bytes = match super::content::read(request, &path) {
        Ok(bytes) => bytes,
        Err(message) => return Ok(Reaction::failed(message)),
    };
    let mut reaction = send_and_run(request, &path, &bytes, arguments);
    reaction.result.insert("changed".into(), true.into());
    Ok(reaction)
}

/// Check mode: a script with `creates` or `removes` would run, of another nobody knows what it does.
fn predicted(request: &Request, line: &str) -> Reaction {
    if !["creates", "removes"].iter().any(|key| request.args.contains_key(*key)) {
        return raw::not_run(line);
    }
    let mut reaction = raw::would_run(line);
    reaction.result.insert("changed".into(), true.into());
    reaction
}

/// Whether a path is there: asked of the target's shell, or of the runner where earlier tasks would have changed something; or what came instead.
fn exists(request: &Request, path: &str) -> Result<bool, Reaction> {
    if request.overlay.is_empty() || !path.starts_with('/') {
        let probe = raw::execute(request, &format!("test -e {}", shell::quote(path)), None);
        return if probe.result.contains_key("unreachable") { Err(probe) } else { Ok(probe.result.get("rc").and_then(Value::as_int) == Some(0)) };
    }
    let args = [("path".to_string(), path.into()), ("follow".to_string(), true.into())].into_iter().collect();
    let found = call(request, "stat", args, &NoContent, None);
    match found.result.get("stat").and_then(|stat| stat.get("exists").cloned()) {
        Some(exists) => Ok(exists.is_true()),
        None => Err(found),
    }
}

/// `creates` and `removes`.
fn guarded(request: &Request) -> Result<Option<Reaction>, Fault> {
    for (key, wanted) in [("creates", true), ("removes", false)] {
        let Some(value) = request.args.get(key).map(text) else { continue };
        let exists = match exists(request, &value) {
            Ok(exists) => exists,
            // what may be made is taken as absent: then the script would run
            Err(found) if wanted && found.result.contains_key("_rplay_unknown") => false,
            Err(found) => return Ok(Some(found)),
        };
        if exists == wanted {
            let why = if wanted { format!("{value} exists, matching creates option") } else { format!("{value} does not exist, matching removes option") };
            let mut reaction = Reaction::ok(&why);
            reaction.result.insert("skipped".into(), true.into());
            return Ok(Some(reaction));
        }
    }
    Ok(None)
}

/// One command: take the script from standard input into a private file, run it, remove it.
fn send_and_run(request: &Request, path: &Path, bytes: &[u8], arguments: &[String]) -> Reaction {
    let quoted = arguments.iter().map(|word| format!(" {}", shell::quote(word))).collect::<String>();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let suffix: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')).collect();
    let directory = request.args.get("chdir").map(|dir| format!("cd {} && ", shell::quote(&text(dir)))).unwrap_or_default();
    let run = match request.args.get("executable").map(text) {
        Some(executable) => format!("{executable} \"$f\"{quoted}"),
        None => format!("\"$f\"{quoted}"),
    };
    let run = raw::with_environment(request, &run);
    let command = format!(
        "umask 077; d=$(mktemp -d 2>/dev/null) || {{ d=${{TMPDIR:-/tmp}}/rplay.$$; mkdir \"$d\" || exit 126; }}; f=\"$d\"/{}; cat >\"$f\" && chmod 700 \"$f\"; trap 'rm -rf \"$d\"' EXIT HUP INT TERM; umask 022; ( {directory}{run} ) </dev/null; rc=$?; exit $rc",
        shell::quote(&suffix)
    );
    raw::execute(request, &command, Some(bytes))
}
