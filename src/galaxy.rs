//! Roles and collections of others: what is installed, and how they come here (`ansible-galaxy`).

mod installed;

pub use installed::{Collection, Role, collections_in, collections_root, remove_role, roles_in};
