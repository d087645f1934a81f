//! `Host`, `Match` and `Include`: which lines count for a host, and what they say.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::file::{Files, Line};
use super::{Tokens, expand};
use crate::connection::{ConnectError, Local};

/// Keywords that may be given several times, each adding a value.
const LISTS: [&str; 3] = ["identityfile", "certificatefile", "setenv"];

/// The settings found so far for one host.
pub(super) struct Found {
    original: String,
    user: Option<String>,
    local_user: String,
    values: HashMap<String, Vec<String>>,
    /// A `Match final` was seen: the files are to be read once more.
    pub wants_final: bool,
    last: bool,
}

impl Found {
    pub(super) fn new(host: &str, user: Option<String>, local: &Local) -> Found {
        Found { original: host.to_owned(), user, local_user: local.user.clone(), values: HashMap::new(), wants_final: false, last: false }
    }

    /// Begins a pass over the files.
    pub(super) fn begin(&mut self, last: bool) {
        self.last = last;
    }

    /// Takes a setting, unless an earlier one of that keyword counts.
    pub(super) fn take(&mut self, keyword: &str, value: &str) {
        let values = self.values.entry(keyword.to_owned()).or_default();
        if values.is_empty() || (LISTS.contains(&keyword) && !values.iter().any(|known| known == value)) {
            values.push(value.to_owned());
        }
    }

    /// True for a keyword that exists, or that is to be ignored.
    pub(super) fn knows(&self, keyword: &str) -> bool {
        super::keywords::known(keyword, self.get("ignoreunknown"))
    }

    /// The value of a keyword.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.values.get(keyword).and_then(|values| values.first()).map(String::as_str)
    }

    /// All values of a keyword.
    pub(super) fn all(&self, keyword: &str) -> &[String] {
        self.values.get(keyword).map_or(&[], Vec::as_slice)
    }

    /// Takes the settings of a file that count for the host.
    pub(super) fn read(&mut self, path: &Path, of_user: bool, local: &Local, files: &Files) -> Result<(), ConnectError> {
        self.read_nested(path, of_user, local, files, 0)
    }

    fn read_nested(&mut self, path: &Path, of_user: bool, local: &Local, files: &Files, depth: usize) -> Result<(), ConnectError> {
        if depth > 16 {
            return Err(ConnectError::setup(format!("{}: too many nested Include", path.display())));
        }
        let mut active = true;
        for line in files.lines(path)?.iter() {
            let wrong = |message: &str| ConnectError::setup(format!("{}:{}: {message}", path.display(), line.number));
            match line.keyword.as_str() {
                "host" => active = patterns(&line.words, &self.original),
                "match" => active = self.matches(&line.words, local).map_err(|message| wrong(&message))?,
                _ if !active => {}
                "include" => {
                    for word in &line.words {
                        for file in included(word, of_user, local) {
                            self.read_nested(&file, of_user, local, files, depth + 1)?;
                        }
                    }
                }
                keyword if !self.knows(keyword) => return Err(wrong(&format!("Bad configuration option: {keyword}"))),
                _ if line.words.is_empty() => return Err(wrong(&format!("{} has no value", line.keyword))),
                _ => self.take(&line.keyword.clone(), &value(line)),
            }
        }
        Ok(())
    }

    /// True when all conditions of a `Match` line hold.
    fn matches(&mut self, words: &[String], local: &Local) -> Result<bool, String> {
        let mut words = words.iter();
        let mut all = true;
        while let Some(word) = words.next() {
            let (negated, word) = word.strip_prefix('!').map_or((false, word.as_str()), |rest| (true, rest));
            let (condition, given) = word.split_once('=').map_or((word, None), |(condition, value)| (condition, Some(value.to_owned())));
            let condition = condition.to_lowercase();
            let mut argument = || given.clone().or_else(|| words.next().cloned()).ok_or_else(|| format!("Match {condition} needs a value"));
            let holds = match condition.as_str() {
                "all" => true,
                "canonical" => false,
                "final" => {
                    self.wants_final = true;
                    self.last
                }
                "host" => list(&argument()?, &self.host_now()),
                "originalhost" => list(&argument()?, &self.original),
                "user" => list(&argument()?, &self.user_now()),
                "localuser" => list(&argument()?, &self.local_user),
                "exec" => {
                    let command = argument()?;
                    // a condition that already fails is not run
                    all && succeeds(&self.tokens(local).expand(&command))
                }
                "tagged" => list(&argument()?, self.get("tag").unwrap_or_default()),
                "localnetwork" | "command" | "sessiontype" | "version" => return Err(format!("Match {condition} is not supported")),
                other => return Err(format!("Match knows no condition {other:?}")),
            };
            all &= holds != negated;
        }
        Ok(all)
    }

    fn host_now(&self) -> String {
        self.get("hostname").map_or_else(|| self.original.clone(), |name| name.replace("%h", &self.original))
    }

    fn user_now(&self) -> String {
        self.user.clone().unwrap_or_else(|| self.get("user").map_or_else(|| self.local_user.clone(), str::to_owned))
    }

    /// What tokens stand for, as far as it is known by now.
    pub(super) fn tokens(&self, local: &Local) -> Tokens {
        let host = self.host_now();
        Tokens {
            original: self.original.clone(),
            port: self.get("port").unwrap_or("22").to_owned(),
            user: self.user_now(),
            local_user: self.local_user.clone(),
            home: local.home.as_ref().map(|home| home.display().to_string()).unwrap_or_default(),
            alias: self.get("hostkeyalias").map_or_else(|| host.clone(), str::to_owned),
            host,
        }
    }
}

/// A command's value is the rest of the line as written; others are words.
fn value(line: &Line) -> String {
    match line.keyword.as_str() {
        "proxycommand" | "knownhostscommand" | "localcommand" | "remotecommand" => line.rest.clone(),
        _ => line.words.join(" "),
    }
}

/// A `Host` line: one pattern matches, and no negated one does.
fn patterns(words: &[String], host: &str) -> bool {
    let mut any = false;
    for word in words {
        match word.strip_prefix('!') {
            Some(pattern) if glob(pattern, host) => return false,
            Some(_) => {}
            None => any |= glob(word, host),
        }
    }
    any
}

/// The same for a list with commas.
fn list(patterns_text: &str, text: &str) -> bool {
    let words: Vec<String> = patterns_text.split(',').map(|word| word.trim().to_owned()).collect();
    patterns(&words, text)
}

/// `*` and `?`, letters in any case.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    fn inner(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| inner(rest, &text[at..])),
            Some((b'?', rest)) => !text.is_empty() && inner(rest, &text[1..]),
            Some((letter, rest)) => text.first().is_some_and(|first| first.eq_ignore_ascii_case(letter)) && inner(rest, &text[1..]),
        }
    }
    inner(pattern.as_bytes(), text.as_bytes())
}

/// The files that an `Include` names, in order of their names; relative ones are in `~/.ssh` or `/etc/ssh`.
fn included(word: &str, of_user: bool, local: &Local) -> Vec<PathBuf> {
    let path = expand(word, local);
    let path = match (path.is_absolute(), of_user, &local.home) {
        (true, ..) => path,
        (false, true, Some(home)) => home.join(".ssh").join(path),
        _ => local.system_config.parent().unwrap_or(Path::new("/etc/ssh")).join(path),
    };
    let mut paths = vec![PathBuf::from("/")];
    for part in path.iter().skip(1) {
        let part = part.to_string_lossy();
        if !part.contains(['*', '?']) {
            paths.iter_mut().for_each(|path| path.push(part.as_ref()));
            continue;
        }
        paths = paths.iter().flat_map(|path| children(path, &part)).collect();
    }
    paths.retain(|path| path.is_file());
    paths
}

fn children(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| glob(pattern, name) && (!name.starts_with('.') || pattern.starts_with('.'))).collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

fn succeeds(command: &str) -> bool {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}
