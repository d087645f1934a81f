//! `%h` and its relatives.

use std::path::PathBuf;

use crate::connection::Local;

/// What the tokens stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    pub original: String,
    pub host: String,
    pub port: String,
    pub user: String,
    pub local_user: String,
    pub home: String,
    pub alias: String,
}

impl Tokens {
    /// The text with its tokens replaced; an unknown one stays.
    pub(crate) fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(&self.host),
                Some('n') => out.push_str(&self.original),
                Some('p') => out.push_str(&self.port),
                Some('r') => out.push_str(&self.user),
                Some('u') => out.push_str(&self.local_user),
                Some('d') => out.push_str(&self.home),
                Some('k') => out.push_str(&self.alias),
                Some('i') => out.push_str(&rustix::process::getuid().as_raw().to_string()),
                Some('l') => out.push_str(&machine()),
                Some('L') => out.push_str(machine().split('.').next().unwrap_or_default()),
                Some(other) => out.extend(['%', other]),
                None => out.push('%'),
            }
        }
        out
    }

    /// A path: tokens and `~`.
    pub(crate) fn path(&self, text: &str, local: &Local) -> PathBuf {
        super::expand(&self.expand(text), local)
    }
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
