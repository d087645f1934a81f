//! The `json` callback: one object at the end, as `ansible.posix.json`.

use serde_json::{Map, Value, json};

use super::jsonl::{now, play_head, result, split_custom, summary, task_head};
use super::{Report, Screen};
use crate::event::{Event, TaskInfo};

/// One object at the end.
#[derive(Default)]
pub struct Json {
    plays: Vec<Value>,
}

impl Json {
    /// A report before its first event.
    pub fn new() -> Json {
        Json::default()
    }

    fn tasks(&mut self) -> Option<&mut Vec<Value>> {
        self.plays.last_mut()?.get_mut("tasks")?.as_array_mut()
    }

    fn task(&mut self, task: &TaskInfo) -> Option<&mut Value> {
        self.tasks()?.iter_mut().rev().find(|known| known["task"]["id"] == task.id.as_str())
    }
}

impl Report for Json {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        match event {
            Event::PlayStart(play) => self.plays.push(json!({ "play": play_head(play), "tasks": [] })),
            Event::TaskStart(task) => {
                let entry = json!({ "task": task_head(task, now()), "hosts": {} });
                if let Some(tasks) = self.tasks() {
                    tasks.push(entry);
                }
            }
            Event::TaskDone { task, host, outcome } => {
                let shown = result(task, outcome);
                if let Some(entry) = self.task(task) {
                    entry["hosts"][host.as_ref()] = shown.into();
                    entry["task"]["duration"]["end"] = now().into();
                }
            }
            Event::Recap { hosts, custom, .. } => {
                let mut names: Vec<_> = hosts.keys().collect();
                names.sort();
                let stats: Map<String, Value> = names.iter().map(|name| (name.to_string(), summary(&hosts[*name]))).collect();
                let (own, run) = split_custom(custom);
                let mut whole = json!({ "plays": std::mem::take(&mut self.plays), "stats": stats, "custom_stats": own, "global_custom_stats": run });
                whole.sort_all_objects();
                let mut text = Vec::new();
                let mut pretty = serde_json::Serializer::with_formatter(&mut text, serde_json::ser::PrettyFormatter::with_indent(b"    "));
                if serde::Serialize::serialize(&whole, &mut pretty).is_ok() {
                    out.out(&String::from_utf8_lossy(&text));
                }
            }
            Event::Complaint(diagnostic) => out.err(&diagnostic.to_string()),
            _ => {}
        }
    }
}
