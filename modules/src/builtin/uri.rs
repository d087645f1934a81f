//! `uri`: a request to a web service. Bodies are made in `uri_body.rs`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::uri_body;
use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::Content;
use crate::coerce;
use crate::context::Context;
use crate::glob;
use crate::http::{self, Answer, Around, Client, NoAnswer, Query};
use crate::list::Module;
use crate::outcome::{Failure, Outcome, Tried};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct Uri;

impl Module for Uri {
    const SPEC: Spec = Spec {
        file_args: true,
        check_mode: false,
        mutually_exclusive: &[&["body", "src"]],
        ..Spec::new(
            "uri",
            "Sends a request to a web service.",
            &[
                Arg::str("url", "Where to.").required(),
                Arg::path("dest", "File or directory for the answer."),
                Arg::str("url_username", "User.").alias(&["user"]),
                Arg::str("url_password", "Password.").alias(&["password"]).secret(),
                Arg::raw("body", "What to send."),
                Arg::str("body_format", "How the body is written.").choices(&["form-urlencoded", "json", "raw", "form-multipart"]).default(Preset::Str("raw")),
                Arg::path("src", "File to send."),
                Arg::str("method", "Method of the request.").default(Preset::Str("GET")),
                Arg::flag("return_content", false, "Return the answer as `content`."),
                Arg::str("follow_redirects", "Which redirects are followed.")
                    .choices(&["all", "no", "none", "safe", "urllib2", "yes"])
                    .default(Preset::Str("safe")),
                Arg::path("creates", "When this exists nothing is sent."),
                Arg::path("removes", "When this does not exist nothing is sent."),
                Arg::list("status_code", Kind::Int, "Status that means success.").default(Preset::Ints(&[200])),
                Arg::int("timeout", "Seconds to wait.").default(Preset::Int(30)),
                Arg::dict("headers", "Headers of the request.").default(Preset::Dict),
                Arg::path("unix_socket", "Unix socket to speak to."),
                Arg::flag("remote_src", false, "`src` is on the target; from the controller it is sent by the action."),
                Arg::path("ca_path", "PEM file with the authorities to trust."),
                http::FORCE,
                http::AGENT,
                http::USE_PROXY,
                http::VALIDATE_CERTS,
                http::BASIC,
                http::CLIENT_CERT,
                http::CLIENT_KEY,
                http::GSSAPI,
                http::UNREDIRECTED,
                http::DECOMPRESS,
                http::CIPHERS,
                http::NETRC,
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let method = args.text("method").to_uppercase();
        if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase()) {
            return Err("Parameter 'method' needs to be a single word in uppercase, like GET or POST.".into());
        }
        for (key, wanted, what) in [("creates", true, "exists"), ("removes", false, "does not exist")] {
            if let Some(path) = args.str(key)
                && glob::exists(cx.system(), Path::new(path))? == wanted
            {
                return Ok(Outcome::new(false).with("stdout", format!("skipped, since '{path}' {what}")));
            }
        }
        let query = query(args, cx, method)?;
        let started = Instant::now();
        let client = Client::new(args, Around::of(cx), &query.url, args.int("timeout").unwrap_or(30).max(0) as u64)?;
        let answer = client.send(&query);
        cx.control().check()?;
        match answer {
            Ok(answer) => finish(args, cx, answer, started),
            Err(NoAnswer(why)) => Err(no_answer(args, &why, started)),
        }
    }
}

fn query(args: &Args, cx: &Context<'_>, method: String) -> Result<Query, Failure> {
    let mut headers: Vec<(String, String)> = args.dict("headers").into_iter().flatten().map(|(name, value)| (name.clone(), coerce::text(value))).collect();
    let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let mut body = None;
    if let Some(src) = args.str("src") {
        let bytes = cx.read(Path::new(src)).map_err(|_| Failure::new(format!("Unable to open source file {src}")).with("elapsed", 0))?;
        body = Some(bytes);
    } else if let Some(value) = args.get("body") {
        let (bytes, kind) = uri_body::encode(args.text("body_format"), value)?;
        if let Some(kind) = kind.filter(|kind| !given || kind.starts_with("multipart")) {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            headers.push(("Content-Type".into(), kind));
        }
        body = Some(bytes);
    }
    if args.flag("force") {
        headers.push(("cache-control".into(), "no-cache".into()));
    } else if let Some(stat) = args.str("dest").and_then(|dest| cx.stat(Path::new(dest)).ok().flatten()).filter(|stat| stat.is_file()) {
        headers.push(("If-Modified-Since".into(), http_date(stat.mtime.0)));
    }
    Ok(Query { method, url: args.text("url").to_owned(), headers, body, follow: args.text("follow_redirects").to_owned() })
}

/// A time as HTTP writes it.
pub(super) fn http_date(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap_or_default()
}

fn no_answer(args: &Args, why: &str, started: Instant) -> Failure {
    let msg = format!("Status code was -1 and not {}: {why}", wanted(args));
    let failure = Failure::new(msg).with("status", -1).with("url", http::without_user(args.text("url")));
    failure.with("redirected", false).with("elapsed", started.elapsed().as_secs())
}

fn wanted(args: &Args) -> String {
    format!("[{}]", args.texts("status_code").join(", "))
}

fn finish(args: &Args, cx: &mut Context<'_>, answer: Answer, started: Instant) -> Result<Outcome, Failure> {
    let mut fields = answer.info();
    fields.insert("redirected".into(), json!(answer.url != http::without_user(args.text("url"))));
    if let Some(location) = fields.get("location").and_then(Value::as_str) {
        let full = http::join(&answer.url, location);
        fields.insert("location".into(), json!(full));
    }
    let status = answer.status;
    let good = args.list("status_code").iter().any(|code| code.as_i64() == Some(i64::from(status)));
    let is_json = answer.header("content-type").is_some_and(maybe_json);
    let name = file_name(&answer);
    let mut content = vec![];
    answer.reader().read_to_end(&mut content).tried(|| format!("HTTP Error while fetching {}", args.text("url")))?;
    fields.insert("elapsed".into(), json!(started.elapsed().as_secs()));
    let mut changed = false;
    if let Some(dest) = args.str("dest") {
        changed = good && status != 304 && store(args, cx, dest, &name, &content, &mut fields)?;
    }
    let text = String::from_utf8_lossy(&content).into_owned();
    if let Some(value) = is_json.then(|| serde_json::from_str::<Value>(&text).ok()).flatten() {
        fields.insert("json".into(), value);
    }
    if args.flag("return_content") {
        fields.insert("content".into(), json!(text));
    }
    if good {
        return Ok(Outcome::new(changed).merge(fields));
    }
    let why = fields.get("msg").and_then(Value::as_str).unwrap_or_default();
    let msg = format!("Status code was {status} and not {}: {why}", wanted(args));
    Err(Failure { msg, fields, unknown: None })
}

fn maybe_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let sub = kind.split_once('/').map_or("", |(_, sub)| sub);
    let sub = sub.split_once('+').map_or(sub, |(_, suffix)| suffix);
    ["json", "javascript"].contains(&sub)
}

/// The file name that an answer proposes.
pub(super) fn file_name(answer: &Answer) -> String {
    let disposition = answer.header("content-disposition").unwrap_or_default();
    let proposed = disposition.split(';').filter_map(|part| part.trim().strip_prefix("filename=")).next().map(|name| name.trim_matches('"'));
    let path = answer.url.split_once("://").map_or(answer.url.as_str(), |(_, rest)| rest).split(['?', '#']).next().unwrap_or_default();
    let from_url = path.split_once('/').and_then(|(_, path)| path.rsplit('/').next());
    let name = proposed.and_then(|name| name.rsplit('/').next()).or(from_url).unwrap_or_default();
    if name.is_empty() { "index.html".into() } else { name.to_owned() }
}

fn store(args: &Args, cx: &mut Context<'_>, dest: &str, name: &str, content: &[u8], fields: &mut Map<String, Value>) -> Result<bool, Failure> {
    let mut path = PathBuf::from(dest);
    if cx.stat(&path)?.is_some_and(|stat| stat.is_dir()) {
        path.push(name);
    }
    let attributes = Attributes::from_args(args, cx)?;
    let write = Write { path: &path, content: Content::Bytes(content.to_vec()), attributes: &attributes, backup: false, validate: None };
    cx.write(write)?;
    fields.insert("path".into(), json!(path.to_string_lossy()));
    // Ansible calls a stored answer a change even when it is the same
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_dates() {
        assert!(maybe_json("application/json; charset=utf-8"));
        assert!(maybe_json("application/hal+json"));
        assert!(!maybe_json("text/html"));
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
