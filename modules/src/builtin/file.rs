//! `file`: makes, alters and removes files, directories and links. Links are in `file_links.rs`, times in `file_times.rs`.

use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::file_links::{hard_link, symbolic_link};
use super::file_times::Times;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};
use crate::system::FileKind;

/// The module.
pub struct File;

impl Module for File {
    const SPEC: Spec = Spec {
        file_args: true,
        ..Spec::new(
            "file",
            "Makes, alters and removes files, directories and links.",
            &[
                Arg::path("path", "What to manage.").alias(&["dest", "name"]).required(),
                Arg::str("state", "What it shall be; by default what it is, or `file`.").choices(&["absent", "directory", "file", "hard", "link", "touch"]),
                Arg::str("_original_basename", ""),
                Arg::flag("recurse", false, "Give the attributes to everything in the directory too."),
                Arg::flag("force", false, "Make links in place of files, and links to nothing."),
                Arg::flag("follow", true, "Manage what a link points to, not the link."),
                Arg::bool("_diff_peek", ""),
                Arg::path("src", "What a link points to."),
                Arg::str("modification_time", "Time of modification: `preserve`, `now` or a time in `modification_time_format`."),
                Arg::str("modification_time_format", "Format of `modification_time` as for strptime.").default(Preset::Str("%Y%m%d%H%M.%S")),
                Arg::str("access_time", "Time of access: `preserve`, `now` or a time in `access_time_format`."),
                Arg::str("access_time_format", "Format of `access_time` as for strptime.").default(Preset::Str("%Y%m%d%H%M.%S")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let mut request = Request::read(args, cx)?;
        match request.state {
            State::Absent => absent(&request, cx),
            State::Directory => directory(&mut request, cx),
            State::File => file(&mut request, cx),
            State::Touch => touch(&request, cx),
            State::Link => symbolic_link(&request, cx),
            State::Hard => hard_link(&request, cx),
        }
    }
}

/// What a path is, or shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    Directory,
    File,
    Hard,
    Link,
    Touch,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Absent => "absent",
            State::Directory => "directory",
            State::File => "file",
            State::Hard => "hard",
            State::Link => "link",
            State::Touch => "touch",
        }
    }

    fn parse(name: &str) -> Option<State> {
        [State::Absent, State::Directory, State::File, State::Hard, State::Link, State::Touch].into_iter().find(|state| state.name() == name)
    }
}

/// What a path is now.
pub(super) fn state_of(cx: &Context<'_>, path: &Path) -> Result<State, Failure> {
    Ok(match cx.lstat(path)? {
        None => State::Absent,
        Some(stat) => match stat.kind {
            FileKind::Link => State::Link,
            FileKind::Dir => State::Directory,
            _ if stat.nlink > 1 => State::Hard,
            _ => State::File,
        },
    })
}

/// The arguments, put in order.
pub(super) struct Request {
    pub path: PathBuf,
    pub src: Option<String>,
    pub state: State,
    pub recurse: bool,
    pub force: bool,
    pub follow: bool,
    pub attributes: Attributes,
    pub times: Times,
}

impl Request {
    fn read(args: &Args, cx: &Context<'_>) -> Result<Request, Failure> {
        let mut path = trimmed(args.text("path"));
        let asked = args.str("state").and_then(State::parse);
        let src = args.str("src").map(str::to_owned);
        let inside = args.str("_original_basename").or(src.as_deref().and_then(|src| Path::new(src).file_name()?.to_str()));
        if let Some(name) = inside
            && !matches!(asked, Some(State::Link | State::Absent))
            && cx.stat(&path)?.is_some_and(|stat| stat.is_dir())
        {
            path = path.join(name);
        }
        let recurse = args.flag("recurse");
        let state = match (asked, state_of(cx, &path)?) {
            (Some(state), _) => state,
            (None, State::Absent) if recurse => State::Directory,
            (None, State::Absent) => State::File,
            (None, now) => now,
        };
        let refuse = |msg: &str| Err(Failure::new(msg).with("path", path.to_string_lossy()));
        if recurse && state != State::Directory {
            return refuse("recurse option requires state to be 'directory'");
        }
        if src.is_some() && !matches!(state, State::Link | State::Hard) {
            return refuse("src option requires state to be 'link' or 'hard'");
        }
        Ok(Request {
            src,
            state,
            recurse,
            force: args.flag("force"),
            follow: args.flag("follow"),
            attributes: if state == State::Absent { Attributes::default() } else { Attributes::from_args(args, cx)? },
            times: Times::read(args, state == State::Touch)?,
            path,
        })
    }

    /// The path whose attributes are set: behind a link when it is followed.
    pub(super) fn target(&self, cx: &Context<'_>) -> Result<PathBuf, Failure> {
        let is_link = cx.lstat(&self.path)?.is_some_and(|stat| stat.is_link());
        Ok(if self.follow && is_link { cx.real_path(&self.path) } else { self.path.clone() })
    }

    pub(super) fn fail<T>(&self, msg: String) -> Result<T, Failure> {
        Err(Failure::new(msg).with("path", self.path.to_string_lossy()))
    }
}

fn trimmed(path: &str) -> PathBuf {
    let short = path.trim_end_matches('/');
    PathBuf::from(if short.is_empty() && !path.is_empty() { "/" } else { short })
}

/// The diff that the states begin with.
pub(super) fn initial_diff(path: &Path, state: State, before: State) -> AttributeDiff {
    let mut diff = AttributeDiff::default();
    let shown = path.to_string_lossy();
    diff.note("path", &*shown, &*shown);
    if state != before {
        diff.note("state", before.name(), state.name());
    }
    diff
}

/// An outcome with `path` or `dest` and the diff.
pub(super) fn outcome(cx: &Context<'_>, key: &str, path: &Path, diff: &AttributeDiff, changed: bool) -> Outcome {
    let outcome = Outcome::new(changed).with(key, path.to_string_lossy());
    if cx.wants_diff() { outcome.with("diff", diff.value()) } else { outcome }
}

fn absent(request: &Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let path = &request.path;
    let before = state_of(cx, path)?;
    let mut diff = initial_diff(path, State::Absent, before);
    if before == State::Directory && cx.wants_diff() {
        let mut content = json!({"directories": [], "files": []});
        walk(cx, path, &mut |found, is_dir| {
            let list = content.get_mut(if is_dir { "directories" } else { "files" }).and_then(Value::as_array_mut);
            list.into_iter().for_each(|list| list.push(json!(found.to_string_lossy())));
        });
        diff.before.insert("path_content".into(), content);
    }
    let what = if before == State::Directory { "rmtree failed" } else { "Unlinking failed" };
    let changed = cx
        .apply(Change::Remove { path: path.clone() })
        .map_err(|failure| Failure { msg: format!("{what}: {}", failure.msg), ..failure.with("path", path.to_string_lossy()) })?;
    let outcome = if changed { outcome(cx, "path", path, &diff, true) } else { Outcome::new(false).with("path", path.to_string_lossy()) };
    Ok(outcome.with("state", "absent"))
}

/// Calls `visit` for everything below a directory, links not followed.
pub(super) fn walk(cx: &Context<'_>, dir: &Path, visit: &mut dyn FnMut(&Path, bool)) {
    for name in cx.system().list(dir).unwrap_or_default() {
        let path = dir.join(name);
        let is_dir = cx.system().lstat(&path).is_ok_and(|stat| stat.is_dir());
        visit(&path, is_dir);
        if is_dir {
            walk(cx, &path, visit);
        }
    }
}

fn file(request: &mut Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut before = state_of(cx, &request.path)?;
    if request.follow && before == State::Link {
        request.path = cx.real_path(&request.path);
        before = state_of(cx, &request.path)?;
    }
    if !matches!(before, State::File | State::Hard) {
        let msg = format!("file ({}) is {}, cannot continue", request.path.display(), before.name());
        return Err(Failure::new(msg).with("path", request.path.to_string_lossy()).with("state", before.name()));
    }
    let mut diff = initial_diff(&request.path, State::File, before);
    let mut changed = cx.set_attributes(&request.path, &request.attributes, &mut diff)?;
    changed |= request.times.set(cx, &request.path, &mut diff)?;
    Ok(outcome(cx, "path", &request.path, &diff, changed))
}

fn directory(request: &mut Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut before = state_of(cx, &request.path)?;
    if request.follow && before == State::Link {
        request.path = cx.real_path(&request.path);
        before = state_of(cx, &request.path)?;
    }
    let path = request.path.clone();
    let mut diff = initial_diff(&path, State::Directory, before);
    let mut changed = match before {
        State::Absent => make_directories(cx, request, &mut diff)?,
        State::Directory => false,
        other => return request.fail(format!("{} already exists as a {}", path.display(), other.name())),
    };
    changed |= cx.set_attributes(&path, &request.attributes, &mut diff)?;
    changed |= request.times.set(cx, &path, &mut diff)?;
    if request.recurse {
        changed |= recurse(cx, request, &path, 0)?;
    }
    Ok(outcome(cx, "path", &path, &diff, changed))
}

/// Makes the directory and every missing one above it, all with the attributes asked for.
fn make_directories(cx: &mut Context<'_>, request: &Request, diff: &mut AttributeDiff) -> Result<bool, Failure> {
    let mut current = PathBuf::new();
    let mut changed = false;
    for part in request.path.components() {
        current.push(part);
        if !matches!(part, Component::Normal(_)) || cx.stat(&current)?.is_some() {
            continue;
        }
        let umask = cx.umask();
        let mode = request.attributes.initial_mode(true, umask);
        let change = Change::Dir { path: current.clone(), mode: Some(mode), uid: request.attributes.uid, gid: request.attributes.gid };
        cx.apply(change).map_err(|failure| failure.with("path", request.path.to_string_lossy()))?;
        cx.set_attributes(&current, &request.attributes, &mut AttributeDiff::default())?;
        changed = true;
    }
    if request.attributes.mode.is_some() && changed {
        let now = cx.lstat(&request.path)?.map_or(0, |stat| stat.mode);
        let default = 0o777 & !cx.umask();
        if now != default {
            diff.note("mode", crate::attributes::octal(default), crate::attributes::octal(now));
        }
    }
    Ok(changed)
}

fn recurse(cx: &mut Context<'_>, request: &Request, dir: &Path, depth: usize) -> Result<bool, Failure> {
    let mut found = vec![];
    walk(cx, dir, &mut |path, _| found.push(path.to_owned()));
    let mut changed = false;
    for path in found {
        changed |= set_one(cx, request, &path)?;
        let is_link = cx.lstat(&path)?.is_some_and(|stat| stat.is_link());
        if !is_link || !request.follow || depth > 20 {
            continue;
        }
        let target = cx.real_path(&path);
        match cx.lstat(&target)? {
            None => {}
            Some(stat) => {
                changed |= stat.is_dir() && recurse(cx, request, &target, depth + 1)?;
                changed |= set_one(cx, request, &target)?;
            }
        }
    }
    Ok(changed)
}

fn set_one(cx: &mut Context<'_>, request: &Request, path: &Path) -> Result<bool, Failure> {
    let mut diff = AttributeDiff::default();
    let changed = cx.set_attributes(path, &request.attributes, &mut diff)?;
    Ok(changed | request.times.set(cx, path, &mut diff)?)
}

fn touch(request: &Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let before = state_of(cx, &request.path)?;
    let mut diff = initial_diff(&request.path, State::Touch, before);
    let mut changed = false;
    if before == State::Absent {
        let umask = cx.umask();
        let change = Change::File {
            path: request.path.clone(),
            content: Content::Bytes(vec![]),
            mode: Some(request.attributes.initial_mode(false, umask)),
            uid: request.attributes.uid,
            gid: request.attributes.gid,
        };
        let failed = |failure: Failure| Failure {
            msg: format!("Error, could not touch target: {}", failure.msg),
            ..failure.with("path", request.path.to_string_lossy())
        };
        changed = cx.apply(change).map_err(failed)?;
    }
    let target = request.target(cx)?;
    changed |= cx.set_attributes(&target, &request.attributes, &mut diff)?;
    changed |= request.times.set(cx, &target, &mut diff)?;
    Ok(outcome(cx, "dest", &request.path, &diff, changed))
}
