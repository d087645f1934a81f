//! The default callback's look, line for line.

use std::sync::Arc;

use super::banner::banner;
use super::clean::{Format, dump};
use super::{Colors, Report, Screen, diff, recap};
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{Event, Outcome, Status, TaskInfo};
use crate::value::{Dict, Value, text};

/// How it looks.
#[derive(Debug, Clone)]
pub struct Look {
    /// Colours.
    pub colors: Colors,
    /// Columns of the terminal, 79 elsewhere.
    pub width: usize,
    /// Number of `-v`.
    pub verbosity: u8,
    /// `display_skipped_hosts`.
    pub skipped: bool,
    /// `display_ok_hosts`.
    pub ok: bool,
    /// `display_failed_stderr`.
    pub failed_stderr: bool,
    /// `check_mode_markers`.
    pub check_markers: bool,
    /// `display_args_to_stdout`.
    pub args: bool,
    /// `show_custom_stats`.
    pub custom_stats: bool,
    /// `result_format = yaml`.
    pub yaml: bool,
    /// `pretty_results`.
    pub pretty: bool,
    /// `[diff] context`.
    pub context: usize,
    /// `unknown` is shown as a word of its own (not when called as ansible-playbook).
    pub own_words: bool,
}

/// The default report.
pub struct Default {
    look: Look,
    shown_task: Option<String>,
    pending: Option<Arc<TaskInfo>>,
}

impl Default {
    /// A report with this look.
    pub fn new(look: Look) -> Default {
        Default { look, shown_task: None, pending: None }
    }

    fn head(&mut self, task: &Arc<TaskInfo>, out: &mut dyn Screen) {
        if self.shown_task.as_deref() == Some(&task.id) {
            return;
        }
        self.shown_task = Some(task.id.clone());
        self.pending = None;
        let word = if task.handler { "RUNNING HANDLER" } else { "TASK" };
        let args = if self.look.args && !task.args.is_empty() { format!(" {}", task.args) } else { String::new() };
        let mark = if self.look.check_markers && task.check { " [CHECK MODE]" } else { "" };
        out.out(&banner(&format!("{word} [{}{args}]{mark}", task.name), self.look.width));
        if self.look.verbosity >= 2 {
            let path = std::path::absolute(&task.path).unwrap_or_else(|_| task.path.clone());
            out.out(&self.look.colors.paint("debug", &format!("task path: {}:{}", path.display(), task.line)));
        }
    }

    fn start(&mut self, task: &Arc<TaskInfo>, out: &mut dyn Screen) {
        // with hidden results the banner waits for one that is shown
        if self.look.ok && self.look.skipped {
            self.head(task, out);
        } else {
            self.pending = Some(task.clone());
        }
    }

    fn done(&mut self, task: &Arc<TaskInfo>, host: &str, outcome: &Outcome, out: &mut dyn Screen) {
        let place = place(host, outcome);
        match outcome.status {
            Status::Ok | Status::Changed => self.fine(task, &place, outcome, out),
            Status::Skipped => self.skipped(task, &place, outcome, out),
            Status::Unknown => self.unknown(task, &place, outcome, out),
            Status::Failed => self.failed(task, &place, outcome, out),
            Status::Unreachable => self.unreachable(task, &place, outcome, out),
        }
    }

    fn fine(&mut self, task: &Arc<TaskInfo>, place: &str, outcome: &Outcome, out: &mut dyn Screen) {
        let changed = outcome.status == Status::Changed;
        if ["include_tasks", "include_role", "include"].iter().any(|name| task.action.ends_with(name)) {
            return self.head(task, out);
        }
        if outcome.looped || (!changed && !self.look.ok) {
            return;
        }
        self.head(task, out);
        self.diff(outcome, out);
        let (word, kind) = if changed { ("changed", "changed") } else { ("ok", "ok") };
        let mut line = match &outcome.label {
            Some(label) => format!("{word}: [{place}] => (item={label})"),
            None => format!("{word}: [{place}]"),
        };
        if self.verbose(&outcome.result) {
            line.push_str(&format!(" => {}", self.dump(task, &outcome.result)));
        }
        out.out(&self.look.colors.paint(kind, &line));
    }

    fn skipped(&mut self, task: &Arc<TaskInfo>, place: &str, outcome: &Outcome, out: &mut dyn Screen) {
        if !self.look.skipped {
            return;
        }
        self.head(task, out);
        let mut line = match &outcome.label {
            Some(label) => format!("skipping: [{place}] => (item={label}) "),
            None => format!("skipping: [{place}]"),
        };
        if self.look.verbosity > 0 {
            line.push_str(&format!(" => {}", self.dump(task, &outcome.result)));
        }
        out.out(&self.look.colors.paint("skip", &line));
    }

    fn unknown(&mut self, task: &Arc<TaskInfo>, place: &str, outcome: &Outcome, out: &mut dyn Screen) {
        if !self.look.own_words {
            let mut outcome = outcome.clone();
            Arc::make_mut(&mut outcome.result).shift_remove("unknown");
            return self.skipped(task, place, &outcome, out);
        }
        if outcome.looped {
            return;
        }
        self.head(task, out);
        let item = outcome.label.as_ref().map(|label| format!(" (item={label})")).unwrap_or_default();
        let why = outcome.result.get("unknown").map(text).unwrap_or_else(|| "its result is hidden".into());
        let dump = if self.verbose(&outcome.result) { format!(" => {}", self.dump(task, &outcome.result)) } else { String::new() };
        out.out(&self.look.colors.paint("warn", &format!("unknown: [{place}]{item} => {why}{dump}")));
    }

    fn failed(&mut self, task: &Arc<TaskInfo>, place: &str, outcome: &Outcome, out: &mut dyn Screen) {
        self.head(task, out);
        if outcome.looped {
            return self.ignoring(outcome, out);
        }
        if let Some(diagnostic) = &outcome.diagnostic {
            out.err(&complaint(&self.look.colors, diagnostic));
        }
        self.diff(outcome, out);
        let dump = self.dump(task, &outcome.result);
        let line = match &outcome.label {
            Some(label) => format!("failed: [{place}] (item={label}) => {dump}"),
            None => format!("fatal: [{place}]: FAILED! => {dump}"),
        };
        self.wrong("error", &line, out);
        if outcome.label.is_none() {
            self.ignoring(outcome, out);
        }
    }

    fn ignoring(&self, outcome: &Outcome, out: &mut dyn Screen) {
        if outcome.ignored {
            out.out(&self.look.colors.paint("skip", "...ignoring"));
        }
    }

    fn unreachable(&mut self, task: &Arc<TaskInfo>, place: &str, outcome: &Outcome, out: &mut dyn Screen) {
        self.head(task, out);
        if outcome.looped {
            return self.ignoring(outcome, out);
        }
        let line = format!("fatal: [{place}]: UNREACHABLE! => {}", self.dump(task, &outcome.result));
        self.wrong("unreachable", &line, out);
        self.ignoring(outcome, out);
    }

    fn wrong(&self, kind: &str, line: &str, out: &mut dyn Screen) {
        let line = self.look.colors.paint(kind, line);
        if self.look.failed_stderr { out.err(&line) } else { out.out(&line) }
    }

    fn diff(&self, outcome: &Outcome, out: &mut dyn Screen) {
        if !outcome.diff || !outcome.result.get("changed").is_some_and(Value::is_true) {
            return;
        }
        if let Some(value) = outcome.result.get("diff") {
            let shown = diff::render(value, self.look.context, &self.look.colors);
            if !shown.is_empty() {
                out.out(&shown);
            }
        }
    }

    fn verbose(&self, result: &Dict) -> bool {
        let flag = |key: &str| result.get(key).is_some_and(Value::is_true);
        (self.look.verbosity > 0 || flag("_ansible_verbose_always")) && !flag("_ansible_verbose_override")
    }

    fn dump(&self, task: &TaskInfo, result: &Dict) -> String {
        let format = Format { yaml: self.look.yaml, pretty: self.look.pretty, verbosity: self.look.verbosity };
        dump(result, format, task.action.ends_with("debug"))
    }

    fn retry(&mut self, task: &Arc<TaskInfo>, host: &str, left: usize, outcome: &Outcome, out: &mut dyn Screen) {
        self.head(task, out);
        let mut line = format!("FAILED - RETRYING: [{}]: {} ({left} retries left).", place(host, outcome), task.name);
        if self.look.verbosity > 2 {
            line.push_str(&format!("Result was: {}", self.dump(task, &outcome.result)));
        }
        out.out(&self.look.colors.paint("debug", &line));
    }

    fn included(&mut self, task: &Arc<TaskInfo>, file: &str, hosts: &[Arc<str>], label: Option<&str>, out: &mut dyn Screen) {
        self.head(task, out);
        let mut line = format!("included: {file} for {}", hosts.join(", "));
        if let Some(label) = label {
            line.push_str(&format!(" => (item={label})"));
        }
        out.out(&self.look.colors.paint("included", &line));
    }

    fn output(&self, host: &str, stderr: bool, bytes: &[u8], out: &mut dyn Screen) {
        if self.look.verbosity < 2 {
            return;
        }
        let shown = String::from_utf8_lossy(bytes);
        let mark = if stderr { "!" } else { "|" };
        for line in shown.lines() {
            out.out(&self.look.colors.paint("debug", &format!("    {host} {mark} {line}")));
        }
    }

    fn recap(&self, event: &Event, out: &mut dyn Screen) {
        let Event::Recap { hosts, custom, .. } = event else { return };
        out.out(&banner("PLAY RECAP", self.look.width));
        let mut hosts = hosts.clone();
        if !self.look.own_words {
            hosts.values_mut().for_each(|counts| counts.skipped += std::mem::take(&mut counts.unknown));
        }
        for line in recap::lines(&hosts, &self.look.colors) {
            out.out(&line);
        }
        out.out("");
        if self.look.custom_stats && !custom.is_empty() {
            self.custom(custom, out);
        }
    }

    fn custom(&self, custom: &Dict, out: &mut dyn Screen) {
        out.out(&banner("CUSTOM STATS:", self.look.width));
        let mut names: Vec<&str> = custom.keys().filter_map(|key| key.as_str()).filter(|name| *name != "_run").collect();
        names.sort();
        for name in names {
            out.out(&format!("\t{name}: {}", custom.get(name).map(|value| super::clean::json(value, false)).unwrap_or_default()));
        }
        if let Some(run) = custom.get("_run") {
            out.out("");
            out.out(&format!("\tRUN: {}", super::clean::json(run, false)));
        }
        out.out("");
    }
}

fn place(host: &str, outcome: &Outcome) -> String {
    match &outcome.delegated {
        Some(delegate) if **delegate != *host => format!("{host} -> {delegate}"),
        _ => host.to_string(),
    }
}

/// A complaint as Ansible shows it.
pub(super) fn complaint(colors: &Colors, diagnostic: &Diagnostic) -> String {
    let drawn = diagnostic.draw(false);
    let (head, rest) = drawn.split_once('\n').unwrap_or((&drawn, ""));
    let (kind, head) = match diagnostic.severity {
        Severity::Error => ("error", format!("[ERROR]: {}", head.trim_start_matches("error: "))),
        Severity::Warning if diagnostic.message.starts_with("deprecated") => {
            ("deprecate", format!("[DEPRECATION WARNING]: {}", head.trim_start_matches("warning: deprecated: ")))
        }
        Severity::Warning => ("warn", format!("[WARNING]: {}", head.trim_start_matches("warning: "))),
    };
    let whole = format!("{head}\n{rest}");
    colors.paint(kind, whole.trim_end())
}

impl Report for Default {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        match event {
            Event::PlaybookStart { path } if self.look.verbosity > 1 => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                out.out(&banner(&format!("PLAYBOOK: {name}"), self.look.width));
            }
            Event::PlayStart(play) => {
                let mark = if self.look.check_markers && play.check { " [CHECK MODE]" } else { "" };
                let title = if play.name.is_empty() { format!("PLAY{mark}") } else { format!("PLAY [{}]{mark}", play.name) };
                out.out(&banner(&title, self.look.width));
                self.shown_task = None;
            }
            Event::NoHostsMatched => out.out(&self.look.colors.paint("skip", "skipping: no hosts matched")),
            Event::NoHostsRemaining => out.out(&banner("NO MORE HOSTS LEFT", self.look.width)),
            Event::TaskStart(task) => self.start(task, out),
            Event::ItemDone { task, host, outcome } | Event::TaskDone { task, host, outcome } => self.done(task, host, outcome, out),
            Event::Retry { task, host, left, outcome } => self.retry(task, host, *left, outcome, out),
            Event::AsyncPoll { host, job, finished, left, .. } if !finished => {
                let line = format!("ASYNC POLL on {host}: jid={job} started=1 finished=0 (left {left} s)");
                out.out(&self.look.colors.paint("debug", &line));
            }
            Event::Included { task, file, hosts, label } => self.included(task, file, hosts, label.as_deref(), out),
            Event::Notified { handler, host } if self.look.verbosity > 1 => {
                out.out(&self.look.colors.paint("verbose", &format!("NOTIFIED HANDLER {handler} for {host}")));
            }
            Event::Complaint(diagnostic) => out.err(&complaint(&self.look.colors, diagnostic)),
            Event::Note { verbosity, text, .. } if self.look.verbosity >= *verbosity => out.out(&self.look.colors.paint("verbose", text)),
            Event::Output { host, stderr, bytes, .. } => self.output(host, *stderr, bytes, out),
            Event::Recap { .. } => self.recap(event, out),
            Event::PlaybookStart { .. } | Event::HostStart { .. } | Event::AsyncPoll { .. } | Event::Notified { .. } | Event::Note { .. } => {}
        }
    }
}
