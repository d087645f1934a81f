//! An API server in memory: discovery, objects, patches by plain merging, dry runs. It knows nothing of schemas.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    /// What a controller would say of an object.
    status: BTreeMap<String, Value>,
    log: Vec<String>,
    version: u64,
    /// What each manager applied.
    applied: BTreeMap<String, Value>,
}

/// The server; it ends with the test.
pub struct Fake {
    port: u16,
    state: Arc<Mutex<State>>,
}

const KINDS: &[(&str, &str, &str, bool)] = &[
    ("v1", "Namespace", "namespaces", false),
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Pod", "pods", true),
    ("v1", "Node", "nodes", false),
    ("apps/v1", "Deployment", "deployments", true),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
];

impl Fake {
    pub fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        let fake = Fake { port, state };
        fake.put("/api/v1/namespaces/default", json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "default"}}));
        fake
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn put(&self, path: &str, object: Value) {
        self.state.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    pub fn objects(&self) -> BTreeMap<String, Value> {
        self.state.lock().unwrap().objects.clone()
    }

    pub fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    pub fn set_status(&self, path: &str, status: Value) {
        self.state.lock().unwrap().status.insert(path.to_owned(), status);
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head: Vec<String> = vec![];
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let header = |name: &str| head.iter().find_map(|line| line.to_lowercase().strip_prefix(&format!("{name}: ")).map(str::to_owned));
        let mut body = vec![0; header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let mut words = head[0].split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let request = Request { method, target, kind: header("content-type").unwrap_or_default(), body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
        let mut state = state.lock().unwrap();
        state.log.push(format!("{method} {target}"));
        let (code, answer) = state.answer(&request).unwrap_or_else(|(code, reason, message)| {
            (code, json!({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}))
        });
        drop(state);
        let text = answer.to_string();
        let whole = format!("HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let _ = stream.write_all(whole.as_bytes());
    }
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    kind: String,
    body: Value,
}

type Answer = Result<(u16, Value), (u16, &'static str, String)>;

/// Where a path leads: kind, whether namespaces hold it, collection, name, what follows.
struct Place {
    kind: String,
    api_version: String,
    custom: bool,
    collection: String,
    namespace: Option<String>,
    name: Option<String>,
    sub: Option<String>,
}

impl State {
    fn kinds(&self) -> Vec<(String, String, String, bool)> {
        let mut all: Vec<_> = KINDS.iter().map(|(v, k, p, n)| ((*v).into(), (*k).into(), (*p).into(), *n)).collect();
        for crd in self.objects.values().filter(|object| object["kind"] == "CustomResourceDefinition") {
            let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            let version = format!("{}/{}", text("/spec/group"), text("/spec/versions/0/name"));
            all.push((version, text("/spec/names/kind"), text("/spec/names/plural"), text("/spec/scope") == "Namespaced"));
        }
        all
    }

    fn answer(&mut self, request: &Request<'_>) -> Answer {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        // as the real one does: the options of a deletion's body go before those of the address
        let deletion = request.method == "DELETE" && !request.body.is_null();
        let dry = if deletion { request.body["dryRun"] == json!(["All"]) } else { query.contains("dryRun=All") };
        let words: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (api_version, rest) = if words[0] == "api" { (words[1].to_owned(), &words[2..]) } else { (words[1..3].join("/"), &words[3..]) };
        if rest.is_empty() {
            return self.discovery(&api_version);
        }
        let place = self.place(&api_version, rest, path)?;
        let full = place.name.as_ref().map(|name| format!("{}/{name}", place.collection));
        match (request.method, &full) {
            ("GET", Some(full)) => self.shown(full).map(|object| (200, object)).ok_or_else(|| not_found(&place)),
            ("GET", None) => Ok((200, self.list(&place, query))),
            ("POST", _) if place.sub.as_deref() == Some("eviction") => self.evict(&place, full.as_deref().unwrap_or_default(), dry),
            ("POST", _) => self.create(&place, request.body.clone(), dry),
            ("PUT", Some(full)) => self.store(&place, full, request.body.clone(), dry),
            ("PATCH", Some(full)) => self.patch(&place, full, request, query, dry),
            ("DELETE", Some(full)) => {
                let object = self.objects.get(full).cloned().ok_or_else(|| not_found(&place))?;
                if !dry {
                    self.objects.remove(full);
                    self.applied.retain(|key, _| key != full);
                }
                Ok((200, object))
            }
            _ => Err((405, "MethodNotAllowed", request.method.to_owned())),
        }
    }

    fn discovery(&self, api_version: &str) -> Answer {
        let mine: Vec<Value> = self
            .kinds()
            .into_iter()
            .filter(|(version, ..)| version == api_version)
            .map(|(_, kind, plural, namespaced)| json!({"name": plural, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind}))
            .collect();
        if mine.is_empty() { Err((404, "NotFound", "the server could not find the requested resource".into())) } else { Ok((200, json!({"resources": mine}))) }
    }

    fn place(&self, api_version: &str, rest: &[&str], path: &str) -> Result<Place, (u16, &'static str, String)> {
        let inside = rest[0] == "namespaces" && rest.len() > 2;
        let (namespace, rest) = if inside { (Some(rest[1].to_owned()), &rest[2..]) } else { (None, rest) };
        let kinds = self.kinds();
        let found = kinds.into_iter().find(|(version, _, plural, _)| version == api_version && plural == rest[0]);
        let Some((_, kind, plural, namespaced)) = found else { return Err((404, "NotFound", format!("no {path}"))) };
        assert!(!inside || namespaced, "{path}: {kind} is in no namespace");
        let root = &path[..path.find(&format!("/{plural}")).unwrap_or(0)];
        Ok(Place {
            kind,
            api_version: api_version.to_owned(),
            custom: !KINDS.iter().any(|(version, ..)| *version == api_version),
            collection: format!("{root}/{plural}"),
            namespace,
            name: rest.get(1).map(|name| (*name).to_owned()),
            sub: rest.get(2).map(|name| (*name).to_owned()),
        })
    }

    fn shown(&self, path: &str) -> Option<Value> {
        let mut object = self.objects.get(path)?.clone();
        if let Some(status) = self.status.get(path) {
            object["status"] = status.clone();
        }
        if object["kind"] == "CustomResourceDefinition" {
            object["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
        }
        Some(object)
    }

    fn list(&self, place: &Place, query: &str) -> Value {
        let plural = place.collection.rsplit('/').next().unwrap_or_default();
        let label = query.split('&').find_map(|pair| pair.strip_prefix("labelSelector=")).and_then(|text| text.split_once("%3D"));
        let node = query.split('&').find_map(|pair| pair.strip_prefix("fieldSelector=spec.nodeName%3D"));
        let items = self.objects.keys().filter(|path| {
            let (collection, _) = path.rsplit_once('/').unwrap_or_default();
            collection == place.collection || place.namespace.is_none() && collection.ends_with(&format!("/{plural}"))
        });
        let items = items.filter_map(|path| self.shown(path)).filter(|item| {
            label.is_none_or(|(key, value)| item["metadata"]["labels"][key] == value) && node.is_none_or(|node| item["spec"]["nodeName"] == node)
        });
        let items: Vec<Value> = items
            .map(|mut item| {
                item.as_object_mut().unwrap().remove("kind");
                item
            })
            .collect();
        json!({"kind": format!("{}List", place.kind), "items": items})
    }

    fn create(&mut self, place: &Place, object: Value, dry: bool) -> Answer {
        if let Some(namespace) = place.namespace.as_ref().filter(|namespace| !self.objects.contains_key(&format!("/api/v1/namespaces/{namespace}"))) {
            return Err((404, "NotFound", format!("namespaces \"{namespace}\" not found")));
        }
        let full = format!("{}/{}", place.collection, object["metadata"]["name"].as_str().unwrap_or_default());
        if self.objects.contains_key(&full) {
            return Err((409, "AlreadyExists", format!("{full} already exists")));
        }
        self.store(place, &full, object, dry).map(|(_, object)| (201, object))
    }

    fn store(&mut self, place: &Place, full: &str, mut object: Value, dry: bool) -> Answer {
        object["apiVersion"] = json!(place.api_version);
        if let Some(Value::Object(texts)) = object.as_object_mut().and_then(|map| map.remove("stringData")) {
            for (key, value) in texts {
                object["data"][key] = json!(STANDARD.encode(value.as_str().unwrap_or_default()));
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object["metadata"]["uid"] = json!(format!("uid-{full}"));
        if !dry {
            self.objects.insert(full.to_owned(), object.clone());
        }
        Ok((200, self.status.get(full).map_or(object.clone(), |status| merged(&object, &json!({"status": status})))))
    }

    fn patch(&mut self, place: &Place, full: &str, request: &Request<'_>, query: &str, dry: bool) -> Answer {
        if request.kind.contains("apply-patch") {
            assert!(query.contains("fieldManager="), "{query}");
            let known = self.objects.get(full).cloned();
            if known.is_none() {
                let made = self.create(place, request.body.clone(), dry)?;
                if !dry {
                    self.applied.insert(full.to_owned(), request.body.clone());
                }
                return Ok(made);
            }
            let patch = without(&request.body, self.applied.get(full).unwrap_or(&Value::Null));
            let object = merged(&known.unwrap_or_default(), &patch);
            if !dry {
                self.applied.insert(full.to_owned(), request.body.clone());
            }
            return self.store(place, full, object, dry);
        }
        if request.kind.contains("strategic") && place.custom {
            return Err((415, "UnsupportedMediaType", "not for this kind".into()));
        }
        let known = self.objects.get(full).cloned().ok_or_else(|| not_found(place))?;
        self.store(place, full, merged(&known, &request.body), dry)
    }

    /// A pod with the annotation `guarded: N` is given up at the Nth demand only.
    fn evict(&mut self, place: &Place, full: &str, dry: bool) -> Answer {
        let pod = self.objects.get_mut(full).ok_or_else(|| not_found(place))?;
        let left = pod["metadata"]["annotations"]["guarded"].as_i64().unwrap_or(0);
        if left > 0 && !dry {
            pod["metadata"]["annotations"]["guarded"] = json!(left - 1);
            return Err((429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.".into()));
        }
        if !dry {
            self.objects.remove(full);
        }
        Ok((201, json!({"kind": "Status", "status": "Success"})))
    }
}

fn not_found(place: &Place) -> (u16, &'static str, String) {
    (404, "NotFound", format!("{} \"{}\" not found", place.collection.rsplit('/').next().unwrap_or_default(), place.name.as_deref().unwrap_or_default()))
}

fn merged(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut map = target.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            let old = map.get(key).cloned().unwrap_or(Value::Null);
            map.insert(key.clone(), merged(&old, value));
        }
    }
    Value::Object(map)
}

/// `new`, with nulls for what `old` had and `new` has not.
fn without(new: &Value, old: &Value) -> Value {
    let (Value::Object(new), Value::Object(old)) = (new, old) else { return new.clone() };
    let mut map: serde_json::Map<String, Value> = new.iter().map(|(key, value)| (key.clone(), without(value, old.get(key).unwrap_or(&Value::Null)))).collect();
    map.extend(old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    Value::Object(map)
}
