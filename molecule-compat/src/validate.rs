//! Checks a file against a table of keys: complaints for what Molecule refuses, warnings for what it would leave unread.

use std::path::Path;

use serde_json::Value;

use crate::failure::Complaint;
use crate::node::{Kind, Node};
use crate::schema::{DRIVERS, Others, Section, Shape};
use crate::sequence::Action;

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Findings {
    /// What stops.
    pub complaints: Vec<Complaint>,
    /// What is said and passed.
    pub warnings: Vec<Complaint>,
}

/// Checks a whole file.
pub fn check(node: &Node, section: &'static Section, file: &Path) -> Findings {
    let mut checker = Checker { file, found: Findings::default() };
    checker.section(node, section, "");
    checker.found
}

struct Checker<'a> {
    file: &'a Path,
    found: Findings,
}

impl Checker<'_> {
    fn refuse(&mut self, node: &Node, message: String) {
        self.found.complaints.push(Complaint::at(node.place(self.file), message));
    }

    fn section(&mut self, node: &Node, section: &'static Section, path: &str) {
        let Kind::Map(pairs) = &node.kind else {
            let name = if path.is_empty() { "the file" } else { path };
            return self.refuse(node, format!("{name} is {}; it must be a mapping", node.described()));
        };
        for (key, value) in pairs {
            let name = key.text().unwrap_or_else(|| key.described().into());
            match section.keys.iter().find(|(known, _)| *known == name) {
                Some((_, shape)) => self.value(value, *shape, &join(path, &name)),
                None => self.unknown(key, &name, section, path),
            }
        }
        for required in section.required {
            if node.get(required).is_none() {
                self.refuse(node, format!("{path} has no `{required}`"));
            }
        }
    }

    fn unknown(&mut self, key: &Node, name: &str, section: &Section, path: &str) {
        let place = if path.is_empty() { String::new() } else { format!(" in {path}") };
        let known: Vec<&str> = section.keys.iter().map(|(name, _)| *name).collect();
        let advice = match nearest(name, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known are {}", known.join(", ")),
        };
        match section.others {
            Others::Refused => self.found.complaints.push(Complaint::at(key.place(self.file), format!("unknown key `{name}`{place}")).help(advice)),
            Others::Unread => self.found.warnings.push(Complaint::at(key.place(self.file), format!("nothing reads the key `{name}`{place}")).help(advice)),
            Others::Free => {}
        }
    }

    fn value(&mut self, node: &Node, shape: Shape, path: &str) {
        let scalar = if let Kind::Scalar(value) = &node.kind { Some(value) } else { None };
        let is = |test: fn(&Value) -> bool| scalar.is_some_and(test);
        let whole = |value: &Value| value.as_i64().is_some();
        match shape {
            Shape::Section(section) => self.section(node, section, path),
            Shape::Sections(section) => self.items(node, path, |checker, item, path| checker.section(item, section, path)),
            Shape::Texts => self.items(node, path, |checker, item, path| checker.value(item, Shape::Text, path)),
            Shape::Steps => self.items(node, path, |checker, item, path| checker.step(item, path)),
            Shape::TextMap => self.texts(node, path),
            Shape::Choice(choices) => self.choice(node, choices, path),
            Shape::Numbers(choices) => {
                if !scalar.and_then(Value::as_i64).is_some_and(|number| choices.contains(&number)) {
                    self.wrong(node, path, &format!("one of {choices:?}"));
                }
            }
            Shape::Driver => self.driver(node, path),
            Shape::Text => self.expect(is(Value::is_string), node, path, "a text"),
            Shape::TextOrNull => self.expect(is(Value::is_string) || is(Value::is_null), node, path, "a text or nothing"),
            Shape::TextOrBool => self.expect(is(Value::is_string) || is(Value::is_boolean), node, path, "a text or a boolean"),
            Shape::TextOrInt => self.expect(is(Value::is_string) || is(whole), node, path, "a text or a whole number"),
            Shape::TextOrTexts if is(Value::is_string) => {}
            Shape::TextOrTexts => self.value(node, Shape::Texts, path),
            Shape::Bool => self.expect(is(Value::is_boolean), node, path, "a boolean"),
            Shape::Number => self.expect(is(Value::is_number), node, path, "a number"),
            Shape::List => self.expect(matches!(node.kind, Kind::List(_)), node, path, "a list"),
            Shape::Map => self.expect(matches!(node.kind, Kind::Map(_)), node, path, "a mapping"),
            Shape::Any => {}
        }
    }

    fn expect(&mut self, right: bool, node: &Node, path: &str, wanted: &str) {
        if !right {
            self.wrong(node, path, wanted);
        }
    }

    fn wrong(&mut self, node: &Node, path: &str, wanted: &str) {
        let shown = node.text().filter(|_| !matches!(&node.kind, Kind::Scalar(Value::Null))).map(|text| format!(" `{text}`")).unwrap_or_default();
        self.refuse(node, format!("{path} is {}{shown}; it must be {wanted}", node.described()));
    }

    fn items(&mut self, node: &Node, path: &str, check: impl Fn(&mut Self, &Node, &str)) {
        let Kind::List(items) = &node.kind else { return self.wrong(node, path, "a list") };
        for (index, item) in items.iter().enumerate() {
            check(self, item, &format!("{path}[{index}]"));
        }
    }

    fn texts(&mut self, node: &Node, path: &str) {
        let Kind::Map(pairs) = &node.kind else { return self.wrong(node, path, "a mapping") };
        for (key, value) in pairs {
            self.value(value, Shape::Text, &join(path, &key.text().unwrap_or_default()));
        }
    }

    fn choice(&mut self, node: &Node, choices: &[&str], path: &str) {
        let text = node.text().unwrap_or_default();
        if choices.contains(&text.as_str()) {
            return;
        }
        let shown = if text.is_empty() { node.described().to_string() } else { format!("`{text}`") };
        let complaint = Complaint::at(node.place(self.file), format!("{path} is {shown}; it must be one of {}", choices.join(", ")));
        self.found.complaints.push(match nearest(&text, choices) {
            Some(near) => complaint.help(format!("did you mean {near}?")),
            None => complaint,
        });
    }

    fn driver(&mut self, node: &Node, path: &str) {
        let text = node.text().unwrap_or_default();
        let plain = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
        let own = ["molecule-", "molecule_", "custom-", "custom_"].iter().any(|prefix| text.strip_prefix(prefix).is_some_and(plain));
        if !own {
            self.choice(node, &DRIVERS, path);
        }
    }

    fn step(&mut self, node: &Node, path: &str) {
        let Some(Value::String(text)) = (if let Kind::Scalar(value) = &node.kind { Some(value) } else { None }) else {
            return self.wrong(node, path, "the name of a step");
        };
        let word = text.split(' ').next().unwrap_or_default();
        if Action::named(word).is_some() {
            return;
        }
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        let complaint = Complaint::at(node.place(self.file), format!("{path}: there is no step `{word}`"));
        self.found.complaints.push(complaint.help(match nearest(word, &names) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("steps are {}", names.join(", ")),
        }));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// The known name that was most likely meant: at most a third of its letters off.
pub fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known.iter().map(|name| (distance(text, name), *name)).min_by_key(|(distance, _)| *distance)?;
    (best.0 > 0 && best.0 <= best.1.chars().count().max(3) / 3).then_some(best.1)
}

/// Letters to change, add or leave out to get from one word to the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = line + 1;
        for (column, b) in other.iter().enumerate() {
            let next = if a == *b { before } else { 1 + before.min(row[column]).min(row[column + 1]) };
            before = std::mem::replace(&mut row[column + 1], next);
        }
    }
    row[other.len()]
}
