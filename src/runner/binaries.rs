//! The runner's files on the controller: one per architecture, read and hashed once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::connection::ConnectError;

/// A runner that can be sent.
#[derive(Debug)]
pub(super) struct Binary {
    pub bytes: Vec<u8>,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// Where runners are looked for, and those read so far.
pub(super) struct Binaries {
    directories: Vec<PathBuf>,
    read: Mutex<HashMap<PathBuf, Arc<Binary>>>,
}

impl Binaries {
    pub(super) fn new(directories: Vec<PathBuf>) -> Binaries {
        Binaries { directories, read: Mutex::default() }
    }

    /// The file for a target whose `uname` says this.
    pub(super) fn path(&self, system: &str, machine: &str, host: &str) -> Result<PathBuf, ConnectError> {
        let architecture = architecture(machine);
        let name = format!("rplay-runner-{architecture}-{}", system.to_lowercase());
        let mut names = vec![name.clone()];
        if system == "Linux" && architecture == std::env::consts::ARCH {
            // as cargo leaves it
            names.push("rplay-runner".to_owned());
        }
        let found = names.iter().flat_map(|name| self.directories.iter().map(move |directory| directory.join(name))).find(|path| path.is_file());
        found.ok_or_else(|| {
            let places: Vec<String> = self.directories.iter().map(|directory| directory.display().to_string()).collect();
            let message = format!(
                "there is no runner for {host} ({system} on {machine}): {name} is not in {}. raw and script work on this host; other modules need the runner, built with \
                 `cargo build -p rplay-modules --release --target {architecture}-unknown-linux-musl` and put there under that name",
                if places.is_empty() { "any directory".to_owned() } else { places.join(", ") }
            );
            ConnectError::NoRunner { message }
        })
    }

    /// The file's bytes and hash.
    pub(super) fn load(&self, path: &Path) -> Result<Arc<Binary>, ConnectError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(binary) = read.get(path) {
            return Ok(Arc::clone(binary));
        }
        let bytes = std::fs::read(path).map_err(|error| ConnectError::NoRunner { message: format!("cannot read the runner {}: {error}", path.display()) })?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let binary = Arc::new(Binary { bytes, sha256 });
        read.insert(path.to_owned(), Arc::clone(&binary));
        Ok(binary)
    }
}

/// Rust's name of what `uname -m` says.
fn architecture(machine: &str) -> &str {
    match machine {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "armv6l" | "armv7l" | "armv8l" => "arm",
        "i386" | "i486" | "i586" | "i686" => "i686",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_runner_is_told_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("rplay-runner-aarch64-linux"), "x").unwrap();
        let binaries = Binaries::new(vec![dir.path().to_owned()]);
        assert_eq!(binaries.path("Linux", "arm64", "h").unwrap(), dir.path().join("rplay-runner-aarch64-linux"));
        let error = binaries.path("Linux", "riscv64", "h").unwrap_err().to_string();
        assert!(error.starts_with("there is no runner for h (Linux on riscv64): rplay-runner-riscv64-linux is not in "), "{error}");
        assert!(error.contains("raw and script work"), "{error}");
    }
}
