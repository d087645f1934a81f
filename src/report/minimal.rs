//! What ad-hoc runs show: a result per host, in several lines or in one; and the results as files.

use std::io::Write as _;
use std::path::PathBuf;

use super::clean::{self, Format, dump};
use super::default::{Look, complaint};
use super::{Report, Screen, diff};
use crate::event::{Event, Outcome, Status, TaskInfo};
use crate::value::{Dict, Value, text};

/// Actions whose results are their output.
const COMMANDS: &[&str] = &["command", "shell", "raw"];

/// How a result is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As Ansible's callback `minimal`.
    Lines,
    /// As Ansible's callback `oneline`.
    One,
}

/// The report of an ad-hoc run.
pub struct Minimal {
    look: Look,
    layout: Layout,
}

impl Minimal {
    /// A report with this look.
    pub fn new(look: Look, layout: Layout) -> Minimal {
        Minimal { look, layout }
    }

    fn done(&self, task: &TaskInfo, host: &str, outcome: &Outcome, out: &mut dyn Screen) {
        if let Some(diagnostic) = &outcome.diagnostic {
            out.err(&complaint(&self.look.colors, diagnostic));
        }
        if outcome.diff
            && let Some(value) = outcome.result.get("diff")
        {
            let shown = diff::render(value, self.look.context, &self.look.colors);
            if !shown.is_empty() {
                out.out(&shown);
            }
        }
        let (kind, word) = match outcome.status {
            Status::Ok => ("ok", "SUCCESS"),
            Status::Changed => ("changed", "CHANGED"),
            Status::Failed => ("error", "FAILED"),
            Status::Unreachable => ("unreachable", "UNREACHABLE!"),
            Status::Unknown if self.look.own_words => ("warn", "UNKNOWN"),
            Status::Skipped | Status::Unknown => ("skip", "SKIPPED"),
        };
        let shown = match outcome.status {
            Status::Skipped => format!("{host} | {word}"),
            Status::Unknown => format!(
                "{host} | {word}{}",
                outcome.result.get("msg").filter(|_| self.look.own_words).map(|msg| format!(" ({})", text(msg))).unwrap_or_default()
            ),
            Status::Unreachable if self.layout == Layout::One => format!("{host} | {word}: {}", field(&outcome.result, "msg")),
            Status::Unreachable => format!("{host} | {word} => {}", self.dump(&outcome.result, false)),
            Status::Ok | Status::Changed | Status::Failed if is_output(task, &outcome.result) => self.output(host, word, outcome),
            Status::Failed => format!("{host} | {word}! => {}", self.dump(&outcome.result, false)),
            Status::Ok | Status::Changed => {
                let debug = task.action.ends_with("debug") && self.layout == Layout::Lines;
                format!("{host} | {word} => {}", self.dump(&outcome.result, debug))
            }
        };
        out.out(&self.look.colors.paint(kind, &shown));
    }

    /// What a command printed.
    fn output(&self, host: &str, word: &str, outcome: &Outcome) -> String {
        let result = &*outcome.result;
        let code = result.get("rc").map_or("-1".into(), text);
        if self.layout == Layout::Lines {
            return format!("{host} | {word} | rc={code} >>\n{}{}{}", field(result, "stdout"), field(result, "stderr"), field(result, "msg"));
        }
        if outcome.status == Status::Failed {
            return format!("{host} | {word}! => {}", self.dump(result, false));
        }
        let flat = |name: &str| field(result, name).replace('\n', "\\n").replace('\r', "\\r");
        let stderr = match flat("stderr") {
            none if none.is_empty() => none,
            some => format!(" (stderr) {some}"),
        };
        format!("{host} | {word} | rc={code} | (stdout) {}{stderr}", flat("stdout"))
    }

    fn dump(&self, result: &Dict, debug: bool) -> String {
        let format = Format { yaml: false, pretty: true, verbosity: self.look.verbosity };
        let shown = dump(result, format, debug);
        match self.layout {
            Layout::Lines => shown,
            Layout::One => shown.replace('\n', ""),
        }
    }
}

/// The text of a result's field, empty where it has none.
fn field(result: &Dict, name: &str) -> String {
    result.get(name).map(text).unwrap_or_default()
}

fn is_output(task: &TaskInfo, result: &Dict) -> bool {
    let name = task.action.strip_prefix("ansible.builtin.").or_else(|| task.action.strip_prefix("ansible.legacy.")).unwrap_or(&task.action);
    COMMANDS.contains(&name) && !result.contains_key("ansible_job_id") && !result.contains_key("module_stderr")
}

impl Report for Minimal {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        match event {
            Event::TaskDone { task, host, outcome } => self.done(task, host, outcome, out),
            Event::Complaint(diagnostic) => out.err(&complaint(&self.look.colors, diagnostic)),
            Event::Note { verbosity, text, .. } if self.look.verbosity >= *verbosity => out.out(&self.look.colors.paint("verbose", text)),
            _ => {}
        }
    }
}

/// Writes each host's result into a file of its name, as Ansible's callback `tree`.
pub struct Tree {
    folder: PathBuf,
    look: Look,
}

impl Tree {
    /// Files in this folder, which is made when the first is written.
    pub fn new(folder: PathBuf, look: Look) -> Tree {
        Tree { folder, look }
    }

    fn write(&self, host: &str, result: &Dict) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(clean::json(&Value::dict(clean::visible(result, self.look.verbosity)), true).as_bytes())?;
        let name = host.replace('/', "_");
        file.persist(self.folder.join(name)).map_err(|failed| failed.error)?;
        Ok(())
    }
}

impl Report for Tree {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        let Event::TaskDone { host, outcome, .. } = event else { return };
        if outcome.status == Status::Skipped {
            return;
        }
        if let Err(error) = self.write(host, &outcome.result) {
            out.err(&self.look.colors.paint("warn", &format!("[WARNING]: Unable to write to {}'s file in {}: {error}", host, self.folder.display())));
        }
    }
}
