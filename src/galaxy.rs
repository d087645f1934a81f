//! Roles and collections of others: what is installed, and how they come here (`ansible-galaxy`).

use std::collections::BTreeMap;

mod build;
mod collections;
mod installed;
mod requirement;
mod roles;
mod scm;
mod server;
mod skeleton;
mod unpack;
mod version;

pub use collections::Collections;
pub use installed::{Collection, Role, collections_in, collections_root, remove_role, roles_in};
pub use requirement::{CollectionWanted, From, Requirements, RoleWanted};
pub use roles::Roles;
pub use server::Server;
pub use skeleton::{collection as new_collection, role as new_role};

/// Why something could not be installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl Trouble {
    pub(crate) fn new(message: impl Into<String>) -> Trouble {
        Trouble(message.into())
    }
}

/// What installing knows of its surroundings.
#[derive(Debug)]
pub struct Around<'a> {
    /// The environment: proxies, git's settings.
    pub env: &'a BTreeMap<String, String>,
    /// Galaxy servers in the order in which they are asked.
    pub servers: Vec<Server>,
    /// Certificates of servers that are named by an address are checked.
    pub validate_certs: bool,
    /// Seconds to wait for those.
    pub timeout: u64,
}

/// What is told on the way: lines for the user.
pub type Tell<'a> = dyn FnMut(&str) + 'a;
