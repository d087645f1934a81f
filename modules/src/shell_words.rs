//! Splitting a command line into words as Python's `shlex` does: quotes, backslashes, no expansion; and quoting a word.

/// The words of a command line.
///
/// # Errors
/// `No closing quotation`, `No escaped character`.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word) = (vec![], None::<String>);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No closing quotation")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A word that the shell reads as itself.
pub fn quote(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(safe) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\"'\"'")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(split(r#"a 'b c' "d \"e\" \n" f\ g ''"#).unwrap(), ["a", "b c", "d \"e\" \\n", "f g", ""]);
        assert_eq!(split("a 'b").unwrap_err(), "No closing quotation");
        assert_eq!(quote("it's"), "'it'\"'\"'s'");
        assert_eq!(quote("a/b"), "a/b");
    }
}
