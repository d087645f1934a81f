//! Waiting until objects are ready, and saying why they are not.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::api::{Api, Trouble, with_query};
use super::discovery::{self, Resource};
use crate::args::Args;
use crate::coerce;
use crate::outcome::Failure;
use crate::spec::{Arg, Preset};

/// The arguments.
pub(super) const WAIT: &[Arg] = &[
    Arg::flag("wait", false, "Wait until the object is ready, or gone."),
    Arg::int("wait_sleep", "Seconds between two looks.").default(Preset::Int(5)),
    Arg::int("wait_timeout", "Seconds to wait at most.").default(Preset::Int(120)),
    Arg::dict("wait_condition", "Condition of the object to wait for, instead of what its kind calls ready.").options(&[
        Arg::str("type", "Type of the condition."),
        Arg::str("status", "Its status: True, False or Unknown.").default(Preset::Str("True")),
        Arg::str("reason", "Its reason."),
    ]),
];

/// How long to wait, and for what.
pub(super) struct Waiting {
    sleep: Duration,
    timeout: Duration,
    condition: Option<Condition>,
}

struct Condition {
    kind: String,
    status: String,
    reason: Option<String>,
}

impl Waiting {
    /// What the arguments ask for, whether or not `wait` is set.
    pub(super) fn of(args: &Args) -> Waiting {
        let seconds = |name: &str| Duration::from_secs(args.int(name).unwrap_or(0).max(0) as u64);
        let condition = args.dict("wait_condition").and_then(|map| {
            let text = |key: &str| map.get(key).filter(|value| !value.is_null()).map(coerce::text);
            Some(Condition { kind: text("type")?, status: text("status").unwrap_or_else(|| "True".into()), reason: text("reason") })
        });
        Waiting { sleep: seconds("wait_sleep").max(Duration::from_millis(100)), timeout: seconds("wait_timeout"), condition }
    }
}

impl Waiting {
    /// A wait that no argument asks for.
    pub(super) fn seconds(seconds: u64) -> Waiting {
        Waiting { sleep: Duration::from_secs(1), timeout: Duration::from_secs(seconds), condition: None }
    }
}

/// Looks at an object until it is ready: the object and the seconds it took.
///
/// # Errors
/// The time is over: what is not ready, and why as far as pods say.
pub(super) fn until_ready(api: &Api, resource: &Resource, object: &Value, waiting: &Waiting) -> Result<(Value, u64), Failure> {
    let (path, name, namespace) = place(resource, object);
    let started = Instant::now();
    let (mut last, mut silence);
    last = object.clone();
    loop {
        match api.find(&path) {
            Ok(Some(found)) if ready(&found, resource, waiting) => return Ok((found, started.elapsed().as_secs())),
            Ok(found) => (last, silence) = (found.unwrap_or(Value::Null), None),
            // a server that starts anew is waited for, too
            Err(trouble @ (Trouble::NoAnswer(_) | Trouble::Refused(_))) => silence = Some(trouble.text().to_owned()),
            Err(ended) => return Err(ended.failure("wait", false)),
        }
        if started.elapsed() >= waiting.timeout {
            break;
        }
        nap(api, waiting, started)?;
    }
    let why = silence.unwrap_or_else(|| explain(api, resource, &last, namespace.as_deref(), waiting));
    let msg = format!("\"{}\" \"{name}\": Timed out waiting on resource after {} seconds: {why}", resource.kind, started.elapsed().as_secs());
    Err(Failure::new(msg).with("result", last).with("duration", started.elapsed().as_secs()))
}

/// Looks until an object is gone: the seconds it took.
///
/// # Errors
/// The time is over.
pub(super) fn until_gone(api: &Api, resource: &Resource, object: &Value, waiting: &Waiting) -> Result<u64, Failure> {
    let (path, name, _) = place(resource, object);
    let uid = object.pointer("/metadata/uid").cloned();
    let started = Instant::now();
    let mut why;
    loop {
        match api.find(&path) {
            Ok(None) => return Ok(started.elapsed().as_secs()),
            Ok(Some(other)) if uid.is_some() && other.pointer("/metadata/uid").cloned() != uid => return Ok(started.elapsed().as_secs()),
            Ok(Some(still)) => why = remains(&still),
            Err(trouble @ (Trouble::NoAnswer(_) | Trouble::Refused(_))) => why = trouble.text().to_owned(),
            Err(ended) => return Err(ended.failure("wait", false)),
        }
        if started.elapsed() >= waiting.timeout {
            break;
        }
        nap(api, waiting, started)?;
    }
    Err(Failure::new(format!("\"{}\" \"{name}\": Timed out waiting on resource after {} seconds: {why}", resource.kind, started.elapsed().as_secs())))
}

/// Until the API has the kinds of a CustomResourceDefinition.
///
/// # Errors
/// It does not within the time.
pub(super) fn until_served(api: &Api, resource: &Resource, object: &Value, waiting: &Waiting) -> Result<(), Failure> {
    let timeout = waiting.timeout.max(Duration::from_secs(30));
    let established = Condition { kind: "Established".into(), status: "True".into(), reason: None };
    let short = Waiting { sleep: Duration::from_millis(200), timeout, condition: Some(established) };
    let (crd, _) = until_ready(api, resource, object, &short)?;
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let started = Instant::now();
    for version in versions.filter(|version| version.get("served") == Some(&Value::Bool(true))) {
        let api_version = format!("{}/{}", text("/spec/group"), version.get("name").and_then(Value::as_str).unwrap_or_default());
        loop {
            api.discovery.forget(&api_version);
            if discovery::find(api, &api_version, text("/spec/names/kind")).map_err(|trouble| trouble.failure("discovery", false))?.is_some() {
                break;
            }
            if started.elapsed() >= timeout {
                return Err(format!("the API server does not serve {} of {api_version}", text("/spec/names/kind")).into());
            }
            nap(api, &short, started)?;
        }
    }
    Ok(())
}

fn nap(api: &Api, waiting: &Waiting, started: Instant) -> Result<(), Failure> {
    let left = waiting.timeout.saturating_sub(started.elapsed());
    api.control().sleep(waiting.sleep.min(left))
}

fn place(resource: &Resource, object: &Value) -> (String, String, Option<String>) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (name, namespace) = (text("/metadata/name").unwrap_or_default(), text("/metadata/namespace"));
    (resource.object_path(namespace.as_deref(), &name), name, namespace)
}

/// Whether an object is what its kind calls ready, or fulfils the condition.
pub(super) fn ready(object: &Value, resource: &Resource, waiting: &Waiting) -> bool {
    if let Some(condition) = &waiting.condition {
        return fulfils(object, condition);
    }
    let status = |key: &str| object.pointer(&format!("/status/{key}")).and_then(Value::as_i64);
    let current = || status("observedGeneration") == object.pointer("/metadata/generation").and_then(Value::as_i64);
    let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    match resource.kind.as_str() {
        "Deployment" => {
            let count = |key| status(key).unwrap_or(0);
            let all = ["replicas", "availableReplicas", "updatedReplicas"].iter().all(|key| count(key) == replicas);
            current() && all && count("unavailableReplicas") == 0
        }
        "DaemonSet" => {
            let wanted = status("desiredNumberScheduled");
            let updated = status("updatedNumberScheduled").unwrap_or(0);
            current() && wanted == Some(updated) && status("numberReady") == wanted && status("numberUnavailable").unwrap_or(0) == 0
        }
        "StatefulSet" => {
            let rolling = object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("RollingUpdate");
            let revision = |key: &str| object.pointer(&format!("/status/{key}")).cloned();
            let count = |key| status(key).unwrap_or(0) == replicas;
            let updated = replicas == 0 || count("updatedReplicas");
            rolling && current() && revision("updateRevision") == revision("currentRevision") && updated && count("readyReplicas") && count("replicas")
        }
        "Pod" => {
            let containers = object.pointer("/status/containerStatuses").and_then(Value::as_array);
            containers.is_some_and(|all| all.iter().all(|one| one.get("ready") == Some(&Value::Bool(true))))
        }
        _ => true,
    }
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn fulfils(object: &Value, wanted: &Condition) -> bool {
    let Some(found) = conditions(object).find(|condition| text(condition, "type") == wanted.kind) else { return false };
    let status = match wanted.status.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => "True",
        "unknown" => "Unknown",
        _ => "False",
    };
    text(found, "status") == status && wanted.reason.as_deref().is_none_or(|reason| text(found, "reason") == reason)
}

/// What keeps a deleted object.
fn remains(object: &Value) -> String {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<String> = finalizers.filter_map(Value::as_str).map(str::to_owned).collect();
    let said = conditions(object).filter(|condition| text(condition, "status") == "True").map(|condition| text(condition, "message").to_owned());
    let said: Vec<String> = said.filter(|message| !message.is_empty()).collect();
    match (said.is_empty(), names.is_empty()) {
        (false, _) => format!("it is still there: {}", said.join("; ")),
        (true, false) => format!("it is still there, kept by {}", names.join(", ")),
        _ => "it is still there".into(),
    }
}

/// Why an object is not ready.
fn explain(api: &Api, resource: &Resource, object: &Value, namespace: Option<&str>, waiting: &Waiting) -> String {
    if object.is_null() {
        return "it is not there".into();
    }
    let mut said: Vec<String> = vec![];
    if let Some(wanted) = &waiting.condition {
        let found = conditions(object).find(|condition| text(condition, "type") == wanted.kind);
        said.push(match found {
            Some(found) => format!("condition {} is {} ({}: {})", wanted.kind, text(found, "status"), text(found, "reason"), text(found, "message")),
            None => format!("there is no condition {}", wanted.kind),
        });
    }
    let number = |key: &str| object.pointer(&format!("/status/{key}")).and_then(Value::as_i64).unwrap_or(0);
    match resource.kind.as_str() {
        "Pod" => said.extend(pod_problem(object)),
        "DaemonSet" => said.push(format!("{} of {} pods are ready", number("numberReady"), number("desiredNumberScheduled"))),
        "Deployment" | "StatefulSet" | "ReplicaSet" => {
            let wanted = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
            said.push(format!("{} of {wanted} pods are ready", number("readyReplicas")));
        }
        _ => {}
    }
    said.extend(conditions(object).filter(|condition| text(condition, "type") == "ReplicaFailure").map(|condition| text(condition, "message").to_owned()));
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    if let (Some(labels), Some(namespace)) = (labels, namespace) {
        let selector: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={}", coerce::text(value))).collect();
        said.extend(pod_problems(api, namespace, &selector.join(",")));
    }
    if said.is_empty() { "it is not ready".into() } else { said.join("; ") }
}

/// What the pods of a selector lack, three at most.
fn pod_problems(api: &Api, namespace: &str, selector: &str) -> Vec<String> {
    let pods = Resource::future("v1", "Pod", "pods", true).path(Some(namespace));
    let Ok(list) = api.get(&with_query(&pods, [("labelSelector", selector)].iter())) else { return vec![] };
    let pods = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let said = pods.iter().filter_map(|pod| pod_problem(pod).map(|why| format!("pod {}: {why}", text(pod.get("metadata").unwrap_or(&Value::Null), "name"))));
    said.take(3).collect()
}

/// What a pod lacks: images, crashed containers, a node.
fn pod_problem(pod: &Value) -> Option<String> {
    let list = |key: &str| pod.pointer(&format!("/status/{key}")).and_then(Value::as_array).cloned().unwrap_or_default();
    for container in list("initContainerStatuses").iter().chain(&list("containerStatuses")) {
        let name = text(container, "name");
        let ended = |pointer: &str| {
            let state = container.pointer(pointer)?;
            Some(format!("it ended with {} ({})", state.get("exitCode").unwrap_or(&Value::Null), text(state, "reason")))
        };
        if let Some(state) = container.pointer("/state/waiting").filter(|state| !["PodInitializing", ""].contains(&text(state, "reason"))) {
            let last = ended("/lastState/terminated").map(|last| format!(", {last}")).unwrap_or_default();
            return Some(format!("container {name}: {} {}{last}", text(state, "reason"), text(state, "message")).trim_end().to_owned());
        }
        if container.get("ready") == Some(&Value::Bool(false)) {
            if let Some(last) = ended("/state/terminated").filter(|_| container.pointer("/state/terminated/exitCode") != Some(&Value::from(0))) {
                return Some(format!("container {name}: {last}"));
            }
            if container.pointer("/state/running").is_some() {
                return Some(format!("container {name} runs and is not ready"));
            }
        }
    }
    let unscheduled = conditions(pod).find(|condition| text(condition, "type") == "PodScheduled" && text(condition, "status") == "False");
    if let Some(condition) = unscheduled {
        return Some(text(condition, "message").to_owned());
    }
    let phase = pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Pending");
    (phase != "Running" && phase != "Succeeded").then(|| format!("it is {phase}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waiting(condition: Value) -> Waiting {
        let args = json!({"wait_sleep": 1, "wait_timeout": 1, "wait_condition": condition});
        Waiting::of(&Args(args.as_object().cloned().unwrap_or_default()))
    }

    fn is_ready(kind: &str, object: Value, condition: Value) -> bool {
        ready(&object, &Resource::future("v1", kind, "x", true), &waiting(condition))
    }

    #[test]
    fn workloads_are_ready_when_all_of_the_newest_are() {
        let deployment = |updated: i64| {
            json!({"metadata": {"generation": 2}, "spec": {"replicas": 2},
            "status": {"observedGeneration": 2, "replicas": 2, "availableReplicas": 2, "updatedReplicas": updated}})
        };
        assert!(is_ready("Deployment", deployment(2), Value::Null));
        assert!(!is_ready("Deployment", deployment(1), Value::Null));
        let set = |ready: i64| json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": ready}});
        assert!(is_ready("DaemonSet", set(3), Value::Null) && !is_ready("DaemonSet", set(2), Value::Null));
        let none = json!({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}});
        assert!(is_ready("Deployment", none, Value::Null));
        assert!(!is_ready("Pod", json!({"status": {}}), Value::Null));
        assert!(is_ready("ConfigMap", json!({}), Value::Null));
    }

    #[test]
    fn conditions_have_status_and_reason() {
        let object = json!({"status": {"conditions": [{"type": "Complete", "status": "True", "reason": "Done"}]}});
        assert!(is_ready("Job", object.clone(), json!({"type": "Complete", "status": "True"})));
        assert!(!is_ready("Job", object.clone(), json!({"type": "Complete", "status": "False"})));
        assert!(!is_ready("Job", object.clone(), json!({"type": "Complete", "reason": "Other"})));
        assert!(!is_ready("Job", object, json!({"type": "Failed"})));
    }

    #[test]
    fn pods_say_what_they_lack() {
        let pull = json!({"status": {"phase": "Pending", "containerStatuses": [
            {"name": "c", "ready": false, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}});
        assert_eq!(pod_problem(&pull).unwrap(), "container c: ImagePullBackOff no such image");
        let crash = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "c", "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}});
        assert_eq!(pod_problem(&crash).unwrap(), "container c: CrashLoopBackOff , it ended with 3 (Error)");
        let nowhere = json!({"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}});
        assert_eq!(pod_problem(&nowhere).unwrap(), "0/1 nodes");
        assert_eq!(pod_problem(&json!({"status": {"phase": "Running", "containerStatuses": [{"name": "c", "ready": true, "state": {"running": {}}}]}})), None);
    }
}
