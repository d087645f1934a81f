//! A plan: what check mode predicts, in one piece for people, and saved so that exactly that can be applied later.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::record::{Record, Recording};
use crate::event::Status;
use crate::report::{Colors, unified};

/// Version of the file's form.
const VERSION: u32 = 1;

/// A saved plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of the file's form.
    version: u32,
    /// When it was made, seconds since 1970.
    pub made: i64,
    /// The folder that it was made in.
    pub folder: String,
    /// Options and playbooks, as they were given.
    pub arguments: Vec<String>,
    /// Every task, host and item.
    steps: Vec<Step>,
}

/// A task of the plan for a host, or one of its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    file: String,
    line: usize,
    task: String,
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    turn: usize,
    status: String,
    /// What is there now and would be changed.
    before: String,
    /// What it would become.
    after: String,
}

impl Step {
    fn of(record: &Record) -> Step {
        let mut before = Sha256::new();
        let mut after = Sha256::new();
        for (old, new) in record.sides() {
            before.update(old.as_bytes());
            before.update([0]);
            after.update(new.as_bytes());
            after.update([0]);
        }
        if let Some(evidence) = &record.outcome.evidence {
            evidence.changes.iter().for_each(|change| after.update(change.to_string().as_bytes()));
        }
        let hex = |hash: Sha256| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Step {
            file: record.key.file.display().to_string(),
            line: record.key.line,
            task: record.task.name.clone(),
            host: record.key.host.to_string(),
            item: record.key.item.as_ref().map(|(label, number)| if *number > 0 { format!("{label} #{number}") } else { label.clone() }),
            turn: record.key.turn,
            status: word(record.outcome.status).to_string(),
            before: hex(before),
            after: hex(after),
        }
    }

    fn place(&self) -> String {
        let item = self.item.as_ref().map(|item| format!(" (item={item})")).unwrap_or_default();
        format!("{}:{} `{}`{item} on {}", self.file, self.line, self.task, self.host)
    }

    /// What became different, where it is the same step of the same task.
    fn against(&self, now: &Step) -> Option<String> {
        if self.status != now.status {
            return Some(format!("{}: was {}, is {}", self.place(), self.status, now.status));
        }
        if self.before != now.before {
            return Some(format!("{}: the host has something else there now", self.place()));
        }
        (self.after != now.after).then(|| format!("{}: it would become something else now", self.place()))
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
        Status::Unknown => "unknown",
    }
}

impl Plan {
    /// The plan of a replay. `made` is in seconds since 1970.
    pub fn new(recording: &Recording, arguments: Vec<String>, folder: &Path, made: i64) -> Plan {
        let steps = recording.records.iter().map(Step::of).collect();
        Plan { version: VERSION, made, folder: folder.display().to_string(), arguments, steps }
    }

    /// The plan of a file's text.
    ///
    /// # Errors
    /// It is no plan, or of another version.
    pub fn read(text: &str) -> Result<Plan, String> {
        let plan: Plan = serde_json::from_str(text).map_err(|error| format!("this is no plan: {error}"))?;
        if plan.version != VERSION {
            return Err(format!("the plan has version {}, this rplay reads version {VERSION}: make it again", plan.version));
        }
        Ok(plan)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What is no longer as it was when the plan was made; empty when it still holds.
    pub fn differs(&self, now: &Recording) -> Vec<String> {
        let now: Vec<Step> = now.records.iter().map(Step::of).collect();
        let same = |a: &Step, b: &Step| (&a.file, a.line, &a.host, &a.item, a.turn) == (&b.file, b.line, &b.host, &b.item, b.turn);
        let gone = self.steps.iter().filter_map(|step| match now.iter().find(|other| same(step, other)) {
            Some(other) => step.against(other),
            None => Some(format!("{}: is not there any more", step.place())),
        });
        let new = now.iter().filter(|step| !self.steps.iter().any(|other| same(step, other))).map(|step| format!("{}: was not in the plan", step.place()));
        gone.chain(new).collect()
    }

    /// What a run changed although the plan said that it would not, and could know.
    pub fn beyond(&self, ran: &Recording) -> Vec<String> {
        let ran = ran.records.iter().map(Step::of).filter(|step| step.status == "changed");
        let planned = |step: &Step| {
            self.steps.iter().any(|known| {
                (&known.file, known.line, &known.host, &known.item, known.turn) == (&step.file, step.line, &step.host, &step.item, step.turn)
                    && matches!(known.status.as_str(), "changed" | "unknown")
            })
        };
        // handlers and tasks behind something unknown come as they come
        let open = self.steps.iter().any(|step| step.status == "unknown");
        ran.filter(|step| !planned(step) && !open).map(|step| step.place()).collect()
    }
}

/// How many tasks, hosts and items would change, and how many are unknown.
pub fn counts(recording: &Recording) -> (usize, usize) {
    let of = |status| recording.records.iter().filter(|record| record.outcome.status == status).count();
    (of(Status::Changed), of(Status::Unknown))
}

/// One line of a plan: a task with the same consequence for several hosts.
struct Entry<'a> {
    record: &'a Record,
    sides: Vec<(String, String)>,
    hosts: Vec<Arc<str>>,
}

/// The plan for people: each change once, with the hosts that share it; then what is to happen to each host.
pub fn people(recording: &Recording, root: &Path, context: usize, colors: &Colors) -> String {
    let mut entries: Vec<Entry> = Vec::new();
    let mut of_host: IndexMap<Arc<str>, (Vec<usize>, Vec<usize>, usize)> = IndexMap::new();
    for record in &recording.records {
        let own = of_host.entry(record.key.host.clone()).or_default();
        if !matches!(record.outcome.status, Status::Changed | Status::Unknown) {
            own.2 += usize::from(record.outcome.status == Status::Ok);
            continue;
        }
        let sides = record.sides();
        let alike = |entry: &Entry| {
            let (a, b) = (&entry.record.key, &record.key);
            (&a.file, a.line, &a.item, a.turn) == (&b.file, b.line, &b.item, b.turn)
                && entry.record.outcome.status == record.outcome.status
                && entry.sides == sides
        };
        let at = entries.iter().position(alike).unwrap_or_else(|| {
            entries.push(Entry { record, sides, hosts: Vec::new() });
            entries.len() - 1
        });
        entries[at].hosts.push(record.key.host.clone());
        let list = if record.outcome.status == Status::Changed { &mut own.0 } else { &mut own.1 };
        list.push(at + 1);
    }
    let mut out = String::new();
    for (number, entry) in entries.iter().enumerate() {
        one(&mut out, number + 1, entry, root, context, colors);
    }
    if !entries.is_empty() {
        out.push('\n');
    }
    for (host, (changed, unknown, ok)) in &of_host {
        let _ = writeln!(out, "{host}: {}", of_counts(changed, unknown, *ok));
    }
    let (changed, unknown) = counts(recording);
    let color = if changed > 0 { "changed" } else { "ok" };
    let _ = writeln!(out, "\n{} {changed} to change, {unknown} unknown", colors.paint(color, "PLAN:"));
    out
}

fn of_counts(changed: &[usize], unknown: &[usize], ok: usize) -> String {
    let list = |numbers: &[usize]| numbers.iter().map(|number| format!("[{number}]")).collect::<Vec<_>>().join(" ");
    let mut parts = Vec::new();
    if !changed.is_empty() {
        parts.push(format!("would change {}", list(changed)));
    }
    if !unknown.is_empty() {
        parts.push(format!("unknown {}", list(unknown)));
    }
    parts.push(format!("{ok} as they are"));
    parts.join(", ")
}

fn one(out: &mut String, number: usize, entry: &Entry, root: &Path, context: usize, colors: &Colors) {
    let record = entry.record;
    let file = record.key.file.strip_prefix(root).unwrap_or(&record.key.file).display();
    let item = record.key.item.as_ref().map(|(label, _)| format!(" (item={label})")).unwrap_or_default();
    let hosts = entry.hosts.iter().map(|host| &**host).collect::<Vec<_>>().join(", ");
    let known = record.outcome.status == Status::Changed;
    let head = format!("[{number}] {} `{}`{item}", if known { "~" } else { "?" }, record.task.name);
    let _ = writeln!(out, "{}  {file}:{}", colors.paint(if known { "changed" } else { "unreachable" }, &head), record.key.line);
    let _ = writeln!(out, "    on {hosts}");
    if !known {
        let _ = writeln!(out, "    unknown: {}", record.message());
    }
    for (before, after) in &entry.sides {
        for line in unified(before, after, ("before", "after"), context, colors).lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
}
