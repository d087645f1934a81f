//! Python's `re` on fancy-regex: the pattern is translated first, replacement templates are Python's.
//!
//! Public, because the controller's regex filters mean the same language as `lineinfile`, `replace`, `find` and `uri`.
//! Translation is in `pyre_translate`; here are matching and substitution.

use std::fmt;

use fancy_regex::RegexBuilder;

use crate::pyre_translate;

/// Python's flags of a pattern. Those written inside (`(?im)`) are found by [`compile`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignorecase: bool,
    /// `re.MULTILINE`: `^` and `$` at every line.
    pub multiline: bool,
    /// `re.DOTALL`: `.` is any character.
    pub dotall: bool,
    /// `re.VERBOSE`: white space and comments in the pattern mean nothing.
    pub verbose: bool,
    /// `re.ASCII`: `\w \d \s` are ASCII only.
    pub ascii: bool,
}

/// A compiled Python pattern.
#[derive(Clone)]
pub struct Regex {
    inner: fancy_regex::Regex,
    full: std::sync::OnceLock<Option<Box<fancy_regex::Regex>>>,
    translated: String,
    names: Vec<Option<String>>,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({:?})", self.translated)
    }
}

/// Where a pattern matched: byte offsets of the whole (group 0) and of each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    groups: Vec<Option<(usize, usize)>>,
}

impl Found {
    /// Start of the whole match in bytes.
    pub fn start(&self) -> usize {
        self.groups[0].map_or(0, |g| g.0)
    }

    /// End of the whole match in bytes.
    pub fn end(&self) -> usize {
        self.groups[0].map_or(0, |g| g.1)
    }

    /// Byte range of a group; `None` when it took no part or does not exist.
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.groups.get(group).copied().flatten()
    }

    /// Text of a group in the text that was searched.
    pub fn group<'t>(&self, group: usize, text: &'t str) -> Option<&'t str> {
        self.span(group).map(|(start, end)| &text[start..end])
    }

    /// Number of groups without group 0.
    pub fn groups(&self) -> usize {
        self.groups.len() - 1
    }
}

/// Compiles a Python pattern.
///
/// # Errors
/// What Python would refuse, in Python's words where they are known, or what cannot be expressed.
pub fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    let translated = pyre_translate::translate(pattern, flags)?;
    let inner = build(&translated)?;
    let names = inner.capture_names().map(|name| name.map(str::to_owned)).collect();
    Ok(Regex { inner, full: std::sync::OnceLock::new(), translated, names })
}

fn build(translated: &str) -> Result<fancy_regex::Regex, String> {
    RegexBuilder::new(translated).backtrack_limit(10_000_000).build().map_err(|error| error.to_string())
}

/// Quotes text so that as a pattern it matches itself (`re.escape`).
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' && !"!\"%',/:;<=>@`".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Regex {
    /// The names of the groups, group 0 first; `None` for a group without a name.
    pub fn names(&self) -> &[Option<String>] {
        &self.names
    }

    /// The number of a named group.
    pub fn group_number(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|have| have.as_deref() == Some(name))
    }

    /// `re.search`: the first match anywhere.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn search(&self, text: &str) -> Result<Option<Found>, String> {
        self.search_from(text, 0)
    }

    /// The first match at or after byte `from` (a character boundary).
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn search_from(&self, text: &str, from: usize) -> Result<Option<Found>, String> {
        find(&self.inner, text, from)
    }

    /// Whether the pattern matches anywhere.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        self.inner.is_match(text).map_err(|error| error.to_string())
    }

    /// `re.match`: a match at the beginning.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn match_start(&self, text: &str) -> Result<Option<Found>, String> {
        // leftmost-first search finds the same match as an anchored one, when one begins at 0
        Ok(self.search(text)?.filter(|found| found.start() == 0))
    }

    /// `re.fullmatch`: a match of the whole text.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn fullmatch(&self, text: &str) -> Result<Option<Found>, String> {
        let full = self.full.get_or_init(|| build(&format!(r"\A(?:{})\z", self.translated)).ok().map(Box::new));
        match full {
            Some(regex) => find(regex, text, 0),
            None => Ok(self.search(text)?.filter(|found| found.start() == 0 && found.end() == text.len())),
        }
    }

    /// Every match as `re.finditer` yields them: an empty match may follow a non-empty one directly.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn find_all(&self, text: &str) -> Result<Vec<Found>, String> {
        let mut all = vec![];
        let mut from = 0;
        let mut barred = None;
        while from <= text.len() {
            let Some(found) = self.search_from(text, from)? else { break };
            let (start, end) = (found.start(), found.end());
            if start == end && barred == Some(start) {
                from = next_boundary(text, start);
                barred = None;
                continue;
            }
            barred = (start == end).then_some(end);
            from = end;
            all.push(found);
        }
        Ok(all)
    }

    /// `re.findall`: for each match its text when there are no groups, else the groups' texts (`""` for one that took no part).
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn findall(&self, text: &str) -> Result<Vec<Vec<String>>, String> {
        let one = |found: &Found, group| found.group(group, text).unwrap_or_default().to_owned();
        Ok(self
            .find_all(text)?
            .iter()
            .map(|found| match found.groups() {
                0 => vec![one(found, 0)],
                n => (1..=n).map(|group| one(found, group)).collect(),
            })
            .collect())
    }

    /// `re.subn`: the new text and the number of replacements; `count` 0 is all.
    ///
    /// # Errors
    /// A bad template or too much backtracking.
    pub fn sub(&self, replacement: &str, text: &str, count: usize) -> Result<(String, usize), String> {
        let template = self.template(replacement)?;
        let mut out = String::with_capacity(text.len());
        let (mut last, mut made) = (0, 0);
        for found in self.find_all(text)? {
            if count != 0 && made == count {
                break;
            }
            out.push_str(&text[last..found.start()]);
            template.fill(&found, text, &mut out);
            last = found.end();
            made += 1;
        }
        out.push_str(&text[last..]);
        Ok((out, made))
    }

    /// `re.split`: the pieces, with the groups' texts between them.
    ///
    /// # Errors
    /// Too much backtracking.
    pub fn split(&self, text: &str, max: usize) -> Result<Vec<Option<String>>, String> {
        let mut pieces = vec![];
        let mut last = 0;
        for (made, found) in self.find_all(text)?.iter().enumerate() {
            if max != 0 && made == max {
                break;
            }
            pieces.push(Some(text[last..found.start()].to_owned()));
            pieces.extend((1..=found.groups()).map(|group| found.group(group, text).map(str::to_owned)));
            last = found.end();
        }
        pieces.push(Some(text[last..].to_owned()));
        Ok(pieces)
    }

    /// `Match.expand`: fills `\1`, `\g<name>` and escapes of a template.
    ///
    /// # Errors
    /// A bad escape or a group that does not exist.
    pub fn expand(&self, found: &Found, text: &str, template: &str) -> Result<String, String> {
        let mut out = String::new();
        self.template(template)?.fill(found, text, &mut out);
        Ok(out)
    }

    fn template(&self, source: &str) -> Result<Template, String> {
        let pieces = pyre_translate::template(source, &|name| self.group_number(name))?;
        for piece in &pieces {
            if let Piece::Group(group, position) = piece
                && *group >= self.names.len()
            {
                return Err(format!("invalid group reference {group} at position {position}"));
            }
        }
        Ok(Template(pieces))
    }
}

/// A piece of a replacement template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it is.
    Text(String),
    /// A group and where the template names it.
    Group(usize, usize),
}

struct Template(Vec<Piece>);

impl Template {
    fn fill(&self, found: &Found, text: &str, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => out.push_str(literal),
                Piece::Group(group, _) => out.push_str(found.group(*group, text).unwrap_or_default()),
            }
        }
    }
}

fn find(regex: &fancy_regex::Regex, text: &str, from: usize) -> Result<Option<Found>, String> {
    let captures = regex.captures_from_pos(text, from).map_err(|error| error.to_string())?;
    Ok(captures.map(|c| Found { groups: (0..c.len()).map(|i| c.get(i).map(|m| (m.start(), m.end()))).collect() }))
}

fn next_boundary(text: &str, from: usize) -> usize {
    text[from..].chars().next().map_or(text.len() + 1, |c| from + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(pattern: &str, replacement: &str, text: &str) -> String {
        compile(pattern, Flags::default()).unwrap().sub(replacement, text, 0).unwrap().0
    }

    #[test]
    fn substitution_is_pythons() {
        assert_eq!(sub("a*", "-", "baac"), "-b--c-");
        assert_eq!(sub("x*", "-", "abxd"), "-a-b--d-");
        assert_eq!(sub(r"(\w+) (?P<b>\w+)", r"\g<b> \1\g<0>$1", "one two"), "two oneone two$1");
        assert_eq!(sub("(a)|(b)", r"[\1\2]", "ab"), "[a][b]");
        assert_eq!(sub("a", r"\n\\", "a"), "\n\\");
        assert_eq!(sub("é", "e", "été"), "ete");
    }

    #[test]
    fn bad_templates_are_named() {
        let regex = compile("(a)", Flags::default()).unwrap();
        assert_eq!(regex.sub(r"\2", "a", 0).unwrap_err(), "invalid group reference 2 at position 1");
        assert_eq!(regex.sub(r"\q", "a", 0).unwrap_err(), r"bad escape \q at position 0");
        assert_eq!(regex.sub(r"\g<no>", "a", 0).unwrap_err(), "unknown group name 'no'");
    }

    #[test]
    fn anchors_and_searches() {
        let regex = compile("b$", Flags::default()).unwrap();
        assert!(regex.is_match("ab\n").unwrap());
        assert!(!regex.is_match("ab\nc").unwrap());
        assert!(regex.match_start("ab").unwrap().is_none());
        let multiline = compile("^b$", Flags { multiline: true, ..Flags::default() }).unwrap();
        assert!(multiline.is_match("a\nb\nc").unwrap());
        let full = compile("a|ab", Flags::default()).unwrap();
        assert!(full.fullmatch("ab").unwrap().is_some());
        assert!(full.fullmatch("abc").unwrap().is_none());
    }

    #[test]
    fn findall_and_split() {
        let all = |p: &str, t: &str| compile(p, Flags::default()).unwrap().findall(t).unwrap();
        assert_eq!(all(r"\d", "a1b2"), [["1"], ["2"]]);
        assert_eq!(all(r"(\w)(\d)?", "a1b"), [["a", "1"], ["b", ""]]);
        let pieces = compile("(,)", Flags::default()).unwrap().split("a,b", 0).unwrap();
        assert_eq!(pieces, ["a", ",", "b"].map(|s| Some(s.to_owned())));
        assert_eq!(escape("a.b/c-d é"), r"a\.b/c\-d\ é");
    }
}
