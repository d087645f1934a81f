//! known_hosts files: what they say about a host, and adding to them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::{FlockOperation, flock};
use sha1::Sha1;

use super::{ConnectError, Settings};
use crate::connection::error::plain;
use crate::connection::ssh_config::glob;

/// One line about the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub file: PathBuf,
    pub line: usize,
    pub revoked: bool,
    /// `ssh-ed25519`...
    pub kind: String,
    /// The key as the protocol has it.
    pub key: Vec<u8>,
}

/// All lines about the host.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub entries: Vec<Entry>,
}

/// How known_hosts calls the host: `[host]:port` unless the port is 22.
pub(super) fn name(settings: &Settings) -> String {
    match &settings.host_key_alias {
        Some(alias) => alias.clone(),
        None if settings.port == 22 => settings.host_name.to_lowercase(),
        None => format!("[{}]:{}", settings.host_name.to_lowercase(), settings.port),
    }
}

impl Known {
    /// Reads the files that the settings name; those that do not exist say nothing.
    pub(super) fn load(settings: &Settings) -> Result<Known, ConnectError> {
        let host = name(settings);
        let mut known = Known::default();
        for file in settings.user_known_hosts.iter().chain(&settings.global_known_hosts) {
            match std::fs::read(file) {
                Ok(bytes) => known.entries.extend(about(&host, file, &String::from_utf8_lossy(&bytes))),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(ConnectError::setup(format!("cannot read {}: {}", file.display(), plain(&error)))),
            }
        }
        Ok(known)
    }

    /// The types of keys that are known.
    pub(super) fn types(&self) -> Vec<String> {
        let mut types: Vec<String> = self.entries.iter().filter(|entry| !entry.revoked).map(|entry| entry.kind.clone()).collect();
        types.dedup();
        types
    }
}

/// The lines of a file that are about the host.
fn about(host: &str, file: &Path, text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        if marker.is_some_and(|marker| marker != "@revoked") {
            // libssh2 asks for no host certificates, so authorities say nothing to us
            continue;
        }
        let (Some(names), Some(kind), Some(key)) = (words.next(), words.next(), words.next()) else { continue };
        if names.starts_with('#') || !names_host(names, host) {
            continue;
        }
        let Ok(key) = STANDARD.decode(key) else { continue };
        entries.push(Entry { file: file.to_owned(), line: index + 1, revoked: marker.is_some(), kind: kind.to_owned(), key });
    }
    entries
}

/// True when the first field of a line is about the host: hashed, or patterns.
fn names_host(names: &str, host: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hashed.split_once('|').is_some_and(|(salt, hash)| is_hash_of(salt, hash, host));
    }
    let mut any = false;
    for pattern in names.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, host) => return false,
            Some(_) => {}
            // brackets are letters here
            None => any |= glob(pattern, host),
        }
    }
    any
}

fn is_hash_of(salt: &str, hash: &str, host: &str) -> bool {
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    hashed(&salt, host) == hash
}

fn hashed(salt: &[u8], host: &str) -> Vec<u8> {
    // HMAC takes a key of any length
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return Vec::new() };
    mac.update(host.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Adds the host's key to the user's first file, under a lock, in one write. Where there is no such file nothing is kept.
pub(super) fn add(settings: &Settings, kind: &str, key: &[u8]) -> io::Result<Option<PathBuf>> {
    let Some(path) = settings.user_known_hosts.first().filter(|path| *path != Path::new("/dev/null")) else { return Ok(None) };
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    let mut text = String::new();
    read_all(&mut file, &mut text)?;
    let host = name(settings);
    if about(&host, path, &text).iter().any(|entry| entry.key == key) {
        return Ok(None);
    }
    let shown = if settings.hash_known_hosts { hash_name(&host) } else { host };
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{newline}{shown} {kind} {}\n", STANDARD.encode(key)).as_bytes())?;
    Ok(Some(path.clone()))
}

fn read_all(file: &mut File, text: &mut String) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    text.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}

fn hash_name(host: &str) -> String {
    let salt: [u8; 20] = rand::random();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hashed(&salt, host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_name_pattern_and_hash() {
        let key = STANDARD.encode(b"key");
        let hashed_name = hash_name("secret.lan");
        let text = format!(
            "# comment\nweb,10.0.0.1 ssh-rsa {key}\n*.lan,!db.lan ssh-ed25519 {key}\n[web]:2222 ssh-ed25519 {key}\n@revoked web ssh-dss {key}\n@cert-authority * ssh-rsa {key}\n{hashed_name} ecdsa {key}\n"
        );
        let found = |host: &str| about(host, Path::new("k"), &text).iter().map(|entry| (entry.line, entry.revoked)).collect::<Vec<_>>();
        assert_eq!(found("web"), [(2, false), (5, true)]);
        assert_eq!(found("10.0.0.1"), [(2, false)]);
        assert_eq!(found("x.lan"), [(3, false)]);
        assert_eq!(found("db.lan"), []);
        assert_eq!(found("[web]:2222"), [(4, false)]);
        assert_eq!(found("secret.lan"), [(3, false), (7, false)]);
    }
}
