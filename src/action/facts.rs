//! `setup` and `gather_facts`.

use super::module::{call, to_map};
use super::{Reaction, Request};
use crate::runner::NoContent;
use crate::value::Fault;

/// `setup`: facts of the target, by its runner.
pub(super) fn setup(request: &mut Request) -> Result<Reaction, Fault> {
    let mut reaction = call(request, "setup", to_map(&request.args), &NoContent, None);
    reaction.result.insert("changed".into(), false.into());
    Ok(reaction)
}

/// `gather_facts`: as `setup`; other fact modules do not exist here.
pub(super) fn gather(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    args.shift_remove("parallel");
    request.check = false;
    let mut reaction = call(request, "setup", args, &NoContent, None);
    reaction.result.shift_remove("invocation");
    reaction.result.insert("changed".into(), false.into());
    Ok(reaction)
}
