//! What a run did: plays, tasks and results folded from its events, the recap, and the files it left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::rules::Rules;

/// A recorded or observed run; the shape of `expected.json`.
#[derive(Deserialize)]
pub struct Outcome {
    pub exit: i32,
    pub plays: Vec<Value>,
    pub recap: Value,
    pub tree: Vec<Value>,
    pub stdout: Vec<String>,
}

/// Files longer than this are compared by their digest.
const SMALL: usize = 2000;
/// They repeat the status, or are compared by themselves.
const APART: [&str; 5] = ["results", "changed", "failed", "skipped", "unreachable"];

/// Events, one per line, to plays with tasks with hosts, and the recap; `--list-tasks` and the like print other lines.
///
/// Where hosts do not wait for one another (`unordered`), a play has each host's own sequence instead of tasks.
pub fn fold(text: &str, rules: &Rules, unordered: bool) -> Result<(Vec<Value>, Value), String> {
    let mut fold = Fold { rules, plays: Vec::new(), recap: json!({}), order: 0 };
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let event: Value = serde_json::from_str(line).map_err(|e| format!("not an event ({e}): {line:.200}"))?;
        fold.event(&event);
    }
    let shape = if unordered { Play::per_host } else { Play::settled };
    Ok((fold.plays.into_iter().map(shape).collect(), fold.recap))
}

struct Fold<'a> {
    rules: &'a Rules,
    plays: Vec<Play>,
    recap: Value,
    order: usize,
}

struct Play {
    name: Value,
    tasks: Vec<Task>,
}

struct Task {
    id: String,
    name: Value,
    kind: &'static str,
    meta: bool,
    hosts: Map<String, Value>,
    /// When each host's result came.
    order: BTreeMap<String, usize>,
}

fn id(event: &Value) -> String {
    event["task"]["id"].as_str().unwrap_or_default().to_owned()
}

fn flag(body: &Value, name: &str) -> bool {
    match &body[name] {
        Value::Null | Value::Bool(false) => false,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

impl Fold<'_> {
    fn event(&mut self, event: &Value) {
        match event["_event"].as_str().unwrap_or_default() {
            "v2_playbook_on_play_start" => self.plays.push(Play { name: event["play"]["name"].clone(), tasks: Vec::new() }),
            "v2_playbook_on_task_start" | "v2_runner_on_start" => self.start(event, "task"),
            "v2_playbook_on_handler_task_start" => self.start(event, "handler"),
            "v2_runner_on_ok" => self.result(event, "ok"),
            "v2_runner_on_failed" => self.result(event, "failed"),
            "v2_runner_on_skipped" => self.result(event, "skipped"),
            "v2_runner_on_unreachable" => self.result(event, "unreachable"),
            "v2_playbook_on_stats" => self.recap = event["stats"].clone(),
            _ => {}
        }
    }

    fn start(&mut self, event: &Value, kind: &'static str) {
        let Some(play) = self.plays.last_mut() else { return };
        let id = id(event);
        if event["_event"] == "v2_runner_on_start" && play.tasks.iter().any(|task| task.id == id) {
            return;
        }
        play.tasks.push(Task { id, name: event["task"]["name"].clone(), kind, meta: false, hosts: Map::new(), order: BTreeMap::new() });
    }

    fn result(&mut self, event: &Value, status: &str) {
        let id = id(event);
        let Some(play) = self.plays.last_mut() else { return };
        let Some(task) = play.tasks.iter_mut().rev().find(|task| task.id == id) else { return };
        for (host, body) in event["hosts"].as_object().into_iter().flatten() {
            task.meta = matches!(body["action"].as_str(), Some("meta" | "ansible.builtin.meta"));
            self.order += 1;
            task.order.insert(host.clone(), self.order);
            task.hosts.insert(host.clone(), host_result(body, status, self.rules));
        }
    }
}

impl Play {
    /// Without tasks that have no result; the banners that ansible-core repeats for a meta task are one.
    fn settled(self) -> Value {
        let mut kept: Vec<Task> = Vec::new();
        for task in self.tasks {
            match kept.last_mut() {
                Some(last) if task.meta && last.name == task.name && disjoint(&last.hosts, &task.hosts) => {
                    last.hosts.extend(task.hosts);
                }
                _ if task.hosts.is_empty() => {}
                _ => kept.push(task),
            }
        }
        let tasks: Vec<Value> = kept.into_iter().map(|t| json!({"task": t.name, "kind": t.kind, "hosts": t.hosts})).collect();
        json!({"play": self.name, "tasks": tasks})
    }

    /// For strategies without an order between hosts: each host's own sequence.
    fn per_host(self) -> Value {
        let mut hosts: BTreeMap<String, BTreeMap<usize, Value>> = BTreeMap::new();
        for task in self.tasks {
            for (host, mut step) in task.hosts {
                step["task"] = task.name.clone();
                let order = task.order.get(&host).copied().unwrap_or(0);
                hosts.entry(host).or_default().insert(order, step);
            }
        }
        let steps = |(host, steps): (String, BTreeMap<usize, Value>)| (host, steps.into_values().collect());
        let hosts: BTreeMap<String, Vec<Value>> = hosts.into_iter().map(steps).collect();
        json!({"play": self.name, "hosts": hosts})
    }
}

fn disjoint(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    !one.keys().any(|host| other.contains_key(host))
}

fn host_result(body: &Value, status: &str, rules: &Rules) -> Value {
    let mut out = json!({"status": status, "changed": flag(body, "changed"), "result": tidy(body, rules)});
    match &body["results"] {
        Value::Array(items) if items.iter().all(|i| i.get("ansible_loop_var").or(i.get("censored")).is_some()) => {
            let item = |i: &Value| json!({"status": item_status(i), "changed": flag(i, "changed"), "result": tidy(i, rules)});
            out["items"] = items.iter().map(item).collect();
        }
        Value::Null => {}
        other => out["result"]["results"] = rules.clean(other),
    }
    out
}

fn item_status(item: &Value) -> &'static str {
    ["unreachable", "failed", "skipped"].into_iter().find(|name| flag(item, name)).unwrap_or("ok")
}

fn tidy(body: &Value, rules: &Rules) -> Value {
    let mut map = body.as_object().cloned().unwrap_or_default();
    map.retain(|key, _| !APART.contains(&key.as_str()));
    let mut kept = rules.clean_map(&map);
    if kept.get("ansible_facts") == Some(&json!({})) {
        kept.shift_remove("ansible_facts");
    }
    Value::Object(kept)
}

/// Every file below a directory: path, type, mode, content or target of the link.
pub fn tree(root: &Path) -> std::io::Result<Vec<Value>> {
    let mut paths = Vec::new();
    walk(root, &mut paths)?;
    paths.sort();
    paths.iter().map(|path| entry(root, path)).collect()
}

fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push(entry.path());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), found)?;
        }
    }
    Ok(())
}

fn entry(root: &Path, path: &Path) -> std::io::Result<Value> {
    let info = fs::symlink_metadata(path)?;
    let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
    let mode = format!("{:04o}", info.permissions().mode() & 0o7777);
    Ok(if info.is_symlink() {
        json!({"path": name, "type": "link", "target": fs::read_link(path)?.to_string_lossy()})
    } else if info.is_dir() {
        json!({"path": name, "type": "dir", "mode": mode})
    } else if info.is_file() {
        let data = fs::read(path)?;
        match std::str::from_utf8(&data) {
            Ok(text) if data.len() <= SMALL => json!({"path": name, "type": "file", "mode": mode, "text": text}),
            _ => json!({"path": name, "type": "file", "mode": mode, "sha256": hex(&Sha256::digest(&data))}),
        }
    } else {
        json!({"path": name, "type": "other"})
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
