//! What a module may see and do of a machine's files: the real one, or one in memory laid over it (check mode, tests).

mod overlay;
mod real;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use overlay::{Nothing, Overlay};
pub use real::Real;

use crate::change::{Change, Content};

/// What kind of thing a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A block device.
    Block,
    /// A character device.
    Char,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// A point in time as the kernel keeps it: seconds and nanoseconds.
pub type Time = (i64, i64);

/// What `lstat` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with set-uid, set-gid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Number of hard links.
    pub nlink: u64,
    /// Inode number.
    pub inode: u64,
    /// Device number.
    pub dev: u64,
    /// Device number of a device file.
    pub rdev: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Preferred block size.
    pub block_size: u64,
    /// Last read.
    pub atime: Time,
    /// Last write.
    pub mtime: Time,
    /// Last change of the inode.
    pub ctime: Time,
}

impl Stat {
    /// A directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }

    /// A regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// A symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == FileKind::Link
    }
}

/// The files of a machine. Writing methods are for `Context` only.
pub trait System {
    /// What a path names, a link itself.
    ///
    /// # Errors
    /// As the kernel; unknown in check mode.
    fn lstat(&self, path: &Path) -> io::Result<Stat>;
    /// Where a link points.
    ///
    /// # Errors
    /// As the kernel.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// A file's content, links followed.
    ///
    /// # Errors
    /// As the kernel.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>>;
    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// As the kernel.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// What a path names, links followed.
    ///
    /// # Errors
    /// As the kernel.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Replaces a file's content in one step; `mode` and `owner` are those of the new file.
    ///
    /// # Errors
    /// As the kernel.
    fn write(&mut self, path: &Path, content: Content, mode: u32, owner: (Option<u32>, Option<u32>), in_place: bool) -> io::Result<()>;
    /// Makes a directory.
    ///
    /// # Errors
    /// As the kernel.
    fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()>;
    /// Makes a symbolic link, replacing a file or link in one step.
    ///
    /// # Errors
    /// As the kernel.
    fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()>;
    /// Makes a hard link, replacing a file or link in one step.
    ///
    /// # Errors
    /// As the kernel.
    fn hard_link(&mut self, source: &Path, path: &Path) -> io::Result<()>;
    /// Removes a file, link or whole directory.
    ///
    /// # Errors
    /// As the kernel.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Sets permission bits, links followed.
    ///
    /// # Errors
    /// As the kernel.
    fn chmod(&mut self, path: &Path, mode: u32) -> io::Result<()>;
    /// Sets owner and group of the path itself.
    ///
    /// # Errors
    /// As the kernel.
    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()>;
    /// Sets access and modification time.
    ///
    /// # Errors
    /// As the kernel.
    fn set_times(&mut self, path: &Path, atime: Time, mtime: Time, follow: bool) -> io::Result<()>;
    /// A real machine is behind it, with programs and devices.
    fn is_real(&self) -> bool {
        false
    }
    /// Keeps a change that is not of files (user, unit, opaque...), for later questions.
    fn note(&mut self, _change: &Change) {}
    /// The changes kept so, oldest first.
    fn noted(&self) -> &[Change] {
        &[]
    }
}

/// Reads a whole file.
///
/// # Errors
/// As the kernel.
pub fn read(system: &dyn System, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    system.open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// An I/O error that says: nobody can know this in check mode.
#[derive(Debug, thiserror::Error)]
#[error("not known in check mode: {0}")]
struct Unknown(String);

/// What stands in a reason between a path that is not there and who may make it.
pub const MAY_BE_MADE: &str = " may be made by ";

pub(crate) fn unknown(reason: impl Into<String>) -> io::Error {
    io::Error::other(Unknown(reason.into()))
}

/// The reason, when the error is an unknown of check mode.
pub fn unknown_reason(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<Unknown>().map(|unknown| unknown.0.clone())
}
