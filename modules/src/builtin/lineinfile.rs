//! `lineinfile`: a line is in a file, in a place, or in no place.

use super::editing::{BACKUP, Edited, PATH, VALIDATE, lines};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags, Found, Regex};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Lineinfile;

impl Module for Lineinfile {
    const SPEC: Spec = Spec {
        file_args: true,
        mutually_exclusive: &[&["insertbefore", "insertafter"], &["regexp", "search_string"], &["backrefs", "search_string"]],
        ..Spec::new(
            "lineinfile",
            "Puts a line into a file, replaces one, or removes lines.",
            &[
                PATH,
                Arg::str("state", "Whether the line shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
                Arg::str("regexp", "Regular expression of the line to replace or remove.").alias(&["regex"]),
                Arg::str("search_string", "Text of the line to replace or remove, as it is."),
                Arg::str("line", "The line.").alias(&["value"]),
                Arg::str("insertafter", "Where a new line goes: after the last match of this expression, or `EOF`."),
                Arg::str("insertbefore", "Where a new line goes: before the last match of this expression, or `BOF`."),
                Arg::flag("backrefs", false, "Fill `\\1` and `\\g<name>` in `line` from the match; without a match nothing changes."),
                Arg::flag("create", false, "Make a file that is absent."),
                BACKUP,
                Arg::flag("firstmatch", false, "Take the first match and not the last."),
                VALIDATE,
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        warn_about_empty(args, cx);
        let file = Edited::open(args, cx)?;
        if args.text("state") == "absent" { absent(args, cx, &file) } else { present(args, cx, &file) }
    }
}

fn warn_about_empty(args: &Args, cx: &mut Context<'_>) {
    let what = match (args.str("regexp"), args.str("search_string")) {
        (Some(""), _) => "regular expression",
        (_, Some("")) => "search string",
        _ => return,
    };
    let hint = if what == "regular expression" { " If this is desired, use '^' to match every line in the file and avoid this warning." } else { "" };
    cx.warn(format!(
        "The {what} is an empty string, which will match every line in the file. This may have unintended consequences, \
         such as replacing the last line in the file rather than appending.{hint}"
    ));
}

fn expression(file: &Edited, pattern: &str) -> Result<Regex, Failure> {
    pyre::compile(&file.like(pattern), Flags { ascii: true, ..Flags::default() })
        .map_err(|why| Failure::new(format!("bad regular expression '{pattern}': {why}")))
}

fn absent(args: &Args, cx: &mut Context<'_>, file: &Edited) -> Result<Outcome, Failure> {
    if !["regexp", "search_string", "line"].iter().any(|name| args.has(name)) {
        return Err("one of line, search_string, or regexp is required with state=absent".into());
    }
    if file.before.is_none() {
        return Ok(Outcome::new(false).msg("file not present"));
    }
    let regex = args.str("regexp").map(|pattern| expression(file, pattern)).transpose()?;
    let search = args.str("search_string").map(|text| file.like(text));
    let line = file.like(args.text("line"));
    let mut kept = String::new();
    let mut found = 0;
    for current in lines(file.text()) {
        let hit = match (&regex, &search) {
            (Some(regex), _) => regex.is_match(&current)?,
            (None, Some(text)) => current.contains(text.as_str()),
            (None, None) => bare(&current) == line,
        };
        if hit { found += 1 } else { kept.push_str(&current) }
    }
    let done = if found > 0 { format!("{found} line(s) removed") } else { String::new() };
    let saved = file.save(args, cx, &kept, &done)?;
    let outcome = Outcome::new(saved.changed).with("found", found).msg(saved.message).with("backup", saved.backup);
    Ok(outcome.with("diff", file.diff(cx, &kept, &saved.attributes)))
}

fn present(args: &Args, cx: &mut Context<'_>, file: &Edited) -> Result<Outcome, Failure> {
    if file.before.is_none() && !args.flag("create") {
        return Err(Failure::new(format!("Destination {} does not exist !", file.shown)).with("rc", 257));
    }
    if args.flag("backrefs") && !args.has("regexp") {
        return Err("regexp is required with backrefs=true".into());
    }
    let Some(line) = args.str("line") else { return Err("line is required with state=present".into()) };
    let mut edit = Edit::new(args, file, line)?;
    let done = edit.run()?;
    let after = edit.lines.concat();
    let saved = file.save(args, cx, &after, done)?;
    let outcome = Outcome::new(saved.changed).msg(saved.message).with("backup", saved.backup);
    Ok(outcome.with("diff", file.diff(cx, &after, &saved.attributes)))
}

/// Where a line goes that replaces none.
enum Place {
    Begin,
    End,
    After(Regex),
    Before(Regex),
}

struct Edit {
    lines: Vec<String>,
    line: String,
    regex: Option<Regex>,
    search: Option<String>,
    place: Place,
    backrefs: bool,
    first: bool,
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

impl Edit {
    fn new(args: &Args, file: &Edited, line: &str) -> Result<Edit, Failure> {
        let place = match (args.str("insertafter"), args.str("insertbefore")) {
            (Some("BOF"), _) | (None, Some("BOF")) => Place::Begin,
            (Some("EOF"), _) | (None, None) => Place::End,
            (Some(pattern), _) => Place::After(expression(file, pattern)?),
            (None, Some(pattern)) => Place::Before(expression(file, pattern)?),
        };
        Ok(Edit {
            lines: lines(file.text()),
            line: file.like(line),
            regex: args.str("regexp").map(|pattern| expression(file, pattern)).transpose()?,
            search: args.str("search_string").map(|text| file.like(text)),
            place,
            backrefs: args.flag("backrefs"),
            first: args.flag("firstmatch"),
        })
    }

    /// Edits the lines; what was done, or nothing.
    fn run(&mut self) -> Result<&'static str, Failure> {
        if let Some((at, found)) = self.matching()? {
            let new = match (found, &self.regex) {
                (Some(found), Some(regex)) if self.backrefs => regex.expand(&found, &self.lines[at], &self.line)?,
                _ => self.line.clone(),
            };
            return Ok(self.replace(at, new));
        }
        let (exact, near) = self.scan()?;
        if let Some(at) = exact {
            return Ok(self.replace(at, self.line.clone()));
        }
        if self.backrefs {
            return Ok("");
        }
        Ok(match (&self.place, near) {
            (Place::Begin, _) => self.insert(0),
            (Place::After(_), Some(at)) => self.insert_unless_there(at),
            (Place::Before(_), Some(at)) => self.insert(at),
            _ => {
                self.end_last_line();
                self.insert(self.lines.len())
            }
        })
    }

    /// The line that `regexp` or `search_string` finds: the last one, or the first.
    fn matching(&self) -> Result<Option<(usize, Option<Found>)>, Failure> {
        let mut hit = None;
        for (at, current) in self.lines.iter().enumerate() {
            let found = match (&self.regex, &self.search) {
                (Some(regex), _) => regex.search(current)?.map(Some),
                (None, Some(text)) => current.contains(text.as_str()).then_some(None),
                (None, None) => return Ok(None),
            };
            if let Some(found) = found {
                hit = Some((at, found));
                if self.first {
                    break;
                }
            }
        }
        Ok(hit)
    }

    /// The same line somewhere, and the place that `insertafter` or `insertbefore` names.
    fn scan(&self) -> Result<(Option<usize>, Option<usize>), Failure> {
        let (mut exact, mut near) = (None, None);
        for (at, current) in self.lines.iter().enumerate() {
            if bare(current) == self.line {
                exact = Some(at);
                continue;
            }
            let place = match &self.place {
                Place::After(regex) if regex.is_match(current)? => Some(at + 1),
                Place::Before(regex) if regex.is_match(current)? => Some(at),
                _ => None,
            };
            if place.is_some() {
                near = place;
                if self.first {
                    break;
                }
            }
        }
        Ok((exact, near))
    }

    fn replace(&mut self, at: usize, mut new: String) -> &'static str {
        if !new.ends_with('\n') {
            new.push('\n');
        }
        if self.lines[at] == new {
            return "";
        }
        self.lines[at] = new;
        "line replaced"
    }

    fn insert_unless_there(&mut self, at: usize) -> &'static str {
        let neighbour = self.lines.get(at).or_else(|| self.lines.last());
        if neighbour.is_some_and(|line| bare(line) == self.line) {
            return "";
        }
        if at == self.lines.len() {
            self.end_last_line();
        }
        self.insert(at)
    }

    fn insert(&mut self, at: usize) -> &'static str {
        self.lines.insert(at, format!("{}\n", self.line));
        "line added"
    }

    fn end_last_line(&mut self) {
        if let Some(last) = self.lines.last_mut().filter(|last| !last.ends_with(['\n', '\r'])) {
            last.push('\n');
        }
    }
}
