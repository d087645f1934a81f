//! Nodes, as the modules that drain and taint them see them.

use serde_json::{Value, json};

use super::api::{Api, Patch, Trouble, Write, escaped};
use super::compare;
use super::discovery::Resource;
use super::predicted;
use crate::context::Context;
use crate::outcome::Failure;

/// A node's path.
pub(super) fn path(name: &str) -> String {
    format!("/api/v1/nodes/{}", escaped(name))
}

/// The node. In check mode one that is not there is unknown: nodes come by themselves when their kubelet runs.
///
/// # Errors
/// It is not there.
pub(super) fn find(name: &str, api: &Api, cx: &Context<'_>) -> Result<Value, Failure> {
    let found = api.find(&path(name)).map_err(|trouble| trouble.failure(&format!("Failed to retrieve node '{name}'"), cx.check()))?;
    let missing = format!("Node '{name}' has not been found.");
    found.ok_or_else(|| if cx.check() { Failure::unknown(missing) } else { Failure::new(missing) })
}

/// Patches a node, unless somebody else has altered it since it was read.
///
/// # Errors
/// The server's words; a conflict has status 409.
pub(super) fn patch(node: &Value, spec: Value, api: &Api) -> Result<Value, Trouble> {
    let text = |pointer: &str| node.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let body = json!({"metadata": {"resourceVersion": text("/metadata/resourceVersion")}, "spec": spec});
    api.write(&path(text("/metadata/name")), &[], &Write::Patch(Patch::Merge, &body))
}

/// Keeps what was done to a node.
///
/// # Errors
/// None: no program runs.
pub(super) fn record(before: &Value, after: &Value, api: &Api, cx: &mut Context<'_>) -> Result<(), Failure> {
    let name = before.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    cx.add_diff_lazily(|| compare::shown(&format!("Node {name}"), Some(before), Some(after), &[]));
    cx.perform(predicted::change(api, &Resource::future("v1", "Node", "nodes", false), after, true), &[]).map(drop)
}
