//! `ansible.cfg` as Python's `configparser` reads it, with the place of every value.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The text: lines of a longer value are joined by line feeds.
    pub text: String,
    /// From the value's first character to its last.
    pub span: Span,
}

type Section = IndexMap<String, Entry>;

/// The sections of a file in file order; names of options are lower case.
#[derive(Debug, Default)]
pub struct Ini {
    sections: IndexMap<String, Section>,
}

impl Ini {
    /// The value of an option. `[DEFAULT]` stands for every section that exists.
    pub fn get(&self, section: &str, key: &str) -> Option<&Entry> {
        let section = self.sections.get(section)?;
        section.get(key).or_else(|| self.sections.get("DEFAULT")?.get(key))
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    ini: Ini,
    section: Option<String>,
    /// Option that a deeper line continues, and how far its own line was indented.
    option: Option<String>,
    indent: usize,
}

/// Reads a file.
///
/// # Errors
/// The first line that `configparser` refuses.
pub fn parse(source: &Arc<Source>) -> Result<Ini, Diagnostic> {
    let mut reader = Reader { source, ini: Ini::default(), section: None, option: None, indent: 0 };
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        reader.line(line, start)?;
        start += line.len();
    }
    reader.ini.trim();
    Ok(reader.ini)
}

impl Reader<'_> {
    fn line(&mut self, line: &str, start: usize) -> Result<(), Diagnostic> {
        let (kept, commented) = without_comment(line);
        let text = kept.trim();
        let indent = kept.len() - kept.trim_start().len();
        if text.is_empty() {
            if !commented && let Some(entry) = self.current() {
                entry.text.push('\n');
            }
            return Ok(());
        }
        let span = Span::new(self.source, start + indent, start + indent + text.len());
        if self.option.is_some() && indent > self.indent {
            if let Some(entry) = self.current() {
                entry.text.push('\n');
                entry.text.push_str(text);
                entry.span.end = span.end;
            }
            return Ok(());
        }
        self.indent = indent;
        match section_name(text) {
            Some(name) => self.open(name, &span),
            None => self.define(text, &span),
        }
    }

    fn current(&mut self) -> Option<&mut Entry> {
        self.ini.sections.get_mut(self.section.as_deref()?)?.get_mut(self.option.as_deref()?)
    }

    fn open(&mut self, name: &str, span: &Span) -> Result<(), Diagnostic> {
        self.option = None;
        if name != "DEFAULT" && self.ini.sections.contains_key(name) {
            return Err(Diagnostic::error(format!("section '{name}' already exists")).at(span).help("join the two sections"));
        }
        self.ini.sections.entry(name.to_string()).or_default();
        self.section = Some(name.to_string());
        Ok(())
    }

    fn define(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let Some(section) = self.section.clone() else {
            return Err(Diagnostic::error("file contains no section headers").at(span).help("begin with `[defaults]`"));
        };
        let Some(cut) = text.find(['=', ':']) else {
            return Err(Diagnostic::error(format!("expected `key = value`, got '{text}'")).at(span));
        };
        let key = text[..cut].trim_end().to_lowercase();
        if key.is_empty() {
            return Err(Diagnostic::error("a setting without a name").at(span));
        }
        let value = text[cut + 1..].trim_start();
        let place = Span::new(self.source, span.end - value.len(), span.end);
        let entry = Entry { text: value.to_string(), span: place };
        match self.ini.sections.entry(section.clone()).or_default().insert(key.clone(), entry) {
            Some(first) => {
                Err(Diagnostic::error(format!("option '{key}' in section '{section}' already exists")).at(span).note_at("first set here", &first.span))
            }
            None => {
                self.option = Some(key);
                Ok(())
            }
        }
    }
}

impl Ini {
    /// Empty lines belong to a value only when text follows.
    fn trim(&mut self) {
        for entry in self.sections.values_mut().flat_map(IndexMap::values_mut) {
            entry.text.truncate(entry.text.trim_end().len());
        }
    }
}

/// The line before its comment, and whether it had one: `#` and `;` begin a line's comment, `;` after a blank also one inside a line.
fn without_comment(line: &str) -> (&str, bool) {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['#', ';']) {
        return ("", true);
    }
    let inline = line.char_indices().find(|(at, c)| *c == ';' && line[..*at].ends_with(char::is_whitespace));
    inline.map_or((line, false), |(at, _)| (&line[..at], true))
}

fn section_name(text: &str) -> Option<&str> {
    let end = text.rfind(']')?;
    text.starts_with('[').then(|| text.get(1..end)).flatten().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ini, String> {
        parse(&Source::new("ansible.cfg", text)).map_err(|d| format!("{} {}", d.span.as_ref().map_or(String::new(), ToString::to_string), d.message))
    }

    #[test]
    fn values_comments_and_continued_lines() {
        let ini = read("[defaults]\nForks = 3 ; three\nplain=a # b\nurl: x=y\nempty =\nlong = a,\n  b\n\n  c\n# no\n[diff]\nalways=yes;x\n").unwrap();
        let get = |section: &str, key: &str| ini.get(section, key).map(|e| e.text.as_str());
        assert_eq!(get("defaults", "forks"), Some("3"));
        assert_eq!(get("defaults", "plain"), Some("a # b"));
        assert_eq!(get("defaults", "url"), Some("x=y"));
        assert_eq!(get("defaults", "empty"), Some(""));
        assert_eq!(get("defaults", "long"), Some("a,\nb\n\nc"));
        assert_eq!(get("diff", "always"), Some("yes;x"));
        assert_eq!(get("diff", "forks"), None);
        assert_eq!(ini.get("defaults", "forks").unwrap().span.to_string(), "ansible.cfg:2:9");
    }

    #[test]
    fn what_configparser_refuses() {
        for (text, expected) in [
            ("forks = 3\n", "ansible.cfg:1:1 file contains no section headers"),
            ("[a]\nx\n", "ansible.cfg:2:1 expected `key = value`, got 'x'"),
            ("[a]\nx=1\nX=2\n", "ansible.cfg:3:1 option 'x' in section 'a' already exists"),
            ("[a]\n[b]\n[a]\n", "ansible.cfg:3:1 section 'a' already exists"),
        ] {
            assert_eq!(read(text).unwrap_err(), expected);
        }
    }
}
