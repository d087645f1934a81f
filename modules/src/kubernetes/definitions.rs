//! The objects that a task means: from `definition`, `src` or the arguments alone.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::context::Context;
use crate::outcome::Failure;
use crate::yaml;

/// All objects in the order given, lists (`kind: ...List`) taken apart, with name, namespace, kind and version of the arguments where they lack their own.
pub(super) fn read(args: &Args, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let given = match (args.get("resource_definition"), args.str("src")) {
        (Some(definition), _) => texts_and_data(definition)?,
        (None, Some(src)) => from_file(src, cx)?,
        (None, None) => vec![json!({})],
    };
    let mut all = vec![];
    for definition in given {
        match definition {
            Value::Null => {}
            Value::Object(map) if map.is_empty() && args.has("resource_definition") => {}
            Value::Object(map) => flatten(completed(map, args)?, args, &mut all)?,
            other => return Err(format!("a definition must be a mapping, not {other}").into()),
        }
    }
    Ok(all)
}

fn texts_and_data(definition: &Value) -> Result<Vec<Value>, Failure> {
    let one = |item: &Value| -> Result<Vec<Value>, Failure> {
        match item {
            Value::String(text) => yaml::documents(text).map_err(|why| Failure::new(format!("Failed to load resource definition: {why}"))),
            // a document may be a list of objects
            other => Ok(vec![other.clone()]),
        }
    };
    let Value::Array(items) = definition else { return Ok(spread(one(definition)?)) };
    let mut all = vec![];
    for item in items {
        all.extend(spread(one(item)?));
    }
    Ok(all)
}

/// Lists in lists become one.
fn spread(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().flat_map(|item| if let Value::Array(inner) = item { spread(inner) } else { vec![item] }).collect()
}

fn from_file(src: &str, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    if src.contains("://") {
        return Err(format!("src {src}: addresses are not supported; fetch it with get_url first").into());
    }
    let bytes = super::kubeconfig::file(Path::new(src), "file", cx)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{src} is not UTF-8")))?;
    yaml::documents(&text).map(spread).map_err(|why| Failure::new(format!("Failed to load resource definition: {src}: {why}")))
}

fn completed(mut map: Map<String, Value>, args: &Args) -> Result<Map<String, Value>, Failure> {
    for (key, argument) in [("kind", "kind"), ("apiVersion", "api_version")] {
        if map.get(key).is_none_or(Value::is_null)
            && let Some(value) = args.str(argument)
        {
            map.insert(key.into(), json!(value));
        }
    }
    if map.get("metadata").is_none_or(Value::is_null) {
        map.insert("metadata".into(), json!({}));
    }
    let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) else { return Err("metadata of a definition must be a mapping".into()) };
    for (key, argument) in [("namespace", "namespace"), ("name", "name"), ("generateName", "generate_name")] {
        if let Some(value) = args.str(argument).filter(|_| metadata.get(key).is_none_or(Value::is_null)) {
            metadata.insert(key.into(), json!(value));
        }
    }
    if metadata.get("name").is_some_and(|name| !name.is_null()) {
        metadata.shift_remove("generateName");
    }
    Ok(map)
}

fn flatten(map: Map<String, Value>, args: &Args, all: &mut Vec<Value>) -> Result<(), Failure> {
    let Some(kind) = map.get("kind").and_then(Value::as_str).map(str::to_owned) else {
        return Err("a definition has no kind, and `kind` is not given".into());
    };
    let items = map.get("items").and_then(Value::as_array).filter(|_| kind.ends_with("List"));
    let Some(items) = items else {
        all.push(Value::Object(map));
        return Ok(());
    };
    for item in items {
        let Value::Object(item) = item else { return Err(format!("an item of a {kind} is no mapping").into()) };
        let mut item = item.clone();
        if kind != "List" {
            item.entry("kind").or_insert_with(|| json!(kind.trim_end_matches("List")));
            item.entry("apiVersion").or_insert_with(|| map.get("apiVersion").cloned().unwrap_or(Value::Null));
        }
        flatten(completed(item, args)?, args, all)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(value: Value) -> Args {
        Args(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn lists_texts_and_arguments() {
        let definition = json!(["kind: A\napiVersion: v1\n---\n---\nkind: BList\napiVersion: x/v1\nitems: [{metadata: {name: n}}]", [{"kind": "C", "metadata": {"namespace": "own"}}]]);
        let args = args(json!({"resource_definition": definition, "namespace": "ns", "api_version": "v1"}));
        let mut all = vec![];
        for item in texts_and_data(args.get("resource_definition").unwrap()).unwrap() {
            if let Value::Object(map) = item {
                flatten(completed(map, &args).unwrap(), &args, &mut all).unwrap();
            }
        }
        assert_eq!(
            all,
            [
                json!({"kind": "A", "apiVersion": "v1", "metadata": {"namespace": "ns"}}),
                json!({"metadata": {"name": "n", "namespace": "ns"}, "kind": "B", "apiVersion": "x/v1"}),
                json!({"kind": "C", "metadata": {"namespace": "own"}, "apiVersion": "v1"}),
            ]
        );
    }
}
