//! The programs that rplay is: Ansible's names for them, and the words after `rplay` that mean the same.

use std::ffi::OsString;

use super::{ad_hoc, ansible_config, console, galaxy, inventory, playbook, vault};
use crate::config::{CORE_VERSION, Config};
use crate::value::{Value, repr};

/// A program of Ansible's that rplay also is.
pub(super) struct Program {
    /// Ansible's name.
    pub name: &'static str,
    /// The word after `rplay`; a playbook run needs none.
    pub word: Option<&'static str>,
    /// Takes the name it was called by and its arguments; gives the exit code.
    pub run: fn(&str, &[OsString]) -> i32,
}

/// All of them; `rplay links` makes a link for each.
pub(super) const PROGRAMS: &[Program] = &[
    Program { name: "ansible", word: Some("ad-hoc"), run: ad_hoc::run },
    Program { name: "ansible-config", word: Some("config"), run: ansible_config::run },
    Program { name: "ansible-galaxy", word: Some("galaxy"), run: galaxy::run },
    Program { name: "ansible-inventory", word: Some("inventory"), run: inventory::run },
    Program { name: "ansible-playbook", word: None, run: playbook::run },
    Program { name: "ansible-vault", word: Some("vault"), run: vault::run },
];

/// The program of that name.
pub(super) fn by_name(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// The program of that word after `rplay`.
pub(super) fn by_word(word: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.word == Some(word))
}

/// A program of Ansible's that rplay is not.
pub(super) fn missing(name: &str) -> i32 {
    let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
    console::tell(&format!("[ERROR]: rplay does not do what {name} does; it is {}\n", names.join(", ")));
    5
}

/// What `--version` says. Called by a name of Ansible's, the first line is in the form that other programs read, and the second says who answers.
pub(super) fn version(program: &str, config: &Config) -> String {
    let file = config.file.as_ref().map_or("None".to_string(), |source| source.path.display().to_string());
    let collections = config.collections_path.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":");
    let rplay = env!("CARGO_PKG_VERSION");
    if !program.starts_with("ansible") {
        return format!("{program} {rplay} [core {CORE_VERSION} compatible]\n  config file = {file}\n  collection location = {collections}\n");
    }
    let library = Value::list(config.library.iter().map(|path| path.to_string_lossy().as_ref().into()).collect());
    format!(
        "{program} [core {CORE_VERSION}]\n  executed by = rplay {rplay}, which does what ansible-core {CORE_VERSION} does and is not ansible-core\n  config file = {file}\n  configured module search path = {}\n  ansible collection location = {collections}\n  executable location = {}\n",
        repr(&library),
        std::env::current_exe().unwrap_or_default().display(),
    )
}
