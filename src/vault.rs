//! Ansible's vault: decrypts and encrypts texts and files, and knows the passwords of the run.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rand::RngCore as _;

mod cipher;
mod password;

pub use password::{Prompt, Sources};

use cipher::Keys;

/// Why a text could not be decrypted, or a password not be had. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// No header.
    #[error("Input is not vault encrypted data.")]
    NotEncrypted,
    /// The header is damaged.
    #[error("Vault envelope format error.")]
    Envelope,
    /// The body is damaged.
    #[error("Vault vaulttext format error.")]
    Text,
    /// The body is not hexadecimal.
    #[error("Vault format unhexlify error.")]
    Hex,
    /// Another cipher than AES256.
    #[error("Cipher '{0}' could not be found.")]
    Cipher(String),
    /// There is no password.
    #[error("Attempting to decrypt but no vault secrets found.")]
    NoSecrets,
    /// No password fits.
    #[error("Decryption failed (no vault secrets were found that could decrypt).")]
    NoMatch,
    /// The plain text is no UTF-8 where text is needed.
    #[error("The decrypted text is not UTF-8.")]
    NotText,
    /// There is no password to encrypt with.
    #[error("A vault password must be specified to encrypt data")]
    NothingToEncryptWith,
    /// No password has the label to encrypt with.
    #[error("Did not find a match for --encrypt-vault-id={0} in the known vault-ids {1:?}")]
    NoSuchLabel(String, Vec<String>),
    /// It is encrypted already.
    #[error("input is already encrypted")]
    AlreadyEncrypted,
    /// A password source failed.
    #[error("{0}")]
    Source(String),
    /// A file cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// True for text that begins as encrypted text does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(cipher::HEADER.as_bytes()) && bytes.is_ascii()
}

type KeyCache = HashMap<(usize, Vec<u8>), Arc<Keys>>;

/// The passwords of a run, in the order in which they were given.
pub struct Secrets {
    passwords: Vec<(String, Vec<u8>)>,
    default_label: String,
    match_labels: bool,
    salt: Option<Vec<u8>>,
    /// Deriving a key takes longer than decrypting with it.
    keys: Mutex<KeyCache>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.passwords.iter().map(|(label, _)| label)).finish()
    }
}

impl Default for Secrets {
    fn default() -> Secrets {
        Secrets::new("default", false, None)
    }
}

impl Secrets {
    /// No passwords yet: the label of passwords without one (`vault_identity`), whether only the secret of a text's own label may decrypt
    /// it (`vault_id_match`), and a salt to encrypt with instead of a random one (`vault_encrypt_salt`).
    pub fn new(default_label: &str, match_labels: bool, salt: Option<&str>) -> Secrets {
        let salt = salt.filter(|salt| !salt.is_empty()).map(|salt| salt.as_bytes().to_vec());
        Secrets { passwords: Vec::new(), default_label: default_label.into(), match_labels, salt, keys: Mutex::default() }
    }

    /// Adds a password.
    pub fn add(&mut self, label: &str, password: Vec<u8>) {
        self.passwords.push((label.to_string(), password));
    }

    /// True without any password.
    pub fn is_empty(&self) -> bool {
        self.passwords.is_empty()
    }

    /// The label of passwords without one.
    pub fn default_label(&self) -> &str {
        &self.default_label
    }

    /// The labels of the passwords, in order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.passwords.iter().map(|(label, _)| label.as_str())
    }

    /// The passwords themselves, for masking them in output.
    pub fn passwords(&self) -> impl Iterator<Item = &[u8]> {
        self.passwords.iter().map(|(_, password)| password.as_slice())
    }

    /// The plain text of an encrypted text.
    ///
    /// # Errors
    /// It is damaged, no password fits, or it is no UTF-8.
    pub fn decrypt(&self, text: &str) -> Result<String, VaultError> {
        String::from_utf8(self.decrypt_bytes(text.as_bytes())?).map_err(|_| VaultError::NotText)
    }

    /// The bytes of an encrypted text.
    ///
    /// # Errors
    /// It is damaged or no password fits.
    pub fn decrypt_bytes(&self, text: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.decrypt_and_label(text).map(|(bytes, _)| bytes)
    }

    /// The bytes of an encrypted text, and the label of the password that fitted.
    ///
    /// # Errors
    /// It is damaged or no password fits.
    pub fn decrypt_and_label(&self, text: &[u8]) -> Result<(Vec<u8>, &str), VaultError> {
        let envelope = cipher::open(text)?;
        if self.passwords.is_empty() {
            return Err(VaultError::NoSecrets);
        }
        let label = envelope.label.as_deref().unwrap_or(&self.default_label);
        let own = |number: &usize| self.passwords[*number].0 == label;
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..self.passwords.len()).partition(own);
        let rest = if self.match_labels { Vec::new() } else { rest };
        let found = first.into_iter().chain(rest).find_map(|number| Some((envelope.decrypt(&self.key(number, &envelope.salt))?, number)));
        found.map(|(bytes, number)| (bytes, self.passwords[number].0.as_str())).ok_or(VaultError::NoMatch)
    }

    /// A file's bytes, decrypted when they are encrypted.
    ///
    /// # Errors
    /// It cannot be read or decrypted.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, VaultError> {
        let bytes = std::fs::read(path).map_err(|e| VaultError::Unreadable(format!("{}: {e}", path.display())))?;
        if !is_encrypted(&bytes) {
            return Ok(bytes);
        }
        let plain = self.decrypt_bytes(&bytes)?;
        crate::mask::remember_file(&String::from_utf8_lossy(&plain));
        Ok(plain)
    }

    /// Encrypts with the password of that label, else with the first one; the label `default` is not written.
    ///
    /// # Errors
    /// There is no such password, or it is encrypted already.
    pub fn encrypt(&self, text: &[u8], label: Option<&str>) -> Result<String, VaultError> {
        if is_encrypted(text) {
            return Err(VaultError::AlreadyEncrypted);
        }
        let number = match label {
            Some(wanted) => self
                .passwords
                .iter()
                .position(|(label, _)| label == wanted)
                .ok_or_else(|| VaultError::NoSuchLabel(wanted.to_string(), self.passwords.iter().map(|(label, _)| label.clone()).collect()))?,
            None if self.passwords.is_empty() => return Err(VaultError::NothingToEncryptWith),
            None => 0,
        };
        let salt = self.salt.clone().unwrap_or_else(random_salt);
        let label = Some(self.passwords[number].0.as_str()).filter(|label| *label != "default");
        Ok(cipher::seal(text, &self.key(number, &salt), &salt, label))
    }

    fn key(&self, number: usize, salt: &[u8]) -> Arc<Keys> {
        let place = (number, salt.to_vec());
        let known = |keys: &Mutex<KeyCache>| keys.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(keys) = known(&self.keys) {
            return keys;
        }
        let keys = Arc::new(Keys::derive(&self.passwords[number].1, salt));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(place, keys.clone());
        keys
    }
}

fn random_salt() -> Vec<u8> {
    let mut salt = vec![0; 32];
    rand::rng().fill_bytes(&mut salt);
    salt
}

#[cfg(test)]
mod tests;
