//! `copy` with `remote_src` of a whole directory: everything that is absent or differs is copied, nothing is removed.

use std::path::{Path, PathBuf};

use super::copy::same_files;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::Change;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::system::Stat;

/// What every file of a tree is copied with.
struct Tree {
    /// Links are followed.
    follow: bool,
    /// Owner and group.
    owner: Attributes,
}

pub(super) fn copy_tree(args: &Args, cx: &mut Context<'_>, src: &str) -> Result<Outcome, Failure> {
    let source = Path::new(src);
    let mut dest = PathBuf::from(args.text("dest"));
    if !src.ends_with('/')
        && let Some(name) = source.file_name()
    {
        dest.push(name);
    }
    let wanted = Attributes::from_args(args, cx)?;
    let owner = Attributes { mode: None, flags: None, ..wanted.clone() };
    let tree = Tree { follow: args.bool("local_follow").unwrap_or(true), owner };
    make_parents(cx, &dest)?;
    copy_dir(cx, &tree, source, &dest)?;
    let top = PathBuf::from(args.text("dest"));
    cx.set_attributes(&top, &wanted, &mut AttributeDiff::default())?;
    Ok(Outcome::new(cx.changed()).with("dest", args.text("dest")).with("src", src))
}

fn make_parents(cx: &mut Context<'_>, dest: &Path) -> Result<(), Failure> {
    let mut missing = vec![];
    for dir in dest.ancestors().skip(1) {
        if dir.as_os_str().is_empty() || cx.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for path in missing.into_iter().rev() {
        cx.apply(Change::Dir { path, mode: None, uid: None, gid: None })?;
    }
    Ok(())
}

fn copy_dir(cx: &mut Context<'_>, tree: &Tree, src: &Path, dest: &Path) -> Result<(), Failure> {
    let Some(stat) = cx.stat(src)? else { return Ok(()) };
    cx.apply(Change::Dir { path: dest.to_owned(), mode: Some(stat.mode), uid: None, gid: None })?;
    cx.set_attributes(dest, &tree.owner, &mut AttributeDiff::default())?;
    for name in cx.system().list(src)? {
        let (from, to) = (src.join(&name), dest.join(&name));
        let Some(stat) = cx.lstat(&from)? else { continue };
        match cx.stat(&from)? {
            _ if stat.is_link() && !tree.follow => {
                let target = cx.system().read_link(&from)?;
                cx.apply(Change::Link { path: to, target })?;
            }
            Some(behind) if behind.is_dir() => copy_dir(cx, tree, &from, &to)?,
            Some(behind) if behind.is_file() => copy_one(cx, tree, &from, &to, &behind)?,
            _ => {}
        }
    }
    Ok(())
}

fn copy_one(cx: &mut Context<'_>, tree: &Tree, from: &Path, to: &Path, stat: &Stat) -> Result<(), Failure> {
    let there = cx.stat(to)?.is_some_and(|stat| stat.is_file());
    if !there || !same_files(cx, from, to)? {
        let content = cx.content_of(from)?;
        cx.apply(Change::File { path: to.to_owned(), content, mode: Some(stat.mode), uid: None, gid: None })?;
    }
    cx.set_attributes(to, &tree.owner, &mut AttributeDiff::default()).map(drop)
}
