//! Paths as Ansible completes them: variables, `~`, `{{CWD}}`, then relative to a folder, then without `.` and `..`.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What a path may refer to.
#[derive(Debug, Clone)]
pub struct Places {
    env: BTreeMap<String, String>,
    cwd: PathBuf,
}

impl Places {
    /// Where rplay was started, and with which environment.
    pub fn new(env: &BTreeMap<String, String>, cwd: &Path) -> Places {
        Places { env: env.clone(), cwd: cwd.to_path_buf() }
    }

    /// The working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The complete path; a relative one stands in `base`.
    pub fn complete(&self, text: &str, base: &Path) -> PathBuf {
        let text = text.replace("{{CWD}}", &self.cwd.to_string_lossy());
        let text = self.home(&self.variables(&text));
        normal(&self.cwd.join(base).join(text))
    }

    /// The complete path of a word from the command line.
    pub fn from_cwd(&self, text: &str) -> PathBuf {
        self.complete(text, &self.cwd)
    }

    fn home(&self, text: &str) -> String {
        let (user, rest) = text.strip_prefix('~').map_or((None, text), |t| t.split_once('/').map_or((Some(t), ""), |(user, rest)| (Some(user), rest)));
        match (user, self.env.get("HOME")) {
            (Some(""), Some(home)) if rest.is_empty() => home.clone(),
            (Some(""), Some(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
            _ => text.to_string(),
        }
    }

    /// `$NAME` and `${NAME}`; a variable that is not set stays as it is written.
    fn variables(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = reference_length(rest);
            let (reference, after) = rest.split_at(length);
            let name = reference[1..].trim_matches(['{', '}']);
            out.push_str(self.env.get(name).map_or(reference, String::as_str));
            rest = after;
        }
        out + rest
    }
}

/// Bytes of the reference that begins with `$`.
fn reference_length(text: &str) -> usize {
    if text[1..].starts_with('{') {
        return text.find('}').map_or(1, |end| end + 1);
    }
    1 + text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len() - 1)
}

/// Without `.` and `..`, as text: links are not followed.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if out.parent().is_some() => drop(out.pop()),
            Component::ParentDir if path.is_absolute() => {}
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed() {
        let env = BTreeMap::from([("HOME".to_string(), "/home/me".to_string()), ("X".to_string(), "y".to_string())]);
        let places = Places::new(&env, Path::new("/work/dir"));
        for (text, expected) in [
            ("a/b", "/base/a/b"),
            ("~/a/../b", "/home/me/b"),
            ("~", "/home/me"),
            ("~other/x", "/base/~other/x"),
            ("$X/${X}/$NO", "/base/y/y/$NO"),
            ("{{CWD}}/x", "/work/dir/x"),
            ("/../x/./", "/x"),
            ("", "/base"),
        ] {
            assert_eq!(places.complete(text, Path::new("/base")), Path::new(expected), "{text}");
        }
        assert_eq!(places.from_cwd("../x"), Path::new("/work/x"));
    }
}
