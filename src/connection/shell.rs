//! Words for a POSIX shell.

/// One word, quoted where it must be, as Python's `shlex.quote` does.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// Splits a line into words as a POSIX shell would, without expanding anything; `None` when a quote stays open.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_and_splitting_undo_each_other() {
        for word in ["", "plain-1.0", "two words", "it's", "a\"b", "$HOME `x` \\", "ünï"] {
            assert_eq!(split(&format!("a {} b", quote(word))), Some(vec!["a".into(), word.into(), "b".into()]), "{word}");
        }
        assert_eq!(split("-o 'A b' -F\"x y\" \\-z"), Some(vec!["-o".into(), "A b".into(), "-Fx y".into(), "-z".into()]));
        assert_eq!(split("open 'quote"), None);
    }
}
