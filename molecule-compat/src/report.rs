//! What came of every step, and the table of it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::provisioner::Outcome;
use crate::sequence::Step;

/// One step that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The scenario's name.
    pub scenario: String,
    /// The step.
    pub step: Step,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// The words for an outcome.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "ok",
        Outcome::Skipped(_) => "skipped",
        Outcome::Missing(_) => "nothing to do",
        Outcome::Failed(..) => "FAILED",
    }
}

/// More of an outcome than its word.
pub fn note(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Done => "",
        Outcome::Skipped(note) | Outcome::Missing(note) | Outcome::Failed(_, note) => note,
    }
}

/// Seconds with as many digits as one wants to read.
pub fn seconds(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 { format!("{seconds:.1} s") } else { format!("{} min {:02} s", took.as_secs() / 60, took.as_secs() % 60) }
}

/// The table at the end: a line for each step, and a sentence for each scenario.
pub fn table(entries: &[Entry]) -> String {
    let mut out = String::from("\nSCENARIOS\n");
    let mut scenarios: Vec<&str> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.scenario.is_empty()) {
        if !scenarios.contains(&entry.scenario.as_str()) {
            scenarios.push(&entry.scenario);
        }
    }
    for scenario in scenarios {
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.scenario == scenario).collect();
        let failed = own.iter().filter(|entry| matches!(entry.outcome, Outcome::Failed(..))).count();
        let took = own.iter().map(|entry| entry.took).sum();
        let verdict = if failed == 0 { "passed" } else { "FAILED" };
        let _ = writeln!(out, "{scenario}: {verdict} in {}", seconds(took));
        for entry in own {
            let line = format!("  {:<14} {:<14} {:>9}  {}", entry.step.text(), word(&entry.outcome), seconds(entry.took), note(&entry.outcome));
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    out
}
