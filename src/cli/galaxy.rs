//! `ansible-galaxy`, `rplay galaxy`: roles and collections of others.

use std::ffi::OsString;

use super::commands;

mod flags;
mod listing;

use flags::{CollectionAction, Flags, Kind, RoleAction};

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    if let Some(code) = commands::version(program, arguments) {
        return code;
    }
    let flags = match commands::read::<Flags>(program, &flags::with_kind(arguments)) {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let done = match &flags.kind {
        Kind::Role { action: RoleAction::List(list) } => listing::roles(list, flags.verbose),
        Kind::Role { action: RoleAction::Remove(remove) } => listing::remove(remove, flags.verbose),
        Kind::Collection { action: CollectionAction::List(list) } => listing::collections(list, flags.verbose),
    };
    done.unwrap_or_else(|code| code)
}
