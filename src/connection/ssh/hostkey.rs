//! Is it the host that we know?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use ssh2::Session as Raw;

use super::known_hosts::{Entry, Known, add, name};
use super::{ConnectError, Local, Settings, ssh_config};
use crate::connection::error::plain;
use crate::connection::ssh_config::Strict;

/// Compares the key that the host showed with what known_hosts says, and keeps a new one where that is wanted.
pub(super) fn verify(raw: &Raw, settings: &Settings, known: &Known, local: &Local, files: &ssh_config::Files) -> Result<(), ConnectError> {
    let (key, _) = raw.host_key().ok_or_else(|| refused("the host showed no key"))?;
    let kind = kind(key).ok_or_else(|| refused("the host showed a key that cannot be read"))?;
    match judge(key, &kind, known) {
        Verdict::Known => Ok(()),
        Verdict::Revoked(entry) => {
            Err(refused(&format!("the {} host key of {} is revoked by {}:{}", short(&kind), name(settings), entry.file.display(), entry.line)))
        }
        Verdict::Changed(entry) => Err(changed(settings, key, &kind, entry)),
        Verdict::New => match settings.strict {
            Strict::Yes | Strict::Ask => Err(unknown(settings, key, &kind)),
            Strict::AcceptNew | Strict::No => {
                if let Err(error) = add(settings, &kind, key) {
                    let said = format!("the host key of {} could not be added to known_hosts: {}", name(settings), plain(&error));
                    files.once(local, &said);
                }
                Ok(())
            }
        },
    }
}

#[derive(Debug, PartialEq)]
enum Verdict<'a> {
    Known,
    New,
    Changed(&'a Entry),
    Revoked(&'a Entry),
}

fn judge<'a>(key: &[u8], kind: &str, known: &'a Known) -> Verdict<'a> {
    if let Some(entry) = known.entries.iter().find(|entry| entry.revoked && entry.key == key) {
        return Verdict::Revoked(entry);
    }
    let mut same_kind = known.entries.iter().filter(|entry| !entry.revoked && entry.kind == kind).peekable();
    let Some(first) = same_kind.peek().copied() else { return Verdict::New };
    if same_kind.any(|entry| entry.key == key) { Verdict::Known } else { Verdict::Changed(first) }
}

/// The type of a key: its first field.
fn kind(key: &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(*key.first_chunk::<4>()?) as usize;
    String::from_utf8(key.get(4..4 + length)?.to_vec()).ok()
}

/// As `ssh-keygen -l` shows a key.
fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

fn short(kind: &str) -> String {
    kind.trim_start_matches("ssh-").split('-').next().unwrap_or(kind).to_uppercase()
}

fn refused(why: &str) -> ConnectError {
    ConnectError::HostKey { message: format!("Failed to connect to the host via ssh: {why}\nHost key verification failed.") }
}

fn unknown(settings: &Settings, key: &[u8], kind: &str) -> ConnectError {
    let host = name(settings);
    let port = if settings.port == 22 { String::new() } else { format!("-p {} ", settings.port) };
    refused(&format!(
        "no {} host key is known for {host}. Its key has the fingerprint {}. If that is right, add it with `ssh-keyscan {port}{} >> ~/.ssh/known_hosts`, \
         or set StrictHostKeyChecking=accept-new in ssh_args, or host_key_checking = False.",
        short(kind),
        fingerprint(key),
        settings.host_name,
    ))
}

fn changed(settings: &Settings, key: &[u8], kind: &str, entry: &Entry) -> ConnectError {
    let host = name(settings);
    refused(&format!(
        "REMOTE HOST IDENTIFICATION HAS CHANGED! The {} host key of {host} has the fingerprint {}, but {}:{} has {}. Either somebody is listening in, or the \
         host has got a new key. In the latter case remove the old one with `ssh-keygen -f '{}' -R '{host}'`.",
        short(kind),
        fingerprint(key),
        entry.file.display(),
        entry.line,
        fingerprint(&entry.key),
        entry.file.display(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: usize, kind: &str, key: &[u8], revoked: bool) -> Entry {
        Entry { file: "known_hosts".into(), line, revoked, kind: kind.into(), key: key.to_vec() }
    }

    #[test]
    fn a_key_is_known_new_changed_or_revoked() {
        let known = Known { entries: vec![entry(1, "ssh-ed25519", b"old", false), entry(2, "ssh-ed25519", b"new", false), entry(3, "ssh-rsa", b"bad", true)] };
        assert_eq!(judge(b"new", "ssh-ed25519", &known), Verdict::Known);
        assert_eq!(judge(b"other", "ssh-ed25519", &known), Verdict::Changed(&known.entries[0]));
        assert_eq!(judge(b"other", "ssh-rsa", &known), Verdict::New);
        assert_eq!(judge(b"bad", "ssh-rsa", &known), Verdict::Revoked(&known.entries[2]));
    }

    #[test]
    fn the_type_stands_in_the_key() {
        assert_eq!(kind(b"\0\0\0\x07ssh-rsa....").as_deref(), Some("ssh-rsa"));
        assert_eq!(kind(b"\0\0\xff\x07ssh-rsa"), None);
        assert_eq!(short("ecdsa-sha2-nistp256"), "ECDSA");
    }
}
