//! `get_url`: a file from the web onto the target, with its checksum.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::uri::{file_name, http_date};
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::Content;
use crate::coerce;
use crate::context::Context;
use crate::digest;
use crate::http::{self, Around, Client, NoAnswer, Query};
use crate::list::Module;
use crate::outcome::{Failure, Outcome, Tried};
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct GetUrl;

impl Module for GetUrl {
    const SPEC: Spec = Spec {
        file_args: true,
        ..Spec::new(
            "get_url",
            "Downloads a file to the target.",
            &[
                Arg::str("url", "Where from: http, https or file.").required(),
                Arg::path("dest", "File or directory to write.").required(),
                Arg::flag("backup", false, "Keep the old file under another name."),
                Arg::str("checksum", "`algorithm:checksum`, or `algorithm:url` of a file of checksums.").default(Preset::Str("")),
                Arg::int("timeout", "Seconds to wait.").default(Preset::Int(10)),
                Arg::dict("headers", "Headers of the request."),
                Arg::path("tmp_dest", "Directory for the file while it arrives."),
                Arg::str("url_username", "User.").alias(&["username"]),
                Arg::str("url_password", "Password.").alias(&["password"]).secret(),
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
        let started = Instant::now();
        let dest = PathBuf::from(args.text("dest"));
        let into_directory = cx.stat(&dest)?.is_some_and(|stat| stat.is_dir());
        let sum = wanted_sum(args, cx)?;
        let attributes = Attributes::from_args(args, cx)?;
        let mut force = args.flag("force") || sum.is_some();
        if let (Some((algorithm, sum)), false, false, true) = (&sum, into_directory, args.flag("force"), cx.stat(&dest)?.is_some()) {
            if cx.digest(&dest, algorithm)? == *sum {
                return unchanged(args, cx, &dest, &attributes);
            }
            force = true;
        }
        let modified = if force || into_directory { None } else { cx.stat(&dest)?.map(|stat| stat.mtime.0) };
        let download = match fetch(args, cx, args.text("url"), modified, &dest)? {
            Fetched::NotModified(msg) => {
                let outcome = Outcome::new(false).with("dest", args.text("dest")).with("status_code", 304).msg(msg);
                return Ok(outcome.with("url", http::without_user(args.text("url"))).with("elapsed", started.elapsed().as_secs()));
            }
            Fetched::Here(download) => download,
        };
        let dest = if into_directory { dest.join(&download.name) } else { dest };
        place(args, cx, &dest, download, sum, &attributes, started)
    }
}

/// What arrived.
struct Download {
    content: Content,
    status: Value,
    msg: String,
    name: String,
}

enum Fetched {
    Here(Download),
    NotModified(String),
}

fn unchanged(args: &Args, cx: &mut Context<'_>, dest: &Path, attributes: &Attributes) -> Result<Outcome, Failure> {
    let changed = cx.set_attributes(dest, attributes, &mut AttributeDiff::default())?;
    let msg = if changed { "file already exists but file attributes changed" } else { "file already exists" };
    let fields =
        json!({"checksum_dest": null, "checksum_src": null, "dest": dest.to_string_lossy(), "elapsed": 0, "url": http::without_user(args.text("url"))});
    Ok(Outcome::new(changed).merge(fields.as_object().cloned().unwrap_or_default()).msg(msg))
}

fn place(
    args: &Args,
    cx: &mut Context<'_>,
    dest: &Path,
    download: Download,
    sum: Option<(String, String)>,
    attributes: &Attributes,
    started: Instant,
) -> Result<Outcome, Failure> {
    let dir = dest.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = dest.to_string_lossy().into_owned();
    if cx.stat(dir)?.is_none() {
        return Err(Failure::new(format!("Destination {} does not exist", dir.display())).with("dest", shown));
    }
    let hash = |algorithm: &str| -> Result<String, Failure> {
        let found = digest::by_name(algorithm, &mut *download.content.open()?).tried(|| "could not read the download".into())?;
        found.ok_or_else(|| Failure::new(format!("Could not hash with algorithm '{algorithm}'")))
    };
    if let Some((algorithm, wanted)) = &sum {
        let have = hash(algorithm)?;
        if have != *wanted {
            return Err(Failure::new(format!("The checksum for {} did not match {wanted}; it was {have}.", args.text("url"))).with("dest", shown));
        }
    }
    let before = if cx.stat(dest)?.is_some() { json!(cx.digest(dest, "sha1")?) } else { Value::Null };
    let mut fields = Map::new();
    for (key, value) in [
        ("checksum_src", json!(hash("sha1")?)),
        ("checksum_dest", before),
        ("md5sum", json!(hash("md5")?)),
        ("dest", json!(shown)),
        ("url", json!(http::without_user(args.text("url")))),
        ("status_code", download.status),
        ("msg", json!(download.msg)),
        ("elapsed", json!(started.elapsed().as_secs())),
    ] {
        fields.insert(key.into(), value);
    }
    let written = cx.write(Write { path: dest, content: download.content, attributes, backup: args.flag("backup"), validate: None })?;
    let backup = written.backup.map(|path| path.to_string_lossy().into_owned());
    Ok(Outcome::new(written.changed).merge(fields).maybe("backup_file", backup))
}

fn fetch(args: &Args, cx: &mut Context<'_>, url: &str, modified: Option<i64>, dest: &Path) -> Result<Fetched, Failure> {
    if let Some(path) = url.strip_prefix("file://") {
        let content = Content::Bytes(cx.read(Path::new(path)).map_err(|failure| Failure { msg: format!("Request failed: {}", failure.msg), ..failure })?);
        let name = path.rsplit('/').next().unwrap_or("index.html").to_owned();
        let msg = format!("OK ({} bytes)", content.size());
        return Ok(Fetched::Here(Download { content, status: Value::Null, msg, name }));
    }
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Failure::new(format!("unknown url type: {url}; http, https and file are supported")));
    }
    let client = Client::new(args, Around::of(cx), url, args.int("timeout").unwrap_or(10).max(0) as u64)?;
    let mut headers: Vec<(String, String)> = args.dict("headers").into_iter().flatten().map(|(name, value)| (name.clone(), coerce::text(value))).collect();
    match modified {
        Some(time) => headers.push(("If-Modified-Since".into(), http_date(time))),
        None if args.flag("force") => headers.push(("cache-control".into(), "no-cache".into())),
        None => {}
    }
    let query = Query { method: "GET".into(), url: url.to_owned(), headers, body: None, follow: "urllib2".into() };
    let shown = http::without_user(url);
    let answer = client.send(&query).map_err(|NoAnswer(why)| Failure::new(why).with("url", shown.as_str()).with("dest", dest.to_string_lossy()))?;
    cx.control().check()?;
    let info = answer.info();
    let msg = info.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned();
    match answer.status {
        304 => return Ok(Fetched::NotModified(msg)),
        200 => {}
        status => {
            let failure = Failure::new("Request failed").with("status_code", status).with("response", msg);
            return Err(failure.with("url", shown).with("dest", dest.to_string_lossy()));
        }
    }
    let name = file_name(&answer);
    let expected = answer.header("content-length").filter(|_| answer.header("content-encoding").is_none()).and_then(|text| text.parse::<u64>().ok());
    let near = args.str("tmp_dest").map_or_else(|| dest.to_owned(), |dir| Path::new(dir).join("x"));
    let content = receive(cx, answer.reader(), &near)?;
    if let Some(expected) = expected.filter(|expected| *expected != content.size()) {
        return Err(Failure::new(format!("Incomplete read, {expected} bytes were announced and {} arrived", content.size())));
    }
    Ok(Fetched::Here(Download { content, status: json!(200), msg, name }))
}

/// Keeps what arrives in a file beside its destination.
fn receive(cx: &mut Context<'_>, mut from: Box<dyn Read>, near: &Path) -> Result<Content, Failure> {
    let path = cx.scratch(near, b"")?;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).tried(|| "could not open a temporary file".into())?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        cx.control().check()?;
        match from.read(&mut buffer).tried(|| "failed to read the answer".into())? {
            0 => return Ok(Content::Staged(path)),
            n => file.write_all(&buffer[..n]).tried(|| "failed to create temporary content file".into())?,
        }
    }
}

/// The checksum asked for: algorithm and hexadecimal digits.
fn wanted_sum(args: &Args, cx: &mut Context<'_>) -> Result<Option<(String, String)>, Failure> {
    let given = args.text("checksum");
    if given.is_empty() {
        return Ok(None);
    }
    let Some((algorithm, sum)) = given.split_once(':') else {
        return Err("The checksum parameter has to be in format <algorithm>:<checksum>".into());
    };
    let mut sum = sum.to_owned();
    if ["http://", "https://", "file://"].iter().any(|scheme| sum.starts_with(scheme)) {
        let Fetched::Here(list) = fetch(args, cx, &sum, None, Path::new("/tmp/x"))? else { return Err("the file of checksums did not arrive".into()) };
        let mut text = String::new();
        list.content.open()?.read_to_string(&mut text).tried(|| "could not read the file of checksums".into())?;
        let url = args.text("url");
        let name = url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("index.html");
        let missing = || Failure::new(format!("Unable to find a checksum for file '{name}' in '{}'", http::without_user(&sum)));
        sum = sum_in(&text, name).ok_or_else(missing)?;
    }
    let sum: String = sum.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect::<String>().to_lowercase();
    if sum.is_empty() || !sum.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err("The checksum format is invalid".into());
    }
    Ok(Some((algorithm.to_owned(), sum)))
}

/// A file's checksum in a list of GNU's or BSD's form, or of a single checksum.
fn sum_in(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    if let [only] = lines[..]
        && only.split_whitespace().count() == 1
    {
        return Some(only.trim().to_owned());
    }
    lines.iter().find_map(|line| {
        if let Some((head, sum)) = line.rsplit_once(") = ").or(line.rsplit_once(")= "))
            && let Some((_, file)) = head.split_once('(')
        {
            return (file == name).then(|| sum.to_owned());
        }
        let (sum, file) = line.split_once(char::is_whitespace)?;
        (file.trim_start().trim_start_matches(['*', '.', '/']) == name).then(|| sum.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_checksums() {
        let list = "aa  x.tar\nbb *y.tar\ncc  ./z.tar\nSHA256 (w.tar) = dd\n";
        for (name, sum) in [("x.tar", "aa"), ("y.tar", "bb"), ("z.tar", "cc"), ("w.tar", "dd")] {
            assert_eq!(sum_in(list, name).as_deref(), Some(sum));
        }
        assert_eq!(sum_in(list, "v.tar"), None);
        assert_eq!(sum_in("ee\n", "any").as_deref(), Some("ee"));
    }
}
