//! Check mode: which objects earlier tasks, or earlier objects of this one, would have made or removed.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::api::Api;
use super::discovery::Resource;
use crate::change::Change;
use crate::context::Context;
use crate::digest::hex;

/// What would be of an object by now.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// Made or altered, by a definition of that digest.
    There(String),
    Gone,
}

/// A definition's digest.
pub(super) fn digest(object: &Value) -> String {
    hex(&Sha256::digest(object.to_string()))
}

/// The change that makes or removes this object.
pub(super) fn change(api: &Api, resource: &Resource, object: &Value, present: bool) -> Change {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Change::Object {
        server: api.base().to_owned(),
        api_version: resource.api_version.clone(),
        object_kind: resource.kind.clone(),
        namespace: if resource.namespaced { text("/metadata/namespace") } else { String::new() },
        name: text("/metadata/name"),
        digest: present.then(|| digest(object)),
        serves: if present { served(object) } else { vec![] },
    }
}

/// The kinds that a CustomResourceDefinition brings: `GROUP/VERSION KIND PLURAL SCOPE`.
fn served(object: &Value) -> Vec<String> {
    if object.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
        return vec![];
    }
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let versions = object.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let names = versions.filter_map(|version| version.get("name").and_then(Value::as_str));
    names
        .map(|version| format!("{}/{version} {} {} {}", text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"), text("/spec/scope")))
        .collect()
}

/// What would have become of an object, by the last change that names it.
pub(super) fn fate(cx: &Context<'_>, api: &Api, resource: &Resource, object: &Value) -> Option<Fate> {
    let Change::Object { api_version, object_kind: kind, namespace, name, .. } = change(api, resource, object, false) else { return None };
    find(cx, api.base(), &api_version, &kind, &namespace, &name)
}

fn find(cx: &Context<'_>, base: &str, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Fate> {
    cx.system().noted().iter().rev().find_map(|change| match change {
        Change::Object { server, api_version: v, object_kind: k, namespace: ns, name: n, digest, .. }
            if server == base && group(v) == group(api_version) && k == kind && ns == namespace && n == name =>
        {
            Some(digest.clone().map_or(Fate::Gone, Fate::There))
        }
        _ => None,
    })
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether the namespace would have been made, or removed.
pub(super) fn namespace(cx: &Context<'_>, api: &Api, name: &str) -> Option<Fate> {
    find(cx, api.base(), "v1", "Namespace", "", name)
}

/// A kind that a CustomResourceDefinition would have brought.
pub(super) fn kind(cx: &Context<'_>, api: &Api, api_version: &str, kind: &str) -> Option<Resource> {
    cx.system().noted().iter().rev().find_map(|change| {
        let Change::Object { server, serves, .. } = change else { return None };
        let line = serves.iter().filter(|_| server == api.base()).find_map(|line| {
            let mut words = line.split(' ');
            (words.next() == Some(api_version) && words.next() == Some(kind)).then(|| words.map(str::to_owned).collect::<Vec<_>>())
        })?;
        Some(Resource::future(api_version, kind, line.first()?, line.get(1).is_some_and(|scope| scope == "Namespaced")))
    })
}

/// Kinds that controllers make and remove after others.
const FOLLOWERS: [&str; 9] =
    ["Pod", "ReplicaSet", "Job", "Event", "Endpoints", "EndpointSlice", "PersistentVolume", "PersistentVolumeClaim", "ControllerRevision"];

/// Whether what a reader asks for would be another by now, and because of what.
pub(super) fn unsettled(cx: &Context<'_>, api: &Api, kind: &str, namespace: Option<&str>, name: Option<&str>) -> Option<String> {
    cx.system().noted().iter().rev().find_map(|change| {
        let Change::Object { server, object_kind, namespace: ns, name: n, serves, .. } = change else { return None };
        let same = object_kind == kind && name.is_none_or(|name| name == n) && namespace.is_none_or(|namespace| ns.is_empty() || namespace == ns);
        let brought = serves.iter().any(|line| line.split(' ').nth(1) == Some(kind));
        (server == api.base() && (same || brought || FOLLOWERS.contains(&kind))).then(|| format!("{object_kind} {n} would have been made, altered or removed"))
    })
}

/// Whether anything would have been done before: then the server's no may be a yes by then.
pub(super) fn anything(cx: &Context<'_>) -> bool {
    !cx.system().noted().is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn definitions_of_kinds() {
        let crd = json!({"kind": "CustomResourceDefinition", "spec": {"group": "g.io", "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"}, "versions": [{"name": "v1"}, {"name": "v2"}]}});
        assert_eq!(served(&crd), ["g.io/v1 Thing things Namespaced", "g.io/v2 Thing things Namespaced"]);
        assert!(served(&json!({"kind": "Pod"})).is_empty());
    }
}
