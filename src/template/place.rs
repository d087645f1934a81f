//! From a position in a template's text to the place in the file that its author edits.

use std::sync::Arc;

use super::tree::At;
use crate::source::{Source, Span};

/// Where a template's text stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file of its own; the text begins at that byte.
    File(Arc<Source>, usize),
    /// The value of a YAML scalar: the text, from which the given number of bytes was taken off the front, and the scalar.
    Scalar { text: Arc<str>, skipped: usize, span: Span },
    /// Made while running (decrypted, or a constant in another template).
    Inner(Option<Span>),
}

impl Place {
    /// The place of a part; the whole scalar where its text cannot be followed.
    pub(super) fn part(&self, at: At) -> Option<Span> {
        let (start, end) = (at.start as usize, at.end as usize);
        match self {
            Place::File(source, base) => Some(Span::new(source, base + start, base + end)),
            Place::Scalar { text, skipped, span } => {
                let found = align(text, span.text(), skipped + start, skipped + end);
                Some(found.map_or_else(|| span.clone(), |(a, b)| Span::new(&span.source, span.start + a, span.start + b)))
            }
            Place::Inner(span) => span.clone(),
        }
    }
}

/// Finds the stretch `start..end` of a scalar's value in the scalar as it is written. Both are walked together; blanks (folds,
/// indentation) are free, every other character must agree.
fn align(value: &str, written: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let (mut at, style) = opening(written);
    let mut first = None;
    let mut last = None;
    for (i, c) in value.char_indices() {
        if i >= end {
            break;
        }
        if c.is_whitespace() {
            continue;
        }
        let (from, to) = next_character(written, at, style, c)?;
        if i >= start {
            first.get_or_insert(from);
            last = Some(to);
        }
        at = to;
    }
    Some((first?, last?))
}

#[derive(Clone, Copy, PartialEq)]
enum Written {
    Plain,
    Single,
    Double,
}

/// Where a scalar's characters begin, behind tag, anchor, quote or block header.
fn opening(written: &str) -> (usize, Written) {
    let mut at = 0;
    while written[at..].starts_with(['!', '&']) {
        let word = written[at..].find(char::is_whitespace).unwrap_or(0);
        at += word;
        at += written[at..].len() - written[at..].trim_start().len();
        if word == 0 {
            break;
        }
    }
    match written[at..].bytes().next() {
        Some(b'\'') => (at + 1, Written::Single),
        Some(b'"') => (at + 1, Written::Double),
        Some(b'|' | b'>') => (at + written[at..].find('\n').map_or(0, |n| n + 1), Written::Plain),
        _ => (at, Written::Plain),
    }
}

/// The next written character that is not blank, when it means `wanted`: its beginning and end.
fn next_character(written: &str, at: usize, style: Written, wanted: char) -> Option<(usize, usize)> {
    let mut chars = written[at..].char_indices();
    while let Some((i, c)) = chars.next() {
        let from = at + i;
        let end = from + c.len_utf8();
        match (style, c) {
            (_, c) if c.is_whitespace() => continue,
            (Written::Single, '\'') => {
                return (wanted == '\'' && written[end..].starts_with('\'')).then_some((from, end + 1));
            }
            (Written::Double, '\\') => match escaped(&written[end..]) {
                Some((c, _)) if c.is_whitespace() => {
                    chars.next();
                    continue;
                }
                Some((c, length)) => return (c == wanted).then_some((from, end + length)),
                None => return None,
            },
            (_, c) => return (c == wanted).then_some((from, end)),
        }
    }
    None
}

/// What a double-quoted escape (behind its backslash) means, and its length.
fn escaped(rest: &str) -> Option<(char, usize)> {
    let c = rest.chars().next()?;
    let hex = |digits: usize| {
        let code = u32::from_str_radix(rest.get(1..1 + digits)?, 16).ok()?;
        Some((char::from_u32(code)?, 1 + digits))
    };
    match c {
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        'n' | 't' | 'r' | ' ' | '\n' | '\t' | 'N' | 'L' | 'P' | '_' => Some((' ', c.len_utf8())),
        '0' => Some(('\0', 1)),
        'a' => Some(('\u{7}', 1)),
        'b' => Some(('\u{8}', 1)),
        'v' => Some((' ', 1)),
        'e' => Some(('\u{1b}', 1)),
        other => Some((other, other.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, written: &str, part: &str) -> String {
        let source = Source::new("a.yml", format!("key: {written}"));
        let place = Place::Scalar { text: value.into(), skipped: 0, span: Span::new(&source, 5, source.text.len()) };
        let start = value.find(part).unwrap() as u32;
        let span = place.part(At { start, end: start + part.len() as u32 }).unwrap();
        format!("{}:{}", span.position().line, span.text())
    }

    #[test]
    fn parts_are_found_in_every_style() {
        assert_eq!(found("{{ foo }}", "{{ foo }}", "foo"), "1:foo");
        assert_eq!(found("it's {{ foo }}", "'it''s {{ foo }}'", "foo"), "1:foo");
        assert_eq!(found("\"a\\\n{{ foo }}", r#""\"a\\\n{{ foo }}""#, "foo"), "1:foo");
        assert_eq!(found("x\n  {{ foo }}\n", "|\n  x\n    {{ foo }}\n", "foo"), "3:foo");
        assert_eq!(found("a b {{ foo }}\n", ">-\n  a\n  b\n  {{ foo }}\n", "foo"), "4:foo");
        assert_eq!(found("{{ foo }}", "!tag {{ foo }}", "foo"), "1:foo");
    }

    #[test]
    fn a_text_that_cannot_be_followed_is_shown_whole() {
        assert_eq!(found("{{ foo }}", "*alias", "foo"), "1:*alias");
    }
}
