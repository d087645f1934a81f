//! `--list-hosts`, `--list-tasks`, `--list-tags`.

use std::path::Path;

use super::flags::Flags;
use crate::diagnostic::Diagnostic;
use crate::program::{CompiledPlay, list_hosts, list_tags, list_tasks, static_context};
use crate::template::Templated;
use crate::value::text;
use crate::vars::World;

/// True when something is listed instead of run.
pub(super) fn wanted(flags: &Flags) -> bool {
    flags.inventory.list_hosts || flags.list_tasks || flags.list_tags
}

/// The lists of one playbook.
pub(super) fn playbook(name: &Path, plays: &[CompiledPlay], flags: &Flags, world: &World) -> Result<String, Diagnostic> {
    let mut out = format!("\nplaybook: {}\n", name.display());
    for (index, play) in plays.iter().enumerate() {
        let number = index + 1;
        if flags.inventory.list_hosts {
            let cx = static_context(world, &play.vars);
            let node = &play.source.hosts;
            let value = Templated::compile(node).render(&cx).map_err(|fault| Diagnostic::error(fault.message).at(&node.span))?;
            let patterns: Vec<String> = value.as_slice().map_or_else(|| vec![text(&value)], |items| items.iter().map(text).collect());
            let (hosts, _) = world.inventory.select_list(&patterns, flags.inventory.limit.as_deref()).map_err(|error| error.at(&node.span))?;
            list_hosts(&mut out, number, play, &patterns, &hosts);
        }
        if flags.list_tasks {
            list_tasks(&mut out, number, play, flags.inventory.list_hosts);
        }
        if flags.list_tags {
            list_tags(&mut out, number, play, !flags.inventory.list_hosts && !flags.list_tasks);
        }
    }
    Ok(out)
}
