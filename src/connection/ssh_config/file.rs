//! Lines of an ssh_config file, each file read once in a run.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::connection::error::plain;
use crate::connection::{ConnectError, Local};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub number: usize,
    /// In lower case.
    pub keyword: String,
    /// The rest of the line, as written.
    pub rest: String,
    /// The rest of the line as words.
    pub words: Vec<String>,
}

/// The files read so far, and the warnings given so far.
#[derive(Default)]
pub struct Files {
    read: Mutex<HashMap<PathBuf, Arc<Vec<Line>>>>,
    said: Mutex<HashSet<String>>,
}

impl Files {
    /// The lines of a file; none when it does not exist.
    pub(super) fn lines(&self, path: &Path) -> Result<Arc<Vec<Line>>, ConnectError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = read.get(path) {
            return Ok(Arc::clone(lines));
        }
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConnectError::setup(format!("cannot read {}: {}", path.display(), plain(&error)))),
        };
        let lines = Arc::new(parse(&text).map_err(|message| ConnectError::setup(format!("{}:{message}", path.display())))?);
        read.insert(path.to_owned(), Arc::clone(&lines));
        Ok(lines)
    }

    /// Warns, each text once.
    pub(crate) fn once(&self, local: &Local, text: &str) {
        if self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
            (local.warn)(text);
        }
    }
}

/// The lines of a file's text; the error is `line: message`.
pub(super) fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let end = line.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(line.len());
        let rest = line[end..].trim_start();
        let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
        let words = words(rest).ok_or_else(|| format!("{}: a quote stays open", index + 1))?;
        lines.push(Line { number: index + 1, keyword: line[..end].to_lowercase(), rest: rest.to_owned(), words });
    }
    Ok(lines)
}

/// Words by blanks, double or single quotes around those that contain some; an unquoted word that begins with `#` ends the line.
fn words(rest: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
            match c {
                '"' | '\'' => loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' if chars.peek() == Some(&c) => word.extend(chars.next()),
                        inner => word.push(inner),
                    }
                },
                '\\' if chars.peek().is_some_and(|next| "\"'\\ ".contains(*next)) => word.extend(chars.next()),
                c => word.push(c),
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_openssh_splits_them() {
        let lines = parse("# c\n\n Host a \"b c\" # d\nPort=22\nUser = core\nIdentityFile \"~/my key\"\n").unwrap();
        let seen: Vec<_> = lines.iter().map(|line| (line.number, line.keyword.as_str(), line.words.clone())).collect();
        assert_eq!(
            seen,
            [
                (3, "host", vec!["a".to_owned(), "b c".to_owned()]),
                (4, "port", vec!["22".to_owned()]),
                (5, "user", vec!["core".to_owned()]),
                (6, "identityfile", vec!["~/my key".to_owned()])
            ]
        );
        assert_eq!(parse("Host \"a").unwrap_err(), "1: a quote stays open");
    }
}
