//! A system of which every change stays in memory, laid over another one: check mode over the real machine, tests over nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::{FileKind, MAY_BE_MADE, Stat, System, Time, unknown, unknown_reason};
use crate::change::{Change, Content, Received};

/// A machine with an empty root directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

/// Changes in memory over `base`.
pub struct Overlay<B: System> {
    base: B,
    nodes: BTreeMap<PathBuf, Node>,
    notes: Vec<Change>,
    /// Why an absent path is unknown now.
    opaque: Vec<(Option<PathBuf>, String)>,
    /// Files whose content is another one now, with the reason why nobody knows which.
    stale: BTreeMap<PathBuf, String>,
    /// Of these, and of what is below, it is taken that what may be made is not.
    presumed: Vec<PathBuf>,
    clock: Time,
    umask: u32,
}

#[derive(Debug, Clone)]
enum Node {
    /// Removed, with everything below.
    Gone,
    /// Changed or new; `None` content is the base's.
    Here { stat: Stat, content: Option<Content>, target: Option<PathBuf>, fresh: bool },
}

impl<B: System> Overlay<B> {
    /// An overlay without changes; new things get the time `clock`.
    pub fn new(base: B, clock: Time, umask: u32) -> Overlay<B> {
        Overlay { base, nodes: BTreeMap::new(), notes: vec![], opaque: vec![], stale: BTreeMap::new(), presumed: vec![], clock, umask }
    }

    /// Takes it that a path that may be made is not there, but the directories above it are (and with `is_folder` the path, as a directory).
    pub fn presume(&mut self, path: &Path, is_folder: bool) {
        let mut dirs: Vec<PathBuf> = path.ancestors().skip(usize::from(!is_folder)).map(Path::to_owned).collect();
        dirs.reverse();
        for dir in dirs {
            if self.stat(&dir).is_err_and(|error| unknown_reason(&error).is_some()) {
                self.put(dir, FileKind::Dir, 0o755, None, None);
            }
        }
        self.presumed.push(path.to_owned());
    }

    /// Puts in what earlier tasks would have changed.
    pub fn replay(&mut self, change: &Change) {
        // what cannot be replayed (its parent is gone by now) leaves the path as it is below
        let _ = self.replay_one(change);
    }

    fn replay_one(&mut self, change: &Change) -> io::Result<()> {
        match change {
            Change::File { path, content, mode, uid, gid } => {
                self.make_parents(path);
                self.write(path, content.clone(), mode.unwrap_or(0o644), (*uid, *gid), false)
            }
            Change::Dir { path, mode, uid, gid } => {
                self.make_parents(path);
                if self.lstat(path).is_err() {
                    self.make_dir(path, mode.unwrap_or(0o755))?;
                }
                self.chown(path, *uid, *gid)
            }
            Change::Link { path, target } => self.symlink(target, path),
            Change::Hardlink { path, source } => self.hard_link(source, path),
            Change::Attr { path, mode, uid, gid, times } => {
                if let Some(mode) = mode {
                    self.chmod(path, *mode)?;
                }
                if let Some((atime, mtime)) = times {
                    self.set_times(path, *atime, *mtime, false)?;
                }
                self.chown(path, *uid, *gid)
            }
            Change::Remove { path } => self.remove(path),
            other => {
                self.note(other);
                Ok(())
            }
        }
    }

    fn make_parents(&mut self, path: &Path) {
        let missing: Vec<PathBuf> = path.ancestors().skip(1).take_while(|dir| self.lstat(dir).is_err()).map(Path::to_owned).collect();
        for dir in missing.iter().rev() {
            let _ = self.make_dir(dir, 0o755);
        }
    }

    /// The path with every link but the last component's followed.
    fn locate(&self, path: &Path, follow_last: bool) -> io::Result<PathBuf> {
        if self.nodes.is_empty() && !follow_last {
            return Ok(path.to_owned());
        }
        let mut todo: Vec<OsString> = vec![];
        let push = |todo: &mut Vec<OsString>, path: &Path| {
            todo.extend(path.components().rev().map(|c| c.as_os_str().to_owned()));
        };
        let absolute = if path.is_absolute() { path.to_owned() } else { std::env::current_dir()?.join(path) };
        push(&mut todo, &absolute);
        let (mut at, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = todo.pop() {
            match Path::new(&name).components().next() {
                Some(Component::RootDir) => at = PathBuf::from("/"),
                Some(Component::ParentDir) => drop(at.pop()),
                Some(Component::Normal(name)) => {
                    at.push(name);
                    if todo.is_empty() && !follow_last {
                        break;
                    }
                    if let Some(target) = self.link_at(&at) {
                        links += 1;
                        if links > 40 {
                            return Err(Errno::LOOP.into());
                        }
                        at.pop();
                        push(&mut todo, &target);
                    }
                }
                _ => {}
            }
        }
        Ok(at)
    }

    fn link_at(&self, path: &Path) -> Option<PathBuf> {
        match self.nodes.get(path) {
            Some(Node::Here { target, .. }) => target.clone(),
            Some(Node::Gone) => None,
            None if self.hidden(path) => None,
            None => self.base.read_link(path).ok(),
        }
    }

    /// Whether the base's thing at that path was removed with a directory above.
    fn hidden(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|dir| match self.nodes.get(dir) {
            Some(Node::Gone) => true,
            Some(Node::Here { stat, fresh, .. }) => *fresh || !stat.is_dir(),
            None => false,
        })
    }

    fn lstat_at(&self, path: &Path) -> io::Result<Stat> {
        match self.nodes.get(path) {
            Some(Node::Here { stat, .. }) => Ok(stat.clone()),
            Some(Node::Gone) => Err(Errno::NOENT.into()),
            None if self.hidden(path) => Err(self.absent(path)),
            None => self.base.lstat(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => self.absent(path),
                _ => error,
            }),
        }
    }

    fn absent(&self, path: &Path) -> io::Error {
        if self.presumed.iter().any(|presumed| path.starts_with(presumed)) {
            return Errno::NOENT.into();
        }
        // below a directory that this overlay made or removed nothing else can have appeared
        let reaches = |below: &Option<PathBuf>| below.as_deref().is_none_or(|below| path.starts_with(below) || below.starts_with(path));
        match self.opaque.iter().rev().find(|(below, _)| reaches(below)) {
            Some((_, reason)) => unknown(format!("{}{MAY_BE_MADE}{reason}", path.display())),
            None => Errno::NOENT.into(),
        }
    }

    fn put(&mut self, path: PathBuf, kind: FileKind, mode: u32, content: Option<Content>, target: Option<PathBuf>) {
        let size = content.as_ref().map_or(0, Content::size);
        let inode = 1_000_000 + self.nodes.len() as u64;
        let nlink = if kind == FileKind::Dir { 2 } else { 1 };
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let stat = Stat {
            kind,
            mode,
            uid,
            gid,
            size,
            nlink,
            inode,
            dev: 0,
            rdev: 0,
            blocks: size.div_ceil(512),
            block_size: 4096,
            atime: self.clock,
            mtime: self.clock,
            ctime: self.clock,
        };
        self.nodes.insert(path, Node::Here { stat, content, target, fresh: true });
    }

    fn parent_is_there(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        if self.stat(parent)?.is_dir() { Ok(()) } else { Err(Errno::NOTDIR.into()) }
    }

    /// The node of an existing path, taken over from the base when it is still there.
    fn own(&mut self, path: &Path) -> io::Result<&mut Stat> {
        let stat = self.lstat_at(path)?;
        let target = if stat.is_link() { Some(self.read_link(path)?) } else { None };
        let node = self.nodes.entry(path.to_owned()).or_insert(Node::Here { stat, content: None, target, fresh: false });
        match node {
            Node::Here { stat, .. } => Ok(stat),
            Node::Gone => Err(Errno::NOENT.into()),
        }
    }

    /// Where content has to be read from the base.
    fn source(&self, path: &Path) -> io::Result<Option<Content>> {
        match self.nodes.get(path) {
            Some(Node::Here { content, stat, .. }) if !stat.is_dir() => Ok(content.clone()),
            Some(Node::Here { .. }) => Err(Errno::ISDIR.into()),
            Some(Node::Gone) => Err(Errno::NOENT.into()),
            None if self.hidden(path) => Err(self.absent(path)),
            None => Ok(None),
        }
    }
}

impl<B: System> System for Overlay<B> {
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        self.lstat_at(&self.locate(path, false)?)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.lstat_at(&self.locate(path, true)?)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let at = self.locate(path, false)?;
        self.lstat_at(&at)?;
        self.link_at(&at).ok_or_else(|| Errno::INVAL.into())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let at = self.locate(path, true)?;
        self.lstat_at(&at)?;
        if let Some(reason) = self.stale.get(&at) {
            return Err(unknown(format!("the content of {}: {reason}", at.display())));
        }
        match self.source(&at)? {
            None => self.base.open(&at),
            Some(Content::Bytes(bytes)) => Ok(Box::new(Cursor::new(bytes))),
            Some(Content::Staged(file) | Content::Received(Received { path: file, .. })) => Ok(Box::new(std::fs::File::open(file)?)),
            Some(Content::Unknown { reason }) => Err(unknown(reason)),
            Some(Content::Digest { .. }) => Err(unknown("the content of a large file that would have been written")),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let at = self.locate(path, true)?;
        if !self.lstat_at(&at)?.is_dir() {
            return Err(Errno::NOTDIR.into());
        }
        let fresh = matches!(self.nodes.get(&at), Some(Node::Here { fresh: true, .. })) || self.hidden(&at);
        let mut names: BTreeSet<OsString> = if fresh { BTreeSet::new() } else { self.base.list(&at)?.into_iter().collect() };
        for (path, node) in self.nodes.range(at.clone()..).take_while(|(path, _)| path.starts_with(&at)) {
            let Some(name) = path.file_name().filter(|_| path.parent() == Some(&at)) else { continue };
            match node {
                Node::Gone => drop(names.remove(name)),
                Node::Here { .. } => drop(names.insert(name.to_owned())),
            }
        }
        Ok(names.into_iter().collect())
    }

    fn write(&mut self, path: &Path, content: Content, mode: u32, owner: (Option<u32>, Option<u32>), _in_place: bool) -> io::Result<()> {
        let at = self.locate(path, false)?;
        self.parent_is_there(&at)?;
        let old = self.lstat_at(&at).ok();
        if old.as_ref().is_some_and(Stat::is_dir) {
            return Err(Errno::ISDIR.into());
        }
        self.stale.remove(&at);
        self.put(at.clone(), FileKind::File, mode, Some(content), None);
        self.chown(&at, owner.0, owner.1)
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let at = self.locate(path, false)?;
        self.parent_is_there(&at)?;
        if self.lstat_at(&at).is_ok() {
            return Err(Errno::EXIST.into());
        }
        self.put(at, FileKind::Dir, mode, None, None);
        Ok(())
    }

    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let at = self.locate(path, false)?;
        self.parent_is_there(&at)?;
        self.put(at, FileKind::Link, 0o777, None, Some(target.to_owned()));
        Ok(())
    }

    fn hard_link(&mut self, source: &Path, path: &Path) -> io::Result<()> {
        let (from, at) = (self.locate(source, false)?, self.locate(path, false)?);
        self.parent_is_there(&at)?;
        self.own(&from)?.nlink += 1;
        let Some(Node::Here { stat, content, target, .. }) = self.nodes.get(&from).cloned() else { return Err(Errno::NOENT.into()) };
        let content = match content {
            None if stat.is_file() => {
                let mut bytes = vec![];
                self.open(&from)?.read_to_end(&mut bytes)?;
                Some(Content::Bytes(bytes))
            }
            content => content,
        };
        self.nodes.insert(at, Node::Here { stat, content, target, fresh: true });
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let at = self.locate(path, false)?;
        self.lstat_at(&at)?;
        let below: Vec<PathBuf> = self.nodes.range(at.clone()..).map(|(p, _)| p).take_while(|p| p.starts_with(&at)).cloned().collect();
        for path in below {
            self.nodes.remove(&path);
        }
        self.nodes.insert(at, Node::Gone);
        Ok(())
    }

    fn chmod(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let at = self.locate(path, true)?;
        self.own(&at)?.mode = mode;
        Ok(())
    }

    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        if (uid, gid) == (None, None) {
            return Ok(());
        }
        let at = self.locate(path, false)?;
        let stat = self.own(&at)?;
        stat.uid = uid.unwrap_or(stat.uid);
        stat.gid = gid.unwrap_or(stat.gid);
        Ok(())
    }

    fn set_times(&mut self, path: &Path, atime: Time, mtime: Time, follow: bool) -> io::Result<()> {
        let at = self.locate(path, follow)?;
        let stat = self.own(&at)?;
        (stat.atime, stat.mtime) = (atime, mtime);
        Ok(())
    }

    fn is_real(&self) -> bool {
        self.base.is_real()
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::Opaque { what, below } => {
                let file = below.iter().filter(|path| self.lstat(path).is_ok_and(|stat| stat.is_file()));
                let file: Vec<PathBuf> = file.cloned().collect();
                self.stale.extend(file.into_iter().map(|path| (path, what.clone())));
                self.opaque.push((below.clone(), what.clone()));
            }
            Change::Package { names, .. } => self.opaque.push((None, format!("the packages {}", names.join(", ")))),
            _ => {}
        }
        self.notes.push(change.clone());
    }

    fn noted(&self) -> &[Change] {
        &self.notes
    }
}

impl System for Nothing {
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        if path != Path::new("/") {
            return Err(Errno::NOENT.into());
        }
        let mut overlay = Overlay::new(Nothing, (0, 0), 0o022);
        overlay.put("/".into(), FileKind::Dir, 0o777 & !overlay.umask, None, None);
        overlay.lstat_at(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.lstat(path)
    }
    fn read_link(&self, _: &Path) -> io::Result<PathBuf> {
        Err(Errno::NOENT.into())
    }
    fn open(&self, _: &Path) -> io::Result<Box<dyn Read>> {
        Err(Errno::NOENT.into())
    }
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.lstat(path).map(|_| vec![])
    }
    fn write(&mut self, _: &Path, _: Content, _: u32, _: (Option<u32>, Option<u32>), _: bool) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn make_dir(&mut self, _: &Path, _: u32) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn symlink(&mut self, _: &Path, _: &Path) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn hard_link(&mut self, _: &Path, _: &Path) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn remove(&mut self, _: &Path) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn chmod(&mut self, _: &Path, _: u32) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn chown(&mut self, _: &Path, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
    fn set_times(&mut self, _: &Path, _: Time, _: Time, _: bool) -> io::Result<()> {
        Err(Errno::ROFS.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::read;

    fn memory() -> Overlay<Nothing> {
        Overlay::new(Nothing, (1, 0), 0o022)
    }

    #[test]
    fn files_links_and_directories() {
        let mut system = memory();
        let p = |s: &str| PathBuf::from(s);
        system.make_dir(&p("/a"), 0o755).unwrap();
        system.write(&p("/a/f"), Content::Bytes(b"x".to_vec()), 0o600, (None, None), false).unwrap();
        system.symlink(&p("a"), &p("/l")).unwrap();
        assert_eq!(read(&system, &p("/l/f")).unwrap(), b"x");
        assert!(system.lstat(&p("/l")).unwrap().is_link());
        assert!(system.stat(&p("/l")).unwrap().is_dir());
        assert_eq!(system.list(&p("/")).unwrap(), ["a", "l"]);
        system.remove(&p("/a")).unwrap();
        assert!(system.stat(&p("/l/f")).is_err());
        system.make_dir(&p("/a"), 0o755).unwrap();
        assert!(system.list(&p("/a")).unwrap().is_empty());
        assert!(system.write(&p("/no/f"), Content::Bytes(vec![]), 0o600, (None, None), false).is_err());
    }

    #[test]
    fn after_an_opaque_change_absent_is_unknown() {
        let mut system = memory();
        system.make_dir(Path::new("/a"), 0o755).unwrap();
        system.replay(&Change::Opaque { what: "make".into(), below: None });
        let error = system.lstat(Path::new("/b")).unwrap_err();
        assert!(unknown_reason(&error).unwrap().contains("make"));
        assert!(system.lstat(Path::new("/a")).is_ok());
    }

    #[test]
    fn an_opaque_change_of_one_path_leaves_the_others_known() {
        let mut system = memory();
        system.replay(&Change::Opaque { what: "a copy".into(), below: Some("/etc/pki".into()) });
        assert!(unknown_reason(&system.lstat(Path::new("/etc/pki/key")).unwrap_err()).is_some());
        assert!(unknown_reason(&system.lstat(Path::new("/etc")).unwrap_err()).is_some());
        assert!(unknown_reason(&system.lstat(Path::new("/opt")).unwrap_err()).is_none());
    }

    #[test]
    fn a_file_that_somebody_changed_has_unknown_content_until_it_is_written() {
        let mut system = memory();
        let file = Path::new("/f");
        let write = |system: &mut Overlay<Nothing>| system.write(file, Content::Bytes(b"x".to_vec()), 0o600, (None, None), false).unwrap();
        write(&mut system);
        system.replay(&Change::Opaque { what: "an unknown line".into(), below: Some(file.into()) });
        assert!(unknown_reason(&read(&system, file).unwrap_err()).is_some());
        write(&mut system);
        assert_eq!(read(&system, file).unwrap(), b"x");
        system.write(file, Content::Unknown { reason: "no".into() }, 0o600, (None, None), false).unwrap();
        assert!(system.lstat(file).unwrap().is_file());
        assert!(unknown_reason(&read(&system, file).unwrap_err()).is_some());
    }

    #[test]
    fn what_is_presumed_is_absent_in_a_folder_that_is_there() {
        let mut system = memory();
        system.replay(&Change::Opaque { what: "make".into(), below: None });
        system.presume(Path::new("/etc/app/conf"), false);
        assert!(system.lstat(Path::new("/etc/app")).unwrap().is_dir());
        assert!(unknown_reason(&system.lstat(Path::new("/etc/app/conf")).unwrap_err()).is_none());
        assert!(unknown_reason(&system.lstat(Path::new("/etc/app/other")).unwrap_err()).is_some());
        system.presume(Path::new("/srv/"), true);
        assert!(system.lstat(Path::new("/srv")).unwrap().is_dir());
    }

    #[test]
    fn an_overlay_hides_what_it_removed_and_keeps_the_base() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "old").unwrap();
        let mut system = Overlay::new(crate::system::Real, (1, 0), 0o022);
        let file = dir.path().join("f");
        system.chmod(&file, 0o600).unwrap();
        assert_eq!(read(&system, &file).unwrap(), b"old");
        assert_eq!(system.lstat(&file).unwrap().mode, 0o600);
        system.remove(dir.path()).unwrap();
        assert!(system.lstat(&file).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
    }
}
