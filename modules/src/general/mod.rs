//! The modules of `community.general` that rplay has, one file each.

mod ini_edit;
pub mod ini_file;
pub mod modprobe;
pub mod timezone;
