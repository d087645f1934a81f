//! Secrets that must not be shown: what was decrypted, typed without echo, or given as an argument that a module keeps to itself. Whatever is written for
//! people and programs goes through [`masked`].

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// Shorter texts are words like others: hiding them would only say where they are.
const SHORTEST: usize = 4;

/// Shorter lines of a secret of several lines are not hidden one by one.
const SHORTEST_LINE: usize = 8;

/// What stands in their place.
const STARS: &str = "********";

/// The longest first, so that what contains another one is hidden whole.
static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Keeps a text from being shown; of one with several lines also each line.
pub fn remember(secret: &str) {
    let whole = secret.trim();
    if whole.chars().count() < SHORTEST {
        return;
    }
    let mut forms = vec![whole.to_string()];
    if whole.contains('\n') {
        forms.extend(whole.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE && !is_frame(line)).map(str::to_string));
    }
    let escaped: Vec<String> = forms.iter().filter_map(|form| serde_json::to_string(form).ok()).map(|form| form[1..form.len() - 1].to_string()).collect();
    forms.extend(escaped);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms {
        if !known.contains(&form) {
            let at = known.partition_point(|other| other.len() >= form.len());
            known.insert(at, form);
        }
    }
}

/// `-----BEGIN ...` and the like say nothing.
fn is_frame(line: &str) -> bool {
    line.starts_with("-----")
}

/// Keeps the strings of an encrypted file of variables from being shown.
pub fn remember_file(yaml: &str) {
    fn walk(value: &serde_yaml::Value) {
        match value {
            serde_yaml::Value::String(text) if text.len() >= SHORTEST_LINE && !text.contains("{{") => remember(text),
            serde_yaml::Value::Sequence(items) => items.iter().for_each(walk),
            serde_yaml::Value::Mapping(entries) => entries.values().for_each(walk),
            serde_yaml::Value::Tagged(tagged) => walk(&tagged.value),
            _ => {}
        }
    }
    if let Ok(value) = serde_yaml::from_str(yaml) {
        walk(&value);
    }
}

/// The text without secrets.
pub fn masked(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut out = Cow::Borrowed(text);
    for secret in known.iter() {
        if out.contains(secret.as_str()) {
            out = Cow::Owned(out.replace(secret.as_str(), STARS));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_inside_longer_texts_and_in_json() {
        remember("mask-test \"quoted\"\n");
        assert_eq!(masked("a mask-test \"quoted\" b"), "a ******** b");
        assert_eq!(masked(r#"{"x": "mask-test \"quoted\""}"#), r#"{"x": "********"}"#);
        remember("abc");
        assert_eq!(masked("abc"), "abc", "too short to be worth it");
        remember("-----BEGIN MASK-----\nmask-line-of-a-key\n-----END MASK-----");
        assert_eq!(masked("+mask-line-of-a-key"), "+********");
        assert_eq!(masked("-----BEGIN MASK-----"), "-----BEGIN MASK-----");
        remember_file("db:\n  password: mask-in-a-file\n  port: 5432\n");
        assert_eq!(masked("mask-in-a-file 5432"), "******** 5432");
    }
}
