//! Rewrites a Python pattern in fancy-regex's language, and parses Python's replacement templates.
//!
//! What Python refuses is refused here, since fancy-regex knows more (`\z`, `\h`, `(?<n>..)`) and means other things by some
//! (`[a&&b]`, `\<`, `$`).

use crate::pyre::{Flags, Piece};

/// The pattern in fancy-regex's language.
pub(crate) fn translate(pattern: &str, flags: Flags) -> Result<String, String> {
    let mut translator = Translator { chars: pattern.chars().collect(), at: 0, flags, stack: vec![], out: String::new() };
    translator.leading_flags()?;
    if translator.flags.ignorecase {
        translator.out.push_str("(?i)");
    }
    while translator.at < translator.chars.len() {
        translator.one()?;
    }
    Ok(translator.out)
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    /// Flags to return to at the end of each open group.
    stack: Vec<Flags>,
    out: String,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn fail<T>(&self, what: &str, position: usize) -> Result<T, String> {
        Err(format!("{what} at position {position}"))
    }

    /// `(?ims)` at the very beginning holds for the whole pattern.
    fn leading_flags(&mut self) -> Result<(), String> {
        while self.looking_at("(?") {
            let letters: String = self.chars[self.at + 2..].iter().take_while(|c| c.is_ascii_alphabetic()).collect();
            if letters.is_empty() || self.peek(2 + letters.len()) != Some(')') || letters.starts_with('P') {
                break;
            }
            for letter in letters.chars() {
                self.set_flag(letter, true)?;
            }
            self.at += 3 + letters.len();
        }
        Ok(())
    }

    fn set_flag(&mut self, letter: char, on: bool) -> Result<(), String> {
        match letter {
            'i' => self.flags.ignorecase = on,
            'm' => self.flags.multiline = on,
            's' => self.flags.dotall = on,
            'x' => self.flags.verbose = on,
            'a' => self.flags.ascii = on,
            'u' => self.flags.ascii = !on,
            'L' => return self.fail("bad inline flags: cannot use 'L' flag with a str pattern", self.at),
            _ => return self.fail("unknown flag", self.at),
        }
        Ok(())
    }

    fn one(&mut self) -> Result<(), String> {
        let c = self.chars[self.at];
        if self.flags.verbose && self.skip_verbose(c) {
            return Ok(());
        }
        match c {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '(' => return self.group(),
            ')' => {
                self.out.push(')');
                if let Some(flags) = self.stack.pop() {
                    self.flags = flags;
                } else {
                    return self.fail("unbalanced parenthesis", self.at);
                }
            }
            '^' if self.flags.multiline => self.out.push_str("(?m:^)"),
            '$' if self.flags.multiline => self.out.push_str("(?m:$)"),
            '$' => self.out.push_str(r"(?=\n?\z)"),
            '.' if self.flags.dotall => self.out.push_str("(?s:.)"),
            '{' => return self.brace(),
            '*' | '+' | '?' | '|' | '^' | '.' => self.out.push(c),
            _ => literal(&mut self.out, c),
        }
        self.at += 1;
        Ok(())
    }

    fn skip_verbose(&mut self, c: char) -> bool {
        if c == '#' {
            while self.peek(0).is_some_and(|c| c != '\n') {
                self.at += 1;
            }
            return true;
        }
        let white = " \t\n\r\u{b}\u{c}".contains(c);
        self.at += usize::from(white);
        white
    }

    /// `{2}`, `{2,}`, `{,3}`, `{2,3}` repeat; any other brace is itself.
    fn brace(&mut self) -> Result<(), String> {
        let rest: String = self.chars[self.at + 1..].iter().take_while(|c| c.is_ascii_digit() || **c == ',').collect();
        let counts = rest.chars().filter(|c| *c == ',').count() <= 1 && !rest.is_empty();
        if !counts || self.peek(1 + rest.len()) != Some('}') {
            self.out.push_str(r"\{");
            self.at += 1;
            return Ok(());
        }
        let (low, high) = rest.split_once(',').map_or((rest.as_str(), None), |(low, high)| (low, Some(high)));
        let low = if low.is_empty() { "0" } else { low };
        match high {
            None => self.out.push_str(&format!("{{{low}}}")),
            Some(high) => self.out.push_str(&format!("{{{low},{high}}}")),
        }
        self.at += rest.len() + 2;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let start = self.at;
        let Some(c) = self.peek(1) else { return self.fail("bad escape (end of pattern)", start) };
        match c {
            'A' | 'b' | 'B' if !(self.flags.ascii && c != 'A') => {
                self.out.extend(['\\', c]);
                self.at += 2;
            }
            'b' | 'B' => {
                let (yes, no) = ("(?<=[0-9A-Za-z_])", "(?<![0-9A-Za-z_])");
                let (after, before) = ("(?=[0-9A-Za-z_])", "(?![0-9A-Za-z_])");
                let text = match c {
                    'b' => format!("(?:{yes}{before}|{no}{after})"),
                    _ => format!("(?:{yes}{after}|{no}{before})"),
                };
                self.out.push_str(&text);
                self.at += 2;
            }
            'Z' => {
                self.out.push_str(r"\z");
                self.at += 2;
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.out.push_str(&if self.flags.ascii { ascii_class(c, false) } else { format!("\\{c}") });
                self.at += 2;
            }
            '1'..='9' if self.octal_length() < 3 => {
                let digits: String = self.chars[start + 1..].iter().take(2).take_while(|c| c.is_ascii_digit()).collect();
                self.out.push_str(&format!("(?:\\{digits})"));
                self.at += 1 + digits.len();
            }
            _ => {
                let c = self.character_escape()?;
                literal(&mut self.out, c);
            }
        }
        Ok(())
    }

    fn octal_length(&self) -> usize {
        self.chars[self.at + 1..].iter().take(3).take_while(|c| ('0'..='7').contains(*c)).count()
    }

    /// An escape that stands for one character, inside or outside a class; moves past it.
    fn character_escape(&mut self) -> Result<char, String> {
        let start = self.at;
        let Some(c) = self.peek(1) else { return self.fail("bad escape (end of pattern)", start) };
        self.at += 2;
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hex(2, start)?,
            'u' => self.hex(4, start)?,
            'U' => self.hex(8, start)?,
            '0'..='7' => {
                self.at = start;
                let digits = self.octal_length();
                let text: String = self.chars[start + 1..start + 1 + digits].iter().collect();
                self.at += 1 + digits;
                let code = u32::from_str_radix(&text, 8).unwrap_or(0);
                char::from_u32(code)
                    .filter(|_| code <= 0o377)
                    .ok_or_else(|| format!("octal escape value \\{text} outside of range 0-0o377 at position {start}"))?
            }
            c if c.is_ascii_alphanumeric() => return self.fail(&format!("bad escape \\{c}"), start),
            c => c,
        })
    }

    fn hex(&mut self, digits: usize, start: usize) -> Result<char, String> {
        let text: String = self.chars[self.at..].iter().take(digits).take_while(|c| c.is_ascii_hexdigit()).collect();
        let code = if text.len() == digits { u32::from_str_radix(&text, 16).ok() } else { None };
        self.at += text.len();
        code.and_then(char::from_u32).ok_or_else(|| {
            let seen: String = self.chars[start..self.at].iter().collect();
            format!("incomplete escape {seen} at position {start}")
        })
    }

    fn class(&mut self) -> Result<(), String> {
        let start = self.at;
        self.at += 1;
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.out.push('^');
            self.at += 1;
        }
        let first = self.at;
        loop {
            let Some(c) = self.peek(0) else { return self.fail("unterminated character set", start) };
            if c == ']' && self.at != first {
                break;
            }
            let item = self.at;
            let Some(low) = self.class_item()? else { continue };
            if self.peek(0) == Some('-') && self.peek(1).is_some_and(|c| c != ']') {
                self.at += 1;
                let high = self.class_item()?;
                let shown: String = self.chars[item..self.at].iter().collect();
                let Some(high) = high.filter(|high| *high >= low) else {
                    return self.fail(&format!("bad character range {shown}"), item);
                };
                class_literal(&mut self.out, low);
                self.out.push('-');
                class_literal(&mut self.out, high);
            } else {
                class_literal(&mut self.out, low);
            }
        }
        self.out.push(']');
        self.at += 1;
        Ok(())
    }

    /// One character of a class, or `None` after a whole category such as `\d` was written.
    fn class_item(&mut self) -> Result<Option<char>, String> {
        let c = self.chars[self.at];
        if c != '\\' {
            self.at += 1;
            return Ok(Some(c));
        }
        match self.peek(1) {
            Some(c @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                self.at += 2;
                self.out.push_str(&if self.flags.ascii { ascii_class(c, true) } else { format!("\\{c}") });
                Ok(None)
            }
            Some('b') => {
                self.at += 2;
                Ok(Some('\u{8}'))
            }
            _ => self.character_escape().map(Some),
        }
    }

    fn group(&mut self) -> Result<(), String> {
        let start = self.at;
        if !self.looking_at("(?") {
            return self.open("(", 1);
        }
        for whole in ["(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"] {
            if self.looking_at(whole) {
                return self.open(whole, whole.len());
            }
        }
        if self.looking_at("(?#") {
            let Some(end) = self.chars[start..].iter().position(|c| *c == ')') else {
                return self.fail("missing ), unterminated comment", start);
            };
            self.at += end + 1;
            return Ok(());
        }
        if self.looking_at("(?P<") || self.looking_at("(?(") {
            let open = if self.looking_at("(?(") { ')' } else { '>' };
            let Some(end) = self.chars[start..].iter().skip(3).position(|c| *c == open) else {
                return self.fail("missing ), unterminated name", start);
            };
            let text: String = self.chars[start..=start + 3 + end].iter().collect();
            return self.open(&text, end + 4);
        }
        if self.looking_at("(?P=") {
            let Some(end) = self.chars[start..].iter().position(|c| *c == ')') else {
                return self.fail("missing ), unterminated name", start);
            };
            self.out.extend(&self.chars[start..=start + end]);
            self.at += end + 1;
            return Ok(());
        }
        self.flag_group(start)
    }

    fn open(&mut self, text: &str, length: usize) -> Result<(), String> {
        self.stack.push(self.flags);
        self.out.push_str(text);
        self.at += length;
        Ok(())
    }

    /// `(?i:...)`, `(?-m:...)`: flags for one group.
    fn flag_group(&mut self, start: usize) -> Result<(), String> {
        let text: String = self.chars[start + 2..].iter().take_while(|c| c.is_ascii_alphabetic() || **c == '-').collect();
        let outer = self.flags;
        let next = self.peek(2 + text.chars().count());
        if next == Some(')') && !text.is_empty() {
            return self.fail("global flags not at the start of the expression", start);
        }
        if next != Some(':') || text.is_empty() {
            let shown = self.peek(2).unwrap_or(' ');
            let more = self.peek(3).filter(|_| "<P".contains(shown)).map(String::from).unwrap_or_default();
            return self.fail(&format!("unknown extension ?{shown}{more}"), start + 1);
        }
        let mut on = true;
        for letter in text.chars() {
            match letter {
                '-' => on = false,
                letter => self.set_flag(letter, on)?,
            }
        }
        let case = match (outer.ignorecase, self.flags.ignorecase) {
            (false, true) => "(?i:",
            (true, false) => "(?-i:",
            _ => "(?:",
        };
        self.stack.push(outer);
        self.out.push_str(case);
        self.at += text.chars().count() + 3;
        Ok(())
    }
}

fn ascii_class(c: char, inside: bool) -> String {
    let (set, negated) = match c {
        'd' | 'D' => (r"0-9", c == 'D'),
        's' | 'S' => (r"\t\n\r\x0b\x0c\x20", c == 'S'),
        _ => (r"0-9A-Za-z_", c == 'W'),
    };
    match (inside, negated) {
        (true, false) => set.to_owned(),
        (_, true) => format!("[^{set}]"),
        (false, false) => format!("[{set}]"),
    }
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() && !" _<>'\"`@%,;:=!/~&\n\t\r".contains(c) && !c.is_ascii_control() {
        out.push('\\');
        out.push(c);
    } else if c.is_ascii_control() || c == ' ' || c == '#' {
        out.push_str(&format!("\\x{:02x}", c as u32));
    } else {
        out.push(c);
    }
}

fn class_literal(out: &mut String, c: char) {
    if c.is_ascii_control() || c == ' ' {
        out.push_str(&format!("\\x{:02x}", c as u32));
    } else if c.is_ascii_punctuation() {
        out.extend(['\\', c]);
    } else {
        out.push(c);
    }
}

/// Parses a replacement template; `number` finds a named group.
pub(crate) fn template(source: &str, number: &dyn Fn(&str) -> Option<usize>) -> Result<Vec<Piece>, String> {
    let chars: Vec<char> = source.chars().collect();
    let mut pieces = vec![];
    let mut text = String::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at] != '\\' {
            text.push(chars[at]);
            at += 1;
            continue;
        }
        let Some(c) = chars.get(at + 1).copied() else { return Err(format!("bad escape (end of pattern) at position {at}")) };
        match c {
            'g' => {
                let (group, length) = named_group(&chars[at..], at, number)?;
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Group(group, at + 3));
                at += length;
            }
            '0' => {
                let digits: String = chars[at + 1..].iter().take(3).take_while(|c| ('0'..='7').contains(*c)).collect();
                text.extend(char::from_u32(u32::from_str_radix(&digits, 8).unwrap_or(0)));
                at += 1 + digits.len();
            }
            '1'..='9' => {
                let digits: String = chars[at + 1..].iter().take(2).take_while(|c| c.is_ascii_digit()).collect();
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Group(digits.parse().unwrap_or(0), at + 1));
                at += 1 + digits.len();
            }
            _ => {
                let plain = match c {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    '\\' => '\\',
                    c if c.is_ascii_alphabetic() => return Err(format!("bad escape \\{c} at position {at}")),
                    c => {
                        text.push('\\');
                        c
                    }
                };
                text.push(plain);
                at += 2;
            }
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

fn named_group(chars: &[char], at: usize, number: &dyn Fn(&str) -> Option<usize>) -> Result<(usize, usize), String> {
    if chars.get(2) != Some(&'<') {
        return Err(format!("missing < at position {}", at + 2));
    }
    let Some(end) = chars.iter().position(|c| *c == '>') else {
        return Err(format!("missing >, unterminated name at position {}", at + 3));
    };
    let name: String = chars[3..end].iter().collect();
    if name.is_empty() {
        return Err(format!("missing group name at position {}", at + 3));
    }
    if let Ok(group) = name.parse() {
        return Ok((group, end + 1));
    }
    number(&name).map(|group| (group, end + 1)).ok_or_else(|| format!("unknown group name '{name}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pyre::compile;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, Flags::default()).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn what_means_something_else_is_rewritten() {
        assert!(matches(r"[[]", "["));
        assert!(matches(r"^[a&&b]+$", "a&b"));
        assert!(matches(r"^[+--a]+$", "a-+,"));
        assert!(matches(r"a{,2}b", "aab"));
        assert!(matches(r"^a{x}$", "a{x}"));
        assert!(matches(r"\<p\>", "<p>"));
        assert!(matches(r"a\Z", "a"));
        assert!(!matches(r"a\Z", "a\n"));
        assert!(matches("^é #$", "é #"));
        assert!(matches(r"^(?P<q>['\x22])x(?P=q)$", "'x'"));
        assert!(matches(r"(?i)ABC", "abc"));
        assert!(matches(r"a(?s:.)b", "a\nb"));
        assert!(!matches(r"a(?s:.)b.c", "a\nb\nc"));
        assert!(matches("(?x) a b # c\n c", "abc"));
        assert!(matches(r"^(?:(a)|b)(?(1)c|d)$", "bd"));
        assert!(matches(r"^[]a]+$", "]a"));
        assert!(matches(r"\101", "A"));
        assert!(!matches(r"(?a)^\w$", "é"));
        assert!(matches(r"(?<![/@\w])foo(?=bar)", " foobar"));
    }

    #[test]
    fn what_python_refuses_is_refused() {
        let error = |pattern: &str| compile(pattern, Flags::default()).unwrap_err();
        assert_eq!(error(r"\z"), r"bad escape \z at position 0");
        assert_eq!(error(r"\h"), r"bad escape \h at position 0");
        assert_eq!(error("(?<n>a)"), "unknown extension ?<n at position 1");
        assert_eq!(error("a(?i)b"), "global flags not at the start of the expression at position 1");
        assert_eq!(error("[a"), "unterminated character set at position 0");
        assert_eq!(error("[b-a]"), "bad character range b-a at position 1");
        assert_eq!(error("a)"), "unbalanced parenthesis at position 1");
        assert!(compile("(a", Flags::default()).is_err());
    }
}
