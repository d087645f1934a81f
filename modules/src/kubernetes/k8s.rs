//! `k8s`: objects of a Kubernetes cluster are made, altered and removed.

use serde_json::{Map, Value, json};

use super::api::{Api, Patch};
use super::compare;
use super::connection::{CONNECTION, joined};
use super::definitions;
use super::object::{self, Done, Wish};
use super::wait::{WAIT, Waiting};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct K8s;

const OWN: &[Arg] = &[
    Arg::str("state", "Whether the objects shall be there; `patched` alters what is there and makes nothing.")
        .choices(&["absent", "present", "patched"])
        .default(Preset::Str("present")),
    Arg::raw("resource_definition", "The objects: a mapping, a list, or YAML text with any number of documents.").alias(&["definition", "inline"]),
    Arg::path("src", "File on the host with the objects in YAML."),
    Arg::raw("template", "Template of the controller with the objects in YAML: a path, a mapping with `path` and options, or a list; rendered by the action."),
    Arg::str("kind", "Kind of the object, where the definition does not say."),
    Arg::str("api_version", "Version of its API.").alias(&["api", "version"]).default(Preset::Str("v1")),
    Arg::str("name", "Name of the object."),
    Arg::str("namespace", "Namespace of the objects."),
    Arg::str("generate_name", "Beginning of a name that the server completes."),
    Arg::flag("apply", false, "Keep in mind what was applied, so that what is left out later is removed."),
    Arg::dict("server_side_apply", "With `apply`: the server does it and knows who owns each field.")
        .options(&[Arg::str("field_manager", "Who owns the fields.").required(), Arg::flag("force_conflicts", false, "Take fields from other owners.")]),
    Arg::flag("force", false, "Replace what is there as a whole."),
    Arg::list("merge_type", Kind::Str, "How an object is patched; tried in order.").choices(&["json", "merge", "strategic-merge"]),
    Arg::dict("validate", "What is done about fields that the server does not know.").options(&[
        Arg::flag("fail_on_error", false, "They are an error and not a warning."),
        Arg::str("version", "Version to validate against; refused, the server validates."),
        Arg::flag("strict", true, "Whether they are looked for at all."),
    ]),
    Arg::flag("append_hash", false, "Append a hash to names of ConfigMaps and Secrets; refused."),
    Arg::dict("delete_options", "How objects are removed.").options(&[
        Arg::str("propagationPolicy", "What becomes of its dependents.").choices(&["Foreground", "Background", "Orphan"]),
        Arg::int("gracePeriodSeconds", "Seconds that it gets to end."),
        Arg::dict("preconditions", "What it must be to be removed.")
            .options(&[Arg::str("resourceVersion", "Its version."), Arg::str("uid", "Its unique name.")]),
    ]),
    Arg::list("label_selectors", Kind::Str, "With `state: absent`: remove what these select."),
    Arg::flag("delete_all", false, "With `state: absent` and no name: remove all objects of the kind in the namespace."),
    Arg::flag("continue_on_error", false, "Go on with the next object when one fails."),
    Arg::list("hidden_fields", Kind::Str, "Fields that are left out of result and diff."),
];
const SHARED: [Arg; CONNECTION.len() + WAIT.len()] = joined(CONNECTION, WAIT);
const ARGS: [Arg; OWN.len() + SHARED.len()] = joined(OWN, &SHARED);

impl Module for K8s {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[
            &["resource_definition", "src"],
            &["merge_type", "apply"],
            &["template", "resource_definition"],
            &["template", "src"],
            &["name", "generate_name"],
            &["delete_all", "name"],
            &["delete_all", "label_selectors"],
        ],
        ..Spec::new("k8s", "Makes, alters and removes objects of a Kubernetes cluster.", &ARGS)
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let wish = wish(args)?;
        let definitions = definitions::read(args, cx)?;
        let api = Api::new(args, cx)?;
        let outcome = all(args, &wish, definitions, &api, cx);
        for warning in api.take_warnings() {
            cx.warn(warning);
        }
        outcome
    }
}

fn wish(args: &Args) -> Result<Wish<'_>, Failure> {
    if args.flag("append_hash") {
        return Err("append_hash is not supported; put a digest of the content into the name".into());
    }
    if args.has("template") {
        return Err("template is rendered by the controller; this call did not come from its action".into());
    }
    let state = args.text("state");
    let selectors = args.texts("label_selectors");
    if !selectors.is_empty() && state != "absent" {
        return Err("label_selectors is supported with state: absent only".into());
    }
    let server_side = args.dict("server_side_apply").map(|map| {
        let manager = map.get("field_manager").and_then(Value::as_str).unwrap_or("rplay").to_owned();
        (manager, map.get("force_conflicts") == Some(&json!(true)))
    });
    Ok(Wish {
        state,
        apply: args.flag("apply") && state != "absent",
        server_side,
        force: args.flag("force"),
        merge_types: merge_types(args)?,
        validation: validation(args)?,
        selector: (!selectors.is_empty()).then(|| selectors.join(",")),
        delete_all: args.flag("delete_all"),
        delete_options: args.get("delete_options").cloned(),
        waiting: args.flag("wait").then(|| Waiting::of(args)),
        hidden: args.texts("hidden_fields"),
    })
}

fn merge_types(args: &Args) -> Result<Vec<Patch>, Failure> {
    let one = |name: &String| match name.as_str() {
        "strategic-merge" => Ok(Patch::Strategic),
        "merge" => Ok(Patch::Merge),
        other => Err(Failure::new(format!("merge_type {other} is not supported; use merge or strategic-merge"))),
    };
    args.texts("merge_type").iter().map(one).collect()
}

fn validation(args: &Args) -> Result<&'static str, Failure> {
    let Some(validate) = args.dict("validate") else { return Ok("Warn") };
    let set = |key: &str, value: bool| validate.get(key) == Some(&json!(value));
    if validate.get("version").is_some_and(|version| !version.is_null()) {
        return Err("validate.version is not supported: the API server validates, by its own version".into());
    }
    Ok(match (set("strict", false), set("fail_on_error", true)) {
        (true, _) => "Ignore",
        (_, true) => "Strict",
        _ => "Warn",
    })
}

fn all(args: &Args, wish: &Wish<'_>, definitions: Vec<Value>, api: &Api, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let (mut results, mut unknown, mut changed): (Vec<Map<String, Value>>, Option<String>, bool) = (vec![], None, false);
    for definition in definitions {
        match object::settle(args, wish, definition, api, cx) {
            Ok(done) => {
                changed |= done.changed;
                results.push(result(done, wish, cx));
            }
            Err(Failure { unknown: Some(reason), .. }) => {
                results.push(Map::from_iter([("changed".into(), json!(false)), ("result".into(), json!({}))]));
                unknown.get_or_insert(reason);
                if api.is_silent() {
                    break;
                }
            }
            Err(failure) if args.flag("continue_on_error") && cx.control().ended().is_none() => {
                let mut error = failure.fields;
                error.insert("msg".into(), json!(failure.msg));
                let entry = [("changed".into(), json!(false)), ("result".into(), json!({})), ("error".into(), Value::Object(error))];
                results.push(Map::from_iter(entry));
            }
            Err(failure) => return Err(if changed { failure.with("changed", true) } else { failure }),
        }
    }
    let outcome = match <[_; 1]>::try_from(results) {
        Ok([one]) => Outcome::new(changed).merge(one),
        Err(several) => Outcome::new(changed).with("result", json!({"results": several})),
    };
    Ok(match unknown {
        Some(reason) => outcome.unknown(&reason),
        None => outcome,
    })
}

fn result(done: Done, wish: &Wish<'_>, cx: &mut Context<'_>) -> Map<String, Value> {
    let mut object = done.object;
    wish.hidden.iter().for_each(|field| compare::hide(&mut object, field));
    let mut map = Map::from_iter([("changed".to_owned(), json!(done.changed)), ("method".into(), json!(done.method)), ("result".into(), object)]);
    if let Some(seconds) = done.duration {
        map.insert("duration".into(), json!(seconds));
    }
    if let Some(warning) = done.warning {
        cx.warn(warning);
    }
    map
}
