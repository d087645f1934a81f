//! Drift: what hosts have come to differ in from their playbooks, since when, and what is back; the history is a file.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::record::{Record, Recording};
use crate::event::Status;

/// Version of the file's form.
const VERSION: u32 = 1;

/// Ended entries that are kept.
const KEPT: usize = 1000;

/// What is known of earlier looks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    version: u32,
    /// How many looks there were.
    looks: u64,
    entries: Vec<Entry>,
}

impl Default for History {
    fn default() -> History {
        History { version: VERSION, looks: 0, entries: Vec::new() }
    }
}

/// One thing that differs, or differed, on one host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    line: usize,
    task: String,
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// Seconds since 1970: first and last look that saw it.
    since: i64,
    seen: i64,
    /// How many looks saw it.
    looks: u64,
    /// The number of the last look that saw it.
    last: u64,
    /// The first look that did not see it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<i64>,
}

impl Entry {
    fn is_of(&self, record: &Record) -> bool {
        // lines move when a file is edited: name and file tell which task it is
        self.back.is_none()
            && self.task == record.task.name
            && self.host == *record.key.host
            && self.item == item(record)
            && self.file == record.key.file.display().to_string()
    }
}

fn item(record: &Record) -> Option<String> {
    record.key.item.as_ref().map(|(label, number)| if *number > 0 { format!("{label} #{number}") } else { label.clone() })
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Look {
    /// Lines about what differs.
    pub adrift: Vec<String>,
    /// Lines about what differed and is as it should be again.
    pub back: Vec<String>,
}

impl History {
    /// The history of a file's text.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<History, String> {
        let history: History = serde_json::from_str(text).map_err(|error| format!("this is no history of drift: {error}"))?;
        if history.version != VERSION {
            return Err(format!("the history has version {}, this rplay reads version {VERSION}", history.version));
        }
        Ok(history)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Takes a replay in; `now` is in seconds since 1970. Hosts that were not reached keep what was known of them.
    pub fn look(&mut self, recording: &Recording, now: i64, when: &dyn Fn(i64) -> String) -> Look {
        let mut look = Look::default();
        self.looks += 1;
        let number = self.looks;
        let adrift: Vec<&Record> = recording.records.iter().filter(|record| record.outcome.status == Status::Changed).collect();
        for record in &adrift {
            let known = self.entries.iter().position(|entry| entry.is_of(record));
            let at = known.unwrap_or_else(|| {
                self.entries.push(Entry {
                    file: record.key.file.display().to_string(),
                    line: record.key.line,
                    task: record.task.name.clone(),
                    host: record.key.host.to_string(),
                    item: item(record),
                    since: now,
                    seen: now,
                    looks: 0,
                    last: 0,
                    back: None,
                });
                self.entries.len() - 1
            });
            let entry = &mut self.entries[at];
            (entry.seen, entry.last, entry.line) = (now, self.looks, record.key.line);
            entry.looks += 1;
            let since = if entry.looks == 1 { "new".to_string() } else { format!("since {}, seen {} times", when(entry.since), entry.looks) };
            look.adrift.push(format!("{} ({since})", told(entry)));
        }
        let reached = |host: &str| {
            let counts = recording.counts.iter().find(|(name, _)| &***name == host).map(|(_, counts)| counts);
            counts.is_some_and(|counts| counts.unreachable == 0 && counts.failed == 0)
        };
        for entry in self.entries.iter_mut().filter(|entry| entry.back.is_none() && entry.last != number && reached(&entry.host)) {
            entry.back = Some(now);
            look.back.push(format!("{} (was adrift since {})", told(entry), when(entry.since)));
        }
        self.forget();
        look
    }

    /// Old entries that have ended go.
    fn forget(&mut self) {
        let ended = self.entries.iter().filter(|entry| entry.back.is_some()).count();
        let mut surplus = ended.saturating_sub(KEPT);
        self.entries.retain(|entry| {
            let goes = entry.back.is_some() && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

fn told(entry: &Entry) -> String {
    let mut text = format!("{}: {}:{} `{}`", entry.host, entry.file, entry.line, entry.task);
    if let Some(item) = &entry.item {
        let _ = write!(text, " (item={item})");
    }
    text
}
