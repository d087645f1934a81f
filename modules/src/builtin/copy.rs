//! `copy`: a file's content onto the target, from the controller or from the target itself. Directories of the target are in `copy_tree.rs`.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::copy_tree::copy_tree;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::digest;
use crate::list::Module;
use crate::mode::Mode;
use crate::outcome::{Failure, Outcome, Tried};
use crate::spec::{Arg, Spec};
use crate::write::{Write, Written};

/// The module.
pub struct Copy;

impl Module for Copy {
    const SPEC: Spec = Spec {
        file_args: true,
        ..Spec::new(
            "copy",
            "Copies files to the target.",
            &[
                Arg::path("src", "What to copy: on the controller, or with `remote_src` on the target."),
                Arg::str("_original_basename", ""),
                Arg::raw("content", "The file's content itself.").secret(),
                Arg::path("dest", "Where to.").required(),
                Arg::flag("backup", false, "Keep the old file under another name."),
                Arg::flag("force", true, "Replace a file that differs; otherwise only make one that is absent."),
                Arg::str("validate", "Command that must accept the new file, named `%s` in it."),
                Arg::raw("directory_mode", "Permissions of directories that are made on the way."),
                Arg::flag("remote_src", false, "Copy from the target itself."),
                Arg::bool("local_follow", "Follow links in the source."),
                Arg::bool("decrypt", "Decrypt vaulted files; done by the controller."),
                Arg::str("checksum", "SHA-1 that the content must have."),
                Arg::flag("follow", false, "Write to what a link at `dest` points to."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let source = Source::read(args, cx)?;
        if let Source::Tree(src) = &source {
            return copy_tree(args, cx, src);
        }
        let dest = destination(args, cx, &source)?;
        if !args.flag("force") && cx.stat(&dest)?.is_some() {
            return Ok(shown(args, &dest, Outcome::new(cx.changed()).msg("file already exists")));
        }
        check_directory(cx, &dest)?;
        copy_file(args, cx, &source, &dest)
    }
}

/// Where the content comes from.
enum Source {
    /// Of this SHA-256 and size, asked for when needed; maybe already here.
    Controller { sha256: String, size: u64, content: Option<Vec<u8>>, sha1: Option<String> },
    /// Given as `content` without the controller's help.
    Inline(Vec<u8>),
    /// A file of the target.
    File(PathBuf),
    /// Check mode: nobody knows it, for this reason.
    Unknown(String),
    /// A directory of the target; as written, because a slash at its end means its content.
    Tree(String),
}

impl Source {
    fn read(args: &Args, cx: &Context<'_>) -> Result<Source, Failure> {
        if let Some(sha256) = args.str("_rplay_sha256") {
            let inline = args.str("_rplay_content").map(|text| STANDARD.decode(text)).transpose();
            let content = inline.map_err(|error| Failure::new(format!("content on the wire is not base64: {error}")))?;
            let size = args.int("_rplay_size").unwrap_or(0).max(0) as u64;
            return Ok(Source::Controller { sha256: sha256.to_owned(), size, content, sha1: args.str("_rplay_sha1").map(str::to_owned) });
        }
        if let Some(reason) = args.str("_rplay_open") {
            return Ok(Source::Unknown(reason.to_owned()));
        }
        if let Some(content) = args.get("content") {
            let text = match content {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            return Ok(Source::Inline(text.into_bytes()));
        }
        let Some(src) = args.str("src") else { return Err("src (or content) is required".into()) };
        match cx.stat(Path::new(src))? {
            None => Err(Failure::new(format!("Source {src} not found"))),
            Some(stat) if stat.is_dir() => Ok(Source::Tree(src.to_owned())),
            Some(stat) if stat.is_file() => Ok(match unread(cx, Path::new(src)) {
                Some(reason) => Source::Unknown(reason),
                None => Source::File(src.into()),
            }),
            Some(_) => Err(Failure::new(format!("Cannot copy invalid source '{src}': not a file"))),
        }
    }

    fn matches(&self, cx: &Context<'_>, dest: &Path) -> Result<bool, Failure> {
        match self {
            Source::Controller { sha256, size, .. } => {
                let content = Content::Digest { sha256: sha256.clone(), size: *size };
                cx.has_content(dest, &content)
            }
            Source::Inline(bytes) => cx.has_content(dest, &Content::Bytes(bytes.clone())),
            Source::File(src) => Ok(cx.stat(dest)?.is_some_and(|stat| stat.is_file()) && same_files(cx, src, dest)?),
            Source::Unknown(reason) => cx.has_content(dest, &Content::Unknown { reason: reason.clone() }),
            Source::Tree(_) => Ok(false),
        }
    }

    fn fetch(&self, cx: &mut Context<'_>, dest: &Path) -> Result<Content, Failure> {
        Ok(match self {
            Source::Controller { content: Some(bytes), .. } => Content::Bytes(bytes.clone()),
            Source::Controller { sha256, size, .. } if cx.check() && !cx.wants_diff() && *size > 256 * 1024 => {
                Content::Digest { sha256: sha256.clone(), size: *size }
            }
            Source::Controller { sha256, size, .. } => cx.blob(sha256, *size, dest)?,
            Source::Inline(bytes) => Content::Bytes(bytes.clone()),
            Source::File(src) => cx.content_of(src)?,
            Source::Unknown(reason) => Content::Unknown { reason: reason.clone() },
            Source::Tree(_) => Content::Bytes(vec![]),
        })
    }
}

/// Check mode: why nobody knows a file's content.
fn unread(cx: &Context<'_>, path: &Path) -> Option<String> {
    let error = cx.check().then(|| cx.system().open(path).err())??;
    crate::system::unknown_reason(&error)
}

/// Whether two files of the target have the same content.
pub(super) fn same_files(cx: &Context<'_>, a: &Path, b: &Path) -> Result<bool, Failure> {
    let size = |path: &Path| -> Result<u64, Failure> { Ok(cx.stat(path)?.map_or(0, |stat| stat.size)) };
    Ok(size(a)? == size(b)? && cx.digest(a, "sha256")? == cx.digest(b, "sha256")?)
}

/// Where the file goes: into a directory under its own name, behind a link when it is followed. Makes missing directories before a trailing slash.
fn destination(args: &Args, cx: &mut Context<'_>, source: &Source) -> Result<PathBuf, Failure> {
    let asked = args.text("dest");
    let own = || args.str("src").and_then(|src| Path::new(src).file_name()).map(|name| name.to_string_lossy().into_owned());
    let name = args.str("_original_basename").map(str::to_owned).or_else(|| if args.has("content") { None } else { own() });
    let mut dest = PathBuf::from(asked);
    let into_directory = |dest: PathBuf| match (&name, source) {
        (Some(name), _) => Ok(dest.join(name)),
        (None, _) => Err(Failure::new("can not use content with a dir as dest")),
    };
    if asked.ends_with('/') {
        dest = into_directory(dest)?;
        make_directories(args, cx, dest.parent().unwrap_or(Path::new("/")))?;
    }
    if cx.stat(&dest)?.is_some_and(|stat| stat.is_dir()) {
        dest = into_directory(dest)?;
    }
    if args.flag("follow") && cx.lstat(&dest)?.is_some_and(|stat| stat.is_link()) {
        dest = cx.real_path(&dest);
    }
    Ok(dest)
}

fn make_directories(args: &Args, cx: &mut Context<'_>, dir: &Path) -> Result<(), Failure> {
    let mut missing = vec![];
    for ancestor in dir.ancestors() {
        if ancestor.as_os_str().is_empty() || cx.stat(ancestor)?.is_some() {
            break;
        }
        missing.push(ancestor.to_owned());
    }
    let mut attributes = Attributes { mode: None, flags: None, ..Attributes::from_args(args, cx)? };
    if let Some(mode) = args.get("directory_mode") {
        attributes.mode = Some(crate::mode::parse(mode).map_err(Failure::new)?);
    }
    for path in missing.into_iter().rev() {
        let umask = cx.umask();
        let mode = Some(attributes.initial_mode(true, umask));
        cx.apply(Change::Dir { path: path.clone(), mode, uid: attributes.uid, gid: attributes.gid })?;
        cx.set_attributes(&path, &attributes, &mut AttributeDiff::default())?;
    }
    Ok(())
}

fn check_directory(cx: &Context<'_>, dest: &Path) -> Result<(), Failure> {
    let dir = dest.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match cx.stat(dir)? {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!("Destination directory {} does not exist", dir.display()))),
    }
}

fn copy_file(args: &Args, cx: &mut Context<'_>, source: &Source, dest: &Path) -> Result<Outcome, Failure> {
    let mut attributes = Attributes::from_args(args, cx)?;
    if args.str("mode") == Some("preserve")
        && let Source::File(src) = source
    {
        attributes.mode = cx.stat(src)?.map(|stat| Mode::Bits(stat.mode));
    }
    let is_link = cx.lstat(dest)?.is_some_and(|stat| stat.is_link());
    if let (Source::Unknown(reason), Some(_)) = (source, cx.stat(dest)?) {
        cx.perform(Change::Opaque { what: format!("a copy of what nobody knows: {reason}"), below: Some(dest.to_owned()) }, &[])?;
        return Err(Failure::unknown(reason.as_str()));
    }
    if !is_link && source.matches(cx, dest)? {
        return unchanged(args, cx, source, dest, &attributes);
    }
    let content = source.fetch(cx, dest)?;
    let sums = if wants_sums(args) { sums(source, &content)? } else { None };
    if let (Some(wanted), Some((sha1, _))) = (args.str("checksum"), &sums)
        && wanted != sha1
    {
        let failure = Failure::new("Copied file does not match the expected checksum. Transfer failed.");
        return Err(failure.with("checksum", sha1.as_str()).with("expected_checksum", wanted));
    }
    let header = args.str("_rplay_after_header").map_or_else(|| dest.to_string_lossy().into_owned(), str::to_owned);
    let diff = if is_link { None } else { cx.content_diff(dest, &content, &header)? };
    diff.into_iter().for_each(|diff| cx.add_diff(json!(diff)));
    let written = write(args, cx, dest, content, &attributes)?;
    if let Source::File(src) = source {
        keep_stat(cx, src, dest, &attributes)?;
    }
    let (checksum, md5sum) = sums.unzip();
    let outcome = Outcome::new(true).maybe("checksum", checksum).maybe("md5sum", md5sum);
    let backup = written.backup.map(|path| path.to_string_lossy().into_owned());
    let outcome = outcome.maybe("backup_file", backup);
    let diffs = cx.wants_diff();
    let outcome = shown(args, dest, outcome);
    // Ansible's copy gives a list
    Ok(if diffs { outcome.with("diff", cx.take_diffs()) } else { outcome })
}

fn write(args: &Args, cx: &mut Context<'_>, dest: &Path, content: Content, attributes: &Attributes) -> Result<Written, Failure> {
    let write = Write { path: dest, content, attributes, backup: args.flag("backup"), validate: args.str("validate") };
    cx.write(write).map_err(|failure| {
        let msg = if failure.msg.starts_with("failed to validate") { "failed to validate".to_owned() } else { failure.msg.clone() };
        Failure { msg, ..failure }
    })
}

/// The content is there already: only attributes can differ.
fn unchanged(args: &Args, cx: &mut Context<'_>, source: &Source, dest: &Path, attributes: &Attributes) -> Result<Outcome, Failure> {
    let mut diff = AttributeDiff::default();
    let shown_path = dest.to_string_lossy().into_owned();
    diff.note("path", shown_path.as_str(), shown_path.as_str());
    cx.set_attributes(dest, attributes, &mut diff)?;
    let checksum = match source {
        _ if !wants_sums(args) => None,
        Source::Controller { sha1: Some(sha1), .. } => Some(sha1.clone()),
        _ => Some(cx.digest(dest, "sha1")?),
    };
    if let (Some(wanted), Some(sha1)) = (args.str("checksum"), &checksum)
        && wanted != sha1
    {
        let failure = Failure::new("Copied file does not match the expected checksum. Transfer failed.");
        return Err(failure.with("checksum", sha1.as_str()).with("expected_checksum", wanted));
    }
    let outcome = Outcome::new(cx.changed()).maybe("checksum", checksum).with("dest", shown_path.as_str()).with("path", shown_path);
    Ok(if cx.wants_diff() { outcome.with("diff", diff.value()) } else { outcome })
}

/// False where nobody sees `checksum` and `md5sum`: then they are not worth reading a large file again.
fn wants_sums(args: &Args) -> bool {
    args.bool("_rplay_sums") != Some(false) || args.has("checksum")
}

/// SHA-1 and MD5 of content that is at hand.
fn sums(source: &Source, content: &Content) -> Result<Option<(String, String)>, Failure> {
    if let (Source::Controller { sha1, .. }, Content::Digest { .. }) = (source, content) {
        return Ok(sha1.clone().map(|sha1| (sha1, String::new())));
    }
    if matches!(content, Content::Unknown { .. }) {
        return Ok(None);
    }
    let sum = |name: &str| -> Result<String, Failure> {
        let digest = digest::by_name(name, &mut *content.open()?).tried(|| "could not read the content".into())?;
        Ok(digest.unwrap_or_default())
    };
    Ok(Some((sum("sha1")?, sum("md5")?)))
}

/// A copy on the target keeps mode and times of its source, unless a mode is asked for.
fn keep_stat(cx: &mut Context<'_>, src: &Path, dest: &Path, attributes: &Attributes) -> Result<(), Failure> {
    let Some(stat) = cx.stat(src)? else { return Ok(()) };
    let mode = if attributes.mode.is_none() { Some(stat.mode) } else { None };
    cx.apply(Change::Attr { path: dest.to_owned(), mode, uid: None, gid: None, times: Some((stat.atime, stat.mtime)) }).map(drop)
}

fn shown(args: &Args, dest: &Path, outcome: Outcome) -> Outcome {
    outcome.with("dest", dest.to_string_lossy()).maybe("src", args.str("src"))
}
