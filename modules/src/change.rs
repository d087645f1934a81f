//! Every way in which a module can change a target. Check mode sends these back instead of making them, and later calls bring them along.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::system::Time;

/// Content up to this size travels with a change; of more only its digest.
const CARRIED: usize = 256 * 1024;

/// A change of the target. The fields are what their names say; an absent mode or owner is left as it is.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A file's content is replaced, or the file made.
    File { path: PathBuf, content: Content, mode: Option<u32>, uid: Option<u32>, gid: Option<u32> },
    /// A directory is made.
    Dir { path: PathBuf, mode: Option<u32>, uid: Option<u32>, gid: Option<u32> },
    /// A symbolic link is made or turned.
    Link { path: PathBuf, target: PathBuf },
    /// A hard link is made or turned.
    Hardlink { path: PathBuf, source: PathBuf },
    /// Mode, owner, group or times (access, modification) of what is there.
    Attr { path: PathBuf, mode: Option<u32>, uid: Option<u32>, gid: Option<u32>, times: Option<(Time, Time)> },
    /// A path is removed with everything below it.
    Remove { path: PathBuf },
    /// A user is made, altered or removed; `fields` are its passwd fields (`uid`, `gid`, `home`, `shell`, `comment`, `groups`) as far as they are known.
    User { name: String, present: bool, fields: Map<String, Value> },
    /// A group is made, altered or removed.
    Group { name: String, present: bool, gid: Option<u32> },
    /// A service is started, stopped, enabled, masked.
    Unit { name: String, active: Option<bool>, enabled: Option<bool>, masked: Option<bool> },
    /// Packages are installed or removed: files may appear anywhere.
    Package { names: Vec<String>, present: bool },
    /// The lists of packages are read anew: which packages there are may be another matter then.
    PackageLists,
    /// A setting that is in no file, such as the kernel's; without a value it is unset.
    Setting { name: String, value: Option<String> },
    /// A file system is mounted or unmounted.
    Mount { path: PathBuf, mounted: bool },
    /// An object of a Kubernetes API is made, altered or removed. `digest` is its definition's, none where it is removed; `serves` are the kinds that
    /// a CustomResourceDefinition brings, as `GROUP/VERSION KIND PLURAL SCOPE`.
    Object { server: String, api_version: String, object_kind: String, namespace: String, name: String, digest: Option<String>, serves: Vec<String> },
    /// Something that cannot be predicted, such as a command; at and below one path where it can reach no further.
    Opaque {
        what: String,
        #[serde(default)]
        below: Option<PathBuf>,
    },
}

/// A file's content.
#[allow(missing_docs)]
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file of this machine.
    Staged(PathBuf),
    /// Large content that was received and verified, in a temporary file of ours that may become the file itself.
    Received(Received),
    /// Too large to carry: only known by its digest.
    Digest { sha256: String, size: u64 },
    /// Check mode: that it would be there is known, what it would be is not.
    Unknown { reason: String },
}

/// Content in a temporary file that nobody else writes to.
#[derive(Debug, Clone)]
pub struct Received {
    /// Where it is.
    pub path: PathBuf,
    /// Its SHA-256 in hexadecimal, as it was found while it came in.
    pub sha256: Box<str>,
    /// The file itself: what stands under its name could have been exchanged.
    pub file: Arc<File>,
}

impl PartialEq for Received {
    fn eq(&self, other: &Received) -> bool {
        (&self.path, &self.sha256) == (&other.path, &other.sha256)
    }
}

impl Content {
    /// Its size in bytes; 0 where a staged file is gone.
    pub fn size(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Staged(path) | Content::Received(Received { path, .. }) => std::fs::metadata(path).map_or(0, |meta| meta.len()),
            Content::Digest { size, .. } => *size,
            Content::Unknown { .. } => 0,
        }
    }

    /// Its SHA-256 in hexadecimal.
    ///
    /// # Errors
    /// A staged file that cannot be read.
    pub fn sha256(&self) -> io::Result<String> {
        match self {
            Content::Bytes(bytes) => Ok(hex(&Sha256::digest(bytes))),
            Content::Staged(_) => crate::digest::of_reader::<Sha256>(&mut *self.open()?),
            Content::Received(received) => Ok(received.sha256.to_string()),
            Content::Digest { sha256, .. } => Ok(sha256.clone()),
            Content::Unknown { reason } => Err(crate::system::unknown(reason.as_str())),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// A staged file that cannot be read, or content that is not at hand.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Content::Bytes(bytes) => Ok(Box::new(&bytes[..])),
            Content::Staged(path) | Content::Received(Received { path, .. }) => Ok(Box::new(std::fs::File::open(path)?)),
            Content::Digest { .. } => Err(crate::system::unknown("the content of a large file that would have been written")),
            Content::Unknown { reason } => Err(crate::system::unknown(reason.as_str())),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    base64: Option<String>,
    sha256: Option<String>,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let carried = match self {
            Content::Bytes(bytes) if bytes.len() <= CARRIED => {
                Carried { base64: Some(STANDARD.encode(bytes)), sha256: None, size: bytes.len() as u64, unknown: None }
            }
            Content::Unknown { reason } => Carried { base64: None, sha256: None, size: 0, unknown: Some(reason.clone()) },
            other => Carried { base64: None, sha256: other.sha256().ok(), size: other.size(), unknown: None },
        };
        carried.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        let carried = Carried::deserialize(deserializer)?;
        match carried.base64 {
            _ if carried.unknown.is_some() => Ok(Content::Unknown { reason: carried.unknown.unwrap_or_default() }),
            Some(text) => STANDARD.decode(text).map(Content::Bytes).map_err(serde::de::Error::custom),
            None => Ok(Content::Digest { sha256: carried.sha256.unwrap_or_default(), size: carried.size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_survive_json() {
        let change = Change::File { path: "/x".into(), content: Content::Bytes(vec![0, 255]), mode: Some(0o644), uid: None, gid: None };
        let json = serde_json::to_value(&change).unwrap();
        assert_eq!(serde_json::from_value::<Change>(json).unwrap(), change);
        let large = Content::Bytes(vec![7; CARRIED + 1]);
        let back: Content = serde_json::from_value(serde_json::to_value(&large).unwrap()).unwrap();
        assert_eq!(back, Content::Digest { sha256: large.sha256().unwrap(), size: CARRIED as u64 + 1 });
    }
}
