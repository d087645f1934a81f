//! Command lines as words.

/// Splits as a POSIX shell would, quotes and backslashes honoured; `None` for an open quote.
pub fn shell_words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (open, c) {
            (Some(quote), c) if c == quote => open = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().push(chars.next()?),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                open = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    open.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let words = shell_words(r#"-o "ProxyCommand=ssh -W %h:%p jump" -F ssh.config ''"#);
        assert_eq!(words.unwrap_or_default(), ["-o", "ProxyCommand=ssh -W %h:%p jump", "-F", "ssh.config", ""]);
        assert_eq!(shell_words("'open"), None);
    }
}
