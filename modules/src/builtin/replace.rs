//! `replace`: every match of a regular expression in a file is replaced.

use serde_json::json;

use super::editing::{BACKUP, Edited, PATH, VALIDATE};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Replace;

impl Module for Replace {
    const SPEC: Spec = Spec {
        file_args: true,
        ..Spec::new(
            "replace",
            "Replaces every match of a regular expression in a file.",
            &[
                PATH,
                Arg::str("regexp", "The regular expression; `^` and `$` match at every line.").required(),
                Arg::str("replace", "The replacement, with `\\1` and `\\g<name>`.").default(Preset::Str("")),
                Arg::str("after", "Only what follows the match of this expression is looked at."),
                Arg::str("before", "Only what precedes the match of this expression is looked at."),
                BACKUP,
                VALIDATE,
                Arg::str("encoding", "Encoding of the file; UTF-8 is the only one known.").default(Preset::Str("utf-8")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        if !["utf-8", "utf8", "ascii", "us-ascii"].contains(&args.text("encoding").to_lowercase().as_str()) {
            return Err(Failure::new(format!("encoding {} is not supported, only utf-8", args.text("encoding"))));
        }
        let file = Edited::open(args, cx)?;
        if file.before.is_none() {
            return Err(Failure::new(format!("Path {} does not exist !", file.shown)).with("rc", 257));
        }
        let Some((start, end)) = section(args, &file)? else {
            let pattern = section_pattern(args).unwrap_or_default();
            let msg = format!("Pattern for before/after params did not match the given file: {pattern}");
            return Ok(Outcome::new(false).msg(msg).with("rc", 0));
        };
        let text = file.text();
        let regex = compile(&file, args.text("regexp"), Flags { multiline: true, ..Flags::default() })?;
        let replaced = regex.sub(&file.like(args.text("replace")), &text[start..end], 0);
        let (middle, count) = replaced.map_err(|why| Failure::new(format!("Unable to process replace due to error: {why}")))?;
        let after = format!("{}{middle}{}", &text[..start], &text[end..]);
        let done = if count > 0 && after != text { format!("{count} replacements made") } else { String::new() };
        let saved = file.save(args, cx, &after, &done)?;
        let mut outcome = Outcome::new(saved.changed).msg(saved.message).with("rc", 0);
        if cx.wants_diff() && !done.is_empty() {
            outcome = outcome.with("diff", json!({"before_header": file.shown, "before": text, "after_header": file.shown, "after": after}));
        }
        Ok(if saved.backup.is_empty() { outcome } else { outcome.with("backup_file", saved.backup) })
    }
}

fn compile(file: &Edited, pattern: &str, flags: Flags) -> Result<pyre::Regex, Failure> {
    pyre::compile(&file.like(pattern), flags).map_err(|why| Failure::new(format!("bad regular expression '{pattern}': {why}")))
}

fn section_pattern(args: &Args) -> Option<String> {
    match (args.str("after").filter(|s| !s.is_empty()), args.str("before").filter(|s| !s.is_empty())) {
        (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
        (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
        (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
        (None, None) => None,
    }
}

/// The part of the text that is looked at; `None` when `after` or `before` do not match.
fn section(args: &Args, file: &Edited) -> Result<Option<(usize, usize)>, Failure> {
    let Some(pattern) = section_pattern(args) else { return Ok(Some((0, file.text().len()))) };
    let regex = compile(file, &pattern, Flags { dotall: true, ..Flags::default() })?;
    let group = regex.group_number("subsection").unwrap_or(0);
    Ok(regex.search(file.text())?.and_then(|found| found.span(group)))
}
