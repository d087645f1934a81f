//! `unarchive`: tar and zip archives, unpacked without programs. Reading them is in `archive.rs`, options in `unarchive_options.rs`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::archive::{self, Kind as Member, Source};
use super::unarchive_options::Options;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content, Received};
use crate::context::Context;
use crate::glob;
use crate::list::Module;
use crate::outcome::{Failure, Outcome, Tried};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Unarchive;

impl Module for Unarchive {
    const SPEC: Spec = Spec {
        file_args: true,
        mutually_exclusive: &[&["include", "exclude"]],
        ..Spec::new(
            "unarchive",
            "Unpacks an archive onto the target.",
            &[
                Arg::path("src", "The archive: on the controller, or with `remote_src` on the target.").required(),
                Arg::path("dest", "Directory to unpack in.").required(),
                Arg::flag("remote_src", false, "The archive is on the target."),
                Arg::path("creates", "When this exists nothing is unpacked."),
                Arg::flag("list_files", false, "Return the names of the files."),
                Arg::flag("keep_newer", false, "Leave files that are newer than those of the archive."),
                Arg::list("exclude", Kind::Str, "Patterns of names to leave out.").default(Preset::List(&[])),
                Arg::list("include", Kind::Str, "Patterns of names to unpack; all by default.").default(Preset::List(&[])),
                Arg::list("extra_opts", Kind::Str, "Options of tar that are known: --strip-components, --exclude, --no-same-owner...")
                    .default(Preset::List(&[])),
                Arg::flag("validate_certs", true, "Check the server's certificate, for an archive from the web."),
                Arg::int("io_buffer_size", "Accepted; the size is chosen by itself.").default(Preset::Int(65_536)),
                Arg::flag("copy", true, "Old name of the opposite of `remote_src`."),
                Arg::flag("decrypt", true, "Decrypt a vaulted archive; done by the controller."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        if let Some(path) = args.str("creates")
            && glob::exists(cx.system(), Path::new(path))?
        {
            return Ok(Outcome::new(false).with("skipped", true).msg(format!("skipped, since {path} exists")));
        }
        let options = Options::read(args)?;
        let dest = PathBuf::from(args.text("dest"));
        let source = source(args, cx, &dest)?;
        if !cx.stat(&dest)?.is_some_and(|stat| stat.is_dir()) {
            return Err(Failure::new(format!("Destination '{}' is not a directory", dest.display())));
        }
        let mut unpack = Unpack {
            wanted: Attributes::from_args(args, cx)?,
            root: cx.real_path(&dest),
            keep_newer: args.flag("keep_newer"),
            options,
            names: vec![],
            differing: vec![],
            made: BTreeSet::new(),
            later: vec![],
        };
        let handler = archive::read(cx, &source, &mut |cx, member| unpack.member(cx, member))?;
        unpack.set_directory_times(cx)?;
        let mut outcome = cx.outcome().with("handler", handler).with("dest", args.text("dest")).with("src", args.text("src"));
        if cx.changed() {
            outcome = outcome.with("extract_results", json!({"rc": 0, "out": "", "err": ""}));
        }
        if args.flag("list_files") {
            outcome = outcome.with("files", json!(unpack.names));
        }
        if cx.wants_diff() {
            let lines: String = unpack.differing.iter().map(|name| format!(">{name}\n")).collect();
            outcome = outcome.with("diff", json!({"prepared": lines}));
        }
        Ok(outcome)
    }
}

/// The archive as a file or in memory.
fn source(args: &Args, cx: &mut Context<'_>, dest: &Path) -> Result<Source, Failure> {
    if let Some(text) = args.str("_rplay_content") {
        let bytes = STANDARD.decode(text).map_err(|error| Failure::new(format!("content on the wire is not base64: {error}")))?;
        return Ok(Source::Bytes(bytes));
    }
    if let Some(sha256) = args.str("_rplay_sha256") {
        let size = args.int("_rplay_size").unwrap_or(0).max(0) as u64;
        return Ok(match cx.blob(sha256, size, &dest.join("x"))? {
            Content::Bytes(bytes) => Source::Bytes(bytes),
            Content::Staged(path) | Content::Received(Received { path, .. }) => Source::File(path),
            Content::Digest { .. } | Content::Unknown { .. } => return Err("the archive did not arrive".into()),
        });
    }
    let src = args.text("src");
    if src.contains("://") {
        return Err(Failure::new(format!("'{src}' is on the web: fetch it with get_url first")));
    }
    match cx.stat(Path::new(src))? {
        None => Err(Failure::new(format!("Source '{src}' does not exist"))),
        Some(stat) if stat.size == 0 => Err(Failure::new(format!("Invalid archive '{src}', the file is 0 bytes"))),
        Some(_) if cx.check() || !cx.system().is_real() => cx.read(Path::new(src)).map(Source::Bytes),
        Some(_) => Ok(Source::File(src.into())),
    }
}

struct Unpack {
    wanted: Attributes,
    /// The real path of the destination: nothing is written elsewhere.
    root: PathBuf,
    keep_newer: bool,
    options: Options,
    names: Vec<String>,
    differing: Vec<String>,
    /// Directories that are there by now.
    made: BTreeSet<PathBuf>,
    /// Times of directories, set when nothing is written into them any more.
    later: Vec<(PathBuf, i64)>,
}

impl Unpack {
    fn member(&mut self, cx: &mut Context<'_>, member: &mut archive::Member<'_>) -> Result<(), Failure> {
        cx.control().check()?;
        let Some(name) = self.options.name(&member.name) else { return Ok(()) };
        let path = self.place(cx, &name)?;
        self.names.push(if matches!(member.kind, Member::Dir) { format!("{}/", name.display()) } else { name.display().to_string() });
        self.make_parents(cx, &path)?;
        let changed = match &member.kind {
            Member::Dir => self.directory(cx, &path, member)?,
            Member::Link(target) => {
                self.clear(cx, &path, false)?;
                let changed = cx.apply(Change::Link { path: path.clone(), target: target.into() })?;
                self.owner(cx, &path, member)? | changed
            }
            Member::Hardlink(target) => {
                let Some(target) = self.options.name(target) else { return Ok(()) };
                let source = self.place(cx, &target)?;
                cx.apply(Change::Hardlink { path: path.clone(), source })?
            }
            Member::File => self.file(cx, &path, member)?,
            Member::Other(what) => {
                cx.warn(format!("{} is {what} and is not unpacked", member.name));
                false
            }
        };
        if changed {
            self.differing.push(name.display().to_string());
        }
        Ok(())
    }

    /// Where a member goes; never outside of the destination, also not through a link.
    fn place(&self, cx: &Context<'_>, name: &Path) -> Result<PathBuf, Failure> {
        let outside = || Failure::new(format!("the member {} would be written outside of {}", name.display(), self.root.display()));
        if name.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(outside());
        }
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        if cx.real_path(parent).starts_with(&self.root) { Ok(path) } else { Err(outside()) }
    }

    fn make_parents(&mut self, cx: &mut Context<'_>, path: &Path) -> Result<(), Failure> {
        let mut missing = vec![];
        for dir in path.ancestors().skip(1) {
            if self.made.contains(dir) || cx.stat(dir)?.is_some() {
                break;
            }
            missing.push(dir.to_owned());
        }
        for dir in missing.into_iter().rev() {
            cx.apply(Change::Dir { path: dir.clone(), mode: None, uid: None, gid: None })?;
            let wanted = Attributes { mode: None, flags: None, ..self.wanted.clone() };
            cx.set_attributes(&dir, &wanted, &mut AttributeDiff::default())?;
            self.made.insert(dir);
        }
        self.made.extend(path.parent().map(Path::to_owned));
        Ok(())
    }

    /// Takes away what is of another kind.
    fn clear(&self, cx: &mut Context<'_>, path: &Path, directory: bool) -> Result<(), Failure> {
        if let Some(stat) = cx.lstat(path)?
            && stat.is_dir() != directory
        {
            cx.apply(Change::Remove { path: path.to_owned() })?;
        }
        Ok(())
    }

    fn directory(&mut self, cx: &mut Context<'_>, path: &Path, member: &archive::Member<'_>) -> Result<bool, Failure> {
        let behind = cx.stat(path)?;
        if behind.as_ref().is_some_and(|stat| !stat.is_dir()) {
            self.clear(cx, path, true)?;
        }
        let mut changed = cx.apply(Change::Dir { path: path.to_owned(), mode: Some(member.mode), uid: None, gid: None })?;
        changed |= self.attributes(cx, path, member, true)?;
        if changed {
            self.later.push((path.to_owned(), member.mtime));
        }
        Ok(changed)
    }

    fn file(&self, cx: &mut Context<'_>, path: &Path, member: &mut archive::Member<'_>) -> Result<bool, Failure> {
        self.clear(cx, path, false)?;
        let now = cx.lstat(path)?.filter(|stat| stat.is_file());
        if let Some(now) = &now {
            if self.keep_newer && now.mtime.0 > member.mtime || self.options.keep_old {
                return Ok(false);
            }
            if now.size == member.size && now.mtime.0 == member.mtime {
                return self.attributes(cx, path, member, false);
            }
        }
        let content = member.content(cx, path)?;
        let same = now.is_some() && cx.has_content(path, &content)?;
        if !same {
            let mode = self.wanted.mode.as_ref().map_or(member.mode, |mode| mode.resolve(member.mode, false, cx.umask()));
            cx.apply(Change::File { path: path.to_owned(), content, mode: Some(mode), uid: None, gid: None })?;
        }
        self.attributes(cx, path, member, false)?;
        let time = (member.mtime, 0);
        let access = now.filter(|_| same).map_or(time, |stat| stat.atime);
        cx.apply(Change::Attr { path: path.to_owned(), mode: None, uid: None, gid: None, times: Some((access, time)) })?;
        Ok(true)
    }

    fn attributes(&self, cx: &mut Context<'_>, path: &Path, member: &archive::Member<'_>, is_dir: bool) -> Result<bool, Failure> {
        let bits = match &self.wanted.mode {
            Some(mode) => mode.resolve(member.mode, is_dir, cx.umask()),
            None => member.mode,
        };
        let wanted = Attributes { mode: Some(crate::mode::Mode::Bits(bits)), ..self.owners(cx, member) };
        cx.set_attributes(path, &wanted, &mut AttributeDiff::default())
    }

    fn owner(&self, cx: &mut Context<'_>, path: &Path, member: &archive::Member<'_>) -> Result<bool, Failure> {
        let wanted = Attributes { flags: None, ..self.owners(cx, member) };
        cx.set_attributes(path, &wanted, &mut AttributeDiff::default())
    }

    /// As asked for; else for root as the archive says, by name before number.
    fn owners(&self, cx: &Context<'_>, member: &archive::Member<'_>) -> Attributes {
        let root = rustix::process::geteuid().is_root() && !self.options.no_owner;
        let uid = || member.user.as_deref().and_then(|name| cx.user(name)).map(|user| user.uid).or(member.uid);
        let gid = || member.group.as_deref().and_then(|name| cx.group(name)).map(|group| group.gid).or(member.gid);
        let (uid, gid) = if root { (self.wanted.uid.or_else(uid), self.wanted.gid.or_else(gid)) } else { (self.wanted.uid, self.wanted.gid) };
        Attributes { mode: None, uid, gid, flags: self.wanted.flags.clone(), unsafe_writes: self.wanted.unsafe_writes }
    }

    fn set_directory_times(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        for (path, time) in self.later.iter().rev() {
            let time = (*time, 0);
            cx.apply(Change::Attr { path: path.clone(), mode: None, uid: None, gid: None, times: Some((time, time)) })
                .map(drop)
                .or_else(|failure| if failure.unknown.is_some() { Ok(()) } else { Err(failure) })?;
        }
        Ok(())
    }
}

/// Reads a member's content: small into memory, large into a file beside its place.
pub(super) fn keep(cx: &mut Context<'_>, from: &mut dyn std::io::Read, size: u64, near: &Path) -> Result<Content, Failure> {
    let broken = || "the archive is damaged".to_owned();
    if size <= 4 * 1024 * 1024 {
        let mut bytes = Vec::with_capacity(size as usize);
        std::io::Read::read_to_end(from, &mut bytes).tried(broken)?;
        return Ok(Content::Bytes(bytes));
    }
    let path = cx.scratch(near, b"")?;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).tried(broken)?;
    std::io::copy(from, &mut file).tried(broken)?;
    Ok(Content::Staged(path))
}
