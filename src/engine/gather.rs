//! Whether a play gathers facts.

use std::sync::Arc;

use super::options::truthy;
use super::run::Engine;
use crate::diagnostic::Diagnostic;
use crate::program::{CompiledPlay, TaskDef};

impl Engine<'_> {
    /// The gathering task, when the play wants it and (`smart`) a host lacks facts.
    pub(super) fn gather_task(&mut self, play: &CompiledPlay, hosts: &[Arc<str>]) -> Result<Option<Arc<TaskDef>>, Vec<Diagnostic>> {
        let Some(task) = &play.gather else { return Ok(None) };
        let wanted = play.static_value(play.source.gather_facts.as_ref(), &self.world).map_err(|error| vec![error])?.map(|value| truthy(&value));
        let gather = match self.options.gathering.as_str() {
            "explicit" => wanted == Some(true),
            "smart" if wanted.is_none() => hosts.iter().any(|host| !self.gathered.contains(host)),
            _ => wanted.unwrap_or(true),
        };
        if !gather {
            return Ok(None);
        }
        self.gathered.extend(hosts.iter().cloned());
        Ok(Some(task.clone()))
    }
}
