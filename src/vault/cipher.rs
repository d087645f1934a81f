//! The vault's format, 1.1 and 1.2: a header line, then hexadecimal lines that hold salt, HMAC and ciphertext.
//!
//! PBKDF2-HMAC-SHA256 with 10,000 rounds makes 80 bytes of the password: key, HMAC key, first counter. AES-256 in counter mode hides the
//! text, which is padded to 16 bytes as PKCS#7 says; the HMAC-SHA256 is over the ciphertext and is checked first.

use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::Mac as _;
use sha2::Sha256;

use super::VaultError;

/// First bytes of every encrypted text.
pub const HEADER: &str = "$ANSIBLE_VAULT";

type Hmac = hmac::Hmac<Sha256>;
type AesCtr = ctr::Ctr128BE<aes::Aes256>;

/// What a password becomes with a salt.
pub struct Keys([u8; 80]);

impl Keys {
    /// Ten thousand rounds: tens of milliseconds in a debug build, so callers keep the result.
    pub fn derive(password: &[u8], salt: &[u8]) -> Keys {
        let mut bytes = [0; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, 10_000, &mut bytes);
        Keys(bytes)
    }

    fn apply(&self, text: &mut [u8]) {
        let cipher = AesCtr::new_from_slices(&self.0[..32], &self.0[64..]);
        // the lengths are those of the cipher
        if let Ok(mut cipher) = cipher {
            cipher.apply_keystream(text);
        }
    }

    fn hmac(&self, ciphertext: &[u8]) -> Hmac {
        let mut hmac = <Hmac as hmac::KeyInit>::new_from_slice(&self.0[32..64]).unwrap_or_else(|_| unreachable!("an HMAC takes keys of any length"));
        hmac.update(ciphertext);
        hmac
    }
}

/// An encrypted text taken apart.
pub struct Envelope {
    /// The label of format 1.2.
    pub label: Option<String>,
    /// Salt of the key.
    pub salt: Vec<u8>,
    hmac: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Takes a text apart.
pub fn open(text: &[u8]) -> Result<Envelope, VaultError> {
    if !text.starts_with(HEADER.as_bytes()) {
        return Err(VaultError::NotEncrypted);
    }
    let text = std::str::from_utf8(text).map_err(|_| VaultError::Envelope)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim().split(';').map(str::trim).collect();
    let cipher = header.get(2).ok_or(VaultError::Envelope)?;
    if *cipher != "AES256" {
        return Err(VaultError::Cipher(cipher.to_string()));
    }
    let body = unhex(lines.map(str::trim).collect::<String>().as_bytes())?;
    let mut parts = body.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().ok_or(VaultError::Text).and_then(unhex);
    Ok(Envelope { label: header.get(3).map(ToString::to_string), salt: part()?, hmac: part()?, ciphertext: part()? })
}

impl Envelope {
    /// The plain text; `None` when the key is not the one it was encrypted with.
    pub fn decrypt(&self, keys: &Keys) -> Option<Vec<u8>> {
        keys.hmac(&self.ciphertext).verify_slice(&self.hmac).ok()?;
        let mut text = self.ciphertext.clone();
        keys.apply(&mut text);
        let padding = usize::from(*text.last()?);
        let length = text.len().checked_sub(padding).filter(|_| (1..=16).contains(&padding))?;
        text.truncate(length);
        Some(text)
    }
}

/// Encrypts; with a label it is format 1.2.
pub fn seal(text: &[u8], keys: &Keys, salt: &[u8], label: Option<&str>) -> String {
    let mut text = text.to_vec();
    let padding = 16 - text.len() % 16;
    text.resize(text.len() + padding, padding as u8);
    keys.apply(&mut text);
    let hmac = keys.hmac(&text).finalize().into_bytes();
    let body = hex([hex(salt), hex(&hmac), hex(&text)].join("\n").as_bytes());
    let mut out = match label {
        Some(label) => format!("{HEADER};1.2;AES256;{label}\n"),
        None => format!("{HEADER};1.1;AES256\n"),
    };
    for line in body.as_bytes().chunks(80) {
        out.extend(line.iter().map(|byte| char::from(*byte)));
        out.push('\n');
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, VaultError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(VaultError::Hex);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Ok((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => Err(VaultError::Hex),
    };
    text.chunks(2).map(pair).collect()
}
