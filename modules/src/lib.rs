//! The modules, the wire protocol and the runner of rplay: what is compiled for the target.
//!
//! The controller links this crate for the wire protocol, the argument tables (pre-flight, documentation) and Python's regular expressions.

pub mod accounts;
pub mod args;
mod attributes;
pub mod builtin;
pub mod change;
pub mod coerce;
pub mod context;
pub mod control;
pub mod digest;
pub mod download;
pub mod execute;
mod facts;
pub mod general;
pub mod glob;
mod http;
mod http_unix;
pub mod job;
pub mod kubernetes;
pub mod list;
pub mod mode;
pub mod outcome;
mod piece;
pub mod posix;
pub mod program;
pub mod pyre;
mod pyre_translate;
pub mod resolve;
pub mod serve;
pub mod shell_words;
pub mod spec;
pub mod system;
pub mod text;
pub mod wire;
mod write;
mod yaml;

pub use list::{Entry, Module, all, canonical, find};
pub use spec::Spec;
