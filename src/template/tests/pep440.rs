//! Versions of Python packages (PEP 440).

use crate::value::repr;

/// A version, in its order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pep440 {
    epoch: u64,
    release: Vec<u64>,
    /// A development release without pre-release sorts first, a release without either last.
    pre: Pre,
    /// 0 is none, since `.post0` comes after the release.
    post: u64,
    dev: Dev,
    local: Vec<Local>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    OnlyDev,
    Some(u8, u64),
    Release,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Some(u64),
    None,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Text(String),
    Number(u64),
}

/// What is left to read.
struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    fn number(&mut self) -> Option<u64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = if digits.is_empty() { self.0 } else { rest };
        digits.parse().ok()
    }

    fn separator(&mut self) {
        self.0 = self.0.strip_prefix(['.', '-', '_']).unwrap_or(self.0);
    }

    /// One of the words behind an optional separator, and its number.
    fn tag(&mut self, words: &[&'t str]) -> Option<(&'t str, u64)> {
        let before = self.0;
        self.separator();
        let Some(word) = words.iter().find(|word| self.0.starts_with(**word)) else {
            self.0 = before;
            return None;
        };
        self.0 = &self.0[word.len()..];
        let behind = self.0;
        self.separator();
        let number = self.number();
        if number.is_none() {
            self.0 = behind;
        }
        Some((word, number.unwrap_or(0)))
    }
}

/// Reads a version.
///
/// # Errors
/// It is none.
pub fn parse(text: &str) -> Result<Pep440, String> {
    let wrong = || format!("Invalid version: {}", repr(&text.into()));
    let lower = text.trim().to_lowercase();
    let (public, local) = lower.split_once('+').map_or((lower.as_str(), None), |(public, local)| (public, Some(local)));
    let mut reader = Reader(public.strip_prefix('v').unwrap_or(public));
    let mut epoch = 0;
    if let Some((head, rest)) = reader.0.split_once('!') {
        epoch = head.parse().map_err(|_| wrong())?;
        reader.0 = rest;
    }
    let mut release = vec![reader.number().ok_or_else(wrong)?];
    while let Some(rest) = reader.0.strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        reader.0 = rest;
        release.extend(reader.number());
    }
    while release.last() == Some(&0) {
        release.pop();
    }
    let pre = reader.tag(&["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"]).map(|(word, number)| (word.as_bytes()[0], number));
    let pre = pre.map(|(letter, number)| (if letter == b'p' || letter == b'c' { b'r' } else { letter }, number));
    let mut post = reader.tag(&["post", "rev", "r"]).map(|(_, number)| number + 1).unwrap_or(0);
    if let (0, Some(rest)) = (post, reader.0.strip_prefix('-')) {
        reader.0 = rest;
        post = reader.number().ok_or_else(wrong)? + 1;
    }
    let dev = reader.tag(&["dev"]).map_or(Dev::None, |(_, number)| Dev::Some(number));
    if !reader.0.is_empty() {
        return Err(wrong());
    }
    let pre = match pre {
        Some((letter, number)) => Pre::Some(letter, number),
        None if post == 0 && dev != Dev::None => Pre::OnlyDev,
        None => Pre::Release,
    };
    let local = local
        .map(|local| local.split(['.', '-', '_']).map(|part| part.parse().map_or_else(|_| Local::Text(part.into()), Local::Number)).collect())
        .unwrap_or_default();
    Ok(Pep440 { epoch, release, pre, post, dev, local })
}
