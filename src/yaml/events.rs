//! The event parser behind one door: libyaml's grammar, with byte offsets, and with the crate's known faults kept away from the rest.
//!
//! What is guarded: a block scalar without a final newline, a tag that a comma follows, `%XX` in tags, the end of a single pair in a flow
//! sequence, hostile depth, and any other panic, which becomes an ordinary problem at the last known place.

use std::io::{BufRead, Read};

use libyaml_safer::{Encoding, EventData, MappingStyle, Mark, Parser, ScalarStyle};

use super::panics;

/// Deeper nesting is refused: the scanner's work grows with the square of the depth.
pub(super) const MAX_DEPTH: usize = 500;

/// How often a tag with a comma behind it may need the slow way.
const MAX_REPAIRS: usize = 100;

/// One event with its place in the source, in bytes.
#[derive(Debug)]
pub(super) struct Event {
    pub data: EventData,
    pub start: usize,
    pub end: usize,
}

/// Why the text is no YAML: the problem and, where there is one, what was being read, each with a byte offset.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub message: String,
    pub at: usize,
    pub context: Option<(String, usize)>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, at: usize) -> Problem {
        Problem { message: message.into(), at, context: None }
    }

    pub(super) fn context(mut self, context: impl Into<String>, at: usize) -> Problem {
        self.context = Some((context.into(), at));
        self
    }
}

/// All events up to the end or to the first problem.
pub(super) struct Events {
    pub list: Vec<Event>,
    pub problem: Option<Problem>,
}

/// The text as the parser gets it, and how its offsets become the source's.
struct Fed<'a> {
    source: &'a str,
    text: String,
    byte_order_mark: usize,
    newline_added: bool,
    /// Offsets in `text` of spaces that the source does not have, ascending.
    inserted: Vec<usize>,
    /// Offsets in `text` of stand-ins for longer characters, ascending, each with the bytes that it and those before it are shorter.
    shorter: Vec<(usize, usize)>,
}

/// Stands in for any character beyond ASCII: like these it is no part of an anchor or a tag and no indicator.
const STAND_IN: char = '^';

/// True for what the parser reads as one more letter, beyond ASCII.
fn is_long(c: char) -> bool {
    !c.is_ascii() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

impl<'a> Fed<'a> {
    fn new(source: &'a str) -> Fed<'a> {
        let stripped = source.strip_prefix('\u{feff}').unwrap_or(source);
        let newline_added = !stripped.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) && !stripped.is_empty();
        let mut text = String::with_capacity(stripped.len() + 1);
        text.push_str(stripped);
        if newline_added {
            text.push('\n');
        }
        Fed { source, text, byte_order_mark: source.len() - stripped.len(), newline_added, inserted: Vec::new(), shorter: Vec::new() }
    }

    fn offset(&self, mark: Mark) -> usize {
        let index = usize::try_from(mark.index).unwrap_or(usize::MAX);
        let inserted = self.inserted.partition_point(|at| *at < index);
        let shorter = match self.shorter.partition_point(|(at, _)| *at < index) {
            0 => 0,
            count => self.shorter[count - 1].1,
        };
        (index.saturating_sub(inserted) + shorter + self.byte_order_mark).min(self.source.len())
    }

    /// The text with every long character as one byte, if that can be undone. A key may have 1024 characters; the crate counts bytes.
    fn with_stand_ins(&self) -> Option<Fed<'a>> {
        let lower = self.text.to_ascii_lowercase();
        let ambiguous = self.text.contains(STAND_IN) || lower.contains("x5e") || lower.contains("u005e") || lower.contains("u0000005e");
        let needed = !self.text.is_ascii() && self.text.split('\n').any(|line| line.len() > 1024);
        if ambiguous || !needed || !self.inserted.is_empty() {
            return None;
        }
        let mut fed = Fed { text: String::with_capacity(self.text.len()), shorter: Vec::new(), ..Fed::new(self.source) };
        let mut total = 0;
        for c in self.text.chars() {
            if is_long(c) {
                total += c.len_utf8() - 1;
                fed.shorter.push((fed.text.len(), total));
                fed.text.push(STAND_IN);
            } else {
                fed.text.push(c);
            }
        }
        Some(fed)
    }

    /// The characters of the source again.
    fn without_stand_ins(&self, value: &mut String, written: &str) {
        if self.shorter.is_empty() || !value.contains(STAND_IN) {
            return;
        }
        let mut long = written.chars().filter(|c| is_long(*c));
        *value = value.chars().map(|c| if c == STAND_IN { long.next().unwrap_or(c) } else { c }).collect();
    }

    fn insert_space(&mut self, at: usize) {
        self.text.insert(at, ' ');
        for other in self.inserted.iter_mut().filter(|other| **other >= at) {
            *other += 1;
        }
        let place = self.inserted.partition_point(|other| *other < at);
        self.inserted.insert(place, at);
    }
}

/// Reads a whole text.
pub(super) fn read(source: &str) -> Events {
    if let Some(problem) = control_character(source) {
        return Events { list: Vec::new(), problem: Some(problem) };
    }
    let mut fed = Fed::new(source);
    for _ in 0..=MAX_REPAIRS {
        let mut events = Events { list: Vec::new(), problem: None };
        let run = panics::quietly(|| collect(&fed, fed.text.as_bytes(), &mut events));
        if run.is_ok() {
            return match events.problem.as_ref().and_then(|_| fed.with_stand_ins()) {
                Some(other) => read_again(&other).unwrap_or(events),
                None => events,
            };
        }
        match comma_after_tag(&fed) {
            Some(at) => fed.insert_space(at),
            None => {
                let at = events.list.last().map_or(0, |event| event.end);
                events.problem = Some(Problem::new("this cannot be read as YAML", at));
                return events;
            }
        }
    }
    Events { list: Vec::new(), problem: Some(Problem::new(format!("more than {MAX_REPAIRS} tags with a comma right behind them"), 0)) }
}

fn read_again(fed: &Fed) -> Option<Events> {
    let mut events = Events { list: Vec::new(), problem: None };
    panics::quietly(|| collect(fed, fed.text.as_bytes(), &mut events)).ok()?;
    Some(events)
}

fn control_character(text: &str) -> Option<Problem> {
    let (at, c) = text
        .char_indices()
        .find(|(_, c)| !matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))?;
    Some(Problem::new(format!("control characters are not allowed (found U+{:04X})", u32::from(c)), at))
}

fn collect<R: BufRead>(fed: &Fed, input: R, events: &mut Events) {
    let mut parser = Parser::new();
    parser.set_input(input);
    parser.set_encoding(Encoding::Utf8);
    let mut depth = 0;
    let mut pairs = Vec::new();
    loop {
        let event = match parser.parse() {
            Ok(event) => event,
            Err(error) => {
                events.problem = Some(problem(fed, &error));
                return;
            }
        };
        let start = fed.offset(event.start_mark);
        let mut end = fed.offset(event.end_mark);
        let mut data = event.data;
        match &mut data {
            EventData::StreamEnd => return,
            EventData::StreamStart { .. } => continue,
            EventData::MappingStart { style, tag, anchor, .. } => {
                let bare = anchor.is_none() && tag.is_none() && *style == MappingStyle::Flow;
                pairs.push(bare && (start == end || fed.source.get(start..end) == Some("?")));
                decode_tag(tag);
                depth += 1;
            }
            EventData::SequenceStart { tag, .. } => {
                decode_tag(tag);
                depth += 1;
            }
            EventData::MappingEnd => {
                if pairs.pop() == Some(true) {
                    end = start;
                }
                depth -= 1;
            }
            EventData::SequenceEnd => depth -= 1,
            EventData::Scalar { tag, value, style, .. } => {
                decode_tag(tag);
                fed.without_stand_ins(value, fed.source.get(start..end).unwrap_or_default());
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    take_back_newline(fed, usize::try_from(event.end_mark.index).unwrap_or(usize::MAX), start, value);
                }
            }
            EventData::DocumentStart { .. } | EventData::DocumentEnd { .. } | EventData::Alias { .. } => {}
        }
        events.list.push(Event { data, start, end });
        if depth > MAX_DEPTH {
            events.problem = Some(Problem::new(format!("nested more than {MAX_DEPTH} levels deep"), start));
            return;
        }
    }
}

fn problem(fed: &Fed, error: &libyaml_safer::Error) -> Problem {
    let at = error.problem_mark().map_or(0, |mark| fed.offset(mark));
    let found = Problem::new(error.problem(), at);
    match (error.context(), error.context_mark()) {
        (Some(context), Some(mark)) => found.context(context, fed.offset(mark)),
        _ => found,
    }
}

/// `%XX` in a tag comes as one character for each byte; raw tags are ASCII.
fn decode_tag(tag: &mut Option<String>) {
    let Some(text) = tag.as_ref().filter(|text| !text.is_ascii()) else { return };
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    if let Some(decoded) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        *tag = Some(decoded);
    }
}

/// Without a final newline in the file the last block scalar has none either. The newline that was added for the parser's sake shows in
/// the value unless the unfinished line was only indentation, which clipping drops.
fn take_back_newline(fed: &Fed, end: usize, start: usize, value: &mut String) {
    if !fed.newline_added || end < fed.text.len() || !value.ends_with('\n') {
        return;
    }
    let scalar = &fed.source[start..];
    let last = scalar.rsplit('\n').next().unwrap_or("");
    let blank = last.bytes().all(|b| b == b' ');
    let keeps = scalar.lines().next().is_some_and(|head| head.split('#').next().unwrap_or("").contains('+'));
    let indent = scalar.lines().skip(1).find(|line| !line.trim_matches(' ').is_empty()).map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
    if !blank || keeps || last.len() > indent {
        value.pop();
    }
}

/// A reader that hands out one character at a time, so that it is known how far the parser has looked.
struct Counted<'a> {
    text: &'a [u8],
    at: usize,
    seen: &'a std::cell::Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let some = self.fill_buf()?;
        let count = some.len().min(buffer.len());
        buffer[..count].copy_from_slice(&some[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let rest = &self.text[self.at..];
        let width = rest.iter().skip(1).take_while(|b| **b & 0xc0 == 0x80).count() + 1;
        Ok(&rest[..width.min(rest.len())])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
        self.seen.set(self.at);
    }
}

/// Where the parser gave up on a tag with a comma behind it. It looks at most four characters ahead.
fn comma_after_tag(fed: &Fed) -> Option<usize> {
    let seen = std::cell::Cell::new(0);
    let input = Counted { text: fed.text.as_bytes(), at: 0, seen: &seen };
    let mut events = Events { list: Vec::new(), problem: None };
    panics::quietly(|| collect(fed, input, &mut events)).err()?;
    let end = seen.get();
    let window = fed.text[..end].char_indices().rev().take(5).last().map_or(0, |(at, _)| at);
    fed.text[window..end].match_indices(',').map(|(at, _)| window + at).find(|comma| {
        let before = &fed.text[..*comma];
        let word = before.rfind([' ', '\t', '\n', '\r', '[', '{', ',']).map_or(0, |at| at + 1);
        before[word..].starts_with('!')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(text: &str) -> Vec<(String, String)> {
        let events = read(text);
        assert!(events.problem.is_none(), "{text:?}: {:?}", events.problem);
        let shown = |event: Event| match event.data {
            EventData::Scalar { value, .. } => Some((value, text[event.start..event.end].to_string())),
            _ => None,
        };
        events.list.into_iter().filter_map(shown).collect()
    }

    #[test]
    fn a_block_scalar_without_final_newline_has_none() {
        for (text, value) in [
            ("|\n x", "x"),
            ("|+\n x", "x"),
            ("|\n x\n", "x\n"),
            ("|\n x\n ", "x\n"),
            ("|+\n x\n ", "x\n"),
            ("|\n x\n   ", "x\n  "),
            (">\n x\n y", "x y"),
            ("|", ""),
            ("|+\n  ", ""),
        ] {
            assert_eq!(scalars(text)[0].0, value, "{text:?}");
        }
    }

    #[test]
    fn a_comma_may_follow_a_tag() {
        let found = scalars("[!a, \"b!, c\", {d: !e,f: !g }, !,h]");
        let written: Vec<&str> = found.iter().map(|(_, written)| written.as_str()).collect();
        assert_eq!(written, ["!a", "\"b!, c\"", "d", "!e", "f", "!g", "!", "h"]);
    }

    #[test]
    fn a_key_may_have_1024_characters_however_long_they_are() {
        let key = "ä".repeat(1000);
        let found = scalars(&format!("{key}: 'ö\n  ü' # é\nb: ß"));
        let values: Vec<&str> = found.iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(values, [key.as_str(), "ö ü", "b", "ß"]);
        assert_eq!(found[1].1, "'ö\n  ü'");
        assert!(read(&format!("{}: x", "ä".repeat(1025))).problem.is_some());
    }

    #[test]
    fn problems_have_a_place() {
        for (text, at) in [("a: \u{1}", 3), ("ä: [b", 6), ("a: 'b", 5), ("\"\\", 2)] {
            assert_eq!(read(text).problem.map(|problem| problem.at), Some(at), "{text:?}");
        }
        assert!(read(&"[".repeat(100_000)).problem.is_some_and(|problem| problem.message.contains("500 levels")));
    }

    #[test]
    fn a_pair_in_a_flow_sequence_ends_with_its_value() {
        let text = "[a: b, ? c : d, {e: f}: g, {f: g}]";
        let mut starts = Vec::new();
        let mut spans = Vec::new();
        for event in read(text).list {
            match event.data {
                EventData::MappingStart { .. } => starts.push(event.start),
                EventData::MappingEnd => spans.push(&text[starts.pop().unwrap_or(0)..event.end]),
                _ => {}
            }
        }
        assert_eq!(spans, ["a: b", "? c : d", "{e: f}", "{e: f}: g", "{f: g}"]);
    }
}
