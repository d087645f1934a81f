//! `apt_repository`: one line of apt's sources, in `sources.list` or a file beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::apt::update::{Patience, refresh};
use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct AptRepository;

impl Module for AptRepository {
    const SPEC: Spec = Spec::new(
        "apt_repository",
        "Adds and removes lines of apt's sources.",
        &[
            Arg::str("repo", "The line, such as `deb http://archive.example.com/debian stable main`.").required(),
            Arg::str("state", "Whether the line shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
            Arg::raw("mode", "Permissions of a new file, octal (quoted) or symbolic."),
            Arg::flag("update_cache", true, "Read the package lists anew after a change.").alias(&["update-cache"]),
            Arg::int("update_cache_retries", "How often that is tried.").default(Preset::Int(5)),
            Arg::int("update_cache_retry_max_delay", "Most seconds between two tries.").default(Preset::Int(12)),
            Arg::str("filename", "Name of the file without `.list`; made from the line by default."),
            Arg::flag("install_python_apt", true, "Of no effect: nothing has to be installed for this module."),
            Arg::flag("validate_certs", true, "Of no effect without PPAs."),
            Arg::str("codename", "Codename for PPAs; not supported."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let repo = args.text("repo");
        if repo.is_empty() {
            return Err("Please set argument 'repo' to a non-empty value".into());
        }
        if repo.starts_with("ppa:") || args.has("codename") {
            return Err(Failure::new(format!(
                "{repo}: PPAs are not supported; give the repository's URL and key to deb822_repository \
                 (https://ppa.launchpadcontent.net/OWNER/NAME/ubuntu)"
            )));
        }
        let wanted = Line::parse(repo);
        if !wanted.valid || !wanted.enabled {
            return Err(Failure::new(format!("Invalid repository string: {}", wanted.source)));
        }
        let mut sources = Sources::read(cx)?;
        let before = sources.dump();
        let added = if args.text("state") == "present" { sources.add(args, &wanted.source) } else { sources.remove(&wanted.source) };
        let after = sources.dump();
        let diff = diff(cx, &before, &after);
        if before != after {
            save(args, cx, &before, &after, added.as_deref())?;
        }
        let only_in = |a: &Files, b: &Files| a.keys().filter(|path| !b.contains_key(*path)).map(|path| json!(path.to_string_lossy())).collect::<Vec<_>>();
        let outcome = Outcome::new(before != after).with("repo", repo).with("state", args.text("state"));
        let outcome = outcome.with("sources_added", only_in(&after, &before)).with("sources_removed", only_in(&before, &after));
        Ok(outcome.with("diff", diff))
    }
}

/// Files and their text.
type Files = BTreeMap<PathBuf, String>;

/// A line of a file of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    valid: bool,
    enabled: bool,
    source: String,
    comment: String,
}

impl Line {
    fn parse(text: &str) -> Line {
        let text = text.trim();
        let (enabled, text) = text.strip_prefix('#').map_or((true, text), |rest| (false, rest));
        let (text, comment) = match text.find('#') {
            Some(at) if at > 0 => (&text[..at], text[at + 1..].trim()),
            _ => (text, ""),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let valid = words.first().is_some_and(|word| ["deb", "deb-src"].contains(word));
        let source = if valid { words.join(" ") } else { text.trim().to_owned() };
        Line { valid, enabled, source, comment: comment.to_owned() }
    }

    fn shown(&self) -> String {
        let off = if self.enabled { "" } else { "# " };
        let comment = if self.comment.is_empty() { String::new() } else { format!(" # {}", self.comment) };
        format!("{off}{}{comment}\n", self.source)
    }
}

/// Every line of every file of sources.
struct Sources {
    parts: PathBuf,
    files: BTreeMap<PathBuf, Vec<Line>>,
}

impl Sources {
    fn read(cx: &Context<'_>) -> Result<Sources, Failure> {
        let asking = Program::new([cx.require_program("apt-config")?]).args(["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]);
        let run = cx.probe(&asking)?;
        let out = run.out();
        let value = |name: &str| out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(|text| PathBuf::from(text.trim_matches('\'')));
        let (Some(list), Some(parts)) = (value("LIST"), value("PARTS")) else {
            return Err(Failure::new(format!("apt-config does not say where the sources are: {}{out}", run.err())));
        };
        let mut paths: Vec<PathBuf> = cx.stat(&list)?.filter(|stat| stat.is_file()).map(|_| list).into_iter().collect();
        if cx.stat(&parts)?.is_some() {
            let names = cx.system().list(&parts).map_err(Failure::from)?;
            let named = names.iter().filter(|name| name.to_string_lossy().ends_with(".list") && !name.to_string_lossy().starts_with('.'));
            paths.extend(named.map(|name| parts.join(name)));
        }
        let read = |path: PathBuf| Ok::<_, Failure>((path.clone(), cx.read_text(&path)?.content.lines().map(Line::parse).collect()));
        Ok(Sources { parts, files: paths.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The files that have any line.
    fn dump(&self) -> Files {
        let filled = self.files.iter().filter(|(_, lines)| !lines.is_empty());
        filled.map(|(path, lines)| (path.clone(), lines.iter().map(Line::shown).collect())).collect()
    }

    /// Enables the line where it is, or puts it into a file of its own; that file.
    fn add(&mut self, args: &Args, source: &str) -> Option<PathBuf> {
        let mut found = false;
        for line in self.files.values_mut().flatten().filter(|line| line.valid && line.source == source) {
            line.enabled = true;
            found = true;
        }
        if found {
            return None;
        }
        let name = args.str("filename").map_or_else(|| suggest(source), |name| format!("{name}.list"));
        let path = if name.contains('/') { PathBuf::from(name) } else { self.parts.join(name) };
        let line = Line { valid: true, enabled: true, source: source.to_owned(), comment: String::new() };
        self.files.entry(path.clone()).or_default().push(line);
        Some(path)
    }

    fn remove(&mut self, source: &str) -> Option<PathBuf> {
        self.files.values_mut().for_each(|lines| lines.retain(|line| !(line.valid && line.enabled && line.source == source)));
        None
    }
}

/// A file's name from a line: its URL without protocol and user.
fn suggest(source: &str) -> String {
    let mut plain = String::new();
    let mut rest = source;
    while let Some((head, tail)) = rest.split_once('[') {
        plain.push_str(head);
        rest = tail.split_once(']').map_or("", |(_, tail)| tail);
    }
    plain.push_str(rest);
    let url = plain.split_whitespace().find(|word| !["deb", "deb-src"].contains(word)).unwrap_or_default();
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let url = url.split_once('@').map_or(url, |(_, rest)| rest);
    let words: Vec<&str> = url.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}.list", words.join("_"))
}

fn diff(cx: &Context<'_>, before: &Files, after: &Files) -> Value {
    if !cx.wants_diff() {
        return json!([]);
    }
    let paths: Vec<&PathBuf> =
        before.keys().chain(after.keys().filter(|path| !before.contains_key(*path))).filter(|path| before.get(*path) != after.get(*path)).collect();
    let header = |files: &Files, path: &PathBuf| if files.contains_key(path) { path.to_string_lossy().into_owned() } else { "/dev/null".into() };
    let text = |files: &Files, path: &PathBuf| files.get(path).cloned().unwrap_or_default();
    let one = |path: &&PathBuf| {
        json!({"before": text(before, path), "after": text(after, path),
               "before_header": header(before, path), "after_header": header(after, path)})
    };
    paths.iter().map(one).collect()
}

/// Writes what differs and reads the lists anew; when that fails, the files are as before again.
fn save(args: &Args, cx: &mut Context<'_>, before: &Files, after: &Files, new: Option<&Path>) -> Result<(), Failure> {
    put(args, cx, before, after, new)?;
    if !args.flag("update_cache") {
        return Ok(());
    }
    match refresh(cx, &Patience::from_args(args)) {
        Ok(()) => Ok(()),
        Err(failure) => {
            put(args, cx, after, before, None)?;
            Err(failure)
        }
    }
}

fn put(args: &Args, cx: &mut Context<'_>, before: &Files, after: &Files, new: Option<&Path>) -> Result<(), Failure> {
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        cx.apply(Change::Remove { path: path.clone() })?;
    }
    for (path, text) in after.iter().filter(|(path, text)| before.get(*path) != Some(*text)) {
        let path = cx.real_path(path);
        if let Some(dir) = path.parent().filter(|dir| cx.stat(dir).is_ok_and(|stat| stat.is_none())) {
            cx.apply(Change::Dir { path: dir.to_owned(), mode: None, uid: None, gid: None })?;
        }
        let attributes = if new == Some(path.as_path()) { Attributes::from_args(args, cx)? } else { Attributes::default() };
        let content = Content::Bytes(text.clone().into_bytes());
        cx.write(Write { path: &path, content, attributes: &attributes, backup: false, validate: None })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_shown_as_they_are_kept() {
        let line = Line::parse("  # deb  http://x/debian   stable main # no more");
        assert_eq!((line.valid, line.enabled, line.source.as_str(), line.comment.as_str()), (true, false, "deb http://x/debian stable main", "no more"));
        assert_eq!(line.shown(), "# deb http://x/debian stable main # no more\n");
        assert!(!Line::parse("# a comment").valid);
        assert_eq!(Line::parse("").shown(), "\n");
    }

    #[test]
    fn names_of_files_come_from_urls() {
        assert_eq!(suggest("deb http://me:pw@archive.example.com/a-b/ubuntu stable main"), "archive_example_com_a_b_ubuntu.list");
        assert_eq!(suggest("deb [arch=amd64 signed-by=/k] https://x.y/z ./"), "x_y_z.list");
        assert_eq!(suggest("deb-src file:///opt/repo ./"), "opt_repo.list");
    }
}
