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
    /// A new role to begin with
    Init(RoleInit),
    /// Brings roles: of Galaxy, git, archives, folders
    Install(RoleInstall),
    /// Names and versions of the roles installed
    List(RoleList),
    /// Takes roles away
    Remove(RoleRemove),
}

/// What to do with collections.
#[derive(Debug, Subcommand)]
pub(super) enum CollectionAction {
    /// A new collection to begin with
    Init(CollectionInit),
    /// Brings collections: of Galaxy, git, archives, folders
    Install(CollectionInstall),
    /// Names and versions of the collections installed
    List(CollectionList),
}

/// How servers are reached.
#[derive(Debug, Args)]
pub(super) struct Reach {
    /// Galaxy server: an address, or a name of the configuration
    #[arg(short, long, value_name = "SERVER")]
    pub server: Option<String>,
    /// Token for the server; better in the file that GALAXY_TOKEN_PATH names, as others see arguments
    #[arg(long, alias = "api-key", value_name = "TOKEN")]
    pub token: Option<String>,
    /// Do not check certificates
    #[arg(short = 'c', long)]
    pub ignore_certs: bool,
    /// Seconds to wait for an answer
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// Options of `role install`.
#[derive(Debug, Args)]
pub(super) struct RoleInstall {
    /// NAME, ADDRESS, FILE or FOLDER, each perhaps with ,VERSION and ,NAME
    #[arg(value_name = "ROLE")]
    pub roles: Vec<String>,
    /// File with requirements
    #[arg(short = 'r', long, alias = "requirements-file", value_name = "FILE")]
    pub role_file: Option<String>,
    /// Folder that takes the roles
    #[arg(short = 'p', long, alias = "role-path", value_name = "FOLDER", action = ArgAction::Append)]
    pub roles_path: Vec<String>,
    /// Replace what is there
    #[arg(short, long)]
    pub force: bool,
    /// Go on after a role that could not be installed
    #[arg(short, long)]
    pub ignore_errors: bool,
    /// Leave out dependencies
    #[arg(short, long, conflicts_with = "force_with_deps")]
    pub no_deps: bool,
    /// Replace dependencies too
    #[arg(long)]
    pub force_with_deps: bool,
    /// Keep .git
    #[arg(short = 'g', long)]
    pub keep_scm_meta: bool,
    #[command(flatten)]
    pub reach: Reach,
}

/// Options of `collection install`.
#[derive(Debug, Args)]
pub(super) struct CollectionInstall {
    /// NAME[:RANGE], FILE, FOLDER, ADDRESS or git+ADDRESS[#/FOLDER][,VERSION]
    #[arg(value_name = "COLLECTION")]
    pub collections: Vec<String>,
    /// File with requirements
    #[arg(short = 'r', long, alias = "role-file", value_name = "FILE")]
    pub requirements_file: Option<String>,
    /// Folder that takes the collections
    #[arg(short = 'p', long, alias = "collection-path", value_name = "FOLDER")]
    pub collections_path: Option<String>,
    /// Replace what is there
    #[arg(short, long)]
    pub force: bool,
    /// Go on after a collection that could not be installed
    #[arg(short, long)]
    pub ignore_errors: bool,
    /// Leave out dependencies
    #[arg(short, long, conflicts_with = "force_with_deps")]
    pub no_deps: bool,
    /// Replace dependencies too
    #[arg(long)]
    pub force_with_deps: bool,
    /// Replace older versions by newer ones
    #[arg(short = 'U', long)]
    pub upgrade: bool,
    /// Pre-releases too
    #[arg(long)]
    pub pre: bool,
    /// Ask no server
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    pub reach: Reach,
}

/// Options of `role init`.
#[derive(Debug, Args)]
pub(super) struct RoleInit {
    /// The role
    #[arg(value_name = "ROLE")]
    pub name: String,
    /// Replace a role that is there
    #[arg(short, long)]
    pub force: bool,
    /// Folder that takes it, instead of the working directory
    #[arg(long, value_name = "FOLDER")]
    pub init_path: Option<String>,
}

/// Options of `collection init`.
#[derive(Debug, Args)]
pub(super) struct CollectionInit {
    /// The collection: NAMESPACE.NAME
    #[arg(value_name = "COLLECTION")]
    pub name: String,
    /// Replace a collection that is there
    #[arg(short, long)]
    pub force: bool,
    /// Folder that takes it, instead of the working directory
    #[arg(long, value_name = "FOLDER")]
    pub init_path: Option<String>,
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

/// Without `role` and `collection`, roles are meant: the words with `role`, and whether it was added.
pub(super) fn with_kind(arguments: &[OsString]) -> (Vec<OsString>, bool) {
    let mut words = arguments.to_vec();
    let first = words.iter().position(|word| !word.to_string_lossy().starts_with('-'));
    if let Some(at) = first
        && !["role", "collection", "help"].contains(&words[at].to_string_lossy().as_ref())
    {
        words.insert(at, "role".into());
        return (words, true);
    }
    (words, false)
}
