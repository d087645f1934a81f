//! Symbolic and hard links of the `file` module.

use std::path::{Path, PathBuf};

use super::file::{Request, State, initial_diff, outcome, state_of};
use crate::change::Change;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};

pub(super) fn symbolic_link(request: &Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let path = &request.path;
    let before = state_of(cx, path)?;
    let old = cx.system().read_link(path).ok();
    let src = match &request.src {
        Some(src) => Some(PathBuf::from(src)),
        None if request.follow => old.clone(),
        None => None,
    };
    check_source(request, cx, src.as_deref(), before)?;
    check_place(request, cx, before)?;
    let mut diff = initial_diff(path, State::Link, before);
    if before != State::Link && src.is_none() {
        return Err(Failure::new("src is required for creating new symlinks"));
    }
    let mut changed = false;
    if let Some(src) = &src
        && old.as_ref() != Some(src)
    {
        if let Some(old) = &old {
            diff.note("src", old.to_string_lossy(), src.to_string_lossy());
        }
        if before == State::Directory {
            cx.apply(Change::Remove { path: path.clone() })?;
        }
        let failed = |failure: Failure| Failure { msg: format!("Error while linking: {}", failure.msg), ..failure.with("path", path.to_string_lossy()) };
        changed = cx.apply(Change::Link { path: path.clone(), target: src.clone() }).map_err(failed)?;
    }
    let target = request.target(cx)?;
    if request.follow && cx.stat(&target)?.is_none() {
        cx.warn("Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.");
    } else {
        changed |= cx.set_attributes(&target, &request.attributes, &mut diff)?;
        changed |= request.times.set(cx, &target, &mut diff)?;
    }
    Ok(outcome(cx, "dest", path, &diff, changed).maybe("src", src.map(|src| src.to_string_lossy().into_owned())))
}

/// Without `force` a link must point to something.
fn check_source(request: &Request, cx: &Context<'_>, src: Option<&Path>, before: State) -> Result<(), Failure> {
    let Some(src) = src else { return Ok(()) };
    let base = if before == State::Directory { request.path.as_path() } else { request.path.parent().unwrap_or(Path::new("")) };
    let absolute = base.join(src);
    if request.force || cx.stat(&absolute)?.is_some() {
        return Ok(());
    }
    let msg = format!("src file does not exist, use 'force=yes' if you really want to create the link: {}", absolute.display());
    Err(Failure::new(msg).with("path", request.path.to_string_lossy()).with("src", src.to_string_lossy()))
}

/// Without `force` nothing but a link is replaced; a directory only when it is empty.
fn check_place(request: &Request, cx: &Context<'_>, before: State) -> Result<(), Failure> {
    let path = &request.path;
    match before {
        State::Directory | State::File | State::Hard if !request.force => {
            request.fail(format!("refusing to convert from {} to symlink for {}", before.name(), path.display()))
        }
        State::Directory => match cx.system().list(path)?.is_empty() {
            true => Ok(()),
            false => request.fail(format!("the directory {} is not empty, refusing to convert it", path.display())),
        },
        _ => Ok(()),
    }
}

pub(super) fn hard_link(request: &Request, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let path = &request.path;
    let before = state_of(cx, path)?;
    let src = request.src.clone();
    let mut diff = initial_diff(path, State::Hard, before);
    if before != State::Hard && src.is_none() {
        return Err(Failure::new("src is required for creating new hardlinks"));
    }
    let mut changed = false;
    if let Some(src) = &src {
        changed = make_hard_link(request, cx, src, before, &mut diff)?;
    }
    let target = request.target(cx)?;
    changed |= cx.set_attributes(&target, &request.attributes, &mut diff)?;
    changed |= request.times.set(cx, &target, &mut diff)?;
    Ok(outcome(cx, "dest", path, &diff, changed).maybe("src", src))
}

fn make_hard_link(request: &Request, cx: &mut Context<'_>, src: &str, before: State, diff: &mut crate::attributes::AttributeDiff) -> Result<bool, Failure> {
    let path = &request.path;
    let refuse = |msg: String| Err(Failure::new(msg).with("dest", path.to_string_lossy()).with("src", src));
    let source = if request.follow { cx.real_path(Path::new(src)) } else { PathBuf::from(src) };
    let Some(wanted) = cx.stat(&source)? else { return refuse("src does not exist".into()) };
    if let Some(now) = cx.lstat(path)? {
        if (now.inode, now.dev) == (wanted.inode, wanted.dev) {
            return Ok(false);
        }
        match before {
            State::Hard if !request.force => return refuse("Cannot link, different hard link exists at destination".into()),
            State::File if !request.force => return refuse("Cannot link, file exists at destination".into()),
            State::Directory => return refuse("Cannot link: different hard link exists at destination".into()),
            _ => {}
        }
    }
    if let Ok(old) = cx.system().read_link(path) {
        diff.note("src", old.to_string_lossy(), src);
    }
    let failed = |failure: Failure| Failure { msg: format!("Error while linking: {}", failure.msg), ..failure.with("path", path.to_string_lossy()) };
    cx.apply(Change::Hardlink { path: path.clone(), source }).map_err(failed)
}
