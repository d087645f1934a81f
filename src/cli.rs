//! The command line: reads options and configuration, and hands over to the rest.

pub mod flags;
