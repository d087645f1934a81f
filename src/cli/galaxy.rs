//! `ansible-galaxy`, `rplay galaxy`: roles and collections of others.

use std::ffi::OsString;

use super::commands;

mod flags;
mod install;
mod listing;

use flags::{CollectionAction, Flags, Kind, RoleAction};

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    if let Some(code) = commands::version(program, arguments) {
        return code;
    }
    let (words, added) = flags::with_kind(arguments);
    let flags = match commands::read::<Flags>(program, &words) {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let done = match &flags.kind {
        Kind::Role { action: RoleAction::Init(init) } => install::new_role(init, flags.verbose),
        Kind::Role { action: RoleAction::Install(wanted) } => install::roles(wanted, added, flags.verbose),
        Kind::Collection { action: CollectionAction::Init(init) } => install::new_collection(init, flags.verbose),
        Kind::Collection { action: CollectionAction::Install(wanted) } => install::collections(wanted, flags.verbose),
        Kind::Role { action: RoleAction::List(list) } => listing::roles(list, flags.verbose),
        Kind::Role { action: RoleAction::Remove(remove) } => listing::remove(remove, flags.verbose),
        Kind::Collection { action: CollectionAction::List(list) } => listing::collections(list, flags.verbose),
    };
    done.unwrap_or_else(|code| code)
}
