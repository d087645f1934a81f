//! The modules of `ansible.posix` that rplay has, one file each.

pub mod authorized_key;
mod fstab;
mod key_lines;
pub mod mount;
pub mod sysctl;
