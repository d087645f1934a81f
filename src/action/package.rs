//! `package`: the package manager that the task, a variable or the facts name; else the target is looked at.

use super::module::{call, to_map};
use super::{Reaction, Request, catalog};
use crate::runner::NoContent;
use crate::value::{Fault, Value, text};

/// Runs the manager's own module, or `package` on the target, which finds out.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    let asked = request.args.get("use").map(text).filter(|name| name != "auto");
    let Some(manager) = asked.or(named(request)?) else {
        return Ok(call(request, "package", args, &NoContent, None));
    };
    let short = catalog::canonical(&manager);
    if rplay_modules::find(&short).is_none() {
        return Ok(Reaction::failed(format!("Could not find a matching action for the \"{manager}\" package manager.")));
    }
    args.shift_remove("use");
    Ok(call(request, &short, args, &NoContent, None))
}

/// What `ansible_package_use` or the fact `pkg_mgr` says of the host that does the work.
fn named(request: &Request) -> Result<Option<String>, Fault> {
    if let Some(name) = request.cx.get("ansible_package_use")?.map(|value| text(&value)).filter(|name| !name.is_empty() && name != "auto") {
        return Ok(Some(name));
    }
    if request.delegated.is_some() {
        return Ok(None);
    }
    match request.cx.get("ansible_facts")? {
        Some(Value::Dict(facts)) => Ok(facts.get("pkg_mgr").map(text).filter(|name| name != "unknown")),
        _ => Ok(None),
    }
}
