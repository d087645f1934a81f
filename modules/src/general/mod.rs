//! The modules of `community.general` that rplay has, one file each.

pub mod alternatives;
pub mod apk;
mod ini_edit;
pub mod ini_file;
pub mod modprobe;
pub mod timezone;
