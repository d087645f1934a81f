//! A judgement for people, and for programs.

mod github;
mod json;
mod junit;
mod people;
mod sarif;

use super::judge::{Judgement, Verdict};

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use people::people;
pub use sarif::sarif;

/// A form for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything.
    Json,
    /// A test case for each task and host.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// By its name.
    pub fn named(name: &str) -> Option<Format> {
        Some(match name {
            "json" => Format::Json,
            "junit" => Format::Junit,
            "sarif" => Format::Sarif,
            "github" => Format::Github,
            _ => return None,
        })
    }

    /// The judgement in this form; `root` is the folder that files are named from.
    pub fn write(self, judgement: &Judgement, root: &std::path::Path) -> String {
        match self {
            Format::Json => json(judgement, root),
            Format::Junit => junit(judgement, root),
            Format::Sarif => sarif(judgement, root),
            Format::Github => github(judgement, root),
        }
    }
}

/// A path as it is shown: from the folder where possible.
fn shown(path: &std::path::Path, root: &std::path::Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// `1 task`, `2 tasks`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// How many results have that verdict without being excused.
fn results(judgement: &Judgement, verdict: Verdict) -> usize {
    let excused = |finding: Option<usize>| finding.is_some_and(|at| judgement.findings[at].waived.is_some());
    judgement.results.iter().filter(|result| if excused(result.finding) { verdict == Verdict::Clean } else { result.verdict == verdict }).count()
}
