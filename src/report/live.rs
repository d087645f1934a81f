//! The live line under the output: what runs where, and for how long. Only on a terminal.

use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;

use crate::event::Event;

/// What runs now.
pub struct Live {
    running: IndexMap<Arc<str>, (String, SystemTime)>,
    width: usize,
    shown: bool,
}

impl Live {
    /// A live line of at most this width.
    pub fn new(width: usize) -> Live {
        Live { running: IndexMap::new(), width, shown: false }
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::HostStart { task, host, at } => drop(self.running.insert(host.clone(), (task.name.clone(), *at))),
            Event::TaskDone { host, .. } => drop(self.running.shift_remove(host)),
            Event::Included { hosts, .. } => hosts.iter().for_each(|host| drop(self.running.shift_remove(host))),
            Event::Recap { .. } => self.running.clear(),
            _ => {}
        }
    }

    /// Draws the line when something has been running for a second.
    pub fn draw(&mut self, out: &mut dyn Write) {
        let Some((host, (task, since))) = self.running.iter().min_by_key(|(_, (_, since))| *since) else { return };
        let seconds = since.elapsed().map_or(0, |time| time.as_secs());
        if seconds < 1 {
            return;
        }
        let others = self.running.len() - 1;
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        let line = format!("… {task}: {host}{more} ({seconds} s)");
        let line: String = line.chars().take(self.width.saturating_sub(1)).collect();
        let _ = write!(out, "\r\x1b[K\x1b[2m{line}\x1b[0m").and_then(|()| out.flush());
        self.shown = true;
    }

    /// Takes the line away before anything else is written.
    pub fn clear(&mut self, out: &mut dyn Write) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}
