//! Prepares a template's text for minijinja's parser, which differs from Jinja in three small things.
//!
//! Contents of string literals with backslashes are masked (the lowering reads them from the original text, with Python's escapes or
//! none); a unary `+` becomes a `-` that is remembered; `with context` and `without context` are remembered. Every replacement keeps its
//! length, so that all positions stay true.

/// The marks that begin and end what is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delimiters {
    pub block: (String, String),
    pub variable: (String, String),
    pub comment: (String, String),
    pub line_statement: Option<String>,
}

impl Default for Delimiters {
    fn default() -> Delimiters {
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        Delimiters { block: pair("{%", "%}"), variable: pair("{{", "}}"), comment: pair("{#", "#}"), line_statement: None }
    }
}

/// A text made ready, and what was taken out of it.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The text for the parser.
    pub text: Vec<u8>,
    /// Where a unary `+` stood.
    pub plus: Vec<u32>,
    /// For an include or import at that place (of its keyword): with context or without.
    pub context: Vec<(u32, bool)>,
    /// Stretches inside `{{ }}`: there string literals have no escapes.
    pub variables: Vec<(u32, u32)>,
}

/// Makes a template's text ready.
pub(super) fn template(source: &str, delimiters: &Delimiters) -> Scan {
    let mut scanner = Scanner { source: source.as_bytes(), at: 0, scan: Scan { text: source.as_bytes().to_vec(), ..Scan::default() } };
    while let Some((start, kind)) = scanner.next_start(delimiters) {
        scanner.at = start;
        scanner.region(kind, delimiters);
    }
    scanner.scan
}

/// Makes a bare expression ready.
pub(super) fn expression(source: &str) -> Scan {
    let mut scanner = Scanner { source: source.as_bytes(), at: 0, scan: Scan { text: source.as_bytes().to_vec(), ..Scan::default() } };
    scanner.code(End::Never);
    scanner.scan
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Block,
    Variable,
    Comment,
    Line,
}

#[derive(Clone, Copy)]
enum End<'d> {
    Mark(&'d str),
    Newline,
    Never,
}

/// What the last token was: decides whether a sign has one operand or two.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    Operand,
    Operator,
}

struct Scanner<'s> {
    source: &'s [u8],
    at: usize,
    scan: Scan,
}

impl Scanner<'_> {
    fn next_start(&self, delimiters: &Delimiters) -> Option<(usize, Kind)> {
        let marks = [(&delimiters.block.0, Kind::Block), (&delimiters.variable.0, Kind::Variable), (&delimiters.comment.0, Kind::Comment)];
        let mut best: Option<(usize, usize, Kind)> = None;
        for (mark, kind) in marks {
            if let Some(i) = find(self.source, self.at, mark.as_bytes())
                && best.is_none_or(|(at, length, _)| i < at || (i == at && mark.len() > length))
            {
                best = Some((i, mark.len(), kind));
            }
        }
        if let Some(prefix) = &delimiters.line_statement
            && let Some(i) = self.line_start(prefix)
            && best.is_none_or(|(at, ..)| i < at)
        {
            best = Some((i, prefix.len(), Kind::Line));
        }
        best.map(|(at, _, kind)| (at, kind))
    }

    /// The next line whose first characters but blanks are the prefix.
    fn line_start(&self, prefix: &str) -> Option<usize> {
        let mut from = self.at;
        loop {
            let i = find(self.source, from, prefix.as_bytes())?;
            let line = self.source[..i].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
            if self.source[line..i].iter().all(|b| matches!(b, b' ' | b'\t')) {
                return Some(i);
            }
            from = i + prefix.len();
        }
    }

    fn region(&mut self, kind: Kind, delimiters: &Delimiters) {
        match kind {
            Kind::Comment => {
                let from = self.at + delimiters.comment.0.len();
                self.at = find(self.source, from, delimiters.comment.1.as_bytes()).map_or(self.source.len(), |i| i + delimiters.comment.1.len());
            }
            Kind::Variable => {
                self.at += delimiters.variable.0.len();
                let start = self.at;
                self.code(End::Mark(&delimiters.variable.1));
                self.scan.variables.push((start as u32, self.at as u32));
            }
            Kind::Line => {
                self.at += delimiters.line_statement.as_ref().map_or(1, String::len);
                self.code(End::Newline);
            }
            Kind::Block => {
                self.at += delimiters.block.0.len();
                match self.after_raw(delimiters) {
                    Some(end) => self.at = end,
                    None => self.code(End::Mark(&delimiters.block.1)),
                }
            }
        }
    }

    /// When this is `{% raw %}`: where the block after its `{% endraw` begins.
    fn after_raw(&self, delimiters: &Delimiters) -> Option<usize> {
        let rest = tag(&self.source[self.at..], b"raw")?;
        if !rest.trim_ascii_start().starts_with(delimiters.block.1.as_bytes()) && !rest.trim_ascii_start().starts_with(b"-") {
            return None;
        }
        let mut from = self.at;
        while let Some(i) = find(self.source, from, delimiters.block.0.as_bytes()) {
            from = i + delimiters.block.0.len();
            if tag(&self.source[from..], b"endraw").is_some() {
                return Some(find(self.source, from, delimiters.block.1.as_bytes()).map_or(self.source.len(), |i| i + delimiters.block.1.len()));
            }
        }
        Some(self.source.len())
    }

    /// Walks over an expression or statement to its end.
    fn code(&mut self, end: End<'_>) {
        let mut balance = 0i32;
        let mut last = Last::Operator;
        let mut keyword: Option<usize> = None;
        let mut words = 0;
        let mut previous: &[u8] = b"";
        if matches!(end, End::Mark(_)) && matches!(self.source.get(self.at), Some(b'-' | b'+')) {
            self.at += 1;
        }
        while self.at < self.source.len() {
            let rest = &self.source[self.at..];
            if balance == 0 && self.ends(rest, end) {
                return;
            }
            match rest[0] {
                b'\'' | b'"' => {
                    self.string();
                    last = Last::Operand;
                    continue;
                }
                b'(' | b'[' | b'{' => {
                    balance += 1;
                    last = Last::Operator;
                }
                b')' | b']' | b'}' => {
                    balance -= 1;
                    last = Last::Operand;
                }
                b'+' if last == Last::Operator => {
                    self.scan.plus.push(self.at as u32);
                    self.scan.text[self.at] = b'-';
                }
                c if c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80 => {
                    let word = self.word();
                    let word = &self.source[word.0..word.1];
                    words += 1;
                    if words == 1 {
                        keyword = matches!(word, b"include" | b"import" | b"from").then_some(self.at - word.len());
                    }
                    if let (Some(at), b"context", b"with" | b"without") = (keyword, word, previous) {
                        self.scan.context.push((at as u32, previous == b"with"));
                    }
                    previous = word;
                    let operator = matches!(word, b"in" | b"and" | b"or" | b"not" | b"is" | b"if" | b"else" | b"elif");
                    last = if operator { Last::Operator } else { Last::Operand };
                    continue;
                }
                c if c.is_ascii_whitespace() => {}
                _ => last = Last::Operator,
            }
            self.at += 1;
        }
    }

    fn ends(&mut self, rest: &[u8], end: End<'_>) -> bool {
        match end {
            End::Mark(mark) => {
                let signed = rest.len() > 1 && matches!(rest[0], b'-' | b'+') && rest[1..].starts_with(mark.as_bytes());
                if signed || rest.starts_with(mark.as_bytes()) {
                    self.at += mark.len() + usize::from(signed);
                    return true;
                }
                false
            }
            End::Newline => {
                let is_end = rest[0] == b'\n';
                self.at += usize::from(is_end);
                is_end
            }
            End::Never => false,
        }
    }

    fn word(&mut self) -> (usize, usize) {
        let start = self.at;
        while self.source.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_' || *c >= 0x80) {
            self.at += 1;
        }
        (start, self.at)
    }

    fn string(&mut self) {
        let quote = self.source[self.at];
        let start = self.at + 1;
        let mut i = start;
        let mut escapes = false;
        while i < self.source.len() && self.source[i] != quote {
            if self.source[i] == b'\\' {
                escapes = true;
                i += 1;
            }
            i += 1;
        }
        let end = i.min(self.source.len());
        if escapes && i < self.source.len() {
            for byte in &mut self.scan.text[start..end] {
                if *byte != b'\n' {
                    *byte = b'_';
                }
            }
        }
        self.at = (end + 1).min(self.source.len());
    }
}

/// What follows when a block's inside begins with that word.
fn tag<'s>(inside: &'s [u8], word: &[u8]) -> Option<&'s [u8]> {
    let inside = inside.strip_prefix(b"-").or_else(|| inside.strip_prefix(b"+")).unwrap_or(inside);
    let rest = inside.trim_ascii_start().strip_prefix(word)?;
    (!rest.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')).then_some(rest)
}

fn find(text: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    while at + needle.len() <= text.len() {
        let i = text[at..].iter().position(|b| *b == first)? + at;
        if text[i..].starts_with(needle) {
            return Some(i);
        }
        at = i + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> (String, Vec<u32>, Vec<(u32, bool)>) {
        let scan = template(text, &Delimiters::default());
        (String::from_utf8(scan.text).unwrap(), scan.plus, scan.context)
    }

    #[test]
    fn escapes_are_masked_only_in_code() {
        assert_eq!(scanned(r"a\n{{ 'x\'é' }}{# 'a\' #}").0, r"a\n{{ '_____' }}{# 'a\' #}");
        assert_eq!(scanned(r"{% raw %}{{ 'a\'{% endraw %}{{ '\d' }}").0, r"{% raw %}{{ 'a\'{% endraw %}{{ '__' }}");
    }

    #[test]
    fn unary_plus_is_remembered() {
        assert_eq!(scanned("{{ +1 + +x }}"), ("{{ -1 + -x }}".into(), vec![3, 8], vec![]));
        assert_eq!(scanned("{{ [1] + x if x else +2 +}}").1, vec![21]);
        assert!(scanned("{%+ if x +%}{{+ 1 }}").1.is_empty());
    }

    #[test]
    fn context_markers_are_remembered() {
        assert_eq!(scanned("{% import 'a' as b with context %}{% include 'c' without context %}").2, vec![(3, true), (37, false)]);
    }
}
