//! One task on one host: what the controller does, and what it sends to the target.

mod argument_spec;
mod assemble;
mod assert;
pub mod catalog;
mod content;
mod debug;
mod facts;
mod fetch;
mod hosts;
mod include_vars;
mod kubernetes;
mod module;
mod package;
mod pause;
mod raw;
mod reboot;
mod request;
mod script;
mod set;
mod synchronize;
mod tree;
mod unarchive;
mod wait;

pub use module::{answered, broken, call_of, patience};
pub use request::{Effect, Reaction, Request, Settings};
pub use synchronize::{CODE, ERR, OUT};

use crate::value::Fault;

/// An action: everything settled in, a result with effects out.
type Action = fn(&mut Request) -> Result<Reaction, Fault>;

/// What the controller does itself or prepares; every other name is a module that runs on the target.
const ACTIONS: &[(&str, Action)] = &[
    ("add_host", hosts::add_host),
    ("assemble", assemble::run),
    ("assert", assert::run),
    ("copy", content::copy),
    ("debug", debug::run),
    ("fail", debug::fail),
    ("fetch", fetch::run),
    ("gather_facts", facts::gather),
    ("group_by", hosts::group_by),
    ("include_vars", include_vars::run),
    ("k8s", kubernetes::k8s),
    ("package", package::run),
    ("pause", pause::run),
    ("raw", raw::run),
    ("reboot", reboot::run),
    ("script", script::run),
    ("set_fact", set::set_fact),
    ("set_stats", set::set_stats),
    ("setup", facts::setup),
    ("synchronize", synchronize::run),
    ("template", content::template),
    ("unarchive", unarchive::run),
    ("validate_argument_spec", argument_spec::run),
    ("wait_for_connection", wait::for_connection),
];

/// Runs an action.
///
/// # Errors
/// The user's text is at fault (what a host does wrong is a result).
pub fn run(request: &mut Request) -> Result<Reaction, Fault> {
    match ACTIONS.iter().find(|(name, _)| *name == request.action) {
        Some((_, action)) => action(request),
        None => module::run(request),
    }
}

/// True for a module that the controller only hands on to the target.
pub fn is_handed_on(action: &str) -> bool {
    rplay_modules::find(action).is_some() && !ACTIONS.iter().any(|(name, _)| *name == action)
}

/// True for arguments that the action wants unrendered.
pub fn takes_raw(action: &str, argument: &str) -> bool {
    matches!((action, argument), ("assert", "that") | ("debug", "var") | ("include_tasks" | "include_role" | "include", "apply"))
}
