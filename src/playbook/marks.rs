//! Marks: comments `# rplay: WORD TEXT` on a task, which say something to rplay and nothing to Ansible.
//!
//! A mark stands on the lines directly above the task's dash (not deeper than it), at the end of one of the task's lines, or on a line of its own
//! among them. What looks like one inside a text (a script, a quoted value) is text.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use super::reader::Reader;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::yaml::{Kind, Node};

/// The words that rplay knows, each with what it means.
const WORDS: &[(&str, &str)] = &[
    ("read-only", "the task's command only reads: with `changed_when: false` check mode runs it"),
    ("idempotence-ok", "what the idempotence checker finds in the task is as it should be, TEXT says why"),
];

/// One mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What is said, such as `read-only`.
    pub word: String,
    /// What follows the word, mostly a reason.
    pub text: String,
    /// The comment.
    pub span: Span,
}

/// The marks of a task (of its dictionary), in the order of the file.
pub fn marks(task: &Node) -> Vec<Mark> {
    let source = &task.span.source;
    let Some((dash_line, dash_column)) = dash(task) else { return Vec::new() };
    let texts = texts(task);
    let first = above(source, dash_line, dash_column);
    let end = texts.iter().map(|text| text.end).max().unwrap_or(task.span.start);
    let inner = source.position(end.saturating_sub(1).max(task.span.start)).line;
    let trailing = (inner + 1..=source.line_count()).take_while(|line| is_comment(source.line(*line), dash_column + 1..=usize::MAX)).last();
    (first..=trailing.unwrap_or(inner)).filter_map(|line| mark_in(source, line, &texts)).collect()
}

/// As [`marks`]; words that nobody knows are warned of.
pub(super) fn read(reader: &mut Reader, task: &Node) -> Vec<Mark> {
    let found = marks(task);
    for mark in &found {
        if !WORDS.iter().any(|(word, _)| *word == mark.word) {
            let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
            let warning = Diagnostic::warning(format!("`{}` is no mark that rplay knows", mark.word)).at(&mark.span);
            let warning = WORDS.iter().fold(warning, |warning, (word, meaning)| warning.note(format!("`# rplay: {word}`: {meaning}")));
            reader.report(warning.did_you_mean(&mark.word, words));
        }
    }
    found
}

/// Marks stand on tasks: one on a block says nothing, and is warned of.
pub(super) fn none(reader: &mut Reader, block: &Node) {
    let Some((line, column)) = dash(block) else { return };
    let source = &block.span.source;
    for mark in (above(source, line, column)..=line).filter_map(|line| mark_in(source, line, &[])) {
        reader.report(Diagnostic::warning("a mark stands on a task, this is on a block").at(&mark.span).help("write it on each task that it is true of"));
    }
}

/// The first of the lines of comments directly above a dash.
fn above(source: &Source, line: usize, column: usize) -> usize {
    (1..line).rev().take_while(|line| is_comment(source.line(*line), 0..=column)).last().unwrap_or(line)
}

/// Line of the dash before the task, and how many characters stand before it; of a task without one, its first key's.
fn dash(task: &Node) -> Option<(usize, usize)> {
    let source = &task.span.source;
    let before = source.text.get(..task.span.start)?;
    let blank = before.trim_end_matches([' ', '\t', '\n', '\r']);
    let at = if blank.ends_with('-') { blank.len() - 1 } else { task.span.start };
    let place = source.position(at);
    Some((place.line, place.column - 1))
}

/// A line with nothing but a comment, that far in.
fn is_comment(line: &str, columns: RangeInclusive<usize>) -> bool {
    let rest = line.trim_start();
    rest.starts_with('#') && columns.contains(&(line.len() - rest.len()))
}

/// Where the task's texts are: a `#` in them is no comment.
fn texts(task: &Node) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    collect(task, &task.span, &mut found);
    found
}

fn collect(node: &Node, within: &Span, found: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| collect(item, within, found)),
        Kind::Map(pairs) => pairs.iter().for_each(|pair| {
            collect(&pair.key, within, found);
            collect(&pair.value, within, found);
        }),
        // what an alias or a merge brings stands elsewhere
        _ if node.span.start >= within.start && node.span.end <= within.end => {
            let ends = node.span.start + node.span.text().trim_end().len();
            found.push(node.span.start..ends);
        }
        _ => {}
    }
}

fn mark_in(source: &Arc<Source>, line: usize, texts: &[Range<usize>]) -> Option<Mark> {
    let start = source.offset(line, 1);
    let shown = source.line(line);
    shown.match_indices('#').find_map(|(at, _)| {
        let begins = at == 0 || shown[..at].ends_with([' ', '\t']);
        let free = !texts.iter().any(|text| text.contains(&(start + at)));
        let said = shown[at + 1..].trim_start().strip_prefix("rplay:").filter(|_| begins && free)?.trim();
        let (word, text) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        let end = start + shown.trim_end().len();
        Some(Mark { word: word.into(), text: text.trim_start().into(), span: Span::new(source, start + at, end) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    /// The marks of every entry of a list of tasks, as `word|text`.
    fn of(text: &str) -> Vec<Vec<String>> {
        let loaded = yaml::load(&Source::new("t.yml", text), &yaml::Options::default()).expect("it is YAML");
        let tasks = loaded.node.as_list().expect("it is a list").to_vec();
        tasks.iter().map(|task| marks(task).iter().map(|mark| format!("{}|{}", mark.word, mark.text)).collect()).collect()
    }

    #[test]
    fn above_beside_and_among_the_lines() {
        let text = "# rplay: far away\n\n# a word\n# rplay: read-only it asks\n- name: a # rplay: idempotence-ok the clock until 2027-01-01\n  command: x\n  \
                    # rplay: third\n  changed_when: false\n  # rplay: fourth\n# rplay: read-only\n- command: y #rplay: no-space\n-\n  command: z\n";
        let all = of(text);
        assert_eq!(all[0], ["read-only|it asks", "idempotence-ok|the clock until 2027-01-01", "third|", "fourth|"]);
        assert_eq!(all[1], ["read-only|", "no-space|"]);
        assert!(all[2].is_empty());
    }

    #[test]
    fn what_is_in_a_text_is_no_mark() {
        let text = "- name: a\n  shell: |\n    x\n    # rplay: read-only\n- name: 'b # rplay: read-only'\n  command: >-\n    y\n\n    # rplay: read-only\n\n\
                    # rplay: mine\n- command: a#rplay:x\n";
        assert_eq!(of(text), [vec![], vec![], vec!["mine|".to_string()]]);
    }

    #[test]
    fn a_text_at_the_end_does_not_hide_the_mark_after_it() {
        let text =
            "- shell: |\n    x\n  # rplay: read-only\n  changed_when: false\n- shell: |\n    y\n  # rplay: read-only\n- {command: w} # rplay: read-only\n";
        assert_eq!(of(text), [["read-only|"], ["read-only|"], ["read-only|"]]);
    }

    #[test]
    fn the_place_is_the_comment() {
        let source = Source::new("t.yml", "- command: x   # rplay: read-only it asks  \n");
        let loaded = yaml::load(&source, &yaml::Options::default()).expect("it is YAML");
        let found = marks(&loaded.node.as_list().expect("it is a list")[0]);
        assert_eq!((found[0].span.text(), found[0].span.to_string().as_str()), ("# rplay: read-only it asks", "t.yml:1:16"));
    }
}
