//! INI inventories: lines of hosts, `[group]`, `[group:children]`, `[group:vars]`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::build::Builder;
use super::{literal, shlex};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Children,
    Vars,
}

/// A group that a section has named and that no section has declared yet.
struct Pending {
    span: Span,
    /// Groups that want it as a child; none when `[name:vars]` named it.
    parents: Vec<String>,
}

struct Reader<'a, 'b> {
    build: &'a mut Builder<'b>,
    pending: IndexMap<String, Pending>,
    group: String,
    section: Section,
}

/// Reads a file into the builder.
pub(super) fn read(source: &Arc<Source>, build: &mut Builder) -> Result<(), Diagnostic> {
    let mut reader = Reader { build, pending: IndexMap::new(), group: "ungrouped".into(), section: Section::Hosts };
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let text = line.trim();
        if !text.is_empty() && !text.starts_with([';', '#']) {
            let first = start + line.len() - line.trim_start().len();
            reader.line(text, &Span::new(source, first, first + text.len()))?;
        }
        start += line.len();
    }
    reader.finish()
}

impl Reader<'_, '_> {
    fn line(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        if let Some((name, kind)) = header(text) {
            return self.open(name, kind, span);
        }
        if text.starts_with('[') && text.ends_with(']') {
            let message = format!(
                "Invalid section entry: '{text}'. Please make sure that there are no spaces in the section entry, and that there are no other invalid characters"
            );
            return Err(Diagnostic::error(message).at(span));
        }
        match self.section {
            Section::Hosts => self.hosts(text, span),
            Section::Vars => self.variable(text, span),
            Section::Children => self.child(text, span),
        }
    }

    fn open(&mut self, name: &str, kind: Option<&str>, span: &Span) -> Result<(), Diagnostic> {
        self.section = match kind.unwrap_or("hosts") {
            "hosts" => Section::Hosts,
            "children" => Section::Children,
            "vars" => Section::Vars,
            other => {
                let error = Diagnostic::error(format!("Section [{name}:{other}] has unknown type: {other}")).at(span);
                return Err(error.did_you_mean(other, ["hosts", "children", "vars"]));
            }
        };
        self.group = self.build.group_name(name, span);
        let known = self.build.data.groups.contains_key(self.group.as_str());
        if !known && self.section == Section::Vars && !self.pending.contains_key(&self.group) {
            self.pending.insert(self.group.clone(), Pending { span: span.clone(), parents: Vec::new() });
        }
        self.build.data.add_group(&self.group);
        if self.section != Section::Vars {
            self.declared(&self.group.clone())?;
        }
        Ok(())
    }

    /// The group exists from now on: those that waited for it get it as a child.
    fn declared(&mut self, name: &str) -> Result<(), Diagnostic> {
        let Some(pending) = self.pending.shift_remove(name) else { return Ok(()) };
        for parent in &pending.parents {
            self.adopt(parent, name, &pending.span)?;
            if self.pending.get(parent).is_some_and(|p| !p.parents.is_empty()) {
                self.declared(parent)?;
            }
        }
        Ok(())
    }

    fn adopt(&mut self, parent: &str, child: &str, span: &Span) -> Result<(), Diagnostic> {
        let (parent, child) = (self.build.data.add_group(parent), self.build.data.add_group(child));
        self.build.data.add_child(parent, child).map_err(|error| error.at(span)).map(drop)
    }

    fn child(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let name = without_comment(text).filter(|name| !name.contains([':', ']']));
        let Some(name) = name else { return Err(Diagnostic::error(format!("Expected group name, got: {text}")).at(span)) };
        if self.build.data.groups.contains_key(name) {
            return self.adopt(&self.group.clone(), name, span);
        }
        let parent = self.group.clone();
        self.pending.entry(name.to_string()).or_insert_with(|| Pending { span: span.clone(), parents: Vec::new() }).parents.push(parent);
        Ok(())
    }

    fn variable(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Diagnostic::error(format!("Expected key=value, got: {text}")).at(span));
        };
        let (name, value) = (name.trim(), value.trim());
        let place = Span::new(&span.source, span.end - value.len(), span.end);
        let key = Span::new(&span.source, span.start, span.start + name.len());
        let group = self.build.data.add_group(&self.group);
        self.build.group_var(group, name, literal::value(value, &place), &key)
    }

    fn hosts(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let words = shlex::split(text, true).map_err(|why| Diagnostic::error(format!("Error parsing host definition '{text}': {why}")).at(span))?;
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let place = |word: &shlex::Word| Span::new(&span.source, span.start + word.range.start, span.start + word.range.end);
        let pattern = &first.text;
        if pattern.ends_with(':') {
            let message = format!("Invalid host pattern '{pattern}' supplied, ending in ':' is not allowed, this character is reserved to provide a port.");
            return Err(Diagnostic::error(message).at(&place(first)));
        }
        if pattern == "---" {
            let message = "Invalid host pattern '---' supplied, '---' is normally a sign this is a YAML file.";
            return Err(Diagnostic::error(message).at(&place(first)));
        }
        let group = self.build.data.add_group(&self.group);
        let hosts = self.build.hosts(pattern, group, &place(first))?;
        for word in rest {
            let Some((name, value)) = word.text.split_once('=') else {
                return Err(Diagnostic::error(format!("Expected key=value host variable assignment, got: {}", word.text)).at(&place(word)));
            };
            let value = literal::value(value, &place(word));
            hosts.iter().for_each(|host| self.build.host_var(*host, name, value.clone(), &place(word)));
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Diagnostic> {
        let Some((name, pending)) = self.pending.first() else { return Ok(()) };
        let message = match pending.parents.last() {
            Some(parent) => format!("Section [{parent}:children] includes undefined group '{name}'."),
            None => format!("Section [{name}:vars] not valid for undefined group '{name}'."),
        };
        let known = self.build.data.groups.keys().map(|group| &**group).filter(|group| group != name);
        Err(Diagnostic::error(message).at(&pending.span).did_you_mean(name, known))
    }
}

/// Name and kind of `[name]` or `[name:kind]`, perhaps with a comment after it.
fn header(text: &str) -> Option<(&str, Option<&str>)> {
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        return None;
    }
    let (name, kind) = inside.split_once(':').map_or((inside, None), |(name, kind)| (name, Some(kind)));
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let fine = !name.is_empty() && !name.contains(char::is_whitespace) && kind.is_none_or(word);
    fine.then_some((name, kind))
}

/// The word before a comment; `None` when more than that stands there.
fn without_comment(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // as in Ansible, a `#` inside the word belongs to the name
    (rest.trim().is_empty() || rest.trim_start().starts_with('#')).then_some(word)
}
