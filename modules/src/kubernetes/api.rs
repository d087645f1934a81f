//! Requests to an API server. What writes is a dry run in check mode: here, and nowhere else, is that decided.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request};

use super::connection::{self, Connection};
use super::discovery::Discovery;
use super::transport;
use crate::args::Args;
use crate::context::Context;
use crate::control::Control;
use crate::outcome::Failure;

/// Larger answers are refused.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Why a request gave nothing.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// The server could not be asked.
    NoAnswer(String),
    /// It said no.
    Refused(Refusal),
    /// The call was ended.
    Ended(String),
}

/// The server's words.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub status: u16,
    /// `NotFound`, `Conflict`...
    pub reason: String,
    pub message: String,
    /// Seconds after which to ask again.
    pub retry_after: Option<u64>,
}

impl Trouble {
    /// HTTP status of a refusal, 0 otherwise.
    pub(super) fn status(&self) -> u16 {
        match self {
            Trouble::Refused(refusal) => refusal.status,
            _ => 0,
        }
    }

    /// What happened, in one sentence.
    pub(super) fn text(&self) -> &str {
        match self {
            Trouble::NoAnswer(text) | Trouble::Ended(text) => text,
            Trouble::Refused(refusal) => &refusal.message,
        }
    }

    /// A failure that begins with what was tried. In check mode a server that is not there is no failure, it is unknown.
    pub(super) fn failure(&self, what: &str, check: bool) -> Failure {
        match self {
            Trouble::NoAnswer(text) if check => Failure::unknown(text.clone()),
            Trouble::NoAnswer(text) | Trouble::Ended(text) => Failure::new(format!("{what}: {text}")),
            Trouble::Refused(refusal) => {
                Failure::new(format!("{what}: {}", refusal.message)).with("reason", refusal.reason.clone()).with("status", refusal.status)
            }
        }
    }
}

/// How the body of a PATCH is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    Apply,
    Strategic,
    Merge,
}

impl Patch {
    fn content_type(self) -> &'static str {
        match self {
            Patch::Apply => "application/apply-patch+yaml",
            Patch::Strategic => "application/strategic-merge-patch+json",
            Patch::Merge => "application/merge-patch+json",
        }
    }
}

/// One write.
pub(super) enum Write<'a> {
    Create(&'a Value),
    Replace(&'a Value),
    Patch(Patch, &'a Value),
    Delete(&'a Value),
}

/// An API server.
pub(super) struct Api {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
    check: bool,
    control: Control,
    warnings: RefCell<Vec<String>>,
    silent: Cell<bool>,
    pub(super) discovery: Discovery,
}

impl Api {
    /// The server that the arguments name.
    ///
    /// # Errors
    /// See [`connection::settle`].
    pub(super) fn new(args: &Args, cx: &Context<'_>) -> Result<Api, Failure> {
        let connection = connection::settle(args, cx)?;
        let (agent, base) = transport::client(&connection, cx.environment(), cx.control())?;
        let headers = headers(&connection);
        let control = cx.control().clone();
        Ok(Api { agent, base, headers, check: cx.check(), control, warnings: RefCell::default(), silent: Cell::new(false), discovery: Discovery::default() })
    }

    /// The address, which tells clusters apart.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// In check mode.
    pub(super) fn check(&self) -> bool {
        self.check
    }

    /// The server did not answer at all.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.get()
    }

    /// Hears the end of the call.
    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    /// What the server warned of, to be shown to the user.
    pub(super) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Reads. A connection that broke is tried once more.
    pub(super) fn get(&self, path: &str) -> Result<Value, Trouble> {
        match self.patient("GET", path, None, "") {
            Err(Trouble::NoAnswer(_)) => self.patient("GET", path, None, ""),
            answer => answer,
        }
    }

    /// As [`Api::get`]; `None` where there is nothing of that name.
    pub(super) fn find(&self, path: &str) -> Result<Option<Value>, Trouble> {
        match self.get(path) {
            Ok(value) => Ok(Some(value)),
            Err(trouble) if trouble.status() == 404 => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes; in check mode the server only says what it would do.
    pub(super) fn write(&self, path: &str, query: &[(&str, &str)], write: &Write<'_>) -> Result<Value, Trouble> {
        let (method, kind, body) = match write {
            Write::Create(body) => ("POST", "application/json", body),
            Write::Replace(body) => ("PUT", "application/json", body),
            Write::Patch(patch, body) => ("PATCH", patch.content_type(), body),
            Write::Delete(options) => ("DELETE", "application/json", options),
        };
        let dry: &[(&str, &str)] = if self.check { &[("dryRun", "All")] } else { &[] };
        let path = with_query(path, query.iter().chain(dry));
        let mut body = (*body).clone();
        if self.check && method == "DELETE" {
            // a body with options goes before those in the address
            body["dryRun"] = json!(["All"]);
        }
        self.patient(method, &path, Some(body.to_string().into_bytes()), kind)
    }

    /// Creates, and does not wait where the server wants it later.
    pub(super) fn try_create(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let dry: &[(&str, &str)] = if self.check { &[("dryRun", "All")] } else { &[] };
        self.once("POST", &with_query(path, dry.iter()), Some(body.to_string().as_bytes()), "application/json")
    }

    /// A server that is too busy is asked again when it says.
    fn patient(&self, method: &str, path: &str, body: Option<Vec<u8>>, kind: &str) -> Result<Value, Trouble> {
        let mut left = 5;
        loop {
            match self.once(method, path, body.as_deref(), kind) {
                Err(Trouble::Refused(Refusal { status: 429, retry_after: Some(seconds), .. })) if left > 0 => {
                    left -= 1;
                    self.sleep(Duration::from_secs(seconds.clamp(1, 10)))?;
                }
                answer => return answer,
            }
        }
    }

    /// Sleeps, unless the call ends.
    pub(super) fn sleep(&self, time: Duration) -> Result<(), Trouble> {
        self.control.sleep(time).map_err(|failure| Trouble::Ended(failure.msg))
    }

    fn once(&self, method: &str, path: &str, body: Option<&[u8]>, kind: &str) -> Result<Value, Trouble> {
        let bad = |error: ureq::http::Error| Trouble::NoAnswer(format!("{path}: {error}"));
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base)).header("Accept", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.header("Content-Type", kind).body(body).map_err(bad)?),
            None => self.agent.run(request.body(()).map_err(bad)?),
        };
        self.silent.set(answer.is_err());
        let response = answer.map_err(|error| Trouble::NoAnswer(self.describe(&error)))?;
        if let Some(reason) = self.control.ended() {
            return Err(Trouble::Ended(reason));
        }
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, retry_after) = (response.status().as_u16(), header("retry-after").and_then(|text| text.parse().ok()));
        for warning in response.headers().get_all("warning").iter().filter_map(|value| value.to_str().ok()) {
            self.warnings.borrow_mut().push(warning_text(warning));
        }
        let mut content = vec![];
        let read = response.into_body().into_reader().take(LARGEST).read_to_end(&mut content);
        read.map_err(|error| Trouble::NoAnswer(format!("the answer of {} breaks off: {}", self.base, crate::outcome::describe(&error))))?;
        let value = serde_json::from_slice::<Value>(&content);
        match value {
            Ok(value) if (200..300).contains(&status) => Ok(value),
            Err(error) if (200..300).contains(&status) => Err(Trouble::NoAnswer(format!("{} does not answer in JSON: {error}", self.base))),
            value => Err(Trouble::Refused(refusal(status, retry_after, value.ok(), &content))),
        }
    }

    fn describe(&self, error: &ureq::Error) -> String {
        let why = match error {
            ureq::Error::Io(error) => crate::outcome::describe(error),
            ureq::Error::Timeout(_) => "timed out".into(),
            ureq::Error::HostNotFound => "its name is not known".into(),
            other => other.to_string(),
        };
        format!("the API server {} cannot be asked: {why}", self.base)
    }
}

/// The headers that every request has.
pub(super) fn headers(connection: &Connection) -> Vec<(String, String)> {
    let settings = &connection.settings;
    let mut headers = vec![];
    if let Some(token) = &settings.token {
        headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    if let Some(user) = &settings.impersonate_user {
        headers.push(("Impersonate-User".to_owned(), user.clone()));
    }
    headers.extend(settings.impersonate_groups.iter().map(|group| ("Impersonate-Group".to_owned(), group.clone())));
    headers
}

/// `299 - "text"` without its wrapping.
fn warning_text(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, rest)| rest.rsplit_once('"').map_or(rest, |(text, _)| text));
    text.replace("\\\"", "\"")
}

fn refusal(status: u16, retry_after: Option<u64>, body: Option<Value>, content: &[u8]) -> Refusal {
    let field = |key: &str| body.as_ref().and_then(|body| body.get(key)?.as_str()).filter(|text| !text.is_empty()).map(str::to_owned);
    let plain = || {
        let text: String = String::from_utf8_lossy(content).trim().chars().take(500).collect();
        if text.is_empty() { format!("HTTP status {status}") } else { text }
    };
    Refusal { status, reason: field("reason").unwrap_or_default(), message: field("message").unwrap_or_else(plain), retry_after }
}

/// A path with its query.
pub(super) fn with_query<'a>(path: &str, query: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = query.map(|(key, value)| format!("{key}={}", escaped(value))).collect();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}{}{}", if path.contains('?') { '&' } else { '?' }, pairs.join("&")),
    }
}

/// Text in a path or query.
pub(super) fn escaped(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The body that deletes with options.
pub(super) fn delete_options(options: Option<&Value>) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    for (key, value) in options.and_then(Value::as_object).into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        body[key] = value.clone();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_warnings() {
        assert_eq!(with_query("/a", [("labelSelector", "a in (b,c)"), ("x", "y")].iter()), "/a?labelSelector=a%20in%20%28b%2Cc%29&x=y");
        assert_eq!(with_query("/a?b=c", [("d", "e")].iter()), "/a?b=c&d=e");
        assert_eq!(escaped("system:node/x"), "system:node%2Fx");
        assert_eq!(warning_text("299 - \"unknown field \\\"spec.x\\\"\""), "unknown field \"spec.x\"");
    }

    #[test]
    fn refusals_have_a_sentence() {
        let body = json!({"kind": "Status", "reason": "NotFound", "message": "pods \"x\" not found"});
        assert_eq!(refusal(404, None, Some(body), b"").message, "pods \"x\" not found");
        assert_eq!(refusal(502, None, None, b"").message, "HTTP status 502");
    }
}
