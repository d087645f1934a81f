//! The lookups: one list, one file for each family. A lookup gets terms and options and gives a list; `wantlist` and `errors` are the caller's.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Lookup;
use super::filters::short_name;

mod config;
mod csvfile;
mod files;
mod ini;
mod inline;
mod known;
mod loops;
mod password;
mod search;
mod sequence;
mod url;

/// Every lookup by name.
static LOOKUPS: &[(&str, Lookup)] = &[
    ("cartesian", loops::cartesian),
    ("config", config::config),
    ("csvfile", csvfile::csvfile),
    ("dict", loops::dict),
    ("env", known::env),
    ("file", files::file),
    ("fileglob", files::fileglob),
    ("filetree", files::filetree),
    ("first_found", files::first_found),
    ("flattened", loops::flattened),
    ("indexed_items", loops::indexed_items),
    ("ini", ini::ini),
    ("inventory_hostnames", known::inventory_hostnames),
    ("items", loops::items),
    ("lines", known::lines),
    ("list", loops::list),
    ("nested", loops::nested),
    ("password", password::password),
    ("pipe", known::pipe),
    ("random_choice", loops::random_choice),
    ("sequence", sequence::sequence),
    ("subelements", loops::subelements),
    ("template", files::template),
    ("together", loops::together),
    ("unvault", files::unvault),
    ("url", url::url),
    ("varnames", known::varnames),
    ("vars", known::vars),
];

static BY_NAME: LazyLock<HashMap<&str, Lookup>> = LazyLock::new(|| LOOKUPS.iter().copied().collect());

/// The lookup of that name, with or without its collection.
pub fn find(name: &str) -> Option<Lookup> {
    BY_NAME.get(short_name(name)).copied()
}

/// All names, for "did you mean".
pub fn all_names() -> impl Iterator<Item = &'static str> {
    LOOKUPS.iter().map(|(name, _)| *name)
}
