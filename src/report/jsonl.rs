//! The `jsonl` callback: one event a line, as `ansible.posix.jsonl`.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::clean::visible;
use super::{Report, Screen};
use crate::event::{Counts, Event, Outcome, PlayInfo, Status, TaskInfo};
use crate::value::{Value, to_json};

/// One event a line.
#[derive(Default)]
pub struct Jsonl {
    started: indexmap::IndexMap<String, String>,
    last: String,
}

impl Jsonl {
    /// A report before its first event.
    pub fn new() -> Jsonl {
        Jsonl::default()
    }

    fn write(&mut self, event: &str, mut body: Map<String, Json>, out: &mut dyn Screen) {
        body.insert("_event".into(), event.into());
        body.insert("_timestamp".into(), now().into());
        body.sort_keys();
        out.out(&Json::Object(body).to_string());
    }

    fn result(&mut self, event: &str, task: &TaskInfo, host: &str, outcome: &Outcome, out: &mut dyn Screen) {
        let start = self.started.get(&task.id).cloned().unwrap_or_else(now);
        let mut head = task_head(task, start);
        if let Some(duration) = head.get_mut("duration").and_then(Json::as_object_mut) {
            duration.insert("end".into(), now().into());
        }
        self.write(event, object([("task", head.into()), ("hosts", json!({ host: result(task, outcome) }))]), out);
    }
}

pub(super) fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn object<const N: usize>(entries: [(&str, Json); N]) -> Map<String, Json> {
    entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
}

pub(super) fn play_head(play: &PlayInfo) -> Map<String, Json> {
    let path = format!("{}:{}", absolute(&play.path), play.line);
    object([("name", play.name.as_str().into()), ("id", play.id.as_str().into()), ("path", path.into()), ("duration", json!({ "start": now() }))])
}

pub(super) fn task_head(task: &TaskInfo, start: String) -> Map<String, Json> {
    let path = format!("{}:{}", absolute(&task.path), task.line);
    object([("name", task.name.as_str().into()), ("id", task.id.as_str().into()), ("path", path.into()), ("duration", json!({ "start": start }))])
}

fn absolute(path: &std::path::Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

/// A result as the JSON callbacks show it: with the action, and what the status means.
pub(super) fn result(task: &TaskInfo, outcome: &Outcome) -> Map<String, Json> {
    let mut shown = visible(&outcome.result, 0);
    shown.insert("action".into(), task.action.trim_start_matches("ansible.builtin.").into());
    match outcome.status {
        Status::Failed => drop(shown.insert("failed".into(), true.into())),
        Status::Skipped | Status::Unknown => drop(shown.insert("skipped".into(), true.into())),
        Status::Unreachable => drop(shown.insert("unreachable".into(), true.into())),
        Status::Ok | Status::Changed => {}
    }
    if let (Some(diff), true) = (outcome.result.get("diff"), outcome.diff) {
        shown.insert("diff".into(), diff.clone());
    }
    match to_json(&Value::dict(shown)) {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn summary(counts: &Counts) -> Json {
    json!({
        "ok": counts.ok, "changed": counts.changed, "unreachable": counts.unreachable, "failures": counts.failed,
        "skipped": counts.skipped + counts.unknown, "rescued": counts.rescued, "ignored": counts.ignored,
    })
}

fn event_name(status: Status) -> &'static str {
    match status {
        Status::Ok | Status::Changed => "v2_runner_on_ok",
        Status::Failed => "v2_runner_on_failed",
        Status::Skipped | Status::Unknown => "v2_runner_on_skipped",
        Status::Unreachable => "v2_runner_on_unreachable",
    }
}

impl Report for Jsonl {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        match event {
            Event::PlayStart(play) => {
                let body = object([("play", play_head(play).into()), ("tasks", Json::Array(Vec::new()))]);
                self.write("v2_playbook_on_play_start", body, out);
            }
            Event::TaskStart(task) => {
                self.started.insert(task.id.clone(), now());
                self.last.clone_from(&task.id);
                let name = if task.handler { "v2_playbook_on_handler_task_start" } else { "v2_playbook_on_task_start" };
                let body = object([("task", task_head(task, now()).into()), ("hosts", Json::Object(Map::new()))]);
                self.write(name, body, out);
            }
            Event::TaskDone { task, host, outcome } => self.result(event_name(outcome.status), task, host, outcome, out),
            Event::Recap { hosts, custom, .. } => {
                let mut names: Vec<&Arc<str>> = hosts.keys().collect();
                names.sort();
                let stats: Map<String, Json> = names.iter().map(|name| (name.to_string(), summary(&hosts[*name]))).collect();
                let (own, run) = split_custom(custom);
                self.write("v2_playbook_on_stats", object([("stats", stats.into()), ("custom_stats", own), ("global_custom_stats", run)]), out);
            }
            Event::Complaint(diagnostic) => out.err(&diagnostic.to_string()),
            _ => {}
        }
    }
}

/// `set_stats` data of hosts, and of the run.
pub(super) fn split_custom(custom: &crate::value::Dict) -> (Json, Json) {
    let own = custom.iter().filter(|(key, _)| key.as_str() != Some("_run")).map(|(key, value)| (key.to_value().to_string(), to_json(value)));
    (Json::Object(own.collect()), custom.get("_run").map_or_else(|| json!({}), to_json))
}
