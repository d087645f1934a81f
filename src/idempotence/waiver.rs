//! Waivers: who says that a finding may stay, and until when. Marks on tasks (`# rplay: idempotence-ok REASON until YYYY-MM-DD`), or a file:
//!
//! ```yaml
//! waivers:
//!   - file: roles/web/tasks/main.yml   # one of file, task; a file may end with :LINE
//!     task: "web : fetch *"            # name of the task, * for anything
//!     host: "web-*"                    # every host without it
//!     kind: download                   # every kind without it
//!     reason: the publisher rotates the file
//!     until: 2027-01-31
//! ```

use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;

use super::cause::Kind;
use super::judge::{Finding, Judgement};
use crate::diagnostic::Diagnostic;

/// The file that is read when none is named.
pub const FILE: &str = ".rplay-waivers.yml";

/// A waiver of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    file: Option<String>,
    task: Option<String>,
    host: Option<String>,
    kind: Option<String>,
    reason: String,
    until: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Waivers {
    waivers: Vec<Waiver>,
}

/// Reads a file of waivers.
///
/// # Errors
/// It cannot be read, or does not say what it must; the line is named.
pub fn read(path: &Path) -> Result<Vec<Waiver>, Diagnostic> {
    let failed = |why: String| Diagnostic::error(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let Waivers { waivers } = serde_yaml::from_str(&text).map_err(|error| failed(error.to_string()))?;
    for waiver in &waivers {
        if waiver.file.is_none() && waiver.task.is_none() {
            return Err(failed(format!("the waiver `{}` names neither a file nor a task", waiver.reason)));
        }
        if let Some(kind) = waiver.kind.as_deref().filter(|kind| !Kind::ALL.iter().any(|known| known.name() == *kind)) {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            return Err(failed(format!("there is no kind `{kind}`; there are {}", names.join(", "))).did_you_mean(kind, names));
        }
        if waiver.reason.trim().is_empty() {
            return Err(failed("a waiver needs a reason".into()));
        }
    }
    Ok(waivers)
}

/// Excuses findings; complaints are about waivers that have expired or excuse nothing. `today` decides what has expired.
pub fn apply(judgement: &mut Judgement, waivers: &[Waiver], today: NaiveDate) -> Vec<Diagnostic> {
    let mut complaints = Vec::new();
    let mut used = vec![false; waivers.len()];
    for finding in &mut judgement.findings {
        let place = format!("{}:{}", finding.place.file.display(), finding.place.line);
        if let Some(mark) = finding.mark.clone() {
            match mark_says(&mark) {
                Ok((_, Some(until))) if until < today => {
                    complaints.push(Diagnostic::warning(format!("the waiver on the task at {place} has expired on {until}")));
                }
                Ok((reason, _)) => finding.waived = Some(reason),
                Err(why) => complaints.push(Diagnostic::warning(format!("{place}: {why}"))),
            }
        }
        for (waiver, used) in waivers.iter().zip(&mut used) {
            if !waiver.is_for(finding) {
                continue;
            }
            *used = true;
            match waiver.until {
                Some(until) if until < today => {
                    complaints.push(Diagnostic::warning(format!("the waiver `{}` for {place} has expired on {until}", waiver.reason)))
                }
                _ => finding.waived = Some(waiver.reason.clone()),
            }
        }
    }
    excuse_consequences(judgement);
    let idle = waivers.iter().zip(used).filter(|(_, used)| !used);
    complaints.extend(idle.map(|(waiver, _)| Diagnostic::warning(format!("the waiver `{}` excuses nothing: it may go", waiver.reason))));
    complaints
}

/// What only follows from excused findings is excused with them.
fn excuse_consequences(judgement: &mut Judgement) {
    loop {
        let excused: Vec<_> = judgement.findings.iter().filter(|finding| finding.waived.is_some()).map(|finding| finding.place.clone()).collect();
        let next = judgement.findings.iter_mut().find(|finding| {
            let follows = finding.cause.kind == Kind::Follows && !finding.others.is_empty();
            finding.waived.is_none() && follows && finding.others.iter().all(|other| excused.contains(other))
        });
        match next {
            Some(finding) => finding.waived = Some("follows from what is excused".into()),
            None => return,
        }
    }
}

/// Reason and last day of a mark: `REASON until 2027-01-31`.
fn mark_says(mark: &str) -> Result<(String, Option<NaiveDate>), String> {
    let (reason, until) = match mark.rsplit_once("until ") {
        Some((reason, date)) if date.trim_end_matches(')').trim().starts_with(|c: char| c.is_ascii_digit()) => {
            let date = date.trim_end_matches(')').trim();
            let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| format!("`{date}` is no date such as 2027-01-31"))?;
            (reason.trim().trim_end_matches('(').trim(), Some(date))
        }
        _ => (mark.trim(), None),
    };
    if reason.is_empty() {
        return Err("`# rplay: idempotence-ok` needs a reason".into());
    }
    Ok((reason.to_string(), until))
}

impl Waiver {
    fn is_for(&self, finding: &Finding) -> bool {
        let file = self.file.as_ref().is_none_or(|wanted| {
            let (path, line) = match wanted.rsplit_once(':') {
                Some((path, line)) if line.chars().all(|c| c.is_ascii_digit()) => (path, line.parse().ok()),
                _ => (wanted.as_str(), None),
            };
            finding.place.file.ends_with(path) && line.is_none_or(|line: usize| line == finding.place.line)
        });
        let task = self.task.as_ref().is_none_or(|wanted| glob(wanted, &finding.place.name));
        let host = self.host.as_ref().is_none_or(|wanted| finding.hosts.iter().all(|(host, _)| glob(wanted, host)));
        file && task && host && self.kind.as_ref().is_none_or(|kind| kind == finding.cause.kind.name())
    }
}

/// `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => {
            text.strip_prefix(head).is_some_and(|tail| tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| glob(rest, &tail[at..])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_a_reason_and_perhaps_an_end() {
        let day = NaiveDate::from_ymd_opt(2027, 1, 31);
        assert_eq!(mark_says("the file rotates until 2027-01-31"), Ok(("the file rotates".into(), day)));
        assert_eq!(mark_says("the file rotates (until 2027-01-31)"), Ok(("the file rotates".into(), day)));
        assert_eq!(mark_says("waits until it is up"), Ok(("waits until it is up".into(), None)));
        assert!(mark_says("").is_err());
        assert!(mark_says("x until 2027-13-01").is_err());
    }

    #[test]
    fn stars() {
        assert!(glob("web : *", "web : fetch") && glob("*", "") && glob("a*c", "abbc"));
        assert!(!glob("a*c", "ab") && !glob("a", "ab"));
    }
}
