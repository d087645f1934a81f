//! The SHA-256 of the controller's files, taken once per run however many hosts get them.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rplay_modules::digest::of_reader;
use sha2::Sha256;

/// What a file is known by: device, inode, size, and when its content and its inode changed. A file that changes all the same is found out
/// by the target, which refuses content of another digest.
type Key = (u64, u64, u64, (i64, i64), (i64, i64));

/// One file's digest; who comes second waits for who reads it.
type Slot = Arc<Mutex<Option<String>>>;

/// The digests so far.
#[derive(Default)]
pub(super) struct Digests {
    known: Mutex<HashMap<Key, Slot>>,
}

impl Digests {
    /// The file's SHA-256 in hexadecimal.
    pub(super) fn of(&self, path: &Path) -> io::Result<String> {
        let mut file = File::open(path)?;
        let slot = Arc::clone(self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(key(&file.metadata()?)).or_default());
        let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = &*known {
            return Ok(digest.clone());
        }
        Ok(known.insert(of_reader::<Sha256>(&mut file)?).clone())
    }
}

fn key(meta: &Metadata) -> Key {
    (meta.dev(), meta.ino(), meta.size(), (meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let digests = Digests::default();
        let one = digests.of(&path).unwrap();
        assert_eq!(one, of_reader::<Sha256>(&mut &b"one"[..]).unwrap());
        // what is known is not read again
        let slot = digests.known.lock().unwrap().values().next().unwrap().clone();
        *slot.lock().unwrap() = Some("kept".into());
        assert_eq!(digests.of(&path).unwrap(), "kept");
        std::fs::write(&path, "longer").unwrap();
        assert_eq!(digests.of(&path).unwrap(), of_reader::<Sha256>(&mut &b"longer"[..]).unwrap());
        assert!(digests.of(&dir.path().join("absent")).is_err());
    }
}
