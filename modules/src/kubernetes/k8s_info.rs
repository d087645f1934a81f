//! `k8s_info`: what is in a Kubernetes cluster.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{Api, with_query};
use super::compare;
use super::connection::{CONNECTION, joined};
use super::discovery::{self, Resource};
use super::predicted;
use super::wait::{self, WAIT, Waiting};
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct K8sInfo;

const OWN: &[Arg] = &[
    Arg::str("kind", "Kind of the objects.").required(),
    Arg::str("api_version", "Version of its API.").alias(&["api", "version"]).default(Preset::Str("v1")),
    Arg::str("name", "Name of one object."),
    Arg::str("namespace", "Namespace of the objects; all without it."),
    Arg::list("label_selectors", Kind::Str, "Only what these select.").default(Preset::List(&[])),
    Arg::list("field_selectors", Kind::Str, "Only what these select.").default(Preset::List(&[])),
    Arg::list("hidden_fields", Kind::Str, "Fields that are left out."),
];
const SHARED: [Arg; CONNECTION.len() + WAIT.len()] = joined(CONNECTION, WAIT);
const ARGS: [Arg; OWN.len() + SHARED.len()] = joined(OWN, &SHARED);

impl Module for K8sInfo {
    const SPEC: Spec = Spec::new("k8s_info", "Reads objects of a Kubernetes cluster.", &ARGS);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let api = Api::new(args, cx)?;
        let given = |name: &str| args.str(name).filter(|text| !text.is_empty());
        if let Some(why) = predicted::unsettled(cx, &api, args.text("kind"), given("namespace"), given("name")).filter(|_| cx.check()) {
            return Err(Failure::unknown(why));
        }
        let (version, kind) = (args.text("api_version"), args.text("kind"));
        let found = discovery::find(&api, version, kind).map_err(|trouble| trouble.failure(&format!("Failed to look for {version} {kind}"), cx.check()))?;
        let Some(resource) = found else {
            let msg = format!("Failed to find API for resource with apiVersion \"{version}\" and kind \"{kind}\"");
            return Ok(Outcome::new(false).with("resources", json!([])).with("api_found", false).msg(msg));
        };
        let mut resources = read(args, &resource, &api, cx)?;
        for resource in &mut resources {
            args.texts("hidden_fields").iter().for_each(|field| compare::hide(resource, field));
        }
        Ok(Outcome::new(false).with("resources", resources).with("api_found", true))
    }
}

/// The objects; with `wait` once there are any and all are ready.
fn read(args: &Args, resource: &Resource, api: &Api, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let path = path(args, resource)?;
    let patient = args.flag("wait") && !cx.check();
    let (waiting, started) = (Waiting::of(args), Instant::now());
    let mut found;
    loop {
        found = once(&path, resource, api, cx)?;
        let timeout = Duration::from_secs(args.int("wait_timeout").unwrap_or(0).max(0) as u64);
        if !found.is_empty() || !patient || started.elapsed() >= timeout {
            break;
        }
        let sleep = Duration::from_secs(args.int("wait_sleep").unwrap_or(0).max(0) as u64).max(Duration::from_millis(100));
        cx.control().sleep(sleep.min(timeout.saturating_sub(started.elapsed())))?;
    }
    if !patient {
        return Ok(found);
    }
    found.iter().map(|object| wait::until_ready(api, resource, object, &waiting).map(|(object, _)| object)).collect()
}

fn path(args: &Args, resource: &Resource) -> Result<String, Failure> {
    let namespace = args.str("namespace").filter(|text| !text.is_empty());
    let query = [("labelSelector", args.texts("label_selectors").join(",")), ("fieldSelector", args.texts("field_selectors").join(","))];
    let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).filter(|(_, value)| !value.is_empty()).collect();
    match args.str("name").filter(|text| !text.is_empty()) {
        Some(_) if resource.namespaced && namespace.is_none() => Err(format!("name needs a namespace with kind {}", resource.kind).into()),
        Some(name) => Ok(resource.object_path(namespace, name)),
        None => Ok(with_query(&resource.path(namespace), query.iter())),
    }
}

fn once(path: &str, resource: &Resource, api: &Api, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let answer = api.find(path).map_err(|trouble| trouble.failure(&format!("Failed to read objects of kind {}", resource.kind), cx.check()))?;
    let Some(answer) = answer else { return Ok(vec![]) };
    let Some(items) = answer.get("items").and_then(Value::as_array) else { return Ok(vec![answer]) };
    // items of a list do not say what they are
    let complete = |item: &Value| {
        let mut item = item.clone();
        item["kind"] = json!(resource.kind);
        item["apiVersion"] = json!(resource.api_version);
        item
    };
    Ok(items.iter().map(complete).collect())
}
