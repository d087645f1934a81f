//! What the user wrote wrong: message, place with excerpt and caret, notes, help.

use std::fmt::Write as _;

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run goes on.
    Warning,
    /// The run does not begin, or ends.
    Error,
}

/// One complaint about what the user wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A lower-case fragment without a final period.
    pub message: String,
    /// Where; `None` only when the message says why there is no place.
    pub span: Option<Span>,
    /// Text at the caret.
    pub label: Option<String>,
    /// Further facts, each perhaps with a place of its own.
    pub notes: Vec<(String, Option<Span>)>,
    /// The cure.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, message: message.into(), span: None, label: None, notes: Vec::new(), help: None }
    }

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    /// Adds the place, unless it has one already (the inner one is the better one).
    pub fn at(mut self, span: &Span) -> Diagnostic {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Adds the text at the caret.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// Adds a note without a place.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push((note.into(), None));
        self
    }

    /// Adds a note with a place.
    pub fn note_at(mut self, note: impl Into<String>, span: &Span) -> Diagnostic {
        self.notes.push((note.into(), Some(span.clone())));
        self
    }

    /// Adds the cure.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds `did you mean "x"?` when a candidate is near enough.
    pub fn did_you_mean<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Diagnostic {
        match closest(word, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Draws it as text; with `color`, with ANSI colours.
    pub fn draw(&self, color: bool) -> String {
        let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() };
        let head = match self.severity {
            Severity::Error => paint("1;31", "error"),
            Severity::Warning => paint("1;35", "warning"),
        };
        let mut out = format!("{head}: {}\n", self.message);
        if let Some(span) = &self.span {
            draw_place(&mut out, span, self.label.as_deref(), &paint);
        }
        for (note, place) in &self.notes {
            let _ = writeln!(out, "  {} {note}", paint("1;34", "note:"));
            if let Some(span) = place {
                draw_place(&mut out, span, None, &paint);
            }
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "  {} {help}", paint("1;36", "help:"));
        }
        out
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.draw(false).trim_end())
    }
}

impl std::error::Error for Diagnostic {}

fn draw_place(out: &mut String, span: &Span, label: Option<&str>, paint: &dyn Fn(&str, &str) -> String) {
    let position = span.position();
    let line = span.source.line(position.line);
    let number = position.line.to_string();
    let margin = " ".repeat(number.len());
    let lead: String = line.chars().take(position.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let rest = line.chars().count().saturating_sub(position.column - 1);
    let width = span.text().lines().next().map_or(1, |t| t.chars().count()).clamp(1, rest.max(1));
    let _ = writeln!(out, "{margin}{} {span}", paint("1;34", "-->"));
    let _ = writeln!(out, "{margin} {}", paint("1;34", "|"));
    let _ = writeln!(out, "{} {line}", paint("1;34", &format!("{number} |")));
    let marks = format!("{} {}", "^".repeat(width), label.unwrap_or(""));
    let caret = paint("1;31", marks.trim_end());
    let _ = writeln!(out, "{margin} {} {lead}{caret}", paint("1;34", "|"));
}

/// The candidate nearest to `word` by edit distance, when it is near enough to be a typing mistake.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, candidate)| candidate)
}

/// Edit distance in which a swap of neighbours counts once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_diagnostic_shows_place_excerpt_caret_and_cure() {
        let source = Source::new("site.yml", "- hosts: all\n  taks: []\n");
        let span = Span::new(&source, 15, 19);
        let shown = Diagnostic::error("`taks` is not a keyword of a play").at(&span).did_you_mean("taks", ["tasks", "tags"]).draw(false);
        assert_eq!(shown, "error: `taks` is not a keyword of a play\n --> site.yml:2:3\n  |\n2 |   taks: []\n  |   ^^^^\n  help: did you mean `tasks`?\n");
    }

    #[test]
    fn only_near_words_are_offered() {
        assert_eq!(closest("comand", ["command", "copy"]), Some("command"));
        assert_eq!(closest("frobnicate", ["command", "copy"]), None);
    }
}
