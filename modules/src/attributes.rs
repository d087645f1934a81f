//! Mode, owner, group and chattr attributes: compared, then set, with the diff of Ansible's file module.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::mode::{self, Mode};
use crate::outcome::{Failure, Tried};
use crate::program::Program;
use crate::system::{FileKind, Stat};

/// The common file arguments.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// Permission bits.
    pub mode: Option<Mode>,
    /// Owner's number.
    pub uid: Option<u32>,
    /// Group's number.
    pub gid: Option<u32>,
    /// Attributes as chattr takes them.
    pub flags: Option<String>,
    /// Write in place when replacing fails.
    pub unsafe_writes: bool,
}

/// Before and after of attributes.
#[derive(Debug, Clone, Default)]
pub struct AttributeDiff {
    /// What was.
    pub before: Map<String, Value>,
    /// What is.
    pub after: Map<String, Value>,
}

impl AttributeDiff {
    /// Keeps one attribute's change.
    pub fn note(&mut self, key: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.before.insert(key.to_owned(), before.into());
        self.after.insert(key.to_owned(), after.into());
    }

    /// As a module's `diff`.
    pub fn value(&self) -> Value {
        json!({"before": self.before, "after": self.after})
    }
}

impl Attributes {
    /// From a module's arguments; names are looked up now.
    ///
    /// # Errors
    /// A bad mode, an unknown user or group.
    pub fn from_args(args: &Args, cx: &Context<'_>) -> Result<Attributes, Failure> {
        let path = args.str("path").or(args.str("dest")).unwrap_or_default().to_owned();
        let mode = match args.get("mode") {
            Some(Value::String(text)) if text == "preserve" || text.is_empty() => None,
            Some(value) => Some(mode::parse(value).map_err(|why| Failure::new(why).with("path", path.clone()))?),
            None => None,
        };
        let failed = |kind: &str, name: &str| {
            Failure::new(format!("{kind} failed: failed to look up {} {name}", if kind == "chown" { "user" } else { "group" })).with("path", path.clone())
        };
        let uid = args.str("owner").map(|name| owner(cx, name).ok_or_else(|| failed("chown", name))).transpose()?;
        let gid = args.str("group").map(|name| group(cx, name).ok_or_else(|| failed("chgrp", name))).transpose()?;
        let flags = args.str("attributes").map(str::to_owned);
        Ok(Attributes { mode, uid, gid, flags, unsafe_writes: args.flag("unsafe_writes") })
    }

    /// The bits of a new file or directory.
    pub fn initial_mode(&self, is_dir: bool, umask: u32) -> u32 {
        let default = if is_dir { 0o777 } else { 0o666 } & !umask;
        self.mode.as_ref().map_or(default, |mode| mode.resolve(default, is_dir, umask))
    }
}

fn owner(cx: &Context<'_>, name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| cx.user(name).map(|user| user.uid))
}

fn group(cx: &Context<'_>, name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| cx.group(name).map(|group| group.gid))
}

impl Context<'_> {
    /// Gives a path the attributes asked for; whether anything differed. A link itself keeps its mode.
    ///
    /// # Errors
    /// They cannot be set.
    pub fn set_attributes(&mut self, path: &Path, wanted: &Attributes, diff: &mut AttributeDiff) -> Result<bool, Failure> {
        let Some(now) = self.lstat(path)? else { return Ok(false) };
        let mut changed = self.set_owner(path, &now, wanted, diff)?;
        // a change of owner clears set-uid bits, so the mode comes after it
        let Some(now) = self.lstat(path)? else { return Ok(changed) };
        if let Some(mode) = wanted.mode.as_ref().filter(|_| !now.is_link()) {
            let bits = mode.resolve(now.mode, now.is_dir(), self.umask());
            if bits != now.mode {
                self.apply(Change::Attr { path: path.to_owned(), mode: Some(bits), uid: None, gid: None, times: None })
                    .map_err(|failure| failure.with("path", path.to_string_lossy()))?;
                diff.note("mode", octal(now.mode), octal(bits));
                changed = true;
            }
        }
        if let Some(flags) = &wanted.flags {
            changed |= self.set_flags(path, flags, diff)?;
        }
        Ok(changed)
    }

    fn set_owner(&mut self, path: &Path, now: &Stat, wanted: &Attributes, diff: &mut AttributeDiff) -> Result<bool, Failure> {
        let uid = wanted.uid.filter(|uid| *uid != now.uid);
        let gid = wanted.gid.filter(|gid| *gid != now.gid);
        if (uid, gid) == (None, None) {
            return Ok(false);
        }
        let with_path = |failure: Failure| failure.with("path", path.to_string_lossy());
        self.apply(Change::Attr { path: path.to_owned(), mode: None, uid, gid, times: None }).map_err(with_path)?;
        if let Some(uid) = uid {
            diff.note("owner", now.uid, uid);
        }
        if let Some(gid) = gid {
            diff.note("group", now.gid, gid);
        }
        Ok(true)
    }

    fn set_flags(&mut self, path: &Path, wanted: &str, diff: &mut AttributeDiff) -> Result<bool, Failure> {
        let (operator, letters) = match wanted.chars().next() {
            Some(c @ ('+' | '-' | '=')) => (c, &wanted[1..]),
            _ => ('=', wanted),
        };
        let now = self.flags(path)?;
        let has = |letter: char| now.contains(letter);
        let done = match operator {
            '+' => letters.chars().all(has),
            '-' => !letters.chars().any(has),
            // the kernel sets e (extents) by itself
            _ => letters.chars().filter(|c| *c != 'e').all(has) && now.chars().all(|c| c == 'e' || letters.contains(c)),
        };
        if done {
            return Ok(false);
        }
        let chattr = self.require_program("chattr")?;
        let program = Program::new([chattr]).arg(format!("{operator}{letters}")).arg(path);
        let change = Change::Attr { path: path.to_owned(), mode: None, uid: None, gid: None, times: None };
        for run in self.perform(change, &[program])? {
            if !run.ok() || !run.stderr.is_empty() {
                return Err(Failure::new("chattr failed").with("details", run.err()).with("path", path.to_string_lossy()));
            }
        }
        diff.note("attributes", now.clone(), format!("{operator}{letters}"));
        Ok(true)
    }

    /// The attributes of lsattr; empty where the file system has none.
    ///
    /// # Errors
    /// The call was ended.
    pub fn flags(&self, path: &Path) -> Result<String, Failure> {
        let Some(lsattr) = self.find_program("lsattr") else { return Ok(String::new()) };
        let run = self.probe(&Program::new([lsattr]).arg("-d").arg(path))?;
        let first = run.out().split_whitespace().next().unwrap_or_default().replace('-', "");
        Ok(if run.ok() { first } else { String::new() })
    }

    /// Adds uid, gid, owner, group, mode, state and size of a path to a result, as AnsibleModule does for `path` and `dest`.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn path_info(&self, path: &Path, result: &mut Map<String, Value>) -> Result<(), Failure> {
        let Some(stat) = self.lstat(path)? else {
            result.insert("state".into(), json!("absent"));
            return Ok(());
        };
        let name_of_user = self.user_by_id(stat.uid).map_or(stat.uid.to_string(), |user| user.name);
        let name_of_group = self.group_by_id(stat.gid).map_or(stat.gid.to_string(), |group| group.name);
        let state = match stat.kind {
            FileKind::Link => "link",
            FileKind::Dir => "directory",
            _ if stat.nlink > 1 => "hard",
            _ => "file",
        };
        for (key, value) in [
            ("uid", json!(stat.uid)),
            ("gid", json!(stat.gid)),
            ("owner", json!(name_of_user)),
            ("group", json!(name_of_group)),
            ("mode", json!(format!("0{:03o}", stat.mode & 0o7777))),
            ("state", json!(state)),
            ("size", json!(stat.size)),
        ] {
            result.insert(key.into(), value);
        }
        Ok(())
    }

    /// Copies mode, owner (when allowed) and times of one path to another, for backups.
    pub(crate) fn copy_attributes(&mut self, from: &Stat, to: &Path) -> Result<(), Failure> {
        let system = self.system_mut();
        // only root may give a file away; a backup that belongs to its maker is still a backup
        let _ = system.chown(to, Some(from.uid), Some(from.gid));
        system.chmod(to, from.mode).tried(|| "chmod failed".into())?;
        system.set_times(to, from.atime, from.mtime, true).tried(|| "could not set times".into())
    }
}

/// Permission bits as Ansible prints them.
pub fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}
