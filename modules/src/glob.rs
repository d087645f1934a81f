//! Shell patterns (`*`, `?`, `[a-z]`): for one name, and for paths over a system as Python's `glob`.

use std::path::{Component, Path, PathBuf};

use crate::outcome::Failure;
use crate::system::{System, unknown_reason};

/// Whether a name matches a pattern (Python's `fnmatch`, case kept).
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    matches_from(&pattern, &name)
}

fn matches_from(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| matches_from(rest, &name[skip..])),
        Some(('?', rest)) => !name.is_empty() && matches_from(rest, &name[1..]),
        Some(('[', rest)) => match set_end(rest) {
            Some(end) => name.first().is_some_and(|c| in_set(&rest[..end], *c)) && matches_from(&rest[end + 1..], &name[1..]),
            None => name.first() == Some(&'[') && matches_from(rest, &name[1..]),
        },
        Some((c, rest)) => name.first() == Some(c) && matches_from(rest, &name[1..]),
    }
}

fn set_end(rest: &[char]) -> Option<usize> {
    let first = usize::from(rest.first() == Some(&'!'));
    (first + 1..rest.len()).find(|at| rest[*at] == ']')
}

fn in_set(set: &[char], c: char) -> bool {
    let (negated, set) = match set.split_first() {
        Some(('!', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut at = 0;
    let mut found = false;
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == '-' {
            found |= (set[at]..=set[at + 2]).contains(&c);
            at += 3;
        } else {
            found |= set[at] == c;
            at += 1;
        }
    }
    found != negated
}

/// Whether text is a pattern at all.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether any path matches.
///
/// # Errors
/// In check mode nobody can know.
pub fn exists(system: &dyn System, pattern: &Path) -> Result<bool, Failure> {
    if !is_pattern(&pattern.to_string_lossy()) {
        return match system.lstat(pattern) {
            Ok(_) => Ok(true),
            Err(error) => unknown_reason(&error).map_or(Ok(false), |reason| Err(Failure::unknown(reason))),
        };
    }
    Ok(!paths(system, pattern).is_empty())
}

/// Every path that matches, sorted; names that begin with a dot only where the pattern has the dot.
pub fn paths(system: &dyn System, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let mut next = vec![];
        for base in &found {
            match part {
                Component::Normal(name) if is_pattern(&name.to_string_lossy()) => {
                    let pattern = name.to_string_lossy();
                    let dir = if base.as_os_str().is_empty() { Path::new(".") } else { base };
                    let names = system.list(dir).unwrap_or_default().into_iter().filter(|entry| {
                        let entry = entry.to_string_lossy();
                        (!entry.starts_with('.') || pattern.starts_with('.')) && matches(&pattern, &entry)
                    });
                    next.extend(names.map(|entry| base.join(entry)));
                }
                part => next.push(base.join(part)),
            }
        }
        found = next;
    }
    found.retain(|path| system.lstat(path).is_ok());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("*.conf", "a.conf"));
        assert!(matches("a[0-9]?", "a7x"));
        assert!(matches("[!a]b", "cb"));
        assert!(!matches("[!a]b", "ab"));
        assert!(matches("[]]", "]"));
        assert!(matches("[a", "[a"));
        assert!(!matches("*.conf", "a.cfg"));
    }

    #[test]
    fn paths_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b1", "b2", ".b3"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = paths(&crate::system::Real, &dir.path().join("*[0-9]"));
        assert_eq!(found, [dir.path().join("b1"), dir.path().join("b2")]);
    }
}
