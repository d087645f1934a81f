//! The modules of `ansible.builtin`, one file each.

pub mod async_status;
pub mod blockinfile;
pub mod command;
pub mod copy;
mod copy_tree;
mod editing;
pub mod fetch;
pub mod file;
mod file_links;
mod file_times;
pub mod find;
pub mod group;
pub mod lineinfile;
pub mod ping;
pub mod replace;
pub mod script;
pub mod service;
pub mod setup;
pub mod shell;
pub mod slurp;
pub mod stat;
pub mod systemd_service;
pub mod tempfile;
pub mod user;
mod user_key;
mod user_modify;
