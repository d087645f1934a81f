//! `mount`: file systems, mounted and in fstab. How fstab's lines are edited is in `fstab.rs`.

use std::path::{Path, PathBuf};

use super::fstab::{self, Entry};
use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, RequiredIf, Spec};
use crate::write::Write;

/// The module.
pub struct Mount;

const NEEDS: &[&str] = &["src", "fstype"];

impl Module for Mount {
    const SPEC: Spec = Spec {
        required_if: &[
            RequiredIf { argument: "state", value: "mounted", needs: NEEDS, any: false },
            RequiredIf { argument: "state", value: "present", needs: NEEDS, any: false },
            RequiredIf { argument: "state", value: "ephemeral", needs: NEEDS, any: false },
        ],
        ..Spec::new(
            "mount",
            "Mounts and unmounts file systems, and keeps them in fstab.",
            &[
                Arg::flag("boot", true, "Mount it at boot; otherwise `noauto` is added to the options."),
                Arg::str("dump", "Fifth field of fstab.").default(Preset::Str("0")),
                Arg::str("fstab", "File to use instead of `/etc/fstab`."),
                Arg::str("fstype", "Type of the file system."),
                Arg::path("path", "Where it is mounted.").alias(&["name"]).required(),
                Arg::str("opts", "Options, between commas."),
                Arg::flag("opts_no_log", false, "The options are a secret; give `no_log` to the task."),
                Arg::str("passno", "Sixth field of fstab.").default(Preset::Str("0")),
                Arg::path("src", "What is mounted: a device, a directory to bind, a share."),
                Arg::flag("backup", false, "Keep the old fstab under another name."),
                Arg::str("state", "In fstab (`present`), mounted too (`mounted`), or not; `ephemeral` mounts without fstab.")
                    .choices(&["absent", "absent_from_fstab", "mounted", "present", "unmounted", "remounted", "ephemeral"])
                    .required(),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        if args.flag("opts_no_log") {
            return Err("opts_no_log is not supported; give no_log: true to the task".into());
        }
        let mount = Wanted::new(args);
        mount.warnings.iter().for_each(|text| cx.warn(text.clone()));
        let state = args.text("state");
        let changed = match state {
            "present" => mount.put(args, cx)?.is_some(),
            "absent_from_fstab" => mount.take(args, cx)?,
            "absent" => mount.remove(args, cx)?,
            "unmounted" => {
                let mounted = mount.is_mounted(cx)?;
                if mounted {
                    mount.unmount(cx)?;
                }
                mounted
            }
            "remounted" => {
                mount.remount(cx, state)?.map_err(|why| Failure::new(format!("Error remounting {}: {why}", mount.shown())))?;
                true
            }
            _ => mount.mounted(args, cx, state)?,
        };
        let entry = &mount.entry;
        let outcome = Outcome::new(changed).with("name", mount.shown()).with("fstab", mount.fstab.to_string_lossy().into_owned());
        let outcome = outcome.with("opts", entry.opts.as_str()).with("dump", entry.dump.as_str()).with("passno", entry.passno.as_str());
        let outcome = outcome.with("boot", if args.flag("boot") { "yes" } else { "no" }).with("backup_file", mount.backup.borrow().clone());
        Ok(outcome.maybe("src", args.str("src")).maybe("fstype", args.str("fstype")))
    }
}

/// What is asked for.
struct Wanted {
    entry: Entry,
    has_source: bool,
    path: PathBuf,
    fstab: PathBuf,
    warnings: Vec<String>,
    backup: std::cell::RefCell<String>,
}

impl Wanted {
    fn new(args: &Args) -> Wanted {
        let mut opts = args.str("opts").unwrap_or("defaults").to_owned();
        let mut warnings = vec![];
        if args.flag("boot") && opts.split(',').any(|option| option == "noauto") {
            warnings.push("Ignore the 'boot' due to 'opts' contains 'noauto'.".to_owned());
        } else if !args.flag("boot") {
            opts.push_str(",noauto");
        }
        let text = |name: &str| args.text(name).to_owned();
        let entry = Entry { src: text("src"), name: text("path"), fstype: text("fstype"), opts, dump: text("dump"), passno: text("passno") };
        let fstab = PathBuf::from(args.str("fstab").unwrap_or("/etc/fstab"));
        Wanted { has_source: args.has("src"), path: PathBuf::from(args.text("path")), entry, fstab, warnings, backup: Default::default() }
    }

    fn shown(&self) -> String {
        self.entry.name.clone()
    }

    fn read(&self, cx: &Context<'_>) -> Result<String, Failure> {
        Ok(cx.stat(&self.fstab)?.map(|_| cx.read_text(&self.fstab)).transpose()?.map_or_else(String::new, |text| text.content))
    }

    fn write(&self, args: &Args, cx: &mut Context<'_>, text: String) -> Result<(), Failure> {
        let content = Content::Bytes(text.into_bytes());
        if let Some(diff) = cx.content_diff(&self.fstab, &content, &self.fstab.to_string_lossy())? {
            cx.add_diff(diff);
        }
        let attributes = Attributes::default();
        let written = cx.write(Write { path: &self.fstab, content, attributes: &attributes, backup: args.flag("backup"), validate: None })?;
        if let Some(path) = written.backup {
            *self.backup.borrow_mut() = path.to_string_lossy().into_owned();
        }
        Ok(())
    }

    /// Puts the line into fstab; the text from before, when that changed it.
    fn put(&self, args: &Args, cx: &mut Context<'_>) -> Result<Option<String>, Failure> {
        let before = self.read(cx)?;
        let Some(after) = fstab::with(&before, &self.entry) else { return Ok(None) };
        self.write(args, cx, after)?;
        Ok(Some(before))
    }

    fn take(&self, args: &Args, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let before = self.read(cx)?;
        let Some(after) = fstab::without(&before, &self.entry, self.has_source) else { return Ok(false) };
        self.write(args, cx, after)?;
        Ok(true)
    }

    fn remove(&self, args: &Args, cx: &mut Context<'_>) -> Result<bool, Failure> {
        if !self.take(args, cx)? {
            return Ok(false);
        }
        if self.is_mounted(cx)? {
            self.unmount(cx)?;
        }
        if cx.stat(&self.path)?.is_some() {
            // only an empty directory goes, as rmdir does it
            if cx.system().list(&self.path).is_ok_and(|names| !names.is_empty()) && !cx.check() {
                return Err(Failure::new(format!("Error rmdir {}: [Errno 39] Directory not empty: '{}'", self.shown(), self.shown())));
            }
            cx.apply(Change::Remove { path: self.path.clone() })?;
        }
        Ok(true)
    }

    /// Mounted, and for `mounted` in fstab.
    fn mounted(&self, args: &Args, cx: &mut Context<'_>, state: &str) -> Result<bool, Failure> {
        let made = self.make_directory(cx)?;
        let before = if state == "mounted" { self.put(args, cx)? } else { None };
        let fail = |why: String| Failure::new(format!("Error mounting {}: {why}", self.shown()));
        let done = if !self.is_mounted(cx)? {
            self.mount(cx, state)?
        } else if state == "ephemeral" {
            if !self.is_from_source(cx)? {
                return Err("Ephemeral mount point is already mounted with a different source than the specified one. Failing in order to prevent an \
                            unwanted unmount or override operation. Try replacing this command with a \"state: unmounted\" followed by a \
                            \"state: ephemeral\", or use a different destination path."
                    .into());
            }
            self.remount(cx, state)?
        } else if before.is_some() {
            self.remount(cx, state)?
        } else {
            return Ok(false);
        };
        if let Err(why) = done {
            // a line that cannot be mounted may keep the machine from starting
            if let Some(before) = before {
                let content = Content::Bytes(before.into_bytes());
                let attributes = Attributes::default();
                cx.write(Write { path: &self.fstab, content, attributes: &attributes, backup: false, validate: None })?;
            }
            for path in made.into_iter().rev() {
                cx.apply(Change::Remove { path })?;
            }
            return Err(fail(why));
        }
        Ok(true)
    }

    fn make_directory(&self, cx: &mut Context<'_>) -> Result<Vec<PathBuf>, Failure> {
        let mut missing = vec![];
        for dir in self.path.ancestors() {
            if cx.stat(dir)?.is_some() {
                break;
            }
            missing.insert(0, dir.to_owned());
        }
        for path in &missing {
            cx.apply(Change::Dir { path: path.clone(), mode: None, uid: None, gid: None })?;
        }
        Ok(missing)
    }

    fn options(&self, state: &str) -> Vec<String> {
        match state {
            "ephemeral" => {
                let mut words = vec!["-t".to_owned(), self.entry.fstype.clone()];
                if self.entry.opts != "defaults" {
                    words.extend(["-o".to_owned(), self.entry.opts.clone()]);
                }
                words.push(self.entry.src.clone());
                words
            }
            _ if self.fstab != Path::new("/etc/fstab") => vec!["-T".to_owned(), self.fstab.to_string_lossy().into_owned()],
            _ => vec![],
        }
    }

    fn mount(&self, cx: &mut Context<'_>, state: &str) -> Result<Result<(), String>, Failure> {
        let program = Program::new([cx.require_program("mount")?]).args(self.options(state)).arg(&self.path);
        self.perform(cx, program, true)
    }

    fn unmount(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let program = Program::new([cx.require_program("umount")?]).arg(&self.path);
        self.perform(cx, program, false)?.map_err(|why| Failure::new(format!("Error unmounting {}: {why}", self.shown())))
    }

    /// In place where that works, else by unmounting and mounting.
    fn remount(&self, cx: &mut Context<'_>, state: &str) -> Result<Result<(), String>, Failure> {
        let own = state == "remounted" && self.entry.opts != "defaults";
        let how = if own { format!("remount,{}", self.entry.opts) } else { "remount".to_owned() };
        let program = Program::new([cx.require_program("mount")?]).args(["-o", &how]).args(self.options(state)).arg(&self.path);
        if self.perform(cx, program, true)?.is_ok() {
            return Ok(Ok(()));
        }
        if own {
            return Err("Options were specified with remounted, but the remount command failed. Failing in order to prevent an unexpected mount \
                        result. Try replacing this command with a \"state: unmounted\" followed by a \"state: mounted\" using the full desired \
                        mount options instead."
                .into());
        }
        let program = Program::new([cx.require_program("umount")?]).arg(&self.path);
        match self.perform(cx, program, false)? {
            Ok(()) => self.mount(cx, state),
            Err(why) => Ok(Err(why)),
        }
    }

    fn perform(&self, cx: &mut Context<'_>, program: Program, mounted: bool) -> Result<Result<(), String>, Failure> {
        let runs = cx.perform(Change::Mount { path: self.path.clone(), mounted }, &[program])?;
        Ok(match runs.iter().find(|run| !run.ok()) {
            Some(run) => Err(format!("{}{}", run.out(), run.err())),
            None => Ok(()),
        })
    }

    fn is_mounted(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        let predicted = cx.system().noted().iter().rev().find_map(|change| match change {
            Change::Mount { path, mounted } if *path == self.path => Some(*mounted),
            _ => None,
        });
        match predicted {
            Some(mounted) => Ok(mounted),
            None => Ok(!self.sources(cx)?.is_empty()),
        }
    }

    /// Whether what is mounted is the source asked for.
    fn is_from_source(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        Ok(self.sources(cx)?.last().is_some_and(|sources| sources.contains(&self.entry.src)))
    }

    /// What is mounted there, the last one on top: the device, and for a bound directory its path.
    fn sources(&self, cx: &Context<'_>) -> Result<Vec<Vec<String>>, Failure> {
        let real = cx.real_path(&self.path);
        let table = cx.read_text(Path::new("/proc/self/mountinfo"))?.content;
        Ok(fstab::mounted(&table, &real.to_string_lossy()))
    }
}
