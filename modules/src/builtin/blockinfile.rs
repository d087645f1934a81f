//! `blockinfile`: a block of lines between two marker lines is in a file, or is not.

use super::editing::{BACKUP, Edited, PATH, VALIDATE, lines};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Blockinfile;

impl Module for Blockinfile {
    const SPEC: Spec = Spec {
        file_args: true,
        mutually_exclusive: &[&["insertbefore", "insertafter"]],
        ..Spec::new(
            "blockinfile",
            "Puts a block of lines between two markers into a file, or removes it.",
            &[
                PATH,
                Arg::str("state", "Whether the block shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
                Arg::str("marker", "Marker line; `{mark}` is replaced by its two words.").default(Preset::Str("# {mark} ANSIBLE MANAGED BLOCK")),
                Arg::str("block", "The lines; without any the block is removed.").alias(&["content"]).default(Preset::Str("")),
                Arg::str("insertafter", "Where a new block goes: after the last match of this expression, or `EOF`."),
                Arg::str("insertbefore", "Where a new block goes: before the last match of this expression, or `BOF`."),
                Arg::flag("create", false, "Make a file that is absent."),
                BACKUP,
                VALIDATE,
                Arg::str("marker_begin", "Word of the first marker.").default(Preset::Str("BEGIN")),
                Arg::str("marker_end", "Word of the last marker.").default(Preset::Str("END")),
                Arg::flag("append_newline", false, "Have an empty line after the block."),
                Arg::flag("prepend_newline", false, "Have an empty line before the block."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let file = Edited::open(args, cx)?;
        let present = args.text("state") == "present";
        if file.before.is_none() {
            if !args.flag("create") {
                return Err(Failure::new(format!("Path {} does not exist !", file.shown)).with("rc", 257));
            }
            if !present {
                return Ok(Outcome::new(false).msg(format!("File {} not present", file.shown)));
            }
        }
        let block = block_lines(args, &file, present);
        let after = edit(args, &file, &block, present)?;
        let done = match &file.before {
            Some(before) if before.content == after => "",
            None => "File created",
            Some(_) if block.is_empty() => "Block removed",
            Some(_) => "Block inserted",
        };
        let saved = file.save(args, cx, &after, done)?;
        let outcome = Outcome::new(saved.changed).msg(saved.message).with("diff", file.diff(cx, &after, &saved.attributes));
        Ok(if saved.backup.is_empty() { outcome } else { outcome.with("backup_file", saved.backup) })
    }
}

fn marker(args: &Args, file: &Edited, which: &str) -> String {
    file.like(&format!("{}\n", args.text("marker").replace("{mark}", args.text(which))))
}

/// The markers with the block between them; nothing when there shall be none.
fn block_lines(args: &Args, file: &Edited, present: bool) -> Vec<String> {
    let mut block = file.like(args.text("block"));
    if !present || block.is_empty() {
        return vec![];
    }
    if !block.ends_with('\n') {
        block.push('\n');
    }
    let mut all = vec![marker(args, file, "marker_begin")];
    all.extend(lines(&block));
    all.push(marker(args, file, "marker_end"));
    all
}

fn edit(args: &Args, file: &Edited, block: &[String], present: bool) -> Result<String, Failure> {
    let mut all = lines(file.text());
    let (begin, end) = (marker(args, file, "marker_begin"), marker(args, file, "marker_end"));
    let first = all.iter().rposition(|line| *line == begin);
    let last = all.iter().rposition(|line| *line == end);
    let mut at = match (first, last) {
        (Some(first), Some(last)) => {
            let (low, high) = (first.min(last), first.max(last));
            all.drain(low..=high);
            low
        }
        _ => place(args, file, &all)?,
    };
    if at > 0 && !all[at - 1].ends_with('\n') {
        all[at - 1].push('\n');
    }
    if args.flag("prepend_newline") && present && at != 0 && all[at - 1] != "\n" {
        all.insert(at, "\n".into());
        at += 1;
    }
    all.splice(at..at, block.iter().cloned());
    let after = at + block.len();
    if args.flag("append_newline") && present && after < all.len() && all[after] != "\n" {
        all.insert(after, "\n".into());
    }
    Ok(all.concat())
}

/// Where a block goes that is not there yet.
fn place(args: &Args, file: &Edited, all: &[String]) -> Result<usize, Failure> {
    let (pattern, behind) = match (args.str("insertafter"), args.str("insertbefore")) {
        (Some("EOF"), _) | (None, None) => return Ok(all.len()),
        (None, Some("BOF")) => return Ok(0),
        (Some(pattern), _) => (pattern, true),
        (None, Some(pattern)) => (pattern, false),
    };
    let bad = |why| Failure::new(format!("bad regular expression '{pattern}': {why}"));
    let regex = pyre::compile(&file.like(pattern), Flags { ascii: true, ..Flags::default() }).map_err(bad)?;
    if pattern.starts_with("(?") && pattern.split(')').next().is_some_and(|flags| flags.contains('m')) {
        let Some(found) = regex.search(file.text())? else { return Ok(all.len()) };
        let until = if behind { found.end() } else { found.start() };
        return Ok(file.text()[..until].matches('\n').count() + usize::from(behind));
    }
    let mut hit = None;
    for (at, line) in all.iter().enumerate() {
        if regex.is_match(line)? {
            hit = Some(at);
        }
    }
    Ok(hit.map_or(all.len(), |at| at + usize::from(behind)))
}
