//! Whether two states of an object are the same, what differs, and what of it may be shown.

use serde_json::{Map, Value, json};

/// What the server keeps for itself.
const BOOKKEEPING: [&str; 6] = ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"];
/// Where `apply` keeps what it applied last.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object without what the server alone decides.
pub(super) fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !BOOKKEEPING.contains(&key.as_str()));
        }
    }
    object
}

/// Whether nothing that somebody asked for differs.
pub(super) fn same(before: &Value, after: &Value) -> bool {
    equal(&plain(before), &plain(after))
}

/// Equality that does not care for the order of keys or for 1 and 1.0.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y)),
        (Value::Object(x), Value::Object(y)) => x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| equal(x, y))),
        _ => a == b,
    }
}

/// What differs, as `before` and `after`: for mappings the keys that differ, for anything else the whole.
pub(super) fn difference(before: &Value, after: &Value) -> (Value, Value) {
    let (Value::Object(a), Value::Object(b)) = (before, after) else { return (before.clone(), after.clone()) };
    let (mut left, mut right) = (Map::new(), Map::new());
    for (key, x) in a {
        match b.get(key) {
            None => drop(left.insert(key.clone(), x.clone())),
            Some(y) if equal(x, y) => {}
            Some(y) => {
                let (x, y) = difference(x, y);
                left.insert(key.clone(), x);
                right.insert(key.clone(), y);
            }
        }
    }
    right.extend(b.iter().filter(|(key, _)| !a.contains_key(*key)).map(|(key, y)| (key.clone(), y.clone())));
    (Value::Object(left), Value::Object(right))
}

/// The diff of an object for the user; a secret's values are not in it.
pub(super) fn shown(title: &str, before: Option<&Value>, after: Option<&Value>, hidden: &[String]) -> Value {
    let side = |object: Option<&Value>| {
        let mut object = object.map_or(json!({}), plain);
        hidden.iter().for_each(|field| hide(&mut object, field));
        object
    };
    let (mut left, mut right) = (side(before), side(after));
    mask(&mut left, &mut right);
    let (left, right) = difference(&left, &right);
    json!({"before_header": title, "after_header": title, "before": left, "after": right})
}

/// Values of secrets become words that tell only whether they differ.
fn mask(before: &mut Value, after: &mut Value) {
    let is_secret = |object: &Value| object.get("kind").and_then(Value::as_str) == Some("Secret");
    if !is_secret(before) && !is_secret(after) {
        return;
    }
    for part in ["data", "stringData"] {
        let old = before.get(part).cloned().unwrap_or(Value::Null);
        for (side, is_new) in [(&mut *before, false), (&mut *after, true)] {
            for (key, value) in side.get_mut(part).and_then(Value::as_object_mut).into_iter().flatten() {
                let differs = is_new && old.get(key) != Some(value);
                *value = json!(if differs { "(secret, another one)" } else { "(secret)" });
            }
        }
    }
    for side in [before, after] {
        hide(side, &format!("metadata.annotations[{LAST_APPLIED}]"));
    }
}

/// Takes a field away: `metadata.managedFields`, `metadata.annotations[a.b/c]`, `spec.containers[0].image`.
pub(super) fn hide(object: &mut Value, field: &str) {
    let path = segments(field);
    let Some((last, path)) = path.split_last() else { return };
    let mut at = object;
    for key in path {
        let next = match at {
            Value::Object(map) => map.get_mut(key),
            Value::Array(items) => key.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    match at {
        Value::Object(map) => drop(map.shift_remove(last)),
        Value::Array(items) => {
            if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

fn segments(field: &str) -> Vec<String> {
    let mut all = vec![];
    let mut rest = field;
    while !rest.is_empty() {
        if let Some((key, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            all.push(key.trim_matches(['"', '\'']).to_owned());
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            all.push(rest[..end].to_owned());
            rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
        }
    }
    all.retain(|key| !key.is_empty());
    all
}

/// A merge patch that leads to `wanted`, and away from what was applied last and is wanted no more.
pub(super) fn merge_patch(last: &Value, wanted: &Value) -> Value {
    let (Value::Object(last), Value::Object(wanted)) = (last, wanted) else { return wanted.clone() };
    let mut patch = Map::new();
    for (key, value) in wanted {
        patch.insert(key.clone(), merge_patch(last.get(key).unwrap_or(&Value::Null), value));
    }
    for key in last.keys().filter(|key| !wanted.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7396: what `patch` makes of `target`.
    fn merged(target: &Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut map = target.as_object().cloned().unwrap_or_default();
        for (key, value) in patch {
            if value.is_null() {
                map.shift_remove(key);
            } else {
                let old = map.get(key).cloned().unwrap_or(Value::Null);
                map.insert(key.clone(), merged(&old, value));
            }
        }
        Value::Object(map)
    }

    #[test]
    fn bookkeeping_and_numbers_do_not_differ() {
        let before =
            json!({"metadata": {"name": "a", "resourceVersion": "1", "generation": 1, "managedFields": []}, "spec": {"n": 1, "m": 2}, "status": {"x": 1}});
        let after = json!({"metadata": {"name": "a", "resourceVersion": "2", "generation": 2}, "spec": {"m": 2, "n": 1.0}});
        assert!(same(&before, &after));
        assert!(!same(&before, &json!({"metadata": {"name": "a"}, "spec": {"n": 1}})));
    }

    #[test]
    fn differences_are_small_and_secrets_are_not_in_them() {
        let before = json!({"kind": "Secret", "metadata": {"name": "a", "annotations": {LAST_APPLIED: "cGFzcw=="}}, "data": {"p": "cGFzcw==", "q": "eA=="}});
        let after = json!({"kind": "Secret", "metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"p": "bmV3", "q": "eA=="}});
        let diff = shown("Secret a", Some(&before), Some(&after), &[]);
        assert_eq!(diff["before"], json!({"data": {"p": "(secret)"}, "metadata": {"annotations": {}}}));
        assert_eq!(diff["after"], json!({"data": {"p": "(secret, another one)"}, "metadata": {"labels": {"l": "1"}}}));
        let made = shown("Secret a", None, Some(&after), &[]).to_string();
        assert!(!made.contains("bmV3") && !made.contains("eA==") && made.contains("(secret, another one)"), "{made}");
    }

    #[test]
    fn fields_are_hidden() {
        let mut object = json!({"metadata": {"annotations": {"a.b/c": 1, "d": 2}, "managedFields": []}, "spec": {"list": [{"x": 1}, 2]}});
        for field in ["metadata.managedFields", "metadata.annotations[a.b/c]", "spec.list[0].x", "spec.none.deep", "spec.list[7]"] {
            hide(&mut object, field);
        }
        assert_eq!(object, json!({"metadata": {"annotations": {"d": 2}}, "spec": {"list": [{}, 2]}}));
    }

    #[test]
    fn patches_take_away_what_was_applied_and_is_wanted_no_more() {
        let (last, wanted) = (json!({"a": 1, "b": {"c": 1, "d": 2}}), json!({"b": {"d": 3}, "e": [1]}));
        let patch = merge_patch(&last, &wanted);
        assert_eq!(patch, json!({"b": {"d": 3, "c": null}, "e": [1], "a": null}));
        assert_eq!(merged(&json!({"a": 1, "b": {"c": 1, "x": 9}, "z": 0}), &patch), json!({"b": {"x": 9, "d": 3}, "z": 0, "e": [1]}));
    }
}
