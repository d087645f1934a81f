//! The options of `ansible-galaxy`.

use std::ffi::OsString;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Installs roles and collections, and shows what is installed.
#[derive(Debug, Parser)]
#[command(
    disable_version_flag = true,
    infer_long_args = true,
    args_override_self = true,
    about = "Installs roles and collections, and shows what is installed."
)]
pub(super) struct Flags {
    /// Show version and configuration file
    #[arg(long)]
    pub version: bool,
    /// Say more
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    pub kind: Kind,
}

/// Roles or collections.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// Roles
    Role {
        #[command(subcommand)]
        action: RoleAction,
    },
    /// Collections
    Collection {
        #[command(subcommand)]
        action: CollectionAction,
    },
}

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(super) enum RoleAction {
    /// Names and versions of the roles installed
    List(RoleList),
    /// Takes roles away
    Remove(RoleRemove),
}

/// What to do with collections.
#[derive(Debug, Subcommand)]
pub(super) enum CollectionAction {
    /// Names and versions of the collections installed
    List(CollectionList),
}

/// Options of `role list`.
#[derive(Debug, Args)]
pub(super) struct RoleList {
    /// Only this role
    #[arg(value_name = "ROLE")]
    pub role: Option<String>,
    /// Folders with roles, before those of the configuration; repeatable
    #[arg(short = 'p', long, alias = "role-path", value_name = "PATHS", action = ArgAction::Append)]
    pub roles_path: Vec<String>,
}

/// Options of `role remove`.
#[derive(Debug, Args)]
pub(super) struct RoleRemove {
    /// Roles
    #[arg(value_name = "ROLE", required = true)]
    pub roles: Vec<String>,
    /// Folders with roles, before those of the configuration; repeatable
    #[arg(short = 'p', long, alias = "role-path", value_name = "PATHS", action = ArgAction::Append)]
    pub roles_path: Vec<String>,
}

/// Options of `collection list`.
#[derive(Debug, Args)]
pub(super) struct CollectionList {
    /// Only this collection
    #[arg(value_name = "COLLECTION")]
    pub collection: Option<String>,
    /// Folders with collections, beside those of the configuration; repeatable
    #[arg(short = 'p', long, alias = "collection-path", value_name = "PATHS", action = ArgAction::Append)]
    pub collections_path: Vec<String>,
    /// How it is written
    #[arg(long, value_enum, default_value = "human")]
    pub format: ListFormat,
}

/// How a list of collections is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Human,
    Json,
    Yaml,
}

/// Without `role` and `collection`, roles are meant.
pub(super) fn with_kind(arguments: &[OsString]) -> Vec<OsString> {
    let mut words = arguments.to_vec();
    let first = words.iter().position(|word| !word.to_string_lossy().starts_with('-'));
    if let Some(at) = first
        && !["role", "collection", "help"].contains(&words[at].to_string_lossy().as_ref())
    {
        words.insert(at, "role".into());
    }
    words
}
