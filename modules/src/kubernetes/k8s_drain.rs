//! `k8s_drain`: a node takes no more pods, gives up those it has, or takes pods again. What is to go is told by `drain_pods.rs`.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::api::{Api, Trouble, Write, delete_options, escaped, with_query};
use super::connection::{CONNECTION, joined};
use super::drain_pods::{self, Pod, Tolerance};
use super::node;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct K8sDrain;

const OWN: &[Arg] = &[
    Arg::str("state", "What the node shall do.").choices(&["cordon", "drain", "uncordon"]).default(Preset::Str("drain")),
    Arg::str("name", "Name of the node.").required(),
    Arg::list("pod_selectors", Kind::Str, "Only pods that these select go.").alias(&["label_selectors"]),
    Arg::dict("delete_options", "How pods go.").default(Preset::Dict).options(&[
        Arg::int("terminate_grace_period", "Seconds that they get to end, instead of their own."),
        Arg::flag("force", false, "Pods that nothing would start anew go, too."),
        Arg::flag("ignore_daemonsets", false, "Pods of DaemonSets stay."),
        Arg::flag("delete_emptydir_data", false, "Pods with data of their own in emptyDir volumes go, too."),
        Arg::flag("disable_eviction", false, "Delete without asking disruption budgets."),
        Arg::int("wait_timeout", "Seconds until all must be gone, 0 for any time; without it nobody waits."),
        Arg::int("wait_sleep", "Seconds between two looks.").default(Preset::Int(5)),
    ]),
];
const ARGS: [Arg; OWN.len() + CONNECTION.len()] = joined(OWN, CONNECTION);

/// How long a disruption budget is asked again where no `wait_timeout` says.
const PATIENCE: Duration = Duration::from_secs(120);

impl Module for K8sDrain {
    const SPEC: Spec = Spec::new("k8s_drain", "Drains, cordons and uncordons nodes.", &ARGS);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let api = Api::new(args, cx)?;
        let node = node::find(args.text("name"), &api, cx)?;
        let said = match args.text("state") {
            "cordon" => mark(node, true, &api, cx)?,
            "uncordon" => mark(node, false, &api, cx)?,
            _ => drain(args, node, &api, cx)?,
        };
        Ok(cx.outcome().with("result", said))
    }
}

/// Makes a node take pods or none; what was done in a sentence.
fn mark(mut node: Value, unschedulable: bool, api: &Api, cx: &mut Context<'_>) -> Result<String, Failure> {
    let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let word = if unschedulable { "unschedulable" } else { "schedulable" };
    for _ in 0..6 {
        if node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false) == unschedulable {
            return Ok(format!("node {name} already marked {word}."));
        }
        match node::patch(&node, json!({"unschedulable": if unschedulable { json!(true) } else { Value::Null }}), api) {
            Err(trouble) if trouble.status() == 409 => node = node::find(&name, api, cx)?,
            Err(trouble) => return Err(trouble.failure("Failed to patch node", cx.check())),
            Ok(after) => {
                node::record(&node, &after, api, cx)?;
                return Ok(format!("node {name} marked {word}."));
            }
        }
    }
    Err(format!("node {name} is altered by others all the time").into())
}

/// What `delete_options` says.
struct Manner {
    grace: Option<i64>,
    evict: bool,
    /// `None`: nobody waits; zero: any time.
    timeout: Option<Duration>,
    sleep: Duration,
    tolerance: Tolerance,
}

impl Manner {
    fn of(options: &Map<String, Value>) -> Manner {
        let flag = |key: &str| options.get(key) == Some(&json!(true));
        let int = |key: &str| options.get(key).and_then(Value::as_i64);
        Manner {
            grace: int("terminate_grace_period"),
            evict: !flag("disable_eviction"),
            timeout: int("wait_timeout").map(|seconds| Duration::from_secs(seconds.max(0) as u64)),
            sleep: Duration::from_secs(int("wait_sleep").unwrap_or(5).max(0) as u64).max(Duration::from_millis(100)),
            tolerance: Tolerance { unmanaged: flag("force"), daemons: flag("ignore_daemonsets"), data: flag("delete_emptydir_data") },
        }
    }
}

fn drain(args: &Args, node: Value, api: &Api, cx: &mut Context<'_>) -> Result<String, Failure> {
    let empty = Map::new();
    let manner = Manner::of(args.dict("delete_options").unwrap_or(&empty));
    let name = args.text("name").to_owned();
    // what cannot go is said before anything is changed
    let pods = pods(args, &name, api, cx)?;
    let chosen = drain_pods::choose(&pods, &manner.tolerance).map_err(|why| Failure::new(format!("Pod deletion errors: {why}")))?;
    let mut said = mark(node, true, api, cx)?;
    let started = Instant::now();
    for pod in chosen.pods.iter().filter(|pod| !pod.leaving) {
        give_up(pod, &manner, started, api, cx)?;
    }
    if !cx.check() && manner.timeout.is_some() {
        wait_gone(&chosen.pods, &manner, &name, started, api)?;
    }
    if !chosen.pods.is_empty() {
        said += &format!(" {} Pod(s) deleted from node.", chosen.pods.len());
    }
    for warning in chosen.warnings {
        cx.warn(warning);
    }
    Ok(said)
}

fn pods(args: &Args, node: &str, api: &Api, cx: &Context<'_>) -> Result<Vec<Value>, Failure> {
    let (field, labels) = (format!("spec.nodeName={node}"), args.texts("pod_selectors").join(","));
    let mut query = vec![("fieldSelector", field.as_str())];
    if !labels.is_empty() {
        query.push(("labelSelector", &labels));
    }
    let list = api.get(&with_query("/api/v1/pods", query.iter()));
    let list = list.map_err(|trouble| trouble.failure(&format!("Failed to list pod from node {node}"), cx.check()))?;
    Ok(list.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// Evicts or deletes one pod; a disruption budget that forbids it is asked again.
fn give_up(pod: &Pod, manner: &Manner, started: Instant, api: &Api, cx: &mut Context<'_>) -> Result<(), Failure> {
    let path = path(pod);
    let mut options = manner.grace.map(|seconds| json!({"gracePeriodSeconds": seconds}));
    if cx.check() {
        options.get_or_insert_with(|| json!({}))["dryRun"] = json!(["All"]);
    }
    let limit = match manner.timeout {
        Some(Duration::ZERO) => Duration::MAX,
        Some(timeout) => timeout,
        None => PATIENCE,
    };
    loop {
        let answer = if manner.evict {
            let metadata = json!({"name": pod.name, "namespace": pod.namespace});
            let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, "deleteOptions": options});
            api.try_create(&format!("{path}/eviction"), &body)
        } else {
            api.write(&path, &[], &Write::Delete(&delete_options(options.as_ref())))
        };
        match answer {
            Ok(_) => break,
            Err(trouble) if trouble.status() == 404 => return Ok(()),
            // by then the budget may allow it
            Err(trouble) if trouble.status() == 429 && cx.check() => break,
            Err(trouble) if trouble.status() == 429 && started.elapsed() < limit => api.control().sleep(manner.sleep)?,
            Err(trouble) => {
                let failure = trouble.failure(&format!("Failed to delete pod {}/{}", pod.namespace, pod.name), cx.check());
                return Err(failure.with("changed", cx.changed()));
            }
        }
    }
    let object = json!({"metadata": {"name": pod.name, "namespace": pod.namespace}});
    let resource = super::discovery::Resource::future("v1", "Pod", "pods", true);
    cx.perform(super::predicted::change(api, &resource, &object, false), &[]).map(drop)
}

fn path(pod: &Pod) -> String {
    format!("/api/v1/namespaces/{}/pods/{}", escaped(&pod.namespace), escaped(&pod.name))
}

/// Waits until no pod is left: gone, or another of the same name somewhere else.
fn wait_gone(pods: &[Pod], manner: &Manner, node: &str, started: Instant, api: &Api) -> Result<(), Failure> {
    let mut left: Vec<&Pod> = pods.iter().collect();
    loop {
        let mut still = vec![];
        for pod in left {
            match api.find(&path(pod)) {
                Ok(None) => {}
                Ok(Some(now)) if now.pointer("/metadata/uid").and_then(Value::as_str) != Some(&pod.uid) => {}
                Ok(Some(now)) if now.pointer("/spec/nodeName").and_then(Value::as_str) != Some(node) => {}
                Ok(Some(_)) | Err(Trouble::NoAnswer(_)) => still.push(pod),
                Err(trouble) => return Err(trouble.failure("Failed to look at a pod", false)),
            }
        }
        if still.is_empty() {
            return Ok(());
        }
        let timeout = manner.timeout.unwrap_or_default();
        if !timeout.is_zero() && started.elapsed() >= timeout {
            let names: Vec<String> = still.iter().map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect();
            return Err(Failure::new(format!("timeout reached while pods were still running: {}", names.join(", "))).with("changed", true));
        }
        left = still;
        api.control().sleep(manner.sleep)?;
    }
}
