//! Replacing a file's content: compare, diff, validate, back up, write in one step, then attributes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::attributes::{AttributeDiff, Attributes, octal};
use crate::change::{Change, Content, Received};
use crate::context::Context;
use crate::outcome::{Failure, Tried};
use crate::program::Program;

/// Diffs of more than this are not shown, as Ansible's `max_diff_size`.
const MAX_DIFF: u64 = 104_448;

/// A file as it shall be.
pub struct Write<'w> {
    /// Where.
    pub path: &'w Path,
    /// What is in it.
    pub content: Content,
    /// Mode, owner, group.
    pub attributes: &'w Attributes,
    /// Keep the old file.
    pub backup: bool,
    /// Command that must accept the new content; `%s` is its file.
    pub validate: Option<&'w str>,
}

/// What [`Context::write`] did.
#[derive(Debug, Default)]
pub struct Written {
    /// Content or attributes changed.
    pub changed: bool,
    /// The content changed.
    pub content: bool,
    /// Where the old file is kept.
    pub backup: Option<PathBuf>,
    /// Mode or owner are not what they were, or for a new file not the defaults.
    pub attributes_changed: bool,
    /// What changed of the attributes.
    pub attributes: AttributeDiff,
}

impl Context<'_> {
    /// Writes a file; nothing happens when it is already so.
    ///
    /// # Errors
    /// Validation, backup or writing fails.
    pub fn write(&mut self, write: Write<'_>) -> Result<Written, Failure> {
        let mut written = Written::default();
        let content = write.content;
        // a link is replaced by the file; who wants to write behind it resolves it before
        let is_link = self.lstat(write.path)?.is_some_and(|stat| stat.is_link());
        if is_link || !self.has_content(write.path, &content)? {
            if let Some(command) = write.validate.filter(|_| !self.check()) {
                self.validate(command, &content, write.path)?;
            }
            if write.backup {
                written.backup = self.backup(write.path)?;
            }
            written.attributes_changed = self.replace(write.path, content, write.attributes, &mut written.attributes)?;
            written.content = true;
            written.changed = true;
        }
        let changed = self.set_attributes(write.path, write.attributes, &mut written.attributes)?;
        written.attributes_changed |= changed;
        written.changed |= changed;
        Ok(written)
    }

    /// Writes; says whether a new file got attributes other than the defaults.
    fn replace(&mut self, path: &Path, content: Content, attributes: &Attributes, diff: &mut AttributeDiff) -> Result<bool, Failure> {
        let umask = self.umask();
        let old = self.lstat(path)?.filter(|stat| !stat.is_link());
        let (mode, owner) = match &old {
            Some(stat) => (stat.mode, (Some(stat.uid), Some(stat.gid))),
            None => (attributes.initial_mode(false, umask), (attributes.uid, attributes.gid)),
        };
        // an unprivileged user cannot keep another owner; then the file becomes the user's own
        let root = rustix::process::geteuid().is_root();
        let mine = |stat: &crate::system::Stat| stat.uid == rustix::process::geteuid().as_raw();
        let owner = match &old {
            Some(stat) if !root && !mine(stat) => (None, None),
            _ => owner,
        };
        let change = Change::File { path: path.to_owned(), content: content.clone(), mode: Some(mode), uid: owner.0, gid: owner.1 };
        let in_place = attributes.unsafe_writes;
        let staged = path.display().to_string();
        self.system_mut().write(path, content, mode, owner, in_place).tried(|| format!("Could not replace file: {staged}"))?;
        self.record(change);
        let default = 0o666 & !umask;
        if old.is_some() || mode == default && owner == (None, None) {
            return Ok(false);
        }
        if mode != default {
            diff.note("mode", octal(default), octal(mode));
        }
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        owner.0.filter(|new| *new != uid).into_iter().for_each(|new| diff.note("owner", uid, new));
        owner.1.filter(|new| *new != gid).into_iter().for_each(|new| diff.note("group", gid, new));
        Ok(mode != default || owner.0.is_some_and(|new| new != uid) || owner.1.is_some_and(|new| new != gid))
    }

    fn validate(&mut self, command: &str, content: &Content, path: &Path) -> Result<(), Failure> {
        if !command.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let file = match content {
            Content::Staged(file) | Content::Received(Received { path: file, .. }) => file.clone(),
            Content::Bytes(bytes) => self.scratch(path, bytes)?,
            Content::Digest { .. } | Content::Unknown { .. } => return Ok(()),
        };
        let words = crate::shell_words::split(command).map_err(|why| Failure::new(format!("cannot read validate: {why}")))?;
        let name = file.to_string_lossy();
        let run = self.probe(&Program::new(words.iter().map(|word| word.replace("%s", &name))))?;
        if run.ok() {
            return Ok(());
        }
        let failure = Failure::new(format!("failed to validate: rc:{} error:{}", run.rc, run.err()));
        Err(failure.with("exit_status", run.rc).with("stdout", run.out()).with("stderr", run.err()))
    }

    /// Keeps a copy under Ansible's name form; `None` when there is no file.
    ///
    /// # Errors
    /// The copy cannot be made.
    pub fn backup(&mut self, path: &Path) -> Result<Option<PathBuf>, Failure> {
        let Some(stat) = self.stat(path)?.filter(|stat| !stat.is_dir()) else { return Ok(None) };
        let stamp = chrono::Local::now().format("%Y-%m-%d@%H:%M:%S~");
        let copy = PathBuf::from(format!("{}.{}.{stamp}", path.display(), std::process::id()));
        if self.check() {
            return Ok(Some(copy));
        }
        let what = || format!("Could not make backup of {} to {}", path.display(), copy.display());
        let bytes = if self.system().is_real() { Content::Staged(path.to_owned()) } else { Content::Bytes(self.read(path)?) };
        self.system_mut().write(&copy, bytes, 0o600, (None, None), false).tried(what)?;
        self.copy_attributes(&stat, &copy)?;
        Ok(Some(copy))
    }

    /// The diff of a file's content as Ansible's copy shows it; empty when no diff is wanted or nothing differs.
    ///
    /// # Errors
    /// The old file cannot be read.
    pub fn content_diff(&self, path: &Path, content: &Content, after_header: &str) -> Result<Option<Value>, Failure> {
        if !self.wants_diff() || matches!(content, Content::Unknown { .. }) {
            return Ok(None);
        }
        let mut diff = serde_json::Map::new();
        match self.stat(path)? {
            None => drop(diff.insert("before".into(), json!(""))),
            Some(stat) if stat.is_dir() => {
                return Ok(None);
            }
            Some(stat) if stat.size > MAX_DIFF => drop(diff.insert("dst_larger".into(), json!(MAX_DIFF))),
            Some(_) => side(&mut diff, "before", "dst_binary", self.read(path)?),
        }
        if !diff.contains_key("dst_larger") && self.stat(path)?.is_some() {
            diff.insert("before_header".into(), json!(path.to_string_lossy()));
        }
        match content {
            other if other.size() > MAX_DIFF => drop(diff.insert("src_larger".into(), json!(MAX_DIFF))),
            Content::Bytes(bytes) => side(&mut diff, "after", "src_binary", bytes.clone()),
            Content::Staged(file) | Content::Received(Received { path: file, .. }) => {
                side(&mut diff, "after", "src_binary", std::fs::read(file).tried(|| "could not read".into())?)
            }
            Content::Digest { .. } | Content::Unknown { .. } => {}
        }
        diff.insert("after_header".into(), json!(after_header));
        Ok(Some(Value::Object(diff)))
    }
}

fn side(diff: &mut serde_json::Map<String, Value>, key: &str, binary: &str, bytes: Vec<u8>) {
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => diff.insert(key.to_owned(), json!(text)),
        _ => diff.insert(binary.to_owned(), json!(1)),
    };
}
