//! What a task touches, from the changes that check mode predicts: two tasks that fight touch the same thing.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::event::Evidence;

/// A side of a thing that a task sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aspect {
    /// Content, or what the thing is.
    Content,
    /// Mode, owner, group, times.
    Attributes,
    /// It is not to be there at all.
    Absence,
}

/// A thing and its side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Touch {
    /// What kind of thing: `path`, `user`, `unit`...
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Which side.
    pub aspect: Aspect,
}

/// What the changes touch.
pub(super) fn touches(evidence: &Evidence) -> BTreeSet<Touch> {
    evidence.changes.iter().filter_map(touch).collect()
}

fn touch(change: &Json) -> Option<Touch> {
    let text = |key: &str| change.get(key).and_then(Json::as_str).map(str::to_string);
    let of = |kind, name: Option<String>, aspect| Some(Touch { kind, name: name?, aspect });
    let present = if change.get("present").and_then(Json::as_bool) == Some(false) { Aspect::Absence } else { Aspect::Content };
    match change.get("kind")?.as_str()? {
        "file" | "dir" | "link" | "hardlink" => of("path", text("path"), Aspect::Content),
        "attr" => of("path", text("path"), Aspect::Attributes),
        "remove" => of("path", text("path"), Aspect::Absence),
        "mount" => of("mount", text("path"), Aspect::Content),
        "user" => of("user", text("name"), present),
        "group" => of("group", text("name"), present),
        "unit" => of("unit", text("name").map(|name| name.trim_end_matches(".service").to_string()), Aspect::Content),
        "setting" => of("setting", text("name"), Aspect::Content),
        "package" => {
            let names: Vec<&str> = change.get("names")?.as_array()?.iter().filter_map(Json::as_str).collect();
            of("package", Some(names.join(", ")), present)
        }
        "object" => {
            of("object", Some(["api_version", "object_kind", "namespace", "name"].iter().filter_map(|key| text(key)).collect::<Vec<_>>().join(" ")), present)
        }
        _ => None,
    }
}

/// What both touch: the same thing, or one below a path that the other removes.
pub(super) fn common(one: &BTreeSet<Touch>, other: &BTreeSet<Touch>) -> Vec<(Touch, Touch)> {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    pairs.filter(|(a, b)| meets(a, b)).map(|(a, b)| (a.clone(), b.clone())).collect()
}

fn meets(a: &Touch, b: &Touch) -> bool {
    if a.kind != b.kind {
        return false;
    }
    let below = |inner: &Touch, outer: &Touch| {
        outer.kind == "path" && outer.aspect == Aspect::Absence && inner.name.strip_prefix(&outer.name).is_some_and(|rest| rest.starts_with('/'))
    };
    (a.name == b.name && opposes(a.aspect, b.aspect)) || below(a, b) || below(b, a)
}

/// A new content does not fight with a new mode.
fn opposes(a: Aspect, b: Aspect) -> bool {
    a == b || a == Aspect::Absence || b == Aspect::Absence
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(changes: &[Json]) -> BTreeSet<Touch> {
        touches(&Evidence { changes: changes.to_vec(), ..Evidence::default() })
    }

    #[test]
    fn the_same_side_of_the_same_path_meets() {
        let file = of(&[json!({"kind": "file", "path": "/a"})]);
        let mode = of(&[json!({"kind": "attr", "path": "/a"})]);
        let gone = of(&[json!({"kind": "remove", "path": "/"})]);
        assert_eq!(common(&file, &file).len(), 1);
        assert_eq!(common(&file, &mode).len(), 0);
        assert_eq!(common(&mode, &mode).len(), 1);
        assert_eq!(common(&file, &of(&[json!({"kind": "remove", "path": "/a"})])).len(), 1);
        assert_eq!(common(&of(&[json!({"kind": "file", "path": "/x/y"})]), &of(&[json!({"kind": "remove", "path": "/x"})])).len(), 1);
        assert_eq!(common(&of(&[json!({"kind": "file", "path": "/xx"})]), &of(&[json!({"kind": "remove", "path": "/x"})])).len(), 0);
        assert_eq!(gone.len(), 1);
    }

    #[test]
    fn units_have_one_name() {
        let a = of(&[json!({"kind": "unit", "name": "nginx.service"})]);
        assert_eq!(common(&a, &of(&[json!({"kind": "unit", "name": "nginx"})])).len(), 1);
    }
}
