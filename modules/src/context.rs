//! What a module has of the world: reads, programs, the controller, and [`Context::apply`], the one door for change.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::change::{Change, Content, Received};
use crate::coerce::Surroundings;
use crate::control::Control;
use crate::digest;
use crate::outcome::{Failure, Outcome, Tried};
use crate::program::{self, Program, Run};
use crate::system::{Stat, System};

/// Content larger than this is received into a file.
const IN_MEMORY: usize = 4 * 1024 * 1024;

/// The other end of the channel.
pub trait Controller {
    /// Asks for the content of that SHA-256 and writes it to `sink`.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn blob(&mut self, sha256: &str, sink: &mut dyn Write) -> Result<(), String>;
    /// Shows output of a running program: 1 or 2.
    fn output(&mut self, stream: u8, bytes: &[u8]);
    /// Sends a piece of content ahead of the reply.
    ///
    /// # Errors
    /// The channel is gone.
    fn send(&mut self, piece: &[u8]) -> io::Result<()>;
}

/// How a call wants to be run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Predict only.
    pub check: bool,
    /// Collect diffs.
    pub diff: bool,
    /// Show output of programs while they run.
    pub live: bool,
    /// The whole environment of programs.
    pub env: Vec<(String, String)>,
    /// The umask that is set.
    pub umask: u32,
}

/// A module's world.
pub struct Context<'a> {
    system: &'a mut dyn System,
    controller: &'a mut dyn Controller,
    settings: Settings,
    control: Control,
    changed: bool,
    diffs: Vec<Value>,
    changes: Vec<Change>,
    warnings: Vec<String>,
    deprecations: Vec<Value>,
    staged: Vec<tempfile::TempPath>,
    staged_dirs: Vec<tempfile::TempDir>,
}

/// What a call leaves beside the module's own result.
#[derive(Debug, Default)]
pub struct Residue {
    /// Diffs that `apply` made.
    pub diffs: Vec<Value>,
    /// Check mode: what would have been changed.
    pub changes: Vec<Change>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// Deprecations for the user, as Ansible's dictionaries.
    pub deprecations: Vec<Value>,
}

impl<'a> Context<'a> {
    /// A world over a system; in check mode `system` must be an overlay.
    pub fn new(system: &'a mut dyn System, controller: &'a mut dyn Controller, settings: Settings, control: Control) -> Context<'a> {
        Context {
            system,
            controller,
            settings,
            control,
            changed: false,
            diffs: vec![],
            changes: vec![],
            warnings: vec![],
            deprecations: vec![],
            staged: vec![],
            staged_dirs: vec![],
        }
    }

    /// What remains when the module has returned.
    pub fn finish(self) -> Residue {
        Residue { diffs: self.diffs, changes: self.changes, warnings: self.warnings, deprecations: self.deprecations }
    }

    /// The files, for reading.
    pub fn system(&self) -> &dyn System {
        &*self.system
    }

    /// Only `write.rs`, `attributes.rs` and what apt keeps for the time of a run write through this.
    pub(crate) fn system_mut(&mut self) -> &mut dyn System {
        self.system
    }

    /// Check mode.
    pub fn check(&self) -> bool {
        self.settings.check
    }

    /// Whether diffs are wanted.
    pub fn wants_diff(&self) -> bool {
        self.settings.diff
    }

    /// The umask.
    pub fn umask(&self) -> u32 {
        self.settings.umask
    }

    /// Hears the end of the call.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Whether anything changed so far.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// An outcome with `changed` as applied changes decided it.
    pub fn outcome(&self) -> Outcome {
        Outcome::new(self.changed)
    }

    /// Says something to the user.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Says that something will go away.
    pub fn deprecate(&mut self, text: &str, version: Option<&str>) {
        self.deprecations.push(json!({"msg": text, "version": version, "collection_name": "ansible.builtin"}));
    }

    /// Keeps a diff, when diffs are wanted.
    pub fn add_diff(&mut self, diff: Value) {
        if self.settings.diff {
            self.diffs.push(diff);
        }
    }

    /// As [`Context::add_diff`], made only when it is wanted.
    pub fn add_diff_lazily(&mut self, diff: impl FnOnce() -> Value) {
        if self.settings.diff {
            self.diffs.push(diff());
        }
    }

    /// The diffs kept so far, as a list; the call's result will not have them by itself.
    pub fn take_diffs(&mut self) -> Value {
        Value::Array(std::mem::take(&mut self.diffs))
    }

    /// A file's content, for copying: of the real machine it is not read into memory.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn content_of(&self, path: &Path) -> Result<Content, Failure> {
        if self.settings.check || !self.system.is_real() { self.read(path).map(Content::Bytes) } else { Ok(Content::Staged(path.to_owned())) }
    }

    // ---- reads ----

    /// What a path names, a link itself; `None` when there is nothing.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn lstat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        present(self.system.lstat(path), path)
    }

    /// What a path names, links followed; `None` when there is nothing.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn stat(&self, path: &Path) -> Result<Option<Stat>, Failure> {
        present(self.system.stat(path), path)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        crate::system::read(self.system(), path).tried(|| format!("could not read {}", path.display()))
    }

    /// A file's text; bytes that are not UTF-8 become one character each, see [`crate::text`].
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_text(&self, path: &Path) -> Result<crate::text::Text, Failure> {
        self.read(path).map(crate::text::Text::new)
    }

    /// A file's digest by Ansible's name of the algorithm.
    ///
    /// # Errors
    /// It cannot be read, or the algorithm is unknown.
    pub fn digest(&self, path: &Path, algorithm: &str) -> Result<String, Failure> {
        let mut file = self.system.open(path).tried(|| format!("could not read {}", path.display()))?;
        let digest = digest::by_name(algorithm, &mut *file).tried(|| format!("could not read {}", path.display()))?;
        digest.ok_or_else(|| {
            Failure::new(format!(
                "Could not hash file '{}' with algorithm '{algorithm}'. Available algorithms: md5, sha1, sha224, sha256, sha384, sha512",
                path.display()
            ))
        })
    }

    /// The path with every link followed as far as it exists (Python's `realpath`).
    pub fn real_path(&self, path: &Path) -> PathBuf {
        real_path(self.system(), path, 0)
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.settings.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The whole environment.
    pub fn environment(&self) -> &[(String, String)] {
        &self.settings.env
    }

    // ---- programs ----

    /// Where a program is, in PATH and the places of administration.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.program_dirs().into_iter().map(|dir| dir.join(name)).find(|path| program::is_program(path))
    }

    fn program_dirs(&self) -> Vec<PathBuf> {
        let path = self.variable("PATH").unwrap_or("/usr/bin:/bin");
        let mut dirs: Vec<PathBuf> = path.split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).collect();
        for dir in ["/sbin", "/usr/sbin", "/usr/local/sbin"] {
            if !dirs.iter().any(|have| have == Path::new(dir)) && Path::new(dir).exists() {
                dirs.push(dir.into());
            }
        }
        dirs
    }

    /// As [`Context::find_program`], failing with Ansible's words.
    ///
    /// # Errors
    /// There is none; in check mode after packages would have been installed nobody knows.
    pub fn require_program(&self, name: &str) -> Result<PathBuf, Failure> {
        if let Some(path) = self.find_program(name) {
            return Ok(path);
        }
        if let Some(Change::Package { names, .. }) = self.system.noted().iter().find(|change| matches!(change, Change::Package { .. })) {
            return Err(Failure::unknown(format!("{name} may come with the packages {}", names.join(", "))));
        }
        if let Some(Change::Opaque { what, .. }) = self.system.noted().iter().find(|change| matches!(change, Change::Opaque { .. })) {
            return Err(Failure::unknown(format!("{name} may be made by {what}")));
        }
        let dirs: Vec<String> = self.program_dirs().iter().map(|dir| dir.display().to_string()).collect();
        Err(Failure::new(format!("Failed to find required executable \"{name}\" in paths: {}", dirs.join(":"))))
    }

    /// What an earlier task would have made of a setting: `None` where none did, `Some(None)` where it is unset.
    pub fn predicted_setting(&self, wanted: &str) -> Option<Option<String>> {
        self.system.noted().iter().rev().find_map(|change| match change {
            Change::Setting { name, value } if name == wanted => Some(value.clone()),
            _ => None,
        })
    }

    /// Runs a program that changes nothing.
    ///
    /// # Errors
    /// It cannot be started, or the call was ended.
    pub fn probe(&self, program: &Program) -> Result<Run, Failure> {
        let run = program::run(program, &self.settings.env, &self.control, None).map_err(|error| cannot_start(program, &error))?;
        self.control.check()?;
        Ok(run)
    }

    // ---- changes ----

    /// Makes (or, in check mode, predicts) a change of the file system; nothing to do is not a change.
    /// The diff is the caller's.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn apply(&mut self, change: Change) -> Result<bool, Failure> {
        let what = change.clone();
        if self.is_done(&change)? {
            return Ok(false);
        }
        self.make(change)?;
        self.record(what);
        Ok(true)
    }

    /// Keeps a change that was made and marks the call as changed.
    pub(crate) fn record(&mut self, change: Change) {
        self.changed = true;
        if self.settings.check {
            self.changes.push(change);
        }
    }

    fn is_done(&self, change: &Change) -> Result<bool, Failure> {
        Ok(match change {
            Change::Dir { path, .. } => self.stat(path)?.is_some_and(|stat| stat.is_dir()),
            Change::Link { path, target } => self.system.read_link(path).is_ok_and(|now| now == *target),
            Change::Hardlink { path, source } => match (self.lstat(path)?, self.lstat(source)?) {
                (Some(a), Some(b)) => (a.inode, a.dev) == (b.inode, b.dev),
                _ => false,
            },
            Change::Remove { path } => self.lstat(path)?.is_none(),
            Change::File { path, content, .. } => self.has_content(path, content)?,
            _ => false,
        })
    }

    /// Whether a file is there with exactly that content.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn has_content(&self, path: &Path, content: &Content) -> Result<bool, Failure> {
        let Some(stat) = self.stat(path)? else { return Ok(false) };
        if let Content::Unknown { reason } = content {
            return Err(Failure::unknown(reason.as_str()));
        }
        if !stat.is_file() || stat.size != content.size() {
            return Ok(false);
        }
        if let Content::Bytes(bytes) = content {
            return Ok(self.read(path)? == *bytes);
        }
        Ok(self.digest(path, "sha256")? == content.sha256()?)
    }

    fn make(&mut self, change: Change) -> Result<(), Failure> {
        let system = &mut self.system;
        match change {
            Change::File { path, content, mode, uid, gid } => {
                system.write(&path, content, mode.unwrap_or(0o666 & !self.settings.umask), (uid, gid), false).tried(|| could_not("write", &path))
            }
            Change::Dir { path, mode, .. } => {
                let mode = mode.unwrap_or(0o777 & !self.settings.umask);
                system.make_dir(&path, mode).tried(|| format!("There was an issue creating {} as requested", path.display()))
            }
            Change::Link { path, target } => system.symlink(&target, &path).tried(|| could_not("make the link", &path)),
            Change::Hardlink { path, source } => system.hard_link(&source, &path).tried(|| could_not("make the link", &path)),
            Change::Remove { path } => system.remove(&path).tried(|| could_not("remove", &path)),
            Change::Attr { path, mode, uid, gid, times } => {
                if let Some(mode) = mode {
                    system.chmod(&path, mode).tried(|| "chmod failed".into())?;
                }
                if let Some((atime, mtime)) = times {
                    let is_link = system.lstat(&path).is_ok_and(|stat| stat.is_link());
                    system.set_times(&path, atime, mtime, !is_link).tried(|| could_not("set the times of", &path))?;
                }
                system.chown(&path, uid, gid).tried(|| "chown failed".into())
            }
            other => {
                system.note(&other);
                Ok(())
            }
        }
    }

    /// Makes a change that programs make: in check mode they do not run and nothing is returned.
    ///
    /// # Errors
    /// A program cannot be started or the call was ended; its exit status is for the caller to judge, the rest is not run then.
    pub fn perform(&mut self, change: Change, programs: &[Program]) -> Result<Vec<Run>, Failure> {
        let mut runs = vec![];
        if self.settings.check {
            self.system.note(&change);
        } else {
            for program in programs {
                let run = self.run_live(program)?;
                let ok = run.ok();
                runs.push(run);
                if !ok {
                    break;
                }
            }
        }
        self.record(change);
        Ok(runs)
    }

    fn run_live(&mut self, program: &Program) -> Result<Run, Failure> {
        let controller = &mut self.controller;
        let mut show = |stream: u8, bytes: &[u8]| controller.output(stream, bytes);
        let live: Option<&mut program::Live<'_>> = if self.settings.live { Some(&mut show) } else { None };
        let run = program::run(program, &self.settings.env, &self.control, live).map_err(|error| cannot_start(program, &error))?;
        self.control.check()?;
        Ok(run)
    }

    // ---- the controller ----

    /// The content with that SHA-256 from the controller. Large content goes to a file beside `near`, which is where it will be needed.
    ///
    /// # Errors
    /// It cannot be had, or is not what was asked for.
    pub fn blob(&mut self, sha256: &str, size: u64, near: &Path) -> Result<Content, Failure> {
        if size as usize <= IN_MEMORY || self.settings.check {
            let mut bytes = Vec::with_capacity(size as usize);
            self.receive(sha256, &mut bytes)?;
            return Ok(Content::Bytes(bytes));
        }
        let mut file = stage_beside(near)?;
        self.receive(sha256, file.as_file_mut())?;
        let (file, temporary) = file.into_parts();
        let path = temporary.to_path_buf();
        self.staged.push(temporary);
        Ok(Content::Received(Received { path, sha256: sha256.into(), file: Arc::new(file) }))
    }

    /// Takes content in and verifies it, in one pass.
    fn receive(&mut self, sha256: &str, sink: &mut dyn Write) -> Result<(), Failure> {
        let mut sink = digest::Hashing::new(sink);
        self.controller.blob(sha256, &mut sink)?;
        let have = sink.sha256();
        if have == sha256 { Ok(()) } else { Err(Failure::new(format!("the content that arrived has SHA-256 {have} and not {sha256}"))) }
    }

    /// A private temporary file near a place; it goes with the call.
    ///
    /// # Errors
    /// No directory takes it.
    pub fn scratch(&mut self, near: &Path, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let mut file = stage_beside(near)?;
        file.write_all(bytes).tried(|| "could not write a temporary file".into())?;
        let path = file.into_temp_path();
        let plain = path.to_path_buf();
        self.staged.push(path);
        Ok(plain)
    }

    /// A private temporary directory; it goes with the call.
    ///
    /// # Errors
    /// No directory takes it.
    pub fn scratch_dir(&mut self) -> Result<PathBuf, Failure> {
        let dir = tempfile::Builder::new().prefix(".ansible_tmp").tempdir().tried(|| "no directory for temporary files".into())?;
        let path = dir.path().to_path_buf();
        self.staged_dirs.push(dir);
        Ok(path)
    }

    /// Sends content ahead of the reply.
    ///
    /// # Errors
    /// The channel is gone.
    pub fn send(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.controller.send(piece).tried(|| "could not send content".into())
    }
}

impl Surroundings for Context<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        Context::variable(self, name).map(str::to_owned)
    }

    fn home(&self, user: &str) -> Option<String> {
        if !user.is_empty() {
            return self.user(user).map(|user| user.home);
        }
        let own = || self.user_by_id(rustix::process::getuid().as_raw()).map(|user| user.home);
        Context::variable(self, "HOME").map(str::to_owned).or_else(own)
    }
}

fn could_not(what: &str, path: &Path) -> String {
    format!("could not {what} {}", path.display())
}

fn cannot_start(program: &Program, error: &io::Error) -> Failure {
    let code = error.raw_os_error().unwrap_or(-1);
    let text = crate::outcome::describe(error);
    let name = program.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut fields = Map::new();
    let why = format!("Error executing command: {text}: '{name}'");
    for (key, value) in [("cmd", json!(program.shown())), ("rc", json!(code)), ("stdout", json!("")), ("stderr", json!("")), ("exception", json!(why))] {
        fields.insert(key.into(), value);
    }
    Failure { msg: "Error executing command.".into(), fields, unknown: None }
}

fn stage_beside(near: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let dir = near.parent().filter(|dir| dir.is_dir());
    let make = |dir: &Path| tempfile::Builder::new().prefix(".ansible_tmp").tempfile_in(dir);
    if let Some(Ok(file)) = dir.map(make) {
        return Ok(file);
    }
    make(&std::env::temp_dir()).or_else(|_| make(Path::new("/var/tmp"))).tried(|| "no directory for temporary files".into())
}

fn present(result: io::Result<Stat>, path: &Path) -> Result<Option<Stat>, Failure> {
    match result {
        Ok(stat) => Ok(Some(stat)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).tried(|| could_not("look at", path)),
    }
}

fn real_path(system: &dyn System, path: &Path, depth: usize) -> PathBuf {
    let mut out = PathBuf::from("/");
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::Normal(name) => {
                let next = out.join(name);
                match system.read_link(&next) {
                    Ok(target) if depth < 40 => out = real_path(system, &out.join(target), depth + 1),
                    _ => out = next,
                }
            }
            _ => {}
        }
    }
    out
}
