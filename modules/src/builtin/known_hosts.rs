//! `known_hosts`: keys of hosts in OpenSSH's file, without ssh-keygen.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::Content;
use crate::context::Context;
use crate::glob;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct KnownHosts;

impl Module for KnownHosts {
    const SPEC: Spec = Spec::new(
        "known_hosts",
        "Adds and removes keys of hosts in a known_hosts file.",
        &[
            Arg::str("name", "Name of the host, as it stands in the key; with a port `[name]:port`.").alias(&["host"]).required(),
            Arg::str("key", "The line: name, type and key. Needed to add one; a removal without it takes all of the host's."),
            Arg::path("path", "The file.").default(Preset::Str("~/.ssh/known_hosts")),
            Arg::flag("hash_host", false, "Write the name as a hash."),
            Arg::str("state", "Whether the key shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let host = args.text("name").to_lowercase();
        let present = args.text("state") == "present";
        let key = args.str("key").filter(|key| !key.is_empty()).map(|key| checked(args, key, &host)).transpose()?;
        if key.is_none() && present {
            return Err("No key specified when adding a host".into());
        }
        let path = Path::new(args.text("path"));
        let before = cx.stat(path)?.map(|_| cx.read_text(path)).transpose()?.map(|text| text.content);
        let mut text = before.clone().unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let hits = hits(&text, &host);
        let (replace, line) = match &key {
            Some(key) if !hits.is_empty() => compare(&hits, key),
            _ => (false, None),
        };
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut shown = lines.clone();
        if let (true, Some(line)) = (replace || !present, line) {
            lines.remove(line);
            shown.remove(line);
        }
        let mut changed = replace || present == hits.is_empty();
        match &key {
            Some(key) if present && (replace || line.is_none()) => {
                lines.push(key);
                shown.push(key);
            }
            Some(_) if !present => changed = line.is_some(),
            // the whole host goes; Ansible's diff does not show it
            None => {
                let gone: Vec<usize> = hits.iter().filter(|hit| hit.removable).map(|hit| hit.line).collect();
                changed = !gone.is_empty();
                let kept = lines.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line);
                lines = kept.collect();
            }
            Some(_) => {}
        }
        let diff = diff(path, before.as_deref(), &shown.concat());
        if changed {
            let write = Write { path, content: Content::Bytes(lines.concat().into_bytes()), attributes: &Attributes::default(), backup: false, validate: None };
            cx.write(write)?;
        }
        let outcome = ["name", "key", "path", "hash_host", "state"]
            .iter()
            .fold(Outcome::new(changed), |outcome, name| outcome.with(name, args.get(name).cloned().unwrap_or(Value::Null)));
        Ok(outcome.with("diff", diff))
    }
}

fn diff(path: &Path, before: Option<&str>, after: &str) -> Value {
    let header = path.to_string_lossy();
    let before_header = if before.is_some() { header.clone() } else { "/dev/null".into() };
    json!({"before_header": before_header, "after_header": header, "before": before.unwrap_or_default(), "after": after})
}

/// The line to write: hashed when wanted, with its end; it must be of the host.
fn checked(args: &Args, key: &str, host: &str) -> Result<String, Failure> {
    let comma = host.split_once(',').is_some_and(|(before, _)| !before.is_empty());
    if comma {
        return Err("Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file.".into());
    }
    let mut key = key.to_owned();
    if args.flag("hash_host") {
        let mut parts: Vec<String> = key.split_whitespace().map(str::to_owned).collect();
        let at = usize::from(parts.first().is_some_and(|first| first.starts_with('@')));
        if let Some(name) = parts.get_mut(at) {
            *name = hashed(host, &salt()?);
        }
        key = parts.join(" ");
    }
    if !key.ends_with('\n') {
        key.push('\n');
    }
    let fits = key.lines().filter_map(Entry::parse).any(|entry| entry.is_of(host));
    if fits { Ok(key) } else { Err("Host parameter does not match hashed host field in supplied key".into()) }
}

fn salt() -> Result<[u8; 20], Failure> {
    use std::io::Read;
    let mut salt = [0; 20];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut salt)).map_err(Failure::from)?;
    Ok(salt)
}

fn hashed(host: &str, salt: &[u8]) -> String {
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hmac(salt, host.as_bytes())))
}

/// HMAC-SHA1 with a key of at most 64 bytes.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let inner = Sha1::digest([pad(0x36), text.to_vec()].concat());
    Sha1::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<'l> {
    marker: Option<&'l str>,
    hosts: &'l str,
    kind: &'l str,
    key: &'l str,
}

impl<'l> Entry<'l> {
    fn parse(line: &'l str) -> Option<Entry<'l>> {
        let mut words = line.split_whitespace().peekable();
        if words.peek()?.starts_with('#') {
            return None;
        }
        let marker = words.next_if(|word| word.starts_with('@'));
        Some(Entry { marker, hosts: words.next()?, kind: words.next()?, key: words.next()? })
    }

    /// Names with patterns, `!` for exceptions, or one hash.
    fn is_of(&self, host: &str) -> bool {
        if let Some(rest) = self.hosts.strip_prefix("|1|") {
            let Some((salt, _)) = rest.split_once('|') else { return false };
            return STANDARD.decode(salt).is_ok_and(|salt| salt.len() <= 64 && hashed(host, &salt) == self.hosts);
        }
        let mut found = false;
        for pattern in self.hosts.split(',') {
            let (not, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest));
            // a port's brackets are no set
            if glob::matches(&pattern.to_lowercase().replace('[', "[[]"), host) {
                if not {
                    return false;
                }
                found = true;
            }
        }
        found
    }
}

/// A line of the host.
struct Hit<'l> {
    line: usize,
    entry: Entry<'l>,
    /// Neither a pattern nor an authority: the line is of this host alone.
    removable: bool,
}

fn hits<'t>(text: &'t str, host: &str) -> Vec<Hit<'t>> {
    let entries = text.lines().enumerate().filter_map(|(line, text)| Some((line, Entry::parse(text)?)));
    let own = entries.filter(|(_, entry)| entry.is_of(host));
    own.map(|(line, entry)| {
        let removable = !entry.hosts.contains(['*', '?']) && entry.marker != Some("@cert-authority");
        Hit { line, entry, removable }
    })
    .collect()
}

/// Whether the key has to be written, and the line that it is in or takes the place of.
fn compare(hits: &[Hit<'_>], key: &str) -> (bool, Option<usize>) {
    let Some(mut new) = Entry::parse(key.trim()) else { return (true, None) };
    for hit in hits {
        let special = hit.entry.marker.is_some_and(|marker| marker == "@cert-authority" || marker.starts_with("@revoke"));
        if !special && new.hosts.starts_with("|1|") && hit.entry.hosts.starts_with("|1|") {
            new.hosts = hit.entry.hosts;
        }
        if new == hit.entry {
            return (false, Some(hit.line));
        }
        if !special && new.kind == hit.entry.kind {
            return (true, Some(hit.line));
        }
    }
    (true, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_patterns_and_hashes() {
        let is_of = |hosts: &str, host: &str| Entry { marker: None, hosts, kind: "k", key: "x" }.is_of(host);
        assert!(is_of("a.example,10.0.0.1", "10.0.0.1"));
        assert!(is_of("*.example,!b.example", "a.example"));
        assert!(!is_of("*.example,!b.example", "b.example"));
        assert!(is_of("[a]:2222", "[a]:2222"));
        assert!(!is_of("[a]:2222", "a"));
        let line = hashed("host", b"01234567890123456789");
        assert!(is_of(&line, "host") && !is_of(&line, "other"));
    }

    #[test]
    fn hmac_is_that_of_the_standard() {
        let hex = crate::digest::hex(&hmac(b"key", b"The quick brown fox jumps over the lazy dog"));
        assert_eq!(hex, "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
    }
}
