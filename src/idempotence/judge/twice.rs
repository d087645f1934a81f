//! What two replays tell: values that are other ones the second time, and which variables brought them.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::cause::{self, Cause, Kind};
use super::super::record::{Key, Record, Recording};
use super::Suspect;

/// Modules that take content from elsewhere than their arguments.
const RENDERED: &[&str] = &["template", "assemble"];

/// The cause, when the task was given something else the second time.
pub(super) fn of(record: &Record, later: &Record) -> Option<Cause> {
    if reordered(&record.sides()) {
        return Some(Cause::new(Kind::Unsorted, "before and after have the same lines"));
    }
    let (one, other) = (record.outcome.evidence.as_deref()?, later.outcome.evidence.as_deref()?);
    let after = |record: &Record| record.sides().into_iter().map(|(_, after)| after).collect::<Vec<_>>();
    let (first, second) = (after(record), after(later));
    let rendered = RENDERED.contains(&cause::action(record));
    let differs = one.args != other.args || (rendered && first != second && !second.is_empty());
    if !differs {
        return None;
    }
    let pairs: Vec<(String, String)> = first.into_iter().zip(second).collect();
    if !pairs.is_empty() && reordered(&pairs) {
        return Some(Cause::new(Kind::Unsorted, "two renderings have the same lines"));
    }
    let mut names: Vec<&str> =
        one.reads.iter().filter(|(name, hash)| name.ends_with("()") || other.reads.get(*name) != Some(hash)).map(|(name, _)| &**name).collect();
    names.extend(other.reads.keys().map(|name| &**name).filter(|name| name.ends_with("()") && !one.reads.contains_key(*name)));
    names.sort_by_key(|name| !name.ends_with("()"));
    names.dedup();
    let exact: Vec<&str> = names.iter().copied().filter(|name| *name != "ansible_facts").collect();
    let named = if exact.is_empty() { names } else { exact };
    Some(Cause::new(
        Kind::Volatile,
        if named.is_empty() { "rendered twice, it differs".into() } else { format!("rendered twice, it differs by {}", quoted(&named)) },
    ))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Texts that differ in the order of their lines only.
fn reordered(sides: &[(String, String)]) -> bool {
    let sorted = |text: &str| {
        let mut lines: Vec<String> =
            text.split(['\n', ',', ' ']).map(|word| word.trim_matches(['[', ']', '{', '}', '"', '\'']).to_string()).filter(|word| !word.is_empty()).collect();
        lines.sort_unstable();
        lines
    };
    !sides.is_empty() && sides.iter().any(|(a, b)| a != b) && sides.iter().all(|(a, b)| sorted(a) == sorted(b))
}

/// Tasks that registered the values which are other ones the second time.
pub(super) fn name_sources<'a>(suspects: &mut [Suspect<'a>], replay: &'a Recording, later: &HashMap<&Key, &'a Record>) {
    for suspect in suspects {
        let told = suspect.cause.as_ref().is_some_and(|cause| matches!(cause.kind, Kind::Volatile | Kind::Unsorted));
        let (Some(evidence), true) = (suspect.evidence, told) else { continue };
        let second = later.get(&suspect.record.key).and_then(|record| record.outcome.evidence.as_deref());
        let moved = |name: &Arc<str>| second.is_some_and(|second| second.reads.get(name) != evidence.reads.get(name));
        for name in evidence.reads.keys().filter(|name| moved(name)) {
            let source = replay.records.iter().rev().find(|record| {
                let registers = record.outcome.evidence.as_ref().is_some_and(|evidence| evidence.register.as_deref() == Some(&**name));
                registers && record.key.host == suspect.record.key.host && record.key != suspect.record.key
            });
            suspect.others.extend(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reordered;

    #[test]
    fn order_alone() {
        let pair = |a: &str, b: &str| vec![(a.to_string(), b.to_string())];
        assert!(reordered(&pair("a\nb\n", "b\na\n")));
        assert!(reordered(&pair("list = [\"a\", \"b\"]\n", "list = [\"b\", \"a\"]\n")));
        assert!(!reordered(&pair("a\nb\n", "a\nc\n")));
        assert!(!reordered(&pair("a\n", "a\n")));
    }
}
