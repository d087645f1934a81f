//! `_tree`: what is below a path, for moving trees without rsync. The `synchronize` action calls it on the side that gives; `tree_apply.rs` is the other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tree_rules::Rules;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::system::{FileKind, Stat, Time};

/// The module.
pub struct Tree;

/// What an entry of a tree is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Node {
    /// A directory.
    Dir,
    /// A regular file.
    File { size: u64, sha256: String },
    /// A symbolic link.
    Link { target: PathBuf },
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Below the root; empty for the root itself.
    pub name: PathBuf,
    /// Type and content.
    pub node: Node,
    /// Permission bits.
    pub mode: u32,
    /// Last write.
    pub mtime: Time,
    /// Owner and group, by name where they have one.
    pub owner: (String, u32),
    /// As `owner`.
    pub group: (String, u32),
}

impl Module for Tree {
    const SPEC: Spec = Spec::new(
        "_tree",
        "Lists what is below a path.",
        &[
            Arg::path("path", "The root; with a final slash what is in it.").required(),
            Arg::list("rules", Kind::Str, "Names to leave out (`- NAME`) or to keep (`+ NAME`).").default(Preset::List(&[])),
            Arg::flag("recursive", true, "Look into directories."),
            Arg::flag("dirs", false, "Take directories without looking into them."),
            Arg::flag("follow", false, "Take what links point to."),
            Arg::flag("links", true, "Take links."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let written = args.text("path");
        let root = Path::new(written);
        let mut listing = Listing { rules: Rules::read(&args.texts("rules"))?, args, entries: vec![], skipped: vec![] };
        let content_only = written.ends_with('/') || root.file_name().is_none();
        let name = if content_only { PathBuf::new() } else { root.file_name().map(PathBuf::from).unwrap_or_default() };
        let Some(stat) = (if content_only { cx.stat(root)? } else { cx.lstat(root)? }) else {
            return Err(Failure::new(format!("rsync: link_stat \"{written}\" failed: No such file or directory (2)")));
        };
        listing.add(cx, root, name, stat)?;
        let outcome = Outcome::new(false).with("entries", json!(listing.entries)).with("skipped_names", json!(listing.skipped));
        Ok(outcome.with("content_only", content_only))
    }
}

struct Listing<'a> {
    rules: Rules,
    args: &'a Args,
    entries: Vec<Entry>,
    skipped: Vec<String>,
}

impl Listing<'_> {
    /// One path and what is below; folders before what is in them, in order of names.
    fn add(&mut self, cx: &Context<'_>, path: &Path, name: PathBuf, stat: Stat) -> Result<(), Failure> {
        cx.control().check()?;
        let stat = match stat.is_link() && self.args.flag("follow") {
            true => cx.stat(path)?.unwrap_or(stat),
            false => stat,
        };
        if !name.as_os_str().is_empty() && self.rules.leave_out(&name.to_string_lossy(), stat.is_dir()) {
            return Ok(());
        }
        let node = match stat.kind {
            FileKind::Dir if !self.args.flag("recursive") && !self.args.flag("dirs") => return self.skip("directory", &name),
            FileKind::Dir => Node::Dir,
            FileKind::File if name.ends_with(".rsync-filter") => {
                return Err(Failure::new(format!("{} holds rules that only rsync itself knows: it is needed on both sides", path.display())));
            }
            FileKind::File => Node::File { size: stat.size, sha256: cx.digest(path, "sha256")? },
            FileKind::Link if self.args.flag("links") => {
                let target = cx.system().read_link(path).map_err(Failure::from)?;
                Node::Link { target }
            }
            _ => return self.skip("non-regular file", &name),
        };
        let below = node == Node::Dir && (self.args.flag("recursive") || name.as_os_str().is_empty());
        self.entries.push(entry(cx, name.clone(), node, &stat));
        if below {
            for file in cx.system().list(path).map_err(Failure::from)? {
                let inner = path.join(&file);
                let Some(stat) = cx.lstat(&inner)? else { continue };
                self.add(cx, &inner, name.join(&file), stat)?;
            }
        }
        Ok(())
    }

    fn skip(&mut self, what: &str, name: &Path) -> Result<(), Failure> {
        let shown = if name.as_os_str().is_empty() { ".".into() } else { name.to_string_lossy() };
        self.skipped.push(format!("skipping {what} {shown}"));
        Ok(())
    }
}

fn entry(cx: &Context<'_>, name: PathBuf, node: Node, stat: &Stat) -> Entry {
    let owner = cx.user_by_id(stat.uid).map_or_else(String::new, |user| user.name);
    let group = cx.group_by_id(stat.gid).map_or_else(String::new, |group| group.name);
    Entry { name, node, mode: stat.mode, mtime: stat.mtime, owner: (owner, stat.uid), group: (group, stat.gid) }
}
