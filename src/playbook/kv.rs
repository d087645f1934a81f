//! `key=value` text as Ansible splits it: at blanks, but not within quotes or template blocks.

/// What a text of arguments holds.
#[derive(Debug, Default, PartialEq)]
pub struct Arguments {
    /// `key=value` parts, a later one replaces an earlier one.
    pub options: Vec<(String, String)>,
    /// Everything else, as written.
    pub raw: Option<String>,
}

/// Options that belong to a command module itself, not to the command.
const COMMAND_OPTIONS: [&str; 8] = ["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Splits arguments. With `free_form`, all but the command modules' own options stay in the text.
///
/// # Errors
/// Quotes or template blocks are not closed.
pub fn parse(text: &str, free_form: bool) -> Result<Arguments, String> {
    let mut found = Arguments::default();
    let mut raw = Vec::new();
    for word in split(text)? {
        let plain = decode_escapes(&word);
        if !plain.contains('=') {
            raw.push(word);
            continue;
        }
        let Some(at) = unescaped_equals(&plain) else {
            raw.push(plain.replace("\\=", "="));
            continue;
        };
        let (key, value) = (&plain[..at], &plain[at + 1..]);
        if free_form && !COMMAND_OPTIONS.contains(&key) {
            raw.push(word);
        } else {
            set(&mut found.options, key.trim(), unquote(value.trim()));
        }
    }
    if !raw.is_empty() {
        found.raw = Some(join(&raw));
    }
    Ok(found)
}

fn set(options: &mut Vec<(String, String)>, key: &str, value: &str) {
    match options.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => *old = value.to_string(),
        None => options.push((key.to_string(), value.to_string())),
    }
}

/// The first `=` that is not the first character and has no backslash before it.
fn unescaped_equals(text: &str) -> Option<usize> {
    text.match_indices('=').map(|(at, _)| at).find(|at| *at > 0 && text.as_bytes()[at - 1] != b'\\')
}

/// Without the quotes around it.
pub(super) fn unquote(text: &str) -> &str {
    let bytes = text.as_bytes();
    let quoted = bytes.len() > 1 && matches!(bytes[0], b'"' | b'\'') && bytes[0] == bytes[bytes.len() - 1] && bytes[bytes.len() - 2] != b'\\';
    if quoted { &text[1..text.len() - 1] } else { text }
}

/// The first word and what follows it: `copy src=a` is `copy` with `src=a`.
///
/// # Errors
/// Quotes or template blocks are not closed.
pub(super) fn first_word(text: &str) -> Result<(String, String), String> {
    let words = split(text)?;
    let (first, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    Ok((first.trim().to_string(), rest.join(" ")))
}

fn join(words: &[String]) -> String {
    let mut out = String::new();
    for word in words {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Quotes and template blocks that are open between two words.
#[derive(Default)]
struct Open {
    quote: Option<char>,
    depths: [i64; 3],
}

const BLOCKS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

impl Open {
    fn in_block(&self) -> bool {
        self.depths.iter().any(|depth| *depth != 0)
    }

    fn quotes(&mut self, word: &str) {
        let mut before = None;
        for c in word.chars() {
            if matches!(c, '"' | '\'') && before != Some('\\') {
                self.quote = match self.quote {
                    None => Some(c),
                    Some(open) if open == c => None,
                    open => open,
                };
            }
            before = Some(c);
        }
    }

    /// Counts one kind of block; true when its depth changed.
    fn block(&mut self, kind: usize, word: &str) -> bool {
        let (open, close) = BLOCKS[kind];
        let before = self.depths[kind];
        let difference = word.matches(open).count() as i64 - word.matches(close).count() as i64;
        self.depths[kind] = (before + difference).max(0);
        self.depths[kind] != before
    }
}

/// Splits at blanks and line ends, but not within quotes or template blocks. Blanks that were lost can be told from the words: runs of
/// them hang at the word before.
///
/// # Errors
/// Quotes or template blocks are not closed.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = Open::default();
    if text.is_empty() {
        return Ok(words);
    }
    let lines: Vec<&str> = text.split('\n').collect();
    for (number, line) in lines.iter().enumerate() {
        let mut continued = false;
        for (index, token) in line.split(' ').enumerate() {
            if token.is_empty() && index != 0 {
                last(&mut words).push(' ');
            } else if token == "\\" && open.quote.is_none() {
                continued = true;
            } else {
                take(&mut words, &mut open, token, index);
            }
        }
        if number + 1 < lines.len() && !continued {
            last(&mut words).push('\n');
        }
    }
    if open.in_block() || open.quote.is_some() {
        return Err("failed at splitting arguments: a quote or a template block is not closed".into());
    }
    Ok(words)
}

fn last(words: &mut Vec<String>) -> &mut String {
    if words.is_empty() {
        words.push(String::new());
    }
    let end = words.len() - 1;
    &mut words[end]
}

fn take(words: &mut Vec<String>, open: &mut Open, token: &str, index: usize) {
    let was_quoted = open.quote.is_some();
    open.quotes(token);
    let quoted = open.quote.is_some();
    let mut placed = true;
    if quoted && !was_quoted && !open.in_block() {
        words.push(token.to_string());
    } else if open.in_block() || quoted || was_quoted {
        let word = last(words);
        if index > 0 {
            word.push(' ');
        }
        word.push_str(token);
    } else {
        placed = false;
    }
    for kind in 0..BLOCKS.len() {
        if open.block(kind, token) && !placed {
            words.push(token.to_string());
            placed = true;
        }
    }
    if !placed && !open.in_block() && !quoted && !token.is_empty() {
        words.push(token.to_string());
    }
}

/// Python's escapes in `key=value` words: `\n`, `\t`, `\x41`, `\u00e9`, `\\`, `\"`... Any other backslash stays.
fn decode_escapes(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (decoded, used) = escape(after);
        match decoded {
            Some(c) => out.push(c),
            None => out.push('\\'),
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

fn escape(after: &str) -> (Option<char>, usize) {
    let hex = |digits: usize| {
        let code = after.get(1..=digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(c) => (Some(c), digits + 1),
            None => (None, 0),
        }
    };
    match after.as_bytes().first() {
        Some(b'U') => hex(8),
        Some(b'u') => hex(4),
        Some(b'x') => hex(2),
        Some(c @ (b'\\' | b'\'' | b'"')) => (Some(char::from(*c)), 1),
        Some(b'a') => (Some('\u{7}'), 1),
        Some(b'b') => (Some('\u{8}'), 1),
        Some(b'f') => (Some('\u{c}'), 1),
        Some(b'n') => (Some('\n'), 1),
        Some(b'r') => (Some('\r'), 1),
        Some(b't') => (Some('\t'), 1),
        Some(b'v') => (Some('\u{b}'), 1),
        _ => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, free_form: bool) -> (Vec<String>, Option<String>) {
        let found = parse(text, free_form).unwrap();
        (found.options.into_iter().map(|(k, v)| format!("{k}={v}")).collect(), found.raw)
    }

    #[test]
    fn words_stay_whole_within_quotes_and_blocks() {
        for (text, words) in [
            ("a=b c=\"foo bar\"", vec!["a=b", "c=\"foo bar\""]),
            ("a={{ x | d('y z') }} b", vec!["a={{ x | d('y z') }}", "b"]),
            ("echo  two   blanks", vec!["echo ", "two  ", "blanks"]),
            ("one\ntwo \\\n three", vec!["one\n", "two", "three"]),
            ("{% if x %} y {% endif %} z", vec!["{% if x %}", "y", "{% endif %}", "z"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert!(split("a='b").is_err());
        assert!(split("{{ a").is_err());
    }

    #[test]
    fn a_command_keeps_all_but_its_own_options() {
        let (options, raw) = shown("dd if=/dev/zero of=/x chdir=/tmp creates='/a b' \"x=y\"", true);
        assert_eq!(options, ["chdir=/tmp", "creates=/a b"]);
        assert_eq!(raw.as_deref(), Some("dd if=/dev/zero of=/x \"x=y\""));
    }

    #[test]
    fn other_modules_take_pairs() {
        let (options, raw) = shown("src=a dest=\"b c\" content='x\\ny' mode=0644 rest a\\=b", false);
        assert_eq!(options, ["src=a", "dest=b c", "content=x\ny", "mode=0644"]);
        assert_eq!(raw.as_deref(), Some("rest a=b"));
    }
}
