//! Says where two runs differ, one line per difference, in words a reader can act on.

use serde_json::{Map, Value};
use similar::{DiffOp, capture_diff_slices};

use crate::outcome::Outcome;
use crate::rules::Rules;

/// All differences between what ansible-core did and what was seen now.
pub fn outcomes(expected: &Outcome, actual: &Outcome, rules: &Rules) -> Vec<String> {
    let mut found = Found { rules, lines: Vec::new() };
    if expected.exit != actual.exit {
        found.add("exit", &expected.exit.into(), &actual.exit.into());
    }
    found.plays(&expected.plays, &actual.plays);
    found.map("recap", &expected.recap, &actual.recap);
    found.files(&expected.tree, &actual.tree);
    found.sequence("stdout", &expected.stdout, &actual.stdout);
    found.lines
}

struct Found<'a> {
    rules: &'a Rules,
    lines: Vec<String>,
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(500) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Equal as JSON, where 1 is not 1.0 but 1.0 is 1.00.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let whole = |n: &serde_json::Number| !n.to_string().contains(['.', 'e', 'E']);
            a == b || (whole(a) == whole(b) && a.as_f64() == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}

impl Found<'_> {
    fn add(&mut self, place: &str, expected: &Value, actual: &Value) {
        self.lines.push(format!("{place}: expected {}, got {}", brief(expected), brief(actual)));
    }

    /// Reports what is added and missing, and returns the pairs that belong together.
    fn sequence(&mut self, place: &str, expected: &[String], actual: &[String]) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        let mut changes = String::new();
        for op in capture_diff_slices(similar::Algorithm::Myers, expected, actual) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                pairs.extend((0..len).map(|i| (old_index + i, new_index + i)));
                continue;
            }
            for line in &expected[op.old_range()] {
                changes += &format!("\n  - {line}");
            }
            for line in &actual[op.new_range()] {
                changes += &format!("\n  + {line}");
            }
        }
        if !changes.is_empty() {
            let lines: Vec<&str> = changes.lines().collect();
            let more = if lines.len() > 16 { "\n  ..." } else { "" };
            self.lines.push(format!("{place}:{}{more}", lines[..lines.len().min(16)].join("\n")));
        }
        pairs
    }

    fn plays(&mut self, expected: &[Value], actual: &[Value]) {
        let names = |plays: &[Value]| plays.iter().map(|play| text(&play["play"])).collect::<Vec<_>>();
        for (one, other) in self.sequence("plays", &names(expected), &names(actual)) {
            let (one, other) = (&expected[one], &actual[other]);
            let place = text(&one["play"]);
            match one["hosts"].as_object() {
                Some(hosts) => self.steps_per_host(&place, hosts, &other["hosts"]),
                None => self.tasks(&place, list(&one["tasks"]), list(&other["tasks"])),
            }
        }
    }

    fn tasks(&mut self, place: &str, expected: &[Value], actual: &[Value]) {
        let name = |task: &Value| match task["kind"].as_str() {
            Some("handler") => format!("handler {}", text(&task["task"])),
            _ => text(&task["task"]),
        };
        let names = |tasks: &[Value]| tasks.iter().map(name).collect::<Vec<_>>();
        for (one, other) in self.sequence(&format!("{place} > tasks"), &names(expected), &names(actual)) {
            let place = format!("{place} > {}", name(&expected[one]));
            self.hosts(&place, &expected[one]["hosts"], &actual[other]["hosts"]);
        }
    }

    fn steps_per_host(&mut self, place: &str, expected: &Map<String, Value>, actual: &Value) {
        let names = |steps: &[Value]| steps.iter().map(|step| text(&step["task"])).collect::<Vec<_>>();
        for (host, steps) in expected {
            let (one, other) = (list(steps), list(&actual[host]));
            let place = format!("{place} > {host}");
            for (a, b) in self.sequence(&format!("{place} > tasks"), &names(one), &names(other)) {
                self.result(&format!("{place} > {}", text(&one[a]["task"])), &one[a], &other[b]);
            }
        }
    }

    fn hosts(&mut self, place: &str, expected: &Value, actual: &Value) {
        let keys = |hosts: &Value| hosts.as_object().map(|h| h.keys().cloned().collect()).unwrap_or_default();
        let (mut one, mut other): (Vec<String>, Vec<String>) = (keys(expected), keys(actual));
        one.sort();
        other.sort();
        self.sequence(&format!("{place} > hosts"), &one, &other);
        for host in one.iter().filter(|host| !actual[host.as_str()].is_null()) {
            self.result(&format!("{place} > {host}"), &expected[host], &actual[host]);
        }
    }

    fn result(&mut self, place: &str, expected: &Value, actual: &Value) {
        for key in ["status", "changed"] {
            if expected[key] != actual[key] {
                self.add(&format!("{place} > {key}"), &expected[key], &actual[key]);
            }
        }
        self.values(place, expected, actual);
        let (one, other) = (list(&expected["items"]), list(&actual["items"]));
        if one.len() != other.len() {
            self.add(&format!("{place} > items"), &one.len().into(), &other.len().into());
        }
        for (index, (one, other)) in one.iter().zip(other).enumerate() {
            self.result(&format!("{place} > item {index}"), one, other);
        }
    }

    /// Every value that ansible-core returned; more values than those do no harm.
    fn values(&mut self, place: &str, expected: &Value, actual: &Value) {
        let failed = matches!(expected["status"].as_str(), Some("failed" | "unreachable"));
        for (key, value) in expected["result"].as_object().into_iter().flatten() {
            let got = &actual["result"][key];
            if !same(value, got) && !(failed && self.same_sense(value, got)) {
                self.value(&format!("{place} > {key}"), value, got);
            }
        }
    }

    /// Lists of the same length and maps are compared element by element, so that a long one is not printed.
    fn value(&mut self, place: &str, expected: &Value, actual: &Value) {
        match (expected, actual) {
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (index, (a, b)) in a.iter().zip(b).enumerate().filter(|(_, (a, b))| !same(a, b)) {
                    self.value(&format!("{place}[{index}]"), a, b);
                }
            }
            (Value::Object(_), Value::Object(_)) => self.map(place, expected, actual),
            _ => self.add(place, expected, actual),
        }
    }

    /// For messages in ansible-core's own words it is enough to say something, and to name what is undefined.
    fn same_sense(&self, expected: &Value, actual: &Value) -> bool {
        let (Some(expected), Some(actual)) = (expected.as_str(), actual.as_str()) else { return false };
        let own = self.rules.own_words.iter().any(|pattern| pattern.is_match(expected).unwrap_or(false));
        let undefined = expected.split_once("' is undefined").map(|(before, _)| before);
        let name = undefined.and_then(|before| before.rsplit('\'').next());
        own && !actual.is_empty() && name.is_none_or(|name| actual.contains(name))
    }

    fn map(&mut self, place: &str, expected: &Value, actual: &Value) {
        for (key, value) in expected.as_object().into_iter().flatten() {
            if !same(value, &actual[key]) {
                self.value(&format!("{place} > {key}"), value, &actual[key]);
            }
        }
        for (key, value) in actual.as_object().into_iter().flatten() {
            if expected.get(key).is_none() {
                self.add(&format!("{place} > {key}"), &Value::Null, value);
            }
        }
    }

    fn files(&mut self, expected: &[Value], actual: &[Value]) {
        let names = |files: &[Value]| files.iter().map(|file| text(&file["path"])).collect::<Vec<_>>();
        let (mut one, mut other) = (expected.to_vec(), actual.to_vec());
        one.sort_by_key(|file| text(&file["path"]));
        other.sort_by_key(|file| text(&file["path"]));
        for (a, b) in self.sequence("files left", &names(&one), &names(&other)) {
            if !same(&one[a], &other[b]) {
                self.add("files left", &one[a], &other[b]);
            }
        }
    }
}
