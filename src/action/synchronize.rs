//! `synchronize`: a tree of the controller and one of the target become alike, by rsync where both sides have it, else by the runner.
//!
//! rsync's other side is started over the session that is open already: rplay itself is rsync's remote shell (`bridge.rs`).

mod bridge;
mod plan;
mod rsync;
mod trees;

pub use bridge::{CODE, ERR, OUT};

use super::{Reaction, Request};
use crate::connection::Transport;
use crate::value::{Fault, text};
use plan::Plan;

/// Makes both sides alike.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let plan = match Plan::read(request) {
        Ok(plan) => plan,
        Err(message) => return Ok(Reaction::failed(message)),
    };
    if let Some(other) = request.delegated.filter(|_| request.target.transport != Transport::Local) {
        if other == request.host.as_ref() {
            return Ok(rsync::on_the_host(request, &plan));
        }
        if request.target.name == other {
            let message = format!(
                "synchronize from {other} to {} is not supported: rplay joins the controller with one host; use two tasks, mode=pull and mode=push",
                request.host
            );
            return Ok(Reaction::failed(message));
        }
    }
    // what earlier tasks would have made is known to the runner only
    let predicted = request.check && !request.overlay.is_empty() && plan.without_rsync().is_ok();
    if let (Some(program), false) = (rsync::find(request), predicted)
        && let Some(reaction) = rsync::between(request, &plan, &program)
    {
        return Ok(reaction);
    }
    Ok(trees::run(request, &plan))
}

/// An argument as text.
fn word(request: &Request, name: &str) -> Option<String> {
    request.args.get(name).map(text).filter(|word| !word.is_empty())
}
