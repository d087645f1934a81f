//! The modules of `ansible.builtin`, one file each.

pub mod async_status;
pub mod command;
pub mod copy;
mod copy_tree;
pub mod file;
mod file_links;
mod file_times;
pub mod ping;
pub mod shell;
pub mod stat;
