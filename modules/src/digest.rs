//! Checksums of content, in hexadecimal.

use std::io::{self, Read, Write};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.extend([byte >> 4, byte & 15].map(|n| char::from_digit(u32::from(n), 16).unwrap_or('0')));
    }
    out
}

/// The digest of everything a reader gives, in constant memory.
///
/// # Errors
/// Reading.
pub fn of_reader<D: Digest>(from: &mut dyn Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(n) => digest.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes on and takes the SHA-256 of what passes.
pub struct Hashing<'w> {
    to: &'w mut dyn Write,
    digest: Sha256,
}

impl<'w> Hashing<'w> {
    /// Nothing passed yet.
    pub fn new(to: &'w mut dyn Write) -> Hashing<'w> {
        Hashing { to, digest: Sha256::new() }
    }

    /// The SHA-256 of all that passed, in hexadecimal.
    pub fn sha256(self) -> String {
        hex(&self.digest.finalize())
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The digest by the algorithm's name in Ansible; `None` for an unknown name.
///
/// # Errors
/// Reading.
pub fn by_name(algorithm: &str, from: &mut dyn Read) -> io::Result<Option<String>> {
    match algorithm {
        "md5" => of_reader::<Md5>(from),
        "sha1" => of_reader::<Sha1>(from),
        "sha224" => of_reader::<Sha224>(from),
        "sha256" => of_reader::<Sha256>(from),
        "sha384" => of_reader::<Sha384>(from),
        "sha512" => of_reader::<Sha512>(from),
        _ => return Ok(None),
    }
    .map(Some)
}
