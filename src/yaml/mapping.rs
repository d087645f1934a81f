//! Dictionaries: merges (`<<`), duplicate keys, keys that cannot be keys.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::{Kind, Node, Pair};
use super::{DuplicateKeys, Options};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Key;

/// More pairs than this are not merged: merges that double each time would fill the memory.
pub(super) const MAX_MERGED: usize = 1_000_000;

/// What a plain scalar means when it is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing special.
    Key,
    /// `<<`.
    Merge,
    /// `=`.
    Default,
}

/// One entry as written.
pub(super) struct Entry {
    pub key: Node,
    pub value: Node,
    pub role: Role,
}

/// The pairs of a dictionary: merged, each key once, at its first place and with its last value.
pub(super) fn finish(entries: Vec<Entry>, options: &Options, warnings: &mut Vec<Diagnostic>, merged: &mut usize) -> Result<Vec<Pair>, Diagnostic> {
    let mut all = Vec::with_capacity(entries.len());
    if entries.iter().any(|entry| entry.role == Role::Merge) {
        for entry in entries.iter().filter(|entry| entry.role == Role::Merge) {
            merge(&entry.value, &mut all, merged)?;
        }
    }
    let own = entries.into_iter().filter(|entry| entry.role != Role::Merge);
    all.extend(own.map(|entry| Pair { key: entry.key, value: entry.value }));
    unique(all, options, warnings)
}

fn merge(source: &Node, into: &mut Vec<Pair>, merged: &mut usize) -> Result<(), Diagnostic> {
    let mut add = |pairs: &[Pair]| {
        *merged += pairs.len();
        if *merged > MAX_MERGED {
            return Err(Diagnostic::error(format!("merges (`<<`) add more than {MAX_MERGED} entries")).at(&source.span));
        }
        into.extend_from_slice(pairs);
        Ok(())
    };
    let wrong = |node: &Node| Diagnostic::error(format!("`<<` merges dictionaries, this is {}", node.described())).at(&node.span);
    match &source.kind {
        Kind::Map(pairs) => add(pairs),
        Kind::List(items) => {
            // Later pairs win, and of a list the first entry shall win.
            for item in items.iter().rev() {
                add(item.as_map().ok_or_else(|| wrong(item))?)?;
            }
            Ok(())
        }
        _ => Err(wrong(source)),
    }
}

fn unique(pairs: Vec<Pair>, options: &Options, warnings: &mut Vec<Diagnostic>) -> Result<Vec<Pair>, Diagnostic> {
    let mut places: HashMap<Key, usize> = HashMap::with_capacity(pairs.len());
    let mut kept: Vec<Pair> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let key = key_of(&pair.key)?;
        match places.get(&key) {
            None => {
                places.insert(key, kept.len());
                kept.push(pair);
            }
            Some(place) => {
                let first = &mut kept[*place];
                report(&first.key.span, &pair.key, options, warnings)?;
                if let (Some(_), Some(_)) = (first.key.as_str(), pair.key.as_str()) {
                    first.key = pair.key;
                }
                first.value = pair.value;
            }
        }
    }
    Ok(kept)
}

fn report(first: &Span, later: &Node, options: &Options, warnings: &mut Vec<Diagnostic>) -> Result<(), Diagnostic> {
    let message = format!("the key `{}` is there twice", later.span.text());
    let describe = |found: Diagnostic| found.at(&later.span).note_at("first here", first);
    match options.duplicate_keys {
        DuplicateKeys::Ignore => {}
        DuplicateKeys::Warn => warnings.push(describe(Diagnostic::warning(message)).help("the last value counts; remove the other")),
        DuplicateKeys::Error => return Err(describe(Diagnostic::error(message))),
    }
    Ok(())
}

/// The key that a node is.
pub(super) fn key_of(node: &Node) -> Result<Key, Diagnostic> {
    match &node.kind {
        Kind::Text(text, _) | Kind::Unsafe(text) | Kind::Vault(text) => Ok(Key::Str(Arc::clone(text))),
        Kind::Scalar(value) => Key::new(value).map_err(|fault| Diagnostic::error(fault.message).at(&node.span)),
        Kind::List(_) | Kind::Map(_) => {
            let found = Diagnostic::error(format!("{} cannot be a key", node.described()));
            Err(match braces(&node.span) {
                Some(template) => {
                    let help = format!("did you forget quotes around the template? write \"{}\"", template.text());
                    found.at(&template).label("YAML reads `{` as the beginning of a dictionary").help(help)
                }
                None => found.at(&node.span),
            })
        }
    }
}

/// The template that a dictionary as a key was meant to be: from `{{` to `}}`.
fn braces(inner: &Span) -> Option<Span> {
    let start = inner.start.checked_sub(1)?;
    let line = inner.source.text.get(start..)?.lines().next()?;
    let end = line.find("}}").map_or(line.len(), |at| at + 2);
    line.starts_with("{{").then(|| Span::new(&inner.source, start, start + end))
}
