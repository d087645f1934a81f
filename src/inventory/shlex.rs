//! Words as Python's `shlex` splits them in POSIX mode, with their places in the line.

use std::ops::Range;

/// A word without its quotes, and the bytes of the line that it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub range: Range<usize>,
}

#[derive(Clone, Copy)]
enum State {
    Between,
    Inside,
    Quoted(char),
    /// After a backslash; `None` outside of quotes.
    Escaped(Option<char>),
}

/// Splits a line. With `comments`, a `#` ends it, also in the middle of a word.
///
/// # Errors
/// A quote is not closed, or nothing follows a backslash.
pub fn split(line: &str, comments: bool) -> Result<Vec<Word>, &'static str> {
    let mut words = Vec::new();
    let mut word = Word { text: String::new(), range: 0..0 };
    let mut state = State::Between;
    for (at, c) in line.char_indices() {
        let blank = matches!(c, ' ' | '\t' | '\r' | '\n');
        state = match state {
            State::Between if blank => State::Between,
            State::Between | State::Inside if c == '#' && comments => break,
            State::Inside if blank => {
                words.push(std::mem::replace(&mut word, Word { text: String::new(), range: at..at }));
                State::Between
            }
            State::Between | State::Inside => {
                if matches!(state, State::Between) {
                    word.range.start = at;
                }
                match c {
                    '"' | '\'' => State::Quoted(c),
                    '\\' => State::Escaped(None),
                    _ => {
                        word.text.push(c);
                        State::Inside
                    }
                }
            }
            State::Quoted(quote) if c == quote => State::Inside,
            State::Quoted('"') if c == '\\' => State::Escaped(Some('"')),
            State::Quoted(_) => {
                word.text.push(c);
                state
            }
            State::Escaped(quote) => {
                if quote.is_some_and(|quote| c != '\\' && c != quote) {
                    word.text.push('\\');
                }
                word.text.push(c);
                quote.map_or(State::Inside, State::Quoted)
            }
        };
        word.range.end = at + c.len_utf8();
    }
    match state {
        State::Between => {}
        State::Inside => words.push(word),
        State::Quoted(_) => return Err("No closing quotation"),
        State::Escaped(_) => return Err("No escaped character"),
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_in_python() {
        // recorded from Python 3.11: shlex.split(line, comments=True)
        for (line, expected) in [
            ("a  b\tc", "a|b|c"),
            ("a x='b c' # d", "a|x=b c"),
            ("a x=b#c d", "a|x=b"),
            (r#"a "b\"c\d" 'e\f' g\ h"#, r#"a|b"c\d|e\f|g h"#),
            ("'' a", "|a"),
            ("# a", ""),
            ("x=\"{{ a }}\"y", "x={{ a }}y"),
        ] {
            let words: Vec<_> = split(line, true).unwrap().into_iter().map(|w| w.text).collect();
            assert_eq!(words.join("|"), expected, "{line}");
        }
        assert_eq!(split("a 'b", true), Err("No closing quotation"));
        assert_eq!(split("a b\\", true), Err("No escaped character"));
        let words = split("ab x='c d' e", true).unwrap();
        assert_eq!(words.iter().map(|w| w.range.clone()).collect::<Vec<_>>(), [0..2, 3..10, 11..12]);
        assert_eq!(split("a # b", false).unwrap().len(), 3);
    }
}
