//! Which members of an archive are unpacked and under which names: `include`, `exclude` and the known options of tar in `extra_opts`.

use std::path::{Component, Path, PathBuf};

use crate::args::Args;
use crate::glob;
use crate::outcome::Failure;

/// What is unpacked, and how.
#[derive(Debug, Default)]
pub(super) struct Options {
    include: Vec<String>,
    exclude: Vec<String>,
    strip: usize,
    /// Leave owners as they come.
    pub no_owner: bool,
    /// Leave files that are there.
    pub keep_old: bool,
}

impl Options {
    pub(super) fn read(args: &Args) -> Result<Options, Failure> {
        let mut options = Options { include: args.texts("include"), exclude: args.texts("exclude"), ..Options::default() };
        let extra = args.texts("extra_opts");
        let mut words = extra.iter();
        while let Some(word) = words.next() {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || value.clone().or_else(|| words.next().cloned()).ok_or_else(|| Failure::new(format!("extra_opts: {name} needs a value")));
            match name {
                "--strip-components" | "--strip" => {
                    let number = value()?;
                    options.strip = number.parse().map_err(|_| Failure::new(format!("extra_opts: {number} is no number of components")))?;
                }
                "--exclude" => options.exclude.push(value()?),
                "--no-same-owner" | "-o" => options.no_owner = true,
                "--keep-old-files" | "-k" | "--skip-old-files" => options.keep_old = true,
                // how it is done anyway
                "--overwrite"
                | "--preserve-permissions"
                | "-p"
                | "--same-permissions"
                | "--same-owner"
                | "--wildcards"
                | "--no-anchored"
                | "-v"
                | "--verbose" => {}
                other => {
                    return Err(Failure::new(format!(
                        "extra_opts: {other} is not supported; --strip-components, --exclude, --no-same-owner, --keep-old-files are"
                    )));
                }
            }
        }
        Ok(options)
    }

    /// The name under which a member is unpacked; `None` when it is not.
    pub(super) fn name(&self, member: &str) -> Option<PathBuf> {
        let plain = member.trim_start_matches('/').trim_start_matches("./").trim_end_matches('/');
        if plain.is_empty() || plain == "." {
            return None;
        }
        let matches = |pattern: &String| {
            let pattern = pattern.trim_end_matches('/');
            let below = |path: &str| Path::new(path).ancestors().any(|dir| !dir.as_os_str().is_empty() && glob::matches(pattern, &dir.to_string_lossy()));
            below(plain)
        };
        let excluded = |pattern: &String| {
            // tar's patterns match a name anywhere after a slash
            matches(pattern)
                || plain.match_indices('/').any(|(at, _)| glob::matches(pattern.trim_end_matches('/'), &plain[at + 1..]))
                || plain.split('/').any(|part| glob::matches(pattern, part))
        };
        if self.exclude.iter().any(excluded) || !self.include.is_empty() && !self.include.iter().any(matches) {
            return None;
        }
        let parts = Path::new(plain).components().filter(|part| !matches!(part, Component::CurDir));
        let name: PathBuf = parts.skip(self.strip).collect();
        (!name.as_os_str().is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let options = Options { strip: 1, exclude: vec!["*.md".into(), "docs".into()], ..Options::default() };
        assert_eq!(options.name("./a/b/c"), Some("b/c".into()));
        assert_eq!(options.name("a/"), None);
        assert_eq!(options.name("a/README.md"), None);
        assert_eq!(options.name("a/docs/x"), None);
        let only = Options { include: vec!["a/b".into()], ..Options::default() };
        assert_eq!(only.name("a/b/c"), Some("a/b/c".into()));
        assert_eq!(only.name("a/c"), None);
    }
}
