//! Which kinds an API server has, and where their objects are.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use super::api::{Api, Trouble, escaped};

/// A kind of object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    pub kind: String,
    pub plural: String,
    pub namespaced: bool,
    names: Vec<String>,
}

/// What was asked in this call already: kinds by version.
#[derive(Default)]
pub(super) struct Discovery(RefCell<HashMap<String, Vec<Resource>>>);

impl Discovery {
    /// Ask again: a kind was added.
    pub(super) fn forget(&self, api_version: &str) {
        self.0.borrow_mut().remove(api_version);
    }
}

impl Resource {
    /// A kind that is not there yet, as far as its definition says.
    pub(super) fn future(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> Resource {
        Resource { api_version: api_version.into(), kind: kind.into(), plural: plural.into(), namespaced, names: vec![] }
    }

    /// The collection's path.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = root(&self.api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{}/{}", escaped(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// An object's path.
    pub(super) fn object_path(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.path(namespace), escaped(name))
    }
}

fn root(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

/// The resource by its kind, plural, singular or short name; `None` where the server has none.
pub(super) fn find(api: &Api, api_version: &str, kind: &str) -> Result<Option<Resource>, Trouble> {
    if !api.discovery.0.borrow().contains_key(api_version) {
        let answer = api.find(&root(api_version))?;
        let list = answer.map(|list| resources(&list, api_version)).unwrap_or_default();
        api.discovery.0.borrow_mut().insert(api_version.to_owned(), list);
    }
    let known = api.discovery.0.borrow();
    let list = known.get(api_version).map_or(&[][..], Vec::as_slice);
    let by_name = || list.iter().find(|resource| resource.names.iter().any(|name| *name == kind.to_lowercase()));
    Ok(list.iter().find(|resource| resource.kind == kind).or_else(by_name).cloned())
}

fn resources(list: &Value, api_version: &str) -> Vec<Resource> {
    let items = list.get("resources").and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| {
            let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
            let plural = text("name").filter(|name| !name.contains('/'))?;
            let short = item.get("shortNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let mut names: Vec<String> = short.map(str::to_owned).collect();
            names.push(plural.clone());
            names.extend(text("singularName"));
            let namespaced = item.get("namespaced").and_then(Value::as_bool).unwrap_or(false);
            Some(Resource { api_version: api_version.to_owned(), kind: text("kind")?, plural, namespaced, names })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_and_paths() {
        let list = json!({"resources": [
            {"name": "deployments", "singularName": "deployment", "namespaced": true, "kind": "Deployment", "shortNames": ["deploy"]},
            {"name": "deployments/scale", "namespaced": true, "kind": "Scale"},
        ]});
        let found = resources(&list, "apps/v1");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].names, ["deploy", "deployments", "deployment"]);
        assert_eq!(found[0].object_path(Some("a"), "b"), "/apis/apps/v1/namespaces/a/deployments/b");
        assert_eq!(Resource::future("v1", "Node", "nodes", false).object_path(Some("a"), "n"), "/api/v1/nodes/n");
    }
}
