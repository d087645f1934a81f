//! Which pods leave a node that is drained, and which forbid it.

use serde_json::Value;

/// A pod that leaves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pod {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// It is being deleted already.
    pub leaving: bool,
}

/// What may be lost.
pub(super) struct Tolerance {
    /// Pods that nothing starts anew.
    pub unmanaged: bool,
    /// Pods of DaemonSets stay.
    pub daemons: bool,
    /// Data in emptyDir volumes.
    pub data: bool,
}

/// The pods that leave, and what to say about the others.
#[derive(Debug)]
pub(super) struct Chosen {
    pub pods: Vec<Pod>,
    pub warnings: Vec<String>,
}

/// Chooses among the pods of a node.
///
/// # Errors
/// Pods that may not go: which, and the option that lets them.
pub(super) fn choose(pods: &[Value], tolerance: &Tolerance) -> Result<Chosen, String> {
    let mut chosen = Chosen { pods: vec![], warnings: vec![] };
    let (mut mirrors, mut daemons, mut local, mut alone): (Vec<String>, Vec<String>, Vec<String>, Vec<String>) = Default::default();
    for object in pods {
        let pod = pod(object);
        let label = format!("{}/{}", pod.namespace, pod.name);
        let finished = matches!(object.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
        let owners = owners(object);
        if object.pointer("/metadata/annotations").is_some_and(|map| map.get("kubernetes.io/config.mirror").is_some()) {
            mirrors.push(label);
            continue;
        }
        if !finished && owners.contains(&"DaemonSet") {
            daemons.push(label);
            continue;
        }
        if !finished && !pod.leaving {
            if has_data(object) {
                local.push(label.clone());
            }
            if owners.is_empty() {
                alone.push(label);
            }
        }
        chosen.pods.push(pod);
    }
    let mut errors = vec![];
    let mut say = |names: &[String], allowed: bool, no: &str, yes: &str| {
        if !names.is_empty() {
            let list = if allowed { &mut chosen.warnings } else { &mut errors };
            list.push(format!("{}: {}.", if allowed { yes } else { no }, names.join(",")));
        }
    };
    let kinds = "ReplicationController, ReplicaSet, Job, DaemonSet or StatefulSet";
    say(
        &alone,
        tolerance.unmanaged,
        &format!("cannot delete Pods not managed by {kinds} (use option force set to yes)"),
        &format!("Deleting Pods not managed by {kinds}"),
    );
    say(&mirrors, true, "", "cannot delete mirror Pods using API server");
    say(&local, tolerance.data, "cannot delete Pods with local storage (use option delete_emptydir_data set to yes)", "Deleting Pods with local storage");
    say(&daemons, tolerance.daemons, "cannot delete DaemonSet-managed Pods (use option ignore_daemonsets set to yes)", "Ignoring DaemonSet-managed Pods");
    if errors.is_empty() { Ok(chosen) } else { Err(errors.join(" ")) }
}

fn pod(object: &Value) -> Pod {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Pod {
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        uid: text("/metadata/uid"),
        leaving: object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()),
    }
}

fn owners(object: &Value) -> Vec<&str> {
    let references = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    references.filter_map(|owner| owner.get("kind").and_then(Value::as_str)).collect()
}

fn has_data(object: &Value) -> bool {
    let volumes = object.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    volumes.into_iter().any(|volume| volume.get("emptyDir").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, owner: Option<&str>, more: Value) -> Value {
        let mut object = json!({"metadata": {"name": name, "namespace": "n", "uid": name}, "status": {"phase": "Running"}});
        if let Some(owner) = owner {
            object["metadata"]["ownerReferences"] = json!([{"kind": owner}]);
        }
        for (key, value) in more.as_object().unwrap() {
            object[key] = value.clone();
        }
        object
    }

    #[test]
    fn what_may_be_lost_must_be_said() {
        let data = json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}});
        let pods = [
            object("plain", Some("ReplicaSet"), json!({})),
            object("daemon", Some("DaemonSet"), data.clone()),
            object("data", Some("ReplicaSet"), data),
            object("alone", None, json!({})),
            object("done", None, json!({"status": {"phase": "Succeeded"}})),
        ];
        let strict = choose(&pods, &Tolerance { unmanaged: false, daemons: false, data: false }).unwrap_err();
        for text in ["force set to yes): n/alone.", "delete_emptydir_data set to yes): n/data.", "ignore_daemonsets set to yes): n/daemon."] {
            assert!(strict.contains(text), "{strict}");
        }
        let chosen = choose(&pods, &Tolerance { unmanaged: true, daemons: true, data: true }).unwrap();
        let names: Vec<&str> = chosen.pods.iter().map(|pod| pod.name.as_str()).collect();
        assert_eq!(names, ["plain", "data", "alone", "done"]);
        assert_eq!(chosen.warnings.len(), 3);
    }
}
