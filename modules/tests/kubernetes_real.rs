//! The modules of kubernetes.core against a real API server; skipped with a message where its programs are not there (`make artifacts`).

mod common;
mod real_api;

use common::{reply, run};
use real_api::Cluster;
use serde_json::{Map, Value, json};

impl Cluster {
    fn args(&self, wanted: &Value) -> Value {
        let mut all = json!({"kubeconfig": self.path("admin.conf")});
        all.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
        all
    }

    fn check(&self, module: &str, wanted: &Value, carried: &mut Vec<Value>) -> Map<String, Value> {
        let answer = reply(module, self.args(wanted), true, carried);
        carried.extend(answer.changes);
        answer.result
    }

    fn real(&self, module: &str, wanted: &Value) -> Value {
        run(module, self.args(wanted), false)
    }

    /// The three laws; the real result.
    fn lawful(&self, module: &str, wanted: &Value) -> Value {
        let (before, predicted) = (self.everything(), self.check(module, wanted, &mut vec![]));
        assert_eq!(self.everything(), before, "check mode changed something");
        let done = self.real(module, wanted);
        assert_ne!(done["failed"], json!(true), "{done}");
        assert_eq!(predicted.get("changed"), done.get("changed"), "{wanted}: {predicted:?}");
        let again = self.real(module, wanted);
        assert_eq!(again["changed"], json!(false), "{wanted}: {again}");
        done
    }

    /// Versions of all objects of the kinds that are used here.
    fn everything(&self) -> Vec<String> {
        let kinds = [("v1", "Namespace"), ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Service"), ("v1", "Pod"), ("v1", "Node"), ("apps/v1", "Deployment")];
        // what the server makes for itself at its start does not count
        let kinds = kinds.iter().chain(&[("apiextensions.k8s.io/v1", "CustomResourceDefinition")]);
        let found = kinds.flat_map(|(version, kind)| {
            let list = self.real("k8s_info", &json!({"api_version": version, "kind": kind}))["resources"].as_array().cloned().unwrap();
            let ours = list.into_iter().filter(|object| !object["metadata"]["name"].as_str().unwrap().starts_with("kube"));
            ours.map(move |object| format!("{kind} {} {}", object["metadata"]["name"], object["metadata"]["resourceVersion"]))
        });
        found.collect()
    }
}

fn deployment(image: &str) -> Value {
    let container = json!({"name": "c", "image": image, "resources": {"limits": {"cpu": "1000m"}}, "ports": [{"containerPort": 80}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "laws"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}}})
}

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "laws"}, "spec": {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80}]}})
}

fn laws_of_objects(cluster: &Cluster) {
    cluster.lawful("k8s", &json!({"kind": "Namespace", "name": "laws"}));
    let server_side = json!({"field_manager": "rplay", "force_conflicts": true});
    for ways in [json!({}), json!({"apply": true}), json!({"apply": true, "server_side_apply": server_side}), json!({"force": true})] {
        for wanted in [deployment("image:1"), deployment("image:2"), service()] {
            let mut wish = ways.clone();
            wish["definition"] = wanted;
            cluster.lawful("k8s", &wish);
        }
        for (version, kind, name) in [("apps/v1", "Deployment", "d"), ("v1", "Service", "s")] {
            let gone = cluster.lawful(
                "k8s",
                &json!({"api_version": version, "kind": kind, "name": name, "namespace": "laws", "state": "absent", "wait": true, "wait_sleep": 1}),
            );
            assert_eq!(gone["changed"], json!(true), "{gone}");
        }
    }
    let secret = json!({"definition": {"kind": "Secret", "metadata": {"name": "s", "namespace": "laws"}, "stringData": {"p": "hidden-value"}}, "apply": true});
    assert!(!cluster.lawful("k8s", &secret)["diff"].to_string().contains("hidden-value"));
}

fn fields_left_out(cluster: &Cluster) {
    for ways in [json!({"apply": true}), json!({"apply": true, "server_side_apply": {"field_manager": "rplay"}})] {
        let config = |data: Value| {
            let mut wish = ways.clone();
            wish["definition"] = json!({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "laws"}, "data": data});
            wish
        };
        cluster.lawful("k8s", &config(json!({"a": "1", "b": "2"})));
        assert_eq!(cluster.lawful("k8s", &config(json!({"a": "1"})))["result"]["data"], json!({"a": "1"}));
        cluster.real("k8s", &json!({"kind": "ConfigMap", "name": "c", "namespace": "laws", "state": "absent"}));
    }
    let mine = |who: &str, value: &str, force: bool| {
        let definition = json!({"kind": "ConfigMap", "metadata": {"name": "owned", "namespace": "laws"}, "data": {"k": value}});
        json!({"definition": definition, "apply": true, "server_side_apply": {"field_manager": who, "force_conflicts": force}})
    };
    cluster.lawful("k8s", &mine("one", "1", false));
    let conflict = cluster.real("k8s", &mine("two", "2", false));
    assert_eq!((&conflict["failed"], &conflict["status"], &conflict["reason"]), (&json!(true), &json!(409), &json!("Conflict")), "{conflict}");
    cluster.lawful("k8s", &mine("two", "2", true));
}

const KIND: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
---
apiVersion: example.org/v1
kind: Thing
metadata: {name: one, namespace: things}
spec: {size: 1}
";

fn kinds_and_what_comes_after(cluster: &Cluster) {
    let all = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: things}}\n---{KIND}");
    // in check mode two tasks, the second after the first
    let mut carried = vec![];
    assert_eq!(cluster.check("k8s", &json!({"kind": "Namespace", "name": "things"}), &mut carried)["changed"], json!(true));
    let second = cluster.check("k8s", &json!({"definition": KIND, "apply": true, "server_side_apply": {"field_manager": "rplay"}}), &mut carried);
    assert_eq!((second.get("failed"), second.get("_rplay_unknown"), &second["changed"]), (None, None, &json!(true)), "{second:?}");
    for ways in [json!({"apply": true, "server_side_apply": {"field_manager": "rplay"}}), json!({"apply": true}), json!({})] {
        let mut wish = ways.clone();
        wish["definition"] = json!(all);
        let done = cluster.lawful("k8s", &wish);
        assert_eq!(done["result"]["results"].as_array().unwrap().len(), 3);
        let alter =
            json!({"definition": {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": "things"}, "spec": {"size": 2}}});
        assert_eq!(cluster.lawful("k8s", &alter)["result"]["spec"]["size"], json!(2));
        let kind = json!({"api_version": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "name": "things.example.org", "state": "absent", "wait": true, "wait_sleep": 1});
        assert_eq!(cluster.lawful("k8s", &kind)["changed"], json!(true));
    }
    let wrong = json!({"definition": {"kind": "ConfigMap", "metadata": {"name": "w", "namespace": "laws"}, "dta": {"a": "1"}}});
    let warned = cluster.real("k8s", &wrong);
    assert!(warned["warnings"][0].as_str().unwrap_or_default().contains("unknown field \"dta\""), "{warned}");
    let mut strict = wrong.clone();
    strict["validate"] = json!({"fail_on_error": true});
    strict["definition"]["metadata"]["name"] = json!("w2");
    assert!(cluster.real("k8s", &strict)["msg"].as_str().unwrap_or_default().contains("unknown field"));
}

fn who_may_and_who_is_meant(cluster: &Cluster) {
    let look = json!({"kind": "Namespace", "name": "default"});
    let with = |key: &str, value: Value| {
        let mut wish = look.clone();
        wish[key] = value;
        cluster.real("k8s_info", &wish)
    };
    assert!(with("context", json!("nobody@test"))["msg"].as_str().unwrap().contains("nobody"));
    assert!(with("context", json!("mixed@test"))["msg"].as_str().unwrap().contains("cannot be used"));
    assert!(with("context", json!("none"))["msg"].as_str().unwrap().contains("no context 'none'"));
    assert!(with("ca_cert", json!(cluster.path("pki/other.crt")))["msg"].as_str().unwrap().contains("cannot be asked"));
    assert!(with("impersonate_user", json!("somebody"))["msg"].as_str().unwrap().contains("somebody"));
    let exec = cluster.real("k8s_exec", &json!({"namespace": "default", "pod": "none", "command": "true"}));
    assert!(exec["msg"].as_str().unwrap_or_default().contains("pods \"none\" not found"), "{exec}");
    let groups = json!({"kind": "Namespace", "name": "default", "impersonate_user": "somebody", "impersonate_groups": ["system:masters"]});
    assert_eq!(cluster.real("k8s_info", &groups)["resources"].as_array().map(Vec::len), Some(1));
    let url = format!("https://127.0.0.1:{}", cluster.port);
    let direct = json!({"host": url, "ca_cert": cluster.path("pki/ca.crt"), "client_cert": cluster.path("pki/admin.crt"), "client_key": cluster.path("pki/admin.key"), "kind": "Namespace"});
    assert!(run("k8s_info", direct, false)["resources"].as_array().is_some_and(|all| all.len() > 1));
}

fn nodes(cluster: &Cluster) {
    cluster.lawful("k8s", &json!({"kind": "Node", "name": "n1"}));
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "0f0f0f0f-0000-0000-0000-000000000000"}]);
    for name in ["p1", "p2"] {
        let metadata = json!({"name": name, "namespace": "laws", "ownerReferences": owner, "labels": {"l": name}});
        let spec = json!({"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]});
        cluster.lawful("k8s", &json!({"definition": {"kind": "Pod", "metadata": metadata, "spec": spec}}));
    }
    let late =
        cluster.real("k8s", &json!({"kind": "Pod", "name": "p1", "namespace": "laws", "wait": true, "wait_timeout": 1, "wait_sleep": 1, "state": "patched"}));
    assert!(late["msg"].as_str().unwrap_or_default().contains("it is Pending"), "{late}");
    let options = json!({"terminate_grace_period": 0, "wait_timeout": 30, "wait_sleep": 1});
    cluster.lawful("k8s_drain", &json!({"name": "n1", "state": "cordon"}));
    let drained = cluster.lawful("k8s_drain", &json!({"name": "n1", "delete_options": options}));
    assert_eq!(drained["changed"], json!(true), "{drained}");
    cluster.lawful("k8s_drain", &json!({"name": "n1", "state": "uncordon"}));
    for state in ["present", "absent"] {
        let taints = json!([{"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "l", "effect": "NoExecute"}]);
        assert_eq!(cluster.lawful("k8s_taint", &json!({"name": "n1", "state": state, "taints": taints}))["changed"], json!(true));
    }
    cluster.lawful("k8s", &json!({"definition": deployment("image:1")}));
    let scaled = json!({"api_version": "apps/v1", "kind": "Deployment", "name": "d", "namespace": "laws", "replicas": 3, "wait": false});
    assert_eq!(cluster.lawful("k8s_scale", &scaled)["result"]["spec"]["replicas"], json!(3));
}

#[test]
fn a_real_api_server_with_elliptic_keys() {
    let Some(cluster) = Cluster::start("ec") else { return };
    laws_of_objects(&cluster);
    fields_left_out(&cluster);
    kinds_and_what_comes_after(&cluster);
    who_may_and_who_is_meant(&cluster);
    nodes(&cluster);
}

#[test]
fn a_real_api_server_with_rsa_keys() {
    let Some(cluster) = Cluster::start("rsa") else { return };
    cluster.lawful("k8s", &json!({"kind": "Namespace", "name": "rsa"}));
}
