//! The modules of `ansible.posix` that rplay has, one file each.

pub mod sysctl;
