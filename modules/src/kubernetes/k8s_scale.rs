//! `k8s_scale`: how many pods a Deployment, ReplicaSet, StatefulSet, ReplicationController or Job has.

use serde_json::{Map, Value, json};

use super::api::{Api, Patch, Write};
use super::compare;
use super::connection::{CONNECTION, joined};
use super::definitions;
use super::discovery;
use super::predicted;
use super::wait::{self, Waiting};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct K8sScale;

const OWN: &[Arg] = &[
    Arg::int("replicas", "How many there shall be.").required(),
    Arg::int("current_replicas", "Only where there are so many now."),
    Arg::str("resource_version", "Only where the object has this version."),
    Arg::raw("resource_definition", "The object, for its kind and name.").alias(&["definition", "inline"]),
    Arg::path("src", "File on the host with the object in YAML."),
    Arg::str("kind", "Kind of the object."),
    Arg::str("api_version", "Version of its API.").alias(&["api", "version"]).default(Preset::Str("v1")),
    Arg::str("name", "Name of the object."),
    Arg::str("namespace", "Namespace of the object."),
    Arg::flag("wait", true, "Wait until it is so."),
    Arg::int("wait_timeout", "Seconds to wait at most.").default(Preset::Int(20)),
    Arg::int("wait_sleep", "Seconds between two looks.").default(Preset::Int(5)),
];
const ARGS: [Arg; OWN.len() + CONNECTION.len()] = joined(OWN, CONNECTION);

impl Module for K8sScale {
    const SPEC: Spec = Spec { mutually_exclusive: &[&["resource_definition", "src"]], ..Spec::new("k8s_scale", "Sets how many pods a workload has.", &ARGS) };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let definitions = definitions::read(args, cx)?;
        let api = Api::new(args, cx)?;
        let results = definitions.iter().map(|definition| scale(args, definition, &api, cx)).collect::<Result<Vec<_>, _>>()?;
        Ok(match <[_; 1]>::try_from(results) {
            Ok([one]) => cx.outcome().merge(one),
            Err(several) => cx.outcome().with("result", json!({"results": several})),
        })
    }
}

fn scale(args: &Args, definition: &Value, api: &Api, cx: &mut Context<'_>) -> Result<Map<String, Value>, Failure> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
    let (title, namespace) = (format!("{kind} {name}"), Some(text("/metadata/namespace")).filter(|text| !text.is_empty()));
    let failed = |trouble: super::api::Trouble| trouble.failure(&format!("Failed to scale {title}"), api.check());
    let resource = discovery::find(api, version, kind).map_err(failed)?;
    let path = resource.as_ref().map(|resource| resource.object_path(namespace, name));
    let found = match &path {
        Some(path) if !name.is_empty() => api.find(path).map_err(failed)?,
        _ => None,
    };
    let (Some(resource), Some(path), Some(before)) = (resource, path, found) else {
        let msg = format!("{title} is not there, it cannot be scaled");
        return Err(if cx.check() && predicted::anything(cx) { Failure::unknown(msg) } else { Failure::new(msg) });
    };
    let field = if resource.kind == "Job" { "parallelism" } else { "replicas" };
    let now = before.pointer(&format!("/spec/{field}")).and_then(Value::as_i64);
    let other = |name: &str, have: Option<String>| args.get(name).is_some_and(|wanted| Some(crate::coerce::text(wanted)) != have);
    let version_now = before.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned);
    if other("current_replicas", now.map(|now| now.to_string())) || other("resource_version", version_now) {
        cx.warn(format!("{title} is another than current_replicas or resource_version says; it is left alone"));
        return Ok(entry(false, before, None));
    }
    let wanted = args.int("replicas").unwrap_or(0).max(0);
    let mut after = before.clone();
    let changed = now != Some(wanted);
    if changed {
        let patch = json!({"spec": {field: wanted}});
        after = api.write(&path, &[], &Write::Patch(Patch::Merge, &patch)).map_err(failed)?;
        cx.add_diff_lazily(|| compare::shown(&title, Some(&before), Some(&after), &[]));
        cx.perform(predicted::change(api, &resource, &after, true), &[])?;
    }
    if !args.flag("wait") || cx.check() {
        return Ok(entry(changed, after, None));
    }
    let (after, seconds) = wait::until_ready(api, &resource, &after, &Waiting::of(args))?;
    Ok(entry(changed, after, Some(seconds)))
}

fn entry(changed: bool, object: Value, seconds: Option<u64>) -> Map<String, Value> {
    let mut map = Map::from_iter([("changed".to_owned(), json!(changed)), ("result".into(), object)]);
    map.extend(seconds.map(|seconds| ("duration".to_owned(), json!(seconds))));
    map
}
