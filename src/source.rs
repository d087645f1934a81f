//! Texts that the user wrote, and places in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text and where it came from.
#[derive(Debug)]
pub struct Source {
    /// The file as it is shown: the path as given by the user, or `<command line>`.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
    line_starts: Vec<usize>,
}

impl Source {
    /// Takes a text that was read from `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Source> {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Arc::new(Source { path: path.into(), text, line_starts })
    }

    /// Line and column (both from 1, the column in characters) of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line, column }
    }

    /// Byte offset of a line and column, both from 1; past the end of a line it is the line's end.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let rest = self.line(line);
        start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(i, _)| i)
    }

    /// The text of a line (from 1) without its end; empty past the last line.
    pub fn line(&self, line: usize) -> &str {
        let Some(start) = self.line_starts.get(line.saturating_sub(1)).copied() else { return "" };
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// How many lines the text has.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }
}

/// A place that people can find: both numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A stretch of a source, in bytes.
#[derive(Clone)]
pub struct Span {
    /// The text it lies in.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Span {
    /// A span of `source` from byte `start` to before byte `end`.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Span {
        Span { source: source.clone(), start, end: end.max(start) }
    }

    /// The whole of a text that is no file, for example a value from the command line.
    pub fn synthetic(name: &str, text: &str) -> Span {
        let source = Source::new(name, text);
        let end = source.text.len();
        Span { source, start: 0, end }
    }

    /// Where it begins.
    pub fn position(&self) -> Position {
        self.source.position(self.start)
    }

    /// The file it lies in.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The text it covers.
    pub fn text(&self) -> &str {
        self.source.text.get(self.start..self.end.min(self.source.text.len())).unwrap_or("")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(f, "{}:{line}:{column}", self.source.path.display())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Two spans are equal when they cover the same stretch of files of the same name.
impl PartialEq for Span {
    fn eq(&self, other: &Span) -> bool {
        self.start == other.start && self.end == other.end && self.source.path == other.source.path
    }
}

/// A value with the place where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_positions_are_inverse() {
        let source = Source::new("a.yml", "ä: 1\nbb: 2\n");
        for (offset, line, column) in [(0, 1, 1), (2, 1, 2), (6, 2, 1), (9, 2, 4)] {
            assert_eq!(source.position(offset), Position { line, column });
            assert_eq!(source.offset(line, column), offset);
        }
        assert_eq!(source.line(2), "bb: 2");
        assert_eq!(Span::new(&source, 6, 8).to_string(), "a.yml:2:1");
        assert_eq!(Span::new(&source, 6, 8).text(), "bb");
    }
}
