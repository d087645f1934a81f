//! The modules of kubernetes.core against a small API server of our own, with the three laws: check mode changes nothing, predicts
//! `changed`, and a second run changes nothing. `kubernetes_real.rs` does it with a real one.

mod common;
mod fake_api;

use common::reply;
use fake_api::Fake;
use serde_json::{Map, Value, json};

/// A host's changes that check mode carries along.
#[derive(Default)]
struct Carried(Vec<Value>);

fn args(fake: &Fake, args: &Value) -> Value {
    let mut all = args.as_object().cloned().unwrap_or_default();
    all.insert("host".into(), json!(fake.url()));
    Value::Object(all)
}

impl Carried {
    /// Check mode, with what was carried, and what it adds.
    fn check(&mut self, fake: &Fake, module: &str, wanted: &Value) -> Map<String, Value> {
        let before = fake.objects();
        let answer = reply(module, args(fake, wanted), true, &self.0);
        assert_eq!(fake.objects(), before, "check mode changed something");
        self.0.extend(answer.changes);
        answer.result
    }
}

fn real(fake: &Fake, module: &str, wanted: &Value) -> Map<String, Value> {
    reply(module, args(fake, wanted), false, &[]).result
}

/// A wish under the three laws; the real result.
fn lawful(fake: &Fake, wanted: &Value) -> Map<String, Value> {
    let predicted = Carried::default().check(fake, "k8s", wanted);
    let done = real(fake, "k8s", wanted);
    assert_ne!(done.get("failed"), Some(&json!(true)), "{done:?}");
    assert_eq!(predicted["changed"], done["changed"], "{predicted:?}");
    let again = real(fake, "k8s", wanted);
    assert_eq!(again["changed"], json!(false), "{again:?}");
    done
}

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}, "data": data})
}

#[test]
fn objects_are_made_altered_and_removed() {
    let fake = Fake::start();
    let made = lawful(&fake, &json!({"definition": config(json!({"a": "1", "b": "2"}))}));
    assert_eq!((&made["changed"], &made["method"], &made["result"]["data"]["a"]), (&json!(true), &json!("create"), &json!("1")));
    let altered = lawful(&fake, &json!({"definition": config(json!({"a": "3"}))}));
    assert_eq!((&altered["method"], &altered["result"]["data"]), (&json!("update"), &json!({"a": "3", "b": "2"})));
    assert_eq!(altered["diff"]["before"], json!({"data": {"a": "1"}}));
    assert_eq!(altered["diff"]["after"], json!({"data": {"a": "3"}}));
    let replaced = lawful(&fake, &json!({"definition": config(json!({"z": "1"})), "force": true}));
    assert_eq!((&replaced["method"], &replaced["result"]["data"]), (&json!("replace"), &json!({"z": "1"})));
    let name = json!({"kind": "ConfigMap", "name": "c", "namespace": "default", "state": "absent", "wait": true, "wait_sleep": 1});
    assert_eq!(lawful(&fake, &name)["method"], "delete");
    assert_eq!(lawful(&fake, &json!({"kind": "Thing", "api_version": "none/v1", "name": "x", "state": "absent"}))["changed"], json!(false));
    let patched = real(&fake, "k8s", &json!({"definition": config(json!({})), "state": "patched"}));
    assert!(patched["changed"] == json!(false) && patched["warnings"][0].as_str().unwrap().contains("not found"), "{patched:?}");
}

#[test]
fn apply_removes_what_is_left_out() {
    let fake = Fake::start();
    for server_side in [Value::Null, json!({"field_manager": "rplay", "force_conflicts": true})] {
        let wish = |data: Value| json!({"definition": config(data), "apply": true, "server_side_apply": server_side});
        assert_eq!(lawful(&fake, &wish(json!({"a": "1", "b": "2"})))["method"], "apply");
        let less = lawful(&fake, &wish(json!({"a": "1"})));
        assert_eq!((&less["changed"], &less["result"]["data"]), (&json!(true), &json!({"a": "1"})), "{server_side}");
        real(&fake, "k8s", &json!({"kind": "ConfigMap", "name": "c", "namespace": "default", "state": "absent"}));
    }
    assert!(fake.log().iter().any(|line| line.contains("fieldManager=rplay&force=true") && !line.contains("dryRun")), "{:?}", fake.log());
}

#[test]
fn several_objects_come_in_order_with_their_kinds_first() {
    let fake = Fake::start();
    let text = "
apiVersion: v1
kind: Namespace
metadata: {name: new}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions: [{name: v1, served: true, storage: true}]
---
apiVersion: example.org/v1
kind: Thing
metadata: {name: one, namespace: new}
spec: {size: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: new}
";
    let done = lawful(&fake, &json!({"definition": text}));
    let results = done["result"]["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|one| one["changed"] == json!(true)));
    // a kind without strategic merging is patched plainly
    let more = json!({"definition": {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": "new"}, "spec": {"size": 2}}});
    assert_eq!(lawful(&fake, &more)["result"]["spec"], json!({"size": 2}));
}

#[test]
fn check_mode_carries_namespaces_and_kinds_to_later_tasks() {
    let fake = Fake::start();
    let mut host = Carried::default();
    let namespace = json!({"kind": "Namespace", "name": "new"});
    assert_eq!(host.check(&fake, "k8s", &namespace)["changed"], json!(true));
    let inside = json!({"definition": {"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "new"}, "data": {"a": "1"}}});
    for apply in [false, true] {
        let mut wish = inside.clone();
        wish["apply"] = json!(apply);
        let mut host = Carried(host.0.clone());
        let later = host.check(&fake, "k8s", &wish);
        assert_eq!((later.get("failed"), later.get("_rplay_unknown"), &later["changed"]), (None, None, &json!(true)), "{later:?}");
        assert_eq!(host.check(&fake, "k8s", &wish)["changed"], json!(false), "the same definition again");
    }
    for (kind, name, known) in [("Namespace", "new", false), ("Namespace", "default", true), ("Pod", "p", false), ("Secret", "s", true)] {
        let info = host.check(&fake, "k8s_info", &json!({"kind": kind, "name": name, "namespace": "new"}));
        assert_eq!(info.contains_key("_rplay_unknown"), !known, "{kind} {name}: {info:?}");
    }
    let alone = Carried::default().check(&fake, "k8s", &inside);
    assert_eq!(alone["failed"], json!(true), "without the namespace it is a failure: {alone:?}");
    assert_eq!(host.check(&fake, "k8s", &json!({"kind": "Namespace", "name": "new", "state": "absent"}))["changed"], json!(true));
    let strange = json!({"definition": {"apiVersion": "none.org/v1", "kind": "None", "metadata": {"name": "n"}}});
    assert!(host.check(&fake, "k8s", &strange)["_rplay_unknown"].as_str().unwrap().contains("None"));
}

#[test]
fn a_cluster_that_is_not_there_is_unknown_in_check_mode_and_a_failure_otherwise() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = json!({"host": format!("https://{free}"), "kind": "Namespace", "name": "n"});
    let absent = json!({"kubeconfig": "/nonexistent/admin.conf", "kind": "Namespace", "name": "n"});
    for (wish, why) in [(refused, "cannot be asked"), (absent, "/nonexistent/admin.conf")] {
        for module in ["k8s", "k8s_info"] {
            let checked = reply(module, wish.clone(), true, &[]).result;
            assert!(checked["_rplay_unknown"].as_str().unwrap().contains(why), "{checked:?}");
            let failed = reply(module, wish.clone(), false, &[]).result;
            assert!(failed["failed"] == json!(true) && failed["msg"].as_str().unwrap().contains(why), "{failed:?}");
        }
    }
}

#[test]
fn secrets_are_not_in_diffs() {
    let fake = Fake::start();
    let secret =
        |value: &str| json!({"definition": {"kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "stringData": {"p": value}}, "apply": true});
    for value in ["first-secret", "second-secret"] {
        let done = lawful(&fake, &secret(value));
        assert_eq!(done["changed"], json!(true));
        assert!(!done["diff"].to_string().contains(value), "{}", done["diff"]);
    }
}

#[test]
fn waiting_says_why_it_is_in_vain() {
    let fake = Fake::start();
    let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": []}});
    let broken = json!({"phase": "Pending", "containerStatuses": [
        {"name": "main", "ready": false, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no image"}}}]});
    fake.set_status("/api/v1/namespaces/default/pods/p", broken);
    let wish = json!({"definition": pod, "wait": true, "wait_timeout": 0});
    let failed = real(&fake, "k8s", &wish);
    let msg = failed["msg"].as_str().unwrap();
    assert!(msg.starts_with("\"Pod\" \"p\": Timed out") && msg.contains("container main: ImagePullBackOff no image"), "{msg}");
    fake.set_status("/api/v1/namespaces/default/pods/p", json!({"phase": "Running", "containerStatuses": [{"name": "main", "ready": true}]}));
    let ready = real(&fake, "k8s", &wish);
    assert_eq!((&ready["changed"], &ready["duration"]), (&json!(false), &json!(0)), "{ready:?}");
    let info = real(&fake, "k8s_info", &json!({"kind": "Pod", "namespace": "default", "wait": true, "hidden_fields": ["metadata.uid"]}));
    assert_eq!((&info["resources"][0]["metadata"]["uid"], &info["resources"][0]["kind"]), (&Value::Null, &json!("Pod")));
}

#[test]
fn errors_are_the_servers_words() {
    let fake = Fake::start();
    let wish = json!({"definition": [{"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "none"}}, config(json!({}))], "continue_on_error": true});
    let done = real(&fake, "k8s", &wish);
    let results = &done["result"]["results"];
    assert_eq!((&done["changed"], &results[0]["error"]["status"], &results[1]["changed"]), (&json!(true), &json!(404), &json!(true)));
    assert!(results[0]["error"]["msg"].as_str().unwrap().contains("namespaces \"none\" not found"), "{results}");
    for (wish, text) in [
        (json!({"kind": "ConfigMap", "name": "x"}), "needs a namespace"),
        (json!({"kind": "Nonsense", "name": "x"}), "Failed to find exact match for v1.Nonsense"),
        (json!({"kind": "Pod", "namespace": "default", "state": "absent"}), "delete_all"),
        (json!({"definition": "a: ["}), "Failed to load resource definition"),
        (json!({"kind": "Pod", "name": "x", "username": "u"}), "username is not supported"),
        (json!({"kind": "Pod", "name": "x", "append_hash": true}), "append_hash is not supported"),
    ] {
        let failed = real(&fake, "k8s", &wish);
        assert!(failed["msg"].as_str().unwrap_or_default().contains(text), "{wish}: {failed:?}");
    }
    let info = real(&fake, "k8s_info", &json!({"kind": "Nonsense"}));
    assert_eq!((&info["api_found"], &info["resources"]), (&json!(false), &json!([])));
}

#[test]
fn selectors_remove_what_they_select() {
    let fake = Fake::start();
    for (name, label) in [("a", "x"), ("b", "x"), ("c", "y")] {
        real(&fake, "k8s", &json!({"definition": {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": {"l": label}}}}));
    }
    lawful(&fake, &json!({"kind": "ConfigMap", "namespace": "default", "state": "absent", "label_selectors": ["l=x"]}));
    let left: Vec<String> = fake.objects().into_keys().filter(|path| path.contains("configmaps")).collect();
    assert_eq!(left, ["/api/v1/namespaces/default/configmaps/c"]);
    lawful(&fake, &json!({"kind": "ConfigMap", "namespace": "default", "state": "absent", "delete_all": true}));
    assert!(fake.objects().keys().all(|path| !path.contains("configmaps")));
}

/// A node with pods, two of them with an owner.
fn node(fake: &Fake) {
    fake.put("/api/v1/nodes/n1", json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1", "resourceVersion": "1"}, "spec": {}}));
    for (name, owner, guarded) in [("a", "ReplicaSet", 2), ("b", "ReplicaSet", 0), ("d", "DaemonSet", 0)] {
        let metadata = json!({"name": name, "namespace": "default", "uid": name, "ownerReferences": [{"kind": owner}], "annotations": {"guarded": guarded}});
        let pod = json!({"kind": "Pod", "metadata": metadata, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}});
        fake.put(&format!("/api/v1/namespaces/default/pods/{name}"), pod);
    }
}

#[test]
fn nodes_are_drained_and_taken_back() {
    let fake = Fake::start();
    node(&fake);
    let strict = real(&fake, "k8s_drain", &json!({"name": "n1"}));
    assert!(strict["msg"].as_str().unwrap().contains("ignore_daemonsets"), "{strict:?}");
    assert_eq!(fake.objects()["/api/v1/nodes/n1"]["spec"]["unschedulable"], Value::Null, "nothing was done before the complaint");
    let options = json!({"ignore_daemonsets": true, "wait_timeout": 30, "wait_sleep": 0});
    let drain = json!({"name": "n1", "delete_options": options});
    assert_eq!(Carried::default().check(&fake, "k8s_drain", &drain)["changed"], json!(true));
    let done = real(&fake, "k8s_drain", &drain);
    assert_eq!((&done["changed"], done["result"].as_str().unwrap()), (&json!(true), "node n1 marked unschedulable. 2 Pod(s) deleted from node."));
    let evictions = fake.log().iter().filter(|line| line.ends_with("pods/a/eviction")).count();
    assert_eq!(evictions, 3, "a disruption budget is asked again");
    let again = real(&fake, "k8s_drain", &drain);
    assert_eq!((&again["changed"], again["result"].as_str().unwrap()), (&json!(false), "node n1 already marked unschedulable."));
    let back = json!({"name": "n1", "state": "uncordon"});
    for changed in [true, false] {
        assert_eq!(Carried::default().check(&fake, "k8s_drain", &back)["changed"], json!(changed));
        assert_eq!(real(&fake, "k8s_drain", &back)["changed"], json!(changed));
    }
    assert!(Carried::default().check(&fake, "k8s_drain", &json!({"name": "n2"})).contains_key("_rplay_unknown"));
}

#[test]
fn nodes_have_taints() {
    let fake = Fake::start();
    node(&fake);
    let taint = json!({"name": "n1", "taints": [{"key": "k", "effect": "NoSchedule"}]});
    let mut untaint = taint.clone();
    untaint["state"] = json!("absent");
    for wish in [taint, untaint] {
        for changed in [true, false] {
            assert_eq!(Carried::default().check(&fake, "k8s_taint", &wish)["changed"], json!(changed));
            assert_eq!(real(&fake, "k8s_taint", &wish)["changed"], json!(changed), "{wish}");
        }
    }
}

#[test]
fn workloads_are_scaled() {
    let fake = Fake::start();
    let path = "/apis/apps/v1/namespaces/default/deployments/d";
    fake.put(path, json!({"kind": "Deployment", "metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 1}}));
    let wish = json!({"api_version": "apps/v1", "kind": "Deployment", "name": "d", "namespace": "default", "replicas": 3, "wait": false});
    for changed in [true, false] {
        assert_eq!(Carried::default().check(&fake, "k8s_scale", &wish)["changed"], json!(changed));
        assert_eq!(real(&fake, "k8s_scale", &wish)["changed"], json!(changed));
    }
    assert_eq!(fake.objects()[path]["spec"]["replicas"], json!(3));
}
