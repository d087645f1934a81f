//! The controller's side of the runner: places it, starts it, speaks [`rplay_modules::wire`] with it, and keeps it for the run.
//!
//! A [`Pool`] holds one connection per target and one runner per (target, user). Workers ask it from several threads; what they ask of one runner queues.

use std::io::{self, Read};

mod binaries;
mod channel;
mod counted;
mod digests;
mod place;
mod pool;

pub use counted::Stats;
pub use pool::{Options, Pool, Sink};

/// Gives the content that a runner asks for by its SHA-256 (hexadecimal).
pub trait ContentSource {
    /// Opens it from its beginning.
    ///
    /// # Errors
    /// There is no such content, or it cannot be read; the call that wanted it fails with that text.
    fn open(&self, sha256: &str) -> io::Result<Box<dyn Read + '_>>;
}

/// For calls that need no content.
pub struct NoContent;

impl ContentSource for NoContent {
    fn open(&self, sha256: &str) -> io::Result<Box<dyn Read + '_>> {
        Err(io::Error::new(io::ErrorKind::NotFound, format!("no content {sha256} was announced")))
    }
}
