//! Logging in: agent, key files, password.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh2::{Agent, KeyboardInteractivePrompt, Prompt, PublicKey, Session as Raw};

use super::libssh2_codes::{SOCKET_DISCONNECT, SOCKET_RECV, SOCKET_SEND, TIMEOUT};
use super::{ConnectError, Settings, Target, code};
use crate::connection::Secret;

/// Why nobody was let in.
pub(super) enum Refused {
    /// Kerberos is what is left, and only the system's `ssh` has it.
    Gssapi,
    /// Any other reason.
    Because(ConnectError),
}

/// What was tried so far.
struct Login<'a> {
    raw: &'a Raw,
    settings: &'a Settings,
    /// What a reader should know about keys that could not be used.
    notes: Vec<String>,
    /// Keys that were offered already.
    offered: Vec<Vec<u8>>,
}

/// Logs in by the first way that works.
pub(super) fn authenticate(raw: &Raw, target: &Target, settings: &Settings) -> Result<(), Refused> {
    let mut login = Login { raw, settings, notes: Vec::new(), offered: Vec::new() };
    if settings.pubkey_authentication && login.prefers("publickey") && login.by_keys()? {
        return Ok(());
    }
    let methods = match raw.auth_methods(&settings.user) {
        Ok(methods) => methods.to_owned(),
        Err(_) if raw.authenticated() => return Ok(()),
        Err(error) => return Err(login.lost(&error)),
    };
    if let Some(password) = &target.password {
        if login.by_password(password, &methods)? {
            return Ok(());
        }
        let message = format!("Invalid/incorrect password: {}@{}: Permission denied ({methods}).", settings.user, settings.host_name);
        return Err(Refused::Because(ConnectError::AuthFailed { message }));
    }
    if settings.gssapi && methods.split(',').any(|method| method == "gssapi-with-mic") && login.offered.is_empty() {
        return Err(Refused::Gssapi);
    }
    Err(login.denied(&methods))
}

impl Login<'_> {
    /// Named key files first, then the agent's keys, then the default files.
    fn by_keys(&mut self) -> Result<bool, Refused> {
        let files = &self.settings.identity_files;
        let agent = self.agent();
        let identities = agent.as_ref().and_then(|agent| agent.identities().ok()).unwrap_or_default();
        let named: Vec<Vec<u8>> = files.iter().filter_map(|file| public_part(file)).collect();
        let (ours, others): (Vec<PublicKey>, Vec<PublicKey>) = identities.into_iter().partition(|key| named.iter().any(|blob| blob == key.blob()));
        if self.by_agent(agent.as_ref(), &ours)? {
            return Ok(true);
        }
        if !self.settings.default_identities && self.by_files(files)? {
            return Ok(true);
        }
        if !self.settings.identities_only && self.by_agent(agent.as_ref(), &others)? {
            return Ok(true);
        }
        if self.settings.default_identities && self.by_files(files)? {
            return Ok(true);
        }
        Ok(false)
    }

    /// `PreferredAuthentications` names it, or nothing.
    fn prefers(&self, method: &str) -> bool {
        self.settings.preferred.as_ref().is_none_or(|preferred| preferred.iter().any(|named| named == method))
    }

    fn agent(&mut self) -> Option<Agent> {
        let socket = self.settings.agent.as_ref()?;
        let mut agent = self.raw.agent().ok()?;
        agent.set_identity_path(socket).ok()?;
        let listed = agent.connect().and_then(|()| agent.list_identities());
        if listed.is_err() {
            self.notes.push(format!("the agent at {} does not answer", socket.display()));
            return None;
        }
        Some(agent)
    }

    fn by_agent(&mut self, agent: Option<&Agent>, keys: &[PublicKey]) -> Result<bool, Refused> {
        let Some(agent) = agent else { return Ok(false) };
        for key in keys {
            let result = agent.userauth(&self.settings.user, key);
            self.offered.push(key.blob().to_vec());
            if self.settled(result)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn by_files(&mut self, files: &[PathBuf]) -> Result<bool, Refused> {
        for file in files {
            if public_part(file).is_some_and(|blob| self.offered.contains(&blob)) {
                continue;
            }
            let bytes = match std::fs::read(file) {
                Ok(bytes) => bytes,
                Err(_) if self.settings.default_identities => continue,
                Err(error) => {
                    self.notes.push(format!("no such identity: {}: {}", file.display(), crate::connection::error::plain(&error)));
                    continue;
                }
            };
            if is_encrypted(&bytes) {
                self.notes.push(format!("the key {} is encrypted: add it to the agent with ssh-add", file.display()));
                continue;
            }
            let result = self.raw.userauth_pubkey_file(&self.settings.user, None, file, None);
            if let Some(blob) = public_part(file) {
                self.offered.push(blob);
            }
            if let Err(error) = &result {
                // a key that could be read and was refused is no news; one that could not be read is
                if matches!(code(error), Some(-16 | -1)) {
                    self.notes.push(format!("the key {} cannot be read: {}", file.display(), error.message()));
                }
            }
            if self.settled(result)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn by_password(&mut self, password: &Secret, methods: &str) -> Result<bool, Refused> {
        let offers = |method: &str| self.prefers(method) && methods.split(',').any(|offered| offered == method);
        if self.settings.password_authentication && offers("password") {
            let result = self.raw.userauth_password(&self.settings.user, password.reveal());
            if self.settled(result)? {
                return Ok(true);
            }
        }
        if self.settings.keyboard_interactive && offers("keyboard-interactive") {
            let result = self.raw.userauth_keyboard_interactive(&self.settings.user, &mut Answer(password));
            return self.settled(result);
        }
        Ok(false)
    }

    /// True when it worked, false when it was refused; a lost connection ends all tries.
    fn settled(&self, result: Result<(), ssh2::Error>) -> Result<bool, Refused> {
        match result {
            Ok(()) => Ok(self.raw.authenticated()),
            Err(error) if matches!(code(&error), Some(SOCKET_DISCONNECT | SOCKET_RECV | SOCKET_SEND | TIMEOUT)) => Err(self.lost(&error)),
            Err(_) => Ok(false),
        }
    }

    fn lost(&self, error: &ssh2::Error) -> Refused {
        let said = format!("{}@{}: disconnected while logging in: {}", self.settings.user, self.settings.host_name, error.message());
        let many = if self.offered.len() > 4 { " (Too many authentication failures: set IdentitiesOnly)" } else { "" };
        Refused::Because(ConnectError::via_ssh(format!("{said}{many}{}", self.noted())))
    }

    fn denied(&self, methods: &str) -> Refused {
        let said = format!("{}@{}: Permission denied ({methods}).{}", self.settings.user, self.settings.host_name, self.noted());
        Refused::Because(ConnectError::AuthFailed { message: format!("Failed to connect to the host via ssh: {said}") })
    }

    fn noted(&self) -> String {
        if self.notes.is_empty() { String::new() } else { format!(" ({})", self.notes.join("; ")) }
    }
}

/// Answers every question with the password.
struct Answer<'a>(&'a Secret);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt<'b>(&mut self, _username: &str, _instructions: &str, prompts: &[Prompt<'b>]) -> Vec<String> {
        prompts.iter().map(|_| self.0.reveal().to_owned()).collect()
    }
}

/// The key in `FILE.pub`, as the protocol has it.
fn public_part(file: &Path) -> Option<Vec<u8>> {
    let text = std::fs::read_to_string(format!("{}.pub", file.display())).ok()?;
    STANDARD.decode(text.split_whitespace().nth(1)?).ok()
}

/// True when a private key asks for a passphrase.
fn is_encrypted(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return text.contains("ENCRYPTED");
    }
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let Ok(decoded) = STANDARD.decode(body) else { return false };
    // "openssh-key-v1\0", then the cipher's name with its length before it
    let name = decoded.get(15..19).and_then(|length| {
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        decoded.get(19..19 + length)
    });
    name.is_some_and(|name| name != b"none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_keys_are_recognised() {
        let key = |cipher: &[u8]| {
            let mut bytes = b"openssh-key-v1\0".to_vec();
            bytes.extend((cipher.len() as u32).to_be_bytes());
            bytes.extend(cipher);
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", STANDARD.encode(bytes))
        };
        assert!(!is_encrypted(key(b"none").as_bytes()));
        assert!(is_encrypted(key(b"aes256-ctr").as_bytes()));
        assert!(is_encrypted(b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"));
        assert!(!is_encrypted(b"-----BEGIN RSA PRIVATE KEY-----\nMII\n"));
    }
}
