//! The machine itself.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::{FileKind, Stat, System, Time};
use crate::change::{Content, Received};

/// The machine this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

impl System for Real {
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        fs::symlink_metadata(path).map(|meta| stat_of(&meta))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(|meta| stat_of(&meta))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::ISDIR.raw_os_error()));
        }
        Ok(Box::new(file))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names = fs::read_dir(path)?.map(|entry| entry.map(|e| e.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn write(&mut self, path: &Path, content: Content, mode: u32, owner: (Option<u32>, Option<u32>), in_place: bool) -> io::Result<()> {
        match replace(path, &content, mode, owner) {
            Err(_) if in_place => overwrite(path, &content),
            other => other,
        }
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::create_dir(path)?;
        let kept = fs::metadata(path)?.mode() & 0o6000;
        fs::set_permissions(path, Permissions::from_mode(mode | kept))
    }

    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        swap_in(path, |temporary| symlink(target, temporary))
    }

    fn hard_link(&mut self, source: &Path, path: &Path) -> io::Result<()> {
        swap_in(path, |temporary| fs::hard_link(source, temporary))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
    }

    fn chmod(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::lchown(path, uid, gid)
    }

    fn set_times(&mut self, path: &Path, atime: Time, mtime: Time, follow: bool) -> io::Result<()> {
        let at = |time: Time| Timespec { tv_sec: time.0, tv_nsec: time.1 };
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        Ok(utimensat(CWD, path, &Timestamps { last_access: at(atime), last_modification: at(mtime) }, flags)?)
    }

    fn is_real(&self) -> bool {
        true
    }
}

fn stat_of(meta: &Metadata) -> Stat {
    let kind = meta.file_type();
    let kind = match kind {
        k if k.is_dir() => FileKind::Dir,
        k if k.is_symlink() => FileKind::Link,
        k if k.is_block_device() => FileKind::Block,
        k if k.is_char_device() => FileKind::Char,
        k if k.is_fifo() => FileKind::Fifo,
        k if k.is_socket() => FileKind::Socket,
        _ => FileKind::File,
    };
    Stat {
        kind,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        nlink: meta.nlink(),
        inode: meta.ino(),
        dev: meta.dev(),
        rdev: meta.rdev(),
        blocks: meta.blocks(),
        block_size: meta.blksize(),
        atime: (meta.atime(), meta.atime_nsec()),
        mtime: (meta.mtime(), meta.mtime_nsec()),
        ctime: (meta.ctime(), meta.ctime_nsec()),
    }
}

/// What was received beside its destination is renamed; anything else is written beside it first.
fn replace(path: &Path, content: &Content, mode: u32, owner: (Option<u32>, Option<u32>)) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Content::Received(received) = content
        && received.path.parent() == Some(dir)
    {
        prepare(&received.file, mode, owner)?;
        return fs::rename(&received.path, path).inspect_err(|_| {
            // so that it can still be read where the file must be written in place
            let _ = received.file.set_permissions(Permissions::from_mode(0o600));
        });
    }
    let mut temporary = tempfile::Builder::new().prefix(".ansible_tmp").tempfile_in(dir)?;
    copy_into(content, temporary.as_file_mut())?;
    prepare(temporary.as_file(), mode, owner)?;
    temporary.persist(path).map(drop).map_err(|error| error.error)
}

/// Owner, then mode: changing the owner takes set-user bits away.
fn prepare(file: &File, mode: u32, owner: (Option<u32>, Option<u32>)) -> io::Result<()> {
    if owner != (None, None) {
        std::os::unix::fs::fchown(file, owner.0, owner.1)?;
    }
    file.set_permissions(Permissions::from_mode(mode))
}

fn overwrite(path: &Path, content: &Content) -> io::Result<()> {
    copy_into(content, &mut File::create(path)?)
}

fn copy_into(content: &Content, to: &mut File) -> io::Result<()> {
    match content {
        Content::Bytes(bytes) => to.write_all(bytes),
        Content::Staged(path) | Content::Received(Received { path, .. }) => io::copy(&mut File::open(path)?, to).map(drop),
        Content::Digest { .. } => Err(super::unknown("the content of a large file that would have been written")),
        Content::Unknown { reason } => Err(super::unknown(reason.as_str())),
    }
}

/// Makes something under a temporary name and renames it over `path`, so that there is never nothing.
fn swap_in(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return make(path);
    }
    let dir = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{}.{}.{name}.tmp", std::process::id(), "ansible"));
    make(&temporary)?;
    fs::rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}
