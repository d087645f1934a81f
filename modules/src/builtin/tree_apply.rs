//! `_tree_apply`: makes a directory like the tree that `_tree` listed on the other side; says what it did in rsync's itemised lines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::tree::{Entry, Node};
use super::tree_rules::Rules;
use crate::args::Args;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::system::Stat;

/// The module.
pub struct TreeApply;

impl Module for TreeApply {
    const SPEC: Spec = Spec::new(
        "_tree_apply",
        "Makes a directory like another one.",
        &[
            Arg::path("dest", "Where to.").required(),
            Arg::raw("entries", "The other tree.").required(),
            Arg::list("rules", Kind::Str, "Names to leave alone.").default(Preset::List(&[])),
            Arg::flag("content_only", false, "The root of the other tree is `dest` itself."),
            Arg::flag("delete", false, "Remove what the other tree lacks."),
            Arg::flag("existing_only", false, "Make nothing new."),
            Arg::flag("checksum", false, "Compare content even where size and time agree."),
            Arg::flag("perms", true, "Set permissions."),
            Arg::flag("times", true, "Set times of modification."),
            Arg::flag("owner", true, "Set owners, as root."),
            Arg::flag("group", true, "Set groups, as root."),
            Arg::str("sign", "What begins the line of a file that was moved.").choices(&["<", ">"]).default(Preset::Str(">")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let entries: Vec<Entry> = serde_json::from_value(args.get("entries").cloned().unwrap_or_default())
            .map_err(|error| Failure::new(format!("the listing of the other side cannot be read: {error}")))?;
        let mut work = Work { args, root: root(args, cx, &entries)?, lines: vec![], times: vec![], super_user: rustix::process::geteuid().is_root() };
        for entry in &entries {
            cx.control().check()?;
            work.one(cx, entry)?;
        }
        if args.flag("delete") {
            work.delete(cx, &entries)?;
        }
        work.set_directory_times(cx)?;
        Ok(Outcome::new(!work.lines.is_empty()).with("lines", json!(work.lines)))
    }
}

/// Where the names of the entries begin. One file may get another name.
fn root(args: &Args, cx: &mut Context<'_>, entries: &[Entry]) -> Result<Root, Failure> {
    let written = args.text("dest");
    let dest = PathBuf::from(written);
    let is_dir = cx.stat(&dest)?.is_some_and(|stat| stat.is_dir());
    if let ([only], false, false) = (entries, written.ends_with('/'), is_dir)
        && only.node != Node::Dir
    {
        return Ok(Root::File(dest));
    }
    if !is_dir {
        let parent = dest.parent().unwrap_or(Path::new("/"));
        if !cx.stat(parent)?.is_some_and(|stat| stat.is_dir()) {
            return Err(Failure::new(format!("rsync: mkdir \"{written}\" failed: No such file or directory (2)")));
        }
        if !args.flag("existing_only") {
            cx.apply(Change::Dir { path: dest.clone(), mode: None, uid: None, gid: None })?;
            return Ok(Root::New(dest));
        }
    }
    Ok(Root::Dir(dest))
}

enum Root {
    /// The one file that is moved gets this name.
    File(PathBuf),
    /// Names stand below it.
    Dir(PathBuf),
    /// As `Dir`, just made.
    New(PathBuf),
}

struct Work<'a> {
    args: &'a Args,
    root: Root,
    lines: Vec<String>,
    /// Directories whose times are set when nothing is written into them any more.
    times: Vec<(PathBuf, (i64, i64))>,
    super_user: bool,
}

impl Work<'_> {
    fn place(&self, name: &Path) -> PathBuf {
        match &self.root {
            Root::File(path) => path.clone(),
            Root::Dir(root) | Root::New(root) if name.as_os_str().is_empty() => root.clone(),
            Root::Dir(root) | Root::New(root) => root.join(name),
        }
    }

    /// Removes what the other side lacks, in the directories that it has.
    fn delete(&mut self, cx: &mut Context<'_>, entries: &[Entry]) -> Result<(), Failure> {
        let rules = Rules::read(&self.args.texts("rules"))?;
        let names: BTreeSet<&Path> = entries.iter().map(|entry| entry.name.as_path()).collect();
        for entry in entries.iter().filter(|entry| entry.node == Node::Dir) {
            let directory = self.place(&entry.name);
            if !cx.lstat(&directory)?.is_some_and(|stat| stat.is_dir()) {
                continue;
            }
            for file in cx.system().list(&directory).map_err(Failure::from)? {
                let name = entry.name.join(&file);
                let path = directory.join(&file);
                let Some(stat) = cx.lstat(&path)? else { continue };
                if names.contains(name.as_path()) || rules.leave_out(&name.to_string_lossy(), stat.is_dir()) {
                    continue;
                }
                cx.apply(Change::Remove { path })?;
                self.lines.push(format!("*deleting   {}{}", name.display(), if stat.is_dir() { "/" } else { "" }));
            }
        }
        Ok(())
    }

    fn one(&mut self, cx: &mut Context<'_>, entry: &Entry) -> Result<(), Failure> {
        if entry.name.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(Failure::new(format!("the name {} leads out of the tree", entry.name.display())));
        }
        let path = self.place(&entry.name);
        let mut now = cx.lstat(&path)?;
        if now.is_none() && self.args.flag("existing_only") {
            return Ok(());
        }
        if let Some(stat) = &now
            && !same_kind(stat, &entry.node)
        {
            cx.apply(Change::Remove { path: path.clone() })?;
            now = None;
        }
        let fresh = now.is_none() || (entry.name.as_os_str().is_empty() && matches!(self.root, Root::New(_)));
        let mut marks = Marks::new(entry, fresh);
        self.content(cx, entry, &path, now.as_ref(), &mut marks)?;
        self.attributes(cx, entry, &path, now.as_ref(), &mut marks)?;
        if let Some(line) = marks.line(self.args.text("sign"), entry) {
            self.lines.push(line);
        }
        Ok(())
    }

    fn content(&self, cx: &mut Context<'_>, entry: &Entry, path: &Path, now: Option<&Stat>, marks: &mut Marks) -> Result<(), Failure> {
        match &entry.node {
            Node::Dir => {
                if now.is_none() {
                    cx.apply(Change::Dir { path: path.to_owned(), mode: Some(self.first_mode(cx, entry)), uid: None, gid: None })?;
                }
            }
            Node::Link { target } => {
                marks.content = now.is_none_or(|_| cx.system().read_link(path).map_or(true, |have| have != *target));
                if marks.content {
                    cx.apply(Change::Link { path: path.to_owned(), target: target.clone() })?;
                }
            }
            Node::File { size, sha256 } => {
                let agree = now.is_some_and(|now| now.size == *size && now.mtime.0 == entry.mtime.0) && !self.args.flag("checksum");
                let known = Content::Digest { sha256: sha256.clone(), size: *size };
                if agree || now.is_some() && cx.has_content(path, &known)? {
                    return Ok(());
                }
                marks.content = true;
                marks.size = now.is_some_and(|now| now.size != *size);
                let content = if cx.check() && *size > 256 * 1024 { known } else { cx.blob(sha256, *size, path)? };
                let mode = now.map_or_else(|| self.first_mode(cx, entry), |now| now.mode);
                cx.apply(Change::File { path: path.to_owned(), content, mode: Some(mode), uid: None, gid: None })?;
            }
        }
        Ok(())
    }

    /// A new file has the source's permissions, as far as the umask lets it.
    fn first_mode(&self, cx: &Context<'_>, entry: &Entry) -> u32 {
        if self.args.flag("perms") { entry.mode } else { entry.mode & 0o777 & !cx.umask() }
    }

    fn attributes(&mut self, cx: &mut Context<'_>, entry: &Entry, path: &Path, now: Option<&Stat>, marks: &mut Marks) -> Result<(), Failure> {
        let wants = |name: &str| self.args.flag(name);
        let link = matches!(entry.node, Node::Link { .. });
        let id = |name: &str, number: u32, found: Option<u32>| if name.is_empty() { number } else { found.unwrap_or(number) };
        let uid = (wants("owner") && self.super_user).then(|| id(&entry.owner.0, entry.owner.1, cx.user(&entry.owner.0).map(|user| user.uid)));
        let gid = (wants("group") && self.super_user).then(|| id(&entry.group.0, entry.group.1, cx.group(&entry.group.0).map(|group| group.gid)));
        let Some(have) = cx.lstat(path)? else { return Ok(()) };
        let uid = uid.filter(|uid| *uid != have.uid);
        let gid = gid.filter(|gid| *gid != have.gid);
        let mode = (wants("perms") && !link && (have.mode != entry.mode || uid.or(gid).is_some())).then_some(entry.mode);
        marks.owner = now.is_some() && uid.is_some();
        marks.group = now.is_some() && gid.is_some();
        marks.perms = now.is_some_and(|now| wants("perms") && !link && now.mode != entry.mode);
        marks.time = now.is_some_and(|now| wants("times") && !link && now.mtime.0 != entry.mtime.0);
        if uid.or(gid).is_some() {
            cx.apply(Change::Attr { path: path.to_owned(), mode: None, uid, gid, times: None })?;
        }
        if mode.is_some() {
            cx.apply(Change::Attr { path: path.to_owned(), mode, uid: None, gid: None, times: None })?;
        }
        let other_time = have.mtime.0 != entry.mtime.0;
        match (&entry.node, wants("times")) {
            (_, false) | (Node::Link { .. }, _) => {}
            (Node::Dir, true) => self.times.push((path.to_owned(), entry.mtime)),
            (Node::File { .. }, true) if other_time => set_time(cx, path, entry.mtime)?,
            (Node::File { .. }, true) => {}
        }
        Ok(())
    }

    fn set_directory_times(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        for (path, time) in self.times.iter().rev() {
            if cx.lstat(path)?.is_some_and(|stat| stat.mtime.0 != time.0) {
                set_time(cx, path, *time)?;
            }
        }
        Ok(())
    }
}

fn set_time(cx: &mut Context<'_>, path: &Path, time: (i64, i64)) -> Result<(), Failure> {
    let access = cx.lstat(path)?.map_or(time, |stat| stat.atime);
    cx.apply(Change::Attr { path: path.to_owned(), mode: None, uid: None, gid: None, times: Some((access, time)) }).map(drop)
}

fn same_kind(stat: &Stat, node: &Node) -> bool {
    match node {
        Node::Dir => stat.is_dir(),
        Node::File { .. } => stat.is_file(),
        Node::Link { .. } => stat.is_link(),
    }
}

/// What differs, as rsync's `%i` shows it.
#[derive(Debug)]
struct Marks {
    fresh: bool,
    letter: char,
    content: bool,
    size: bool,
    time: bool,
    perms: bool,
    owner: bool,
    group: bool,
}

impl Marks {
    fn new(entry: &Entry, fresh: bool) -> Marks {
        let letter = match entry.node {
            Node::Dir => 'd',
            Node::File { .. } => 'f',
            Node::Link { .. } => 'L',
        };
        Marks { fresh, letter, content: false, size: false, time: false, perms: false, owner: false, group: false }
    }

    /// The line, when anything differs.
    fn line(&self, sign: &str, entry: &Entry) -> Option<String> {
        let differs = self.fresh || self.content || self.time || self.perms || self.owner || self.group;
        if !differs {
            return None;
        }
        let first = match (self.letter, self.content || self.fresh) {
            ('f', true) => sign.to_owned(),
            (_, true) => "c".to_owned(),
            _ => ".".to_owned(),
        };
        let mark = |set: bool, letter: char| if set { letter } else { '.' };
        let rest: String = if self.fresh {
            "+++++++++".into()
        } else {
            let checksum = self.content && !self.size && !self.time;
            [
                mark(checksum, 'c'),
                mark(self.size, 's'),
                mark(self.time, 't'),
                mark(self.perms, 'p'),
                mark(self.owner, 'o'),
                mark(self.group, 'g'),
                '.',
                '.',
                '.',
            ]
            .into_iter()
            .collect()
        };
        let shown = match (&entry.node, entry.name.as_os_str().is_empty()) {
            (_, true) => "./".to_owned(),
            (Node::Dir, _) => format!("{}/", entry.name.display()),
            (Node::Link { target }, _) => format!("{} -> {}", entry.name.display(), target.display()),
            (Node::File { .. }, _) => entry.name.display().to_string(),
        };
        Some(format!("{first}{}{rest} {shown}", self.letter))
    }
}
