//! One object: made, altered, replaced or removed, and whether that changed anything.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::api::{Api, Patch, Trouble, Write, delete_options, with_query};
use super::compare;
use super::discovery::{self, Resource};
use super::predicted::{self, Fate};
use super::wait::{self, Waiting};
use crate::args::Args;
use crate::context::Context;
use crate::outcome::Failure;

/// What is wanted of every object.
pub(super) struct Wish<'a> {
    pub state: &'a str,
    pub apply: bool,
    /// Field manager and whether conflicts are forced.
    pub server_side: Option<(String, bool)>,
    pub force: bool,
    /// The kinds of patch to try, in order, where the user names them.
    pub merge_types: Vec<Patch>,
    /// `fieldValidation` of the API.
    pub validation: &'static str,
    pub selector: Option<String>,
    pub delete_all: bool,
    pub delete_options: Option<Value>,
    pub waiting: Option<Waiting>,
    pub hidden: Vec<String>,
}

/// What came of it.
pub(super) struct Done {
    pub changed: bool,
    pub method: &'static str,
    pub object: Value,
    pub duration: Option<u64>,
    pub warning: Option<String>,
}

impl Done {
    fn new(changed: bool, method: &'static str, object: Value) -> Done {
        Done { changed, method, object, duration: None, warning: None }
    }
}

/// An object with where it is.
struct Subject {
    resource: Resource,
    definition: Value,
    name: Option<String>,
    namespace: Option<String>,
    /// The server does not have the kind yet.
    future: bool,
}

impl Subject {
    fn title(&self) -> String {
        let name = self.name.as_deref().unwrap_or("(generated)");
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{name}", self.resource.kind),
            None => format!("{} {name}", self.resource.kind),
        }
    }

    fn path(&self) -> String {
        match &self.name {
            Some(name) => self.resource.object_path(self.namespace.as_deref(), name),
            None => self.resource.path(self.namespace.as_deref()),
        }
    }
}

/// Does for one object what the wish says.
///
/// # Errors
/// The server refuses or is not there, or the object does not get ready; unknown in check mode where nobody can say.
pub(super) fn settle(args: &Args, wish: &Wish<'_>, definition: Value, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    let Some(subject) = subject(args, wish, definition, api, cx)? else {
        return Ok(Done::new(false, "delete", json!({})));
    };
    if wish.state == "absent" { remove(wish, &subject, api, cx) } else { make(wish, &subject, api, cx) }
}

/// Finds the kind; `None` where the kind is not there and nothing of it shall be.
fn subject(args: &Args, wish: &Wish<'_>, mut definition: Value, api: &Api, cx: &Context<'_>) -> Result<Option<Subject>, Failure> {
    let text = |definition: &Value, pointer: &str| definition.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let (Some(api_version), Some(kind)) = (text(&definition, "/apiVersion"), text(&definition, "/kind")) else {
        return Err("a definition has no apiVersion or no kind, as text".into());
    };
    let found =
        discovery::find(api, &api_version, &kind).map_err(|trouble| trouble.failure(&format!("Failed to look for {api_version} {kind}"), cx.check()))?;
    let future = found.is_none();
    let resource = found.or_else(|| predicted::kind(cx, api, &api_version, &kind));
    let Some(resource) = resource else {
        if wish.state == "absent" {
            return Ok(None);
        }
        let msg = format!("Failed to find exact match for {api_version}.{kind} by [kind, name, singularName, shortNames]");
        return Err(if cx.check() && predicted::anything(cx) { Failure::unknown(format!("{api_version} {kind} is not there yet")) } else { Failure::new(msg) });
    };
    definition["kind"] = json!(resource.kind);
    definition["apiVersion"] = json!(resource.api_version);
    let name = text(&definition, "/metadata/name");
    let namespace = text(&definition, "/metadata/namespace");
    if !resource.namespaced && namespace.as_deref() == args.str("namespace") {
        definition.pointer_mut("/metadata").and_then(Value::as_object_mut).map(|metadata| metadata.shift_remove("namespace"));
    }
    let everywhere = wish.state == "absent" && name.is_none();
    if resource.namespaced && namespace.is_none() && !everywhere {
        return Err(format!("{kind} {} needs a namespace", name.unwrap_or_default()).into());
    }
    let namespace = namespace.filter(|_| resource.namespaced);
    Ok(Some(Subject { resource, definition, name, namespace, future }))
}

/// What is there now, and in check mode what would be by now.
enum Now {
    Nothing,
    There(Value),
    /// Check mode: it would have been made by a definition of that digest.
    Planned(String),
    /// Check mode: its kind or namespace would only have been made, or the object removed, by now: the server cannot judge.
    Ahead,
}

fn now(subject: &Subject, api: &Api, cx: &Context<'_>) -> Result<Now, Failure> {
    let fate = if cx.check() && subject.name.is_some() { predicted::fate(cx, api, &subject.resource, &subject.definition) } else { None };
    let gone = matches!(fate, Some(Fate::Gone))
        || cx.check() && subject.namespace.as_deref().is_some_and(|namespace| predicted::namespace(cx, api, namespace) == Some(Fate::Gone));
    if gone {
        return Ok(Now::Ahead);
    }
    let live = match subject.name.is_some() && !subject.future {
        true => api.find(&subject.path()).map_err(|trouble| trouble.failure("Failed to retrieve requested object", cx.check()))?,
        false => None,
    };
    Ok(match (live, fate) {
        (Some(live), _) => Now::There(live),
        (None, Some(Fate::There(digest))) => Now::Planned(digest),
        (None, _) if subject.future => Now::Ahead,
        (None, _) => Now::Nothing,
    })
}

fn make(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    let before = match now(subject, api, cx)? {
        Now::Planned(digest) => return Ok(planned(wish, subject, &digest, api, cx)),
        Now::Ahead => return Ok(ahead(wish, subject, api, cx)),
        Now::There(live) => Some(live),
        Now::Nothing => None,
    };
    if before.is_none() && wish.state == "patched" {
        let text = format!(
            "resource 'kind={},name={}' was not found but will not be created as 'state' parameter has been set to 'patched'",
            subject.resource.kind,
            subject.name.as_deref().unwrap_or_default()
        );
        return Ok(Done { warning: Some(text), ..Done::new(false, "update", json!({})) });
    }
    let method = method(wish, before.as_ref());
    let after = match write(wish, subject, before.as_ref(), api) {
        Ok(after) => after,
        Err(trouble) if cx.check() => return judged(trouble, wish, subject, api, cx),
        Err(trouble) => return Err(trouble.failure(&format!("Failed to {method} {}", subject.title()), false)),
    };
    let changed = before.as_ref().is_none_or(|before| !compare::same(before, &after));
    let mut done = Done::new(changed, method, after);
    if changed {
        cx.add_diff_lazily(|| compare::shown(&subject.title(), before.as_ref(), Some(&done.object), &wish.hidden));
        cx.perform(predicted::change(api, &subject.resource, &subject.definition, true), &[])?;
    }
    if !cx.check() {
        wait_for(wish, subject, &mut done, api)?;
    }
    Ok(done)
}

fn method(wish: &Wish<'_>, before: Option<&Value>) -> &'static str {
    match before {
        _ if wish.apply => "apply",
        None => "create",
        Some(_) if wish.force => "replace",
        Some(_) => "update",
    }
}

fn wait_for(wish: &Wish<'_>, subject: &Subject, done: &mut Done, api: &Api) -> Result<(), Failure> {
    let changed = done.changed;
    let (resource, object) = (&subject.resource, done.object.clone());
    if resource.kind == "CustomResourceDefinition" {
        // objects of the kind may come next
        let patience = Waiting::seconds(30);
        wait::until_served(api, resource, &object, wish.waiting.as_ref().unwrap_or(&patience)).map_err(|failure| failure.with("changed", changed))?;
    }
    if let Some(waiting) = &wish.waiting {
        let (object, seconds) = wait::until_ready(api, resource, &object, waiting).map_err(|failure| failure.with("method", done.method))?;
        (done.object, done.duration) = (object, Some(seconds));
    }
    Ok(())
}

fn write(wish: &Wish<'_>, subject: &Subject, before: Option<&Value>, api: &Api) -> Result<Value, Trouble> {
    let definition = &subject.definition;
    let validation = ("fieldValidation", wish.validation);
    match (&wish.server_side, before) {
        (Some((manager, force)), _) if wish.apply => {
            let query = [("fieldManager", manager.as_str()), ("force", if *force { "true" } else { "false" }), validation];
            api.write(&subject.path(), &query, &Write::Patch(Patch::Apply, definition))
        }
        (_, None) if wish.apply => create(subject, &annotated(definition), validation, api),
        (_, None) => create(subject, definition, validation, api),
        (_, Some(before)) if wish.apply => {
            let patch = compare::merge_patch(&last_applied(before), &annotated(definition));
            api.write(&subject.path(), &[validation], &Write::Patch(Patch::Merge, &patch))
        }
        (_, Some(before)) if wish.force => {
            let mut object = definition.clone();
            object["metadata"]["resourceVersion"] = before.pointer("/metadata/resourceVersion").cloned().unwrap_or(Value::Null);
            api.write(&subject.path(), &[validation], &Write::Replace(&object))
        }
        (_, Some(_)) => update(wish, subject, validation, api),
    }
}

/// Creates. The account that pods of a new namespace need comes a moment after the namespace.
fn create(subject: &Subject, object: &Value, validation: (&str, &str), api: &Api) -> Result<Value, Trouble> {
    let path = subject.resource.path(subject.namespace.as_deref());
    let started = Instant::now();
    loop {
        match api.write(&path, &[validation], &Write::Create(object)) {
            Err(Trouble::Refused(no)) if no.status == 403 && no.message.contains("serviceaccount") && no.message.contains("not found") && !api.check() => {
                if started.elapsed() > Duration::from_secs(15) {
                    return Err(Trouble::Refused(no));
                }
                api.sleep(Duration::from_millis(500))?;
            }
            answer => return answer,
        }
    }
}

/// Patches: strategically, or by plain merging where the kind knows no other way.
fn update(wish: &Wish<'_>, subject: &Subject, validation: (&str, &str), api: &Api) -> Result<Value, Trouble> {
    let usual = [Patch::Strategic, Patch::Merge];
    let kinds = if wish.merge_types.is_empty() { &usual[..] } else { &wish.merge_types[..] };
    let mut last = None;
    for patch in kinds {
        match api.write(&subject.path(), &[validation], &Write::Patch(*patch, &subject.definition)) {
            Err(Trouble::Refused(no)) if no.status == 415 || !wish.merge_types.is_empty() => last = Some(Trouble::Refused(no)),
            answer => return answer,
        }
    }
    Err(last.unwrap_or_else(|| Trouble::NoAnswer("no kind of patch is left".into())))
}

/// The definition that remembers itself, for the next `apply`.
fn annotated(definition: &Value) -> Value {
    let mut object = definition.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if annotations.is_null() {
            *annotations = json!({});
        }
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(compare::LAST_APPLIED.into(), json!(definition.to_string()));
        }
    }
    object
}

fn last_applied(live: &Value) -> Value {
    let text = live.pointer("/metadata/annotations").and_then(|annotations| annotations.get(compare::LAST_APPLIED)?.as_str());
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Object(Map::new()))
}

/// Check mode: an earlier task would have made it; a definition that is the same changes nothing.
fn planned(wish: &Wish<'_>, subject: &Subject, digest: &str, api: &Api, cx: &mut Context<'_>) -> Done {
    let changed = predicted::digest(&subject.definition) != digest;
    if changed {
        note(wish, subject, api, cx);
    }
    Done::new(changed, if wish.apply { "apply" } else { "update" }, subject.definition.clone())
}

/// Check mode: what it needs would only have been made, so the server cannot be asked; it would be made after it.
fn ahead(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) -> Done {
    if wish.state == "patched" {
        return Done::new(false, "update", json!({}));
    }
    note(wish, subject, api, cx);
    Done::new(true, if wish.apply { "apply" } else { "create" }, subject.definition.clone())
}

fn note(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) {
    cx.add_diff_lazily(|| compare::shown(&subject.title(), None, Some(&subject.definition), &wish.hidden));
    // without programs there is nothing that could fail
    let _ = cx.perform(predicted::change(api, &subject.resource, &subject.definition, true), &[]);
}

/// Check mode: the server refuses. Where earlier tasks would have changed something it may not refuse by then.
fn judged(trouble: Trouble, wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    let made = subject.namespace.as_deref().is_some_and(|namespace| matches!(predicted::namespace(cx, api, namespace), Some(Fate::There(_))));
    if trouble.status() == 404 && made {
        return Ok(ahead(wish, subject, api, cx));
    }
    let what = format!("Failed to {} {}", method(wish, None), subject.title());
    if predicted::anything(cx) && trouble.status() != 0 {
        return Err(Failure::unknown(format!("the API server refuses {} as things are now: {}", subject.title(), trouble.text())));
    }
    Err(trouble.failure(&what, true))
}

fn remove(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    if subject.name.is_none() {
        return remove_all(wish, subject, api, cx);
    }
    match now(subject, api, cx)? {
        Now::Nothing | Now::Ahead => Ok(Done::new(false, "delete", json!({}))),
        Now::Planned(_) => {
            cx.perform(predicted::change(api, &subject.resource, &subject.definition, false), &[])?;
            Ok(Done::new(true, "delete", json!({})))
        }
        Now::There(live) if !selected(&live, wish, subject, api, cx)? => Ok(Done::new(false, "delete", json!({}))),
        Now::There(live) => remove_one(wish, subject, &live, api, cx),
    }
}

/// With selectors, only what they select is removed.
fn selected(live: &Value, wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &Context<'_>) -> Result<bool, Failure> {
    if wish.selector.is_none() {
        return Ok(true);
    }
    Ok(list(wish, subject, api, cx)?.iter().any(|item| item.pointer("/metadata/name") == live.pointer("/metadata/name")))
}

fn list(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let path = subject.resource.path(subject.namespace.as_deref());
    let path = match &wish.selector {
        Some(selector) => with_query(&path, [("labelSelector", selector.as_str())].iter()),
        None => path,
    };
    let found = api.find(&path).map_err(|trouble| trouble.failure("Failed to retrieve requested object", cx.check()))?;
    let items = found.and_then(|list| list.get("items").and_then(Value::as_array).cloned()).unwrap_or_default();
    Ok(items)
}

fn remove_all(wish: &Wish<'_>, subject: &Subject, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    if wish.selector.is_none() && !wish.delete_all {
        return Err(format!("to remove objects of kind {} give name, label_selectors or delete_all", subject.resource.kind).into());
    }
    let mut done = Done::new(false, "delete", json!([]));
    let mut results = vec![];
    for mut item in list(wish, subject, api, cx)? {
        item["kind"] = json!(subject.resource.kind);
        item["apiVersion"] = json!(subject.resource.api_version);
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        let one = Subject { resource: subject.resource.clone(), definition: item.clone(), name, namespace, future: false };
        let removed = remove_one(wish, &one, &item, api, cx)?;
        done.changed |= removed.changed;
        done.duration = removed.duration.or(done.duration);
        results.push(removed.object);
    }
    done.object = Value::Array(results);
    Ok(done)
}

fn remove_one(wish: &Wish<'_>, subject: &Subject, live: &Value, api: &Api, cx: &mut Context<'_>) -> Result<Done, Failure> {
    let options = delete_options(wish.delete_options.as_ref());
    let answer = match api.write(&subject.path(), &[], &Write::Delete(&options)) {
        Err(trouble) if trouble.status() == 404 => return Ok(Done::new(false, "delete", json!({}))),
        answer => answer.map_err(|trouble| trouble.failure(&format!("Failed to delete {}", subject.title()), cx.check()))?,
    };
    cx.add_diff_lazily(|| compare::shown(&subject.title(), Some(live), None, &wish.hidden));
    cx.perform(predicted::change(api, &subject.resource, &subject.definition, false), &[])?;
    let mut done = Done::new(true, "delete", answer);
    if let Some(waiting) = wish.waiting.as_ref().filter(|_| !cx.check()) {
        done.duration = Some(wait::until_gone(api, &subject.resource, live, waiting)?);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apply_remembers_what_it_applied() {
        let first = json!({"metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}});
        let live = annotated(&first);
        assert_eq!(last_applied(&live), first);
        let patch = compare::merge_patch(&last_applied(&live), &annotated(&json!({"metadata": {"name": "a"}, "data": {"x": "1"}})));
        assert_eq!(patch["data"], json!({"x": "1", "y": null}));
        assert_eq!(last_applied(&json!({"metadata": {}})), json!({}));
    }
}
