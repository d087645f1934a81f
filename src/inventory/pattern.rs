//! Patterns of hosts: unions, `&`, `!`, globs, `~regex`, subscripts, `--limit` with files.

use std::collections::HashSet;

use rplay_modules::pyre;

use super::address::parse_address;
use super::data::{Data, HostName, LOCALHOST};
use crate::diagnostic::Diagnostic;

/// The hosts of a pattern, and what did not match anything.
pub(super) struct Matched {
    pub hosts: Vec<HostName>,
    /// Parts of the pattern that matched neither a group nor a host.
    pub unmatched: Vec<String>,
}

/// The parts of a pattern such as `web:&prod,!db1`.
pub fn split(pattern: &str) -> Vec<String> {
    let parts: Vec<String> = if pattern.contains(',') {
        pattern.split(',').map(str::to_string).collect()
    } else if parse_address(pattern).is_some() {
        vec![pattern.to_string()]
    } else {
        split_colons(pattern)
    };
    parts.iter().map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
}

/// Runs of anything but blanks and `:`, where `[...]` is one piece.
fn split_colons(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let bracket = if c == '[' { rest.find(']').map(|end| end + 1) } else { None };
        let length = bracket.unwrap_or(c.len_utf8());
        if bracket.is_none() && (c.is_whitespace() || matches!(c, ':' | '[' | ']')) {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    parts
}

/// Resolves the parts of a pattern.
pub(super) fn select(data: &Data, parts: &[String]) -> Result<Matched, Diagnostic> {
    let mut matched = Matched { hosts: Vec::new(), unmatched: Vec::new() };
    let (excluded, rest): (Vec<_>, Vec<_>) = parts.iter().filter(|part| !part.is_empty()).partition(|part| part.starts_with('!'));
    let (required, mut regular): (Vec<_>, Vec<_>) = rest.into_iter().partition(|part| part.starts_with('&'));
    let all = "all".to_string();
    if regular.is_empty() {
        regular.push(&all);
    }
    let mut seen = HashSet::new();
    for part in regular {
        for host in one(data, part, &mut matched.unmatched)? {
            if seen.insert(host.clone()) {
                matched.hosts.push(host);
            }
        }
    }
    for part in required {
        let kept: HashSet<HostName> = one(data, &part[1..], &mut matched.unmatched)?.into_iter().collect();
        matched.hosts.retain(|host| kept.contains(host));
    }
    for part in excluded {
        let gone: HashSet<HostName> = one(data, &part[1..], &mut matched.unmatched)?.into_iter().collect();
        matched.hosts.retain(|host| !gone.contains(host));
    }
    Ok(matched)
}

fn one(data: &Data, part: &str, unmatched: &mut Vec<String>) -> Result<Vec<HostName>, Diagnostic> {
    if part.is_empty() {
        return Ok(Vec::new());
    }
    if let Some((name, _)) = data.hosts.get_key_value(part) {
        return Ok(vec![name.clone()]);
    }
    let (expression, subscript) = split_subscript(part);
    let hosts = enumerate(data, expression, unmatched)?;
    subscript.map_or(Ok(hosts.clone()), |s| s.apply(&hosts).ok_or_else(|| Diagnostic::error(format!("No hosts matched the subscripted pattern '{part}'"))))
}

fn enumerate(data: &Data, expression: &str, unmatched: &mut Vec<String>) -> Result<Vec<HostName>, Diagnostic> {
    let glob = Glob::new(expression)?;
    let names = |hosts: &[usize]| hosts.iter().map(|host| data.hosts[*host].name.clone()).collect::<Vec<_>>();
    let groups: Vec<usize> = match &glob {
        Glob::Word(word) => data.groups.get_index_of(*word).into_iter().collect(),
        glob => (0..data.groups.len()).filter(|group| glob.matches(&data.groups[*group].name)).collect(),
    };
    let mut found: Vec<HostName> = groups.iter().flat_map(|group| names(&data.members(*group))).collect();
    if groups.is_empty() || !matches!(glob, Glob::Word(word) if !word.contains('.')) {
        match &glob {
            Glob::Word(word) => found.extend(data.hosts.get_key_value(*word).map(|(name, _)| name.clone())),
            glob => found.extend(data.hosts.keys().filter(|name| glob.matches(name)).cloned()),
        }
    }
    if found.is_empty() && LOCALHOST.contains(&expression) {
        found.push(data.localhost.map_or_else(|| expression.into(), |host| data.hosts[host].name.clone()));
    }
    if found.is_empty() && groups.is_empty() && expression != "all" {
        unmatched.push(expression.to_string());
    }
    let mut seen = HashSet::new();
    found.retain(|name| seen.insert(name.clone()));
    Ok(found)
}

/// Which of the hosts that an expression matched.
#[derive(Clone, Copy)]
enum Subscript {
    One(isize),
    /// The second bound is included; `None` is the last.
    Range(usize, Option<usize>),
}

impl Subscript {
    fn apply(self, hosts: &[HostName]) -> Option<Vec<HostName>> {
        if hosts.is_empty() {
            return Some(Vec::new());
        }
        match self {
            Subscript::One(at) => {
                let at = if at < 0 { hosts.len().checked_sub(at.unsigned_abs())? } else { at.unsigned_abs() };
                hosts.get(at).map(|host| vec![host.clone()])
            }
            // as in Ansible, an end of 0 means one host
            Subscript::Range(start, Some(0)) => hosts.get(start).map(|host| vec![host.clone()]),
            Subscript::Range(start, end) => {
                let end = end.map_or(hosts.len(), |end| (end + 1).min(hosts.len()));
                Some(hosts.get(start..end).unwrap_or_default().to_vec())
            }
        }
    }
}

/// The expression and the subscript of `name[1:3]`; a regular expression has none.
fn split_subscript(part: &str) -> (&str, Option<Subscript>) {
    let cut = part.strip_suffix(']').and_then(|rest| rest.rfind('[').map(|at| (&rest[..at], &rest[at + 1..])));
    match cut {
        Some((expression, inside)) if !part.starts_with('~') && !expression.is_empty() => match subscript(inside) {
            Some(subscript) => (expression, Some(subscript)),
            None => (part, None),
        },
        _ => (part, None),
    }
}

fn subscript(text: &str) -> Option<Subscript> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(text.strip_prefix('-').unwrap_or(text)) {
        return text.parse().ok().map(Subscript::One);
    }
    let (start, end) = text.split_once([':', '-'])?;
    let end = if end.is_empty() { None } else { Some(end) };
    if !digits(start) || end.is_some_and(|end| !digits(end)) {
        return None;
    }
    Some(Subscript::Range(start.parse().ok()?, end.map(str::parse).transpose().ok()?))
}

/// A word, a shell glob or a regular expression.
enum Glob<'a> {
    Word(&'a str),
    Shell(Vec<Piece>),
    Regex(Box<pyre::Regex>),
}

/// A piece of a shell glob.
enum Piece {
    Char(char),
    Any,
    AnyRun,
    Set { ranges: Vec<(char, char)>, negated: bool },
}

impl Glob<'_> {
    fn new(expression: &str) -> Result<Glob<'_>, Diagnostic> {
        if let Some(regex) = expression.strip_prefix('~') {
            let compiled = pyre::compile(regex, pyre::Flags::default());
            return compiled
                .map(|regex| Glob::Regex(Box::new(regex)))
                .map_err(|why| Diagnostic::error(format!("Invalid host list pattern: {expression}")).note(why));
        }
        Ok(if expression.contains(['*', '?', '[']) { Glob::Shell(pieces(expression)) } else { Glob::Word(expression) })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Glob::Word(word) => *word == name,
            Glob::Shell(pieces) => matches(pieces, &name.chars().collect::<Vec<_>>()),
            Glob::Regex(regex) => regex.search(name).is_ok_and(|found| found.is_some_and(|found| found.start() == 0)),
        }
    }
}

fn pieces(glob: &str) -> Vec<Piece> {
    let chars: Vec<char> = glob.chars().collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (piece, next) = match chars[at] {
            '*' => (Piece::AnyRun, at + 1),
            '?' => (Piece::Any, at + 1),
            '[' => set(&chars, at).unwrap_or((Piece::Char('['), at + 1)),
            c => (Piece::Char(c), at + 1),
        };
        pieces.push(piece);
        at = next;
    }
    pieces
}

/// The set that begins at `[`, and the place after it; `None` when it is not closed.
fn set(chars: &[char], at: usize) -> Option<(Piece, usize)> {
    let negated = chars.get(at + 1) == Some(&'!');
    let first = at + 1 + usize::from(negated);
    let end = (first + 1..chars.len()).find(|i| chars[*i] == ']')?;
    let mut ranges = Vec::new();
    let mut i = first;
    while i < end {
        let range = i + 2 < end && chars[i + 1] == '-';
        ranges.push((chars[i], if range { chars[i + 2] } else { chars[i] }));
        i += if range { 3 } else { 1 };
    }
    Some((Piece::Set { ranges, negated }, end + 1))
}

fn matches(pieces: &[Piece], text: &[char]) -> bool {
    let Some((piece, pieces)) = pieces.split_first() else { return text.is_empty() };
    if let Piece::AnyRun = piece {
        return (0..=text.len()).any(|skip| matches(pieces, &text[skip..]));
    }
    let Some((c, text)) = text.split_first() else { return false };
    let fits = match piece {
        Piece::Char(wanted) => wanted == c,
        Piece::Any | Piece::AnyRun => true,
        Piece::Set { ranges, negated } => ranges.iter().any(|(from, to)| (from..=to).contains(&c)) != *negated,
    };
    fits && matches(pieces, text)
}
