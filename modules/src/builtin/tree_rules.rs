//! Which names a moved tree leaves out: rsync's `--exclude` and `--include`, as far as they are patterns. The first rule that matches decides.

use crate::outcome::Failure;

/// The rules in their order.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    keep: bool,
    /// Compared with the whole path below the root, not with its end.
    anchored: bool,
    only_directories: bool,
    pattern: Vec<char>,
}

impl Rules {
    /// From `- PATTERN` and `+ PATTERN`.
    pub(super) fn read(texts: &[String]) -> Result<Rules, Failure> {
        texts.iter().map(|text| Rule::read(text)).collect::<Result<_, _>>().map(Rules)
    }

    /// Whether the path is left out; one below a directory that is left out is not asked for.
    pub(super) fn leave_out(&self, path: &str, is_dir: bool) -> bool {
        self.0.iter().find(|rule| rule.matches(path, is_dir)).is_some_and(|rule| !rule.keep)
    }
}

impl Rule {
    fn read(text: &str) -> Result<Rule, Failure> {
        let (keep, pattern) = match (text.strip_prefix("+ "), text.strip_prefix("- ")) {
            (Some(pattern), _) => (true, pattern),
            (_, Some(pattern)) => (false, pattern),
            _ => return Err(Failure::new(format!("'{text}' is no rule"))),
        };
        let only_directories = pattern.ends_with('/') && pattern.len() > 1;
        let body = pattern.trim_end_matches('/');
        let anchored = body.starts_with('/');
        Ok(Rule { keep, anchored, only_directories, pattern: body.trim_start_matches('/').chars().collect() })
    }

    fn matches(&self, path: &str, is_dir: bool) -> bool {
        if self.only_directories && !is_dir {
            return false;
        }
        let whole: Vec<char> = path.chars().collect();
        if self.anchored {
            return glob(&self.pattern, &whole);
        }
        if !self.pattern.contains(&'/') && !self.pattern.windows(2).any(|two| two == ['*', '*']) {
            let last = whole.rsplit(|c| *c == '/').next().unwrap_or_default();
            return glob(&self.pattern, last);
        }
        // a pattern with a slash matches the end of the path
        (0..whole.len()).filter(|at| *at == 0 || whole[at - 1] == '/').any(|at| glob(&self.pattern, &whole[at..]))
    }
}

/// `*` and `?` stop at a slash, `**` does not.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*', rest @ ..] => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        ['*', rest @ ..] => {
            let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=reach).any(|skip| glob(rest, &text[skip..]))
        }
        ['?', rest @ ..] => text.first().is_some_and(|c| *c != '/') && glob(rest, &text[1..]),
        ['[', ..] => match pattern.iter().skip(2).position(|c| *c == ']') {
            Some(end) => {
                let (set, rest) = pattern.split_at(end + 3);
                let set: String = set.iter().collect();
                text.first().is_some_and(|c| *c != '/' && crate::glob::matches(&set, &c.to_string())) && glob(rest, &text[1..])
            }
            None => text.first() == Some(&'[') && glob(&pattern[1..], &text[1..]),
        },
        ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && glob(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_rsync_reads_them() {
        let leaves = |rules: &[&str], path: &str, is_dir: bool| {
            let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
            Rules::read(&rules).unwrap().leave_out(path, is_dir)
        };
        for (rule, path, is_dir, left_out) in [
            ("- *.log", "a/b.log", false, true),
            ("- *.log", "a/b.log.txt", false, false),
            ("- /a", "a", true, true),
            ("- /a", "b/a", true, false),
            ("- a/", "b/a", true, true),
            ("- a/", "b/a", false, false),
            ("- b/c", "a/b/c", false, true),
            ("- b/*", "a/b/c/d", false, false),
            ("- b/**", "a/b/c/d", false, true),
            ("- [ab]?", "x/b1", false, true),
            ("- [!ab]1", "b1", false, false),
        ] {
            assert_eq!(leaves(&[rule], path, is_dir), left_out, "{rule} {path}");
        }
        assert!(!leaves(&["+ keep.log", "- *.log"], "a/keep.log", false));
        assert!(Rules::read(&["*.log".into()]).is_err());
    }
}
