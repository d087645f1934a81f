//! Keywords and values become [`Settings`].

use std::path::PathBuf;
use std::time::Duration;

use super::args::Line;
use super::matching::Found;
use super::{Proxy, Settings, Strict, Tokens};
use crate::connection::{ConnectError, Local, Target};

/// The keys that are tried when none is named, OpenSSH's order.
const DEFAULT_KEYS: [&str; 4] = ["~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519", "~/.ssh/id_dsa"];

pub(super) fn settle(target: &Target, line: &Line, found: Found, local: &Local) -> Result<Settings, ConnectError> {
    let mut tokens = found.tokens(local);
    let port = match (target.port, found.get("port")) {
        (Some(port), _) => port,
        (None, Some(text)) => text.parse().map_err(|_| bad("Port", text))?,
        (None, None) => 22,
    };
    tokens.port = port.to_string();
    let user = target.user.clone().or_else(|| line.user.clone()).unwrap_or_else(|| tokens.user.clone());
    tokens.user = user.clone();
    let (identity_files, default_identities) = identities(target, &found, &tokens, local);
    let known = |keyword: &str, usual: &str| -> Vec<PathBuf> {
        let text = found.get(keyword).unwrap_or(usual);
        text.split_whitespace().filter(|word| *word != "none").map(|word| tokens.path(word, local)).collect()
    };
    Ok(Settings {
        original: target.host.clone(),
        host_name: tokens.host.clone(),
        port,
        user,
        default_identities,
        identities_only: yes(&found, "identitiesonly", false),
        agent: agent(&found, &tokens, local),
        user_known_hosts: known("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"),
        global_known_hosts: known("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
        strict: strict(target, &found)?,
        host_key_alias: found.get("hostkeyalias").map(str::to_owned),
        hash_known_hosts: yes(&found, "hashknownhosts", false),
        proxy: proxy(&found, &tokens),
        connect_timeout: found.get("connecttimeout").filter(|text| *text != "none").map(seconds).transpose()?,
        // OpenSSH's default is never; but a host that is gone must not keep a run waiting for ever, and asking costs nothing
        alive_interval: found.get("serveraliveinterval").map(seconds).transpose()?.unwrap_or(Duration::from_secs(30)),
        alive_count_max: number(&found, "serveralivecountmax", 3)?,
        kex: found.get("kexalgorithms").map(str::to_owned),
        ciphers: found.get("ciphers").map(str::to_owned),
        macs: found.get("macs").map(str::to_owned),
        host_key_algorithms: found.get("hostkeyalgorithms").map(str::to_owned),
        compression: yes(&found, "compression", false),
        password_authentication: yes(&found, "passwordauthentication", true),
        keyboard_interactive: yes(&found, "kbdinteractiveauthentication", true) && yes(&found, "challengeresponseauthentication", true),
        pubkey_authentication: !matches!(found.get("pubkeyauthentication"), Some("no" | "false")),
        gssapi: yes(&found, "gssapiauthentication", false),
        connection_attempts: number(&found, "connectionattempts", 1)?,
        preferred: found.get("preferredauthentications").map(|list| list.split(',').map(|method| method.trim().to_owned()).collect()),
        environment: environment(&found),
        address_family: found.get("addressfamily").map(str::to_lowercase),
        bind_address: found.get("bindaddress").map(str::to_owned),
        only_openssh: only_openssh(&found, &identity_files),
        config_file: line.config_file.as_deref().map(|path| super::expand(path, local)),
        identity_files,
    })
}

fn bad(keyword: &str, value: &str) -> ConnectError {
    ConnectError::setup(format!("ssh configuration: {keyword} cannot be {value:?}"))
}

fn yes(found: &Found, keyword: &str, usual: bool) -> bool {
    found.get(keyword).map_or(usual, |value| value.eq_ignore_ascii_case("yes") || value.eq_ignore_ascii_case("true"))
}

fn number(found: &Found, keyword: &str, usual: u32) -> Result<u32, ConnectError> {
    found.get(keyword).map_or(Ok(usual), |text| text.parse().map_err(|_| bad(keyword, text)))
}

/// Seconds, or OpenSSH's time format (`1m30s`).
fn seconds(text: &str) -> Result<Duration, ConnectError> {
    let mut total = 0u64;
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(bad("a time", text)),
        };
        total += unit * std::mem::take(&mut digits).parse::<u64>().map_err(|_| bad("a time", text))?;
    }
    if !digits.is_empty() {
        total += digits.parse::<u64>().map_err(|_| bad("a time", text))?;
    }
    Ok(Duration::from_secs(total))
}

fn strict(target: &Target, found: &Found) -> Result<Strict, ConnectError> {
    match found.get("stricthostkeychecking").map(str::to_lowercase).as_deref() {
        Some("no" | "off" | "false") => Ok(Strict::No),
        _ if !target.host_key_checking => Ok(Strict::No),
        Some("yes" | "true") => Ok(Strict::Yes),
        Some("accept-new") => Ok(Strict::AcceptNew),
        None | Some("ask") => Ok(Strict::Ask),
        Some(other) => Err(bad("StrictHostKeyChecking", other)),
    }
}

/// Key files in the order to try them, and whether they are only the default ones.
fn identities(target: &Target, found: &Found, tokens: &Tokens, local: &Local) -> (Vec<PathBuf>, bool) {
    let mut files: Vec<PathBuf> = target.private_key.iter().map(|key| super::expand(&key.to_string_lossy(), local)).collect();
    for file in found.all("identityfile").iter().filter(|file| *file != "none") {
        let file = tokens.path(file, local);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    if files.is_empty() && found.get("identityfile").is_none() {
        return (DEFAULT_KEYS.iter().map(|file| super::expand(file, local)).filter(|file| file.is_absolute()).collect(), true);
    }
    (files, false)
}

fn agent(found: &Found, tokens: &Tokens, local: &Local) -> Option<PathBuf> {
    match found.get("identityagent") {
        None | Some("SSH_AUTH_SOCK") => local.agent_socket.clone(),
        Some("none") => None,
        Some(path) => Some(tokens.path(path, local)),
    }
}

fn proxy(found: &Found, tokens: &Tokens) -> Option<Proxy> {
    // ssh takes whichever comes first; it is rare that both are given, and then the jump is the newer word
    let jump = found.get("proxyjump").filter(|jump| !jump.eq_ignore_ascii_case("none"));
    if let Some(jump) = jump {
        return Some(Proxy::Jump(tokens.expand(jump)));
    }
    let command = found.get("proxycommand").filter(|command| !command.eq_ignore_ascii_case("none"))?;
    Some(Proxy::Command(tokens.expand(command)))
}

/// `SetEnv` lines: words with `=`.
fn environment(found: &Found) -> Vec<(String, String)> {
    let words = found.all("setenv").iter().flat_map(|line| line.split_whitespace());
    words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What libssh2 cannot do and the system's `ssh` can.
fn only_openssh(found: &Found, identity_files: &[PathBuf]) -> Option<String> {
    const ONLY: [(&str, &str); 7] = [
        ("pkcs11provider", "PKCS11Provider"),
        ("securitykeyprovider", "SecurityKeyProvider"),
        ("knownhostscommand", "KnownHostsCommand"),
        ("revokedhostkeys", "RevokedHostKeys"),
        ("verifyhostkeydns", "VerifyHostKeyDNS"),
        ("canonicalizehostname", "CanonicalizeHostname"),
        ("bindinterface", "BindInterface"),
    ];
    for (keyword, name) in ONLY {
        if found.get(keyword).is_some_and(|value| !matches!(value, "none" | "internal" | "no")) {
            return Some(name.to_owned());
        }
    }
    if found.get("forwardagent").is_some_and(|value| !value.eq_ignore_ascii_case("no")) {
        return Some("ForwardAgent".to_owned());
    }
    if let Some(file) = found.get("certificatefile").filter(|file| *file != "none") {
        return Some(format!("CertificateFile {file}"));
    }
    let certificate = |file: &PathBuf| PathBuf::from(format!("{}-cert.pub", file.display()));
    let certificate = identity_files.iter().map(certificate).find(|file| file.exists())?;
    Some(format!("the certificate {}", certificate.display()))
}
